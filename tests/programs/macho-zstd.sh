#!/bin/sh
# zstd for macOS, threads and hand-written assembly included: its files are those of a build for this system.
. "$(dirname "$0")/common.inc"
. "$(dirname "$0")/macho.inc"
need_sdk
fetch libzstd macho-zstd
zstd=$PWD
sources=$(ls lib/common/*.c lib/compress/*.c lib/decompress/*.c lib/decompress/*.S lib/dictBuilder/*.c programs/*.c)
flags="-w -O1 -DBACKTRACE_ENABLE=0 -DZSTD_MULTITHREAD -DZSTD_LEGACY_SUPPORT=0 -I $zstd/lib -I $zstd/lib/common"
cat lib/compress/*.c >"$out/file"

# build COMPILER...: objects of all sources in the directory `objects`.
build() {
  rm -rf objects
  mkdir objects
  for source in $sources; do
    object=objects/$(basename "$source" | tr . _).o
    printf 'all: %s\n%s:\n\t%s %s -c %s -o %s\n' "$object" "$object" "$*" "$flags" "$zstd/$source" "$object"
  done >objects/mk
  MAKEFLAGS= make -s -j"$jobs" -f objects/mk
}

cd "$out"
build gcc
gcc objects/*.o -o host -pthread
for level in 1 12 19; do ./host -$level -T2 -q -f file -o host.$level.zst; done
for arch in $archs; do
  build $clang -target $arch-apple-macos11 -nostdinc -fno-stack-protector "$(sdk_flags $arch)"
  for form in $forms; do
    program=zstd.$arch.$form
    link $arch $form -dead_strip objects/*.o "$sdk/libc/darwin/libSystem.11.tbd" -o $program
    for level in 1 12 19; do
      run $arch $program -$level -T2 -q -f file -o $program.zst
      cmp host.$level.zst $program.zst
      run $arch $program -d -q -f $program.zst -o back
      cmp file back
    done
  done
done
echo "zstd: all is well"
