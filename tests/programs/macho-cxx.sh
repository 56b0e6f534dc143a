#!/bin/sh
# C++: libc++ is built from its sources, as an archive and as a dylib. Exceptions go through compact unwind, also from
# a library of the program; one definition of what is inline or a template is shared by all images.
. "$(dirname "$0")/macho.inc"
need_sdk

cxx_flags() {
  echo "-target $1-apple-macos11 -nostdinc -nostdinc++ -fno-stack-protector -x c++ -std=c++20 -isystem $sdk/libcxx/include" \
    "-isystem $sdk/libcxxabi/include -isystem $sdk/libunwind/include $(sdk_flags $1) -D_LIBCPP_ABI_VERSION=1" \
    "-D_LIBCPP_ABI_NAMESPACE=__1 -D_LIBCPP_HAS_NO_VENDOR_AVAILABILITY_ANNOTATIONS" \
    "-D_LIBCPP_DISABLE_VISIBILITY_ANNOTATIONS -D_LIBCXXABI_DISABLE_VISIBILITY_ANNOTATIONS"
}

# Kept between runs: it takes half a minute for each CPU. Sets libcxx.
build_libcxx() {
  libcxx=$work/sources/libcxx.$1
  [ ! -e "$libcxx/ready" ] || return 0
  rm -rf "$libcxx"
  mkdir -p "$libcxx"
  flags="$(cxx_flags $1) -w -O1 -I $sdk/libcxx/src -D_LIBCPP_BUILDING_LIBRARY -D_LIBCXXABI_BUILDING_LIBRARY"
  flags="$flags -DLIBCXX_BUILDING_LIBCXXABI"
  for source in "$sdk"/libcxx/src/*.cpp "$sdk"/libcxx/src/ryu/*.cpp "$sdk"/libcxxabi/src/*.cpp; do
    object=$libcxx/$(basename "$source" .cpp).o
    case $source in
    */cxa_noexception.cpp | */cxa_thread_atexit.cpp | */legacy_debug_handler.cpp | */src/debug.cpp) continue ;;
    esac
    printf 'all: %s\n%s:\n\t%s %s -c %s -o %s\n' "$object" "$object" $clang "$flags" "$source" "$object"
  done >libcxx.mk
  MAKEFLAGS= make -s -j"$jobs" -f libcxx.mk
  llvm-ar-14 rcs "$libcxx/libc++.a" "$libcxx"/*.o
  : >"$libcxx/ready"
}

libsystem=$sdk/libc/darwin/libSystem.11.tbd
for arch in $archs; do
  build_libcxx $arch
  for level in 0 2; do
    for source in thrower exceptions; do
      $clang $(cxx_flags $arch) -O$level -c "$inputs/$source.cpp" -o $source.$arch.o
    done
    for form in $forms; do
      dir=$arch.$form.$level
      mkdir $dir
      # Everything in one image.
      link $arch $form exceptions.$arch.o thrower.$arch.o "$libcxx/libc++.a" "$libsystem" -o $dir/static
      link $arch $form -dead_strip exceptions.$arch.o thrower.$arch.o "$libcxx/libc++.a" "$libsystem" -o $dir/stripped
      # Three images.
      link $arch $form -dylib "$libcxx"/*.o "$libsystem" -install_name @rpath/libc++.1.dylib -o $dir/libc++.1.dylib
      link $arch $form -dylib thrower.$arch.o $dir/libc++.1.dylib "$libsystem" -install_name @rpath/libthrower.dylib \
        -o $dir/libthrower.dylib
      link $arch $form exceptions.$arch.o $dir/libthrower.dylib $dir/libc++.1.dylib "$libsystem" \
        -rpath @loader_path -o $dir/dynamic
      for program in static stripped dynamic; do
        run_all $arch $form $dir/$program >$dir/$program.output
        same "$inputs/exceptions.expected" $dir/$program.output
      done
    done
  done
done
