#!/bin/sh
# Generated programs of thirteen files, four of them a library: they compute what a build for this system computes.
# SEEDS are the seeds of the generator.
. "$(dirname "$0")/macho.inc"
for seed in ${SEEDS:-1 2 3}; do
  rm -rf $seed
  mkdir $seed
  python3 "$inputs/generate.py" $seed $seed
  gcc -w -O1 -fwrapv -fcommon -fPIE -pie $seed/*.c -o $seed/host
  $seed/host >$seed/expected
  for arch in $archs; do
    # Tentative definitions, and code of both kinds.
    flags="-fwrapv -ffp-contract=off -O0 -fno-common"
    [ $((seed % 2)) = 1 ] || flags="-fwrapv -ffp-contract=off -O2 -fcommon"
    for source in $seed/*.c; do
      compile $arch -w $flags -c $source -o ${source%.c}.$arch.o
      compile $arch -w $flags -DONE_IMAGE -c $source -o ${source%.c}.one.$arch.o
    done
    for form in $forms; do
      dir=$seed/$arch.$form
      mkdir $dir
      link $arch $form -dylib $seed/library?.$arch.o $seed/library1?.$arch.o "$libsystem" -install_name @rpath/liblibrary.dylib \
        -o $dir/liblibrary.dylib
      link $arch $form $seed/main.$arch.o $seed/program?.$arch.o $dir/liblibrary.dylib "$libsystem" \
        -rpath @executable_path -o $dir/two
      link $arch $form -dead_strip $seed/*.one.$arch.o "$libsystem" -o $dir/one
      for program in two one; do
        run_all $arch $form $dir/$program >$dir/$program.output
        same $seed/expected $dir/$program.output
      done
    done
  done
done
