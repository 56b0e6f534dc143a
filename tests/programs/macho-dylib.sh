#!/bin/sh
# A library that re-exports another, run paths, a weak library that is missing, one weak definition for all images,
# a thread variable and data of a library, a bundle that is opened and looks its names up everywhere.
. "$(dirname "$0")/macho.inc"
for arch in $archs; do
  for source in inner outer gone bundle dylibs; do
    compile $arch -O1 -c "$inputs/$source.c" -o $source.$arch.o
  done
  compile $arch -O1 -DPROGRAM_HAS_WHO -c "$inputs/dylibs.c" -o dylibs-who.$arch.o
  for form in $forms; do
    dir=$arch.$form
    mkdir -p $dir/lib
    link $arch $form -dylib inner.$arch.o "$libsystem" -install_name @rpath/libinner.dylib -current_version 1.2.3 \
      -compatibility_version 1.1 -o $dir/lib/libinner.dylib
    link $arch $form -dylib outer.$arch.o "$libsystem" -reexport_library $dir/lib/libinner.dylib \
      -install_name @rpath/libouter.dylib -rpath @loader_path -o $dir/lib/libouter.dylib
    link $arch $form -dylib gone.$arch.o "$libsystem" -install_name @executable_path/lib/libgone.dylib \
      -o $dir/lib/libgone.dylib
    link $arch $form -bundle bundle.$arch.o "$libsystem" -undefined dynamic_lookup -o $dir/b.bundle
    for program in dylibs dylibs-who; do
      # The library's install name says where it will be; -L and -l find it now.
      link $arch $form $program.$arch.o -L $dir/lib -louter -weak_library $dir/lib/libgone.dylib "$libsystem" \
        -rpath @executable_path/lib -o $dir/$program
      who="2 2 2"
      [ $program = dylibs ] || who="3 3 3"
      cat >expected <<TEXT
inner starts
outer starts
main starts
2 101 32
4 3 12 6
10
who $who
TEXT
      run_all $arch $form $dir/$program >there.output
      echo "gone there" | cat expected - >expected.there
      same expected.there there.output
      mv $dir/lib/libgone.dylib $dir/lib/libgone.away
      run_all $arch $form $dir/$program $dir/b.bundle >absent.output
      # 2 + 100, and (2 + 9) * 10 + 12
      printf 'gone absent\nbundle 224\n' | cat expected - >expected.absent
      same expected.absent absent.output
      mv $dir/lib/libgone.away $dir/lib/libgone.dylib
      # What a library has not must not be found in another.
      mv $dir/lib/libinner.dylib $dir/lib/libinner.away
      link $arch $form -dylib gone.$arch.o "$libsystem" -install_name @rpath/libinner.dylib -current_version 1.2.3 \
        -o $dir/lib/libinner.dylib
      ! run $arch $dir/$program >/dev/null 2>error || { echo "a missing symbol was found"; exit 1; }
      grep -q '^machorun: .*: the symbol _inner_.* is not in @rpath/lib' error || { cat error; exit 1; }
      mv $dir/lib/libinner.away $dir/lib/libinner.dylib
    done
  done
done
