#!/bin/sh
# What weld and ld64.lld make of the same links, those of the other macho-*.sh scripts: every difference must be of a kind
# that docs/macho-differences.md explains. Their objects are taken from where they left them, or they are run.
. "$(dirname "$0")/macho.inc"
need_sdk
peer=${PEER:-ld64.lld-19}
command -v $peer >/dev/null || { echo "$peer is missing"; exit 77; }
differences=$top/tests/Inputs/macho/differences.py
for script in hello dylib unwind lua sqlite3 cxx; do
  for arch in $archs; do
    set -- "$work/macho-$script"/*.$arch*.o "$work/macho-$script/$arch"/*.o
    [ -e "$1" ] || [ -e "$2" ] || sh "$top/tests/programs/macho-$script.sh" || exit $?
  done
done
linker="python3 $differences --weld $top/build/bin/weld%-flavor%darwin --peer $peer --report $out/report.json"
stubs=$sdk/libc/darwin/libSystem.11.tbd

# both NAME ARGUMENT...: links with both, as $arch and $form say.
both() {
  what=$1
  shift
  DIFFERENCES_OF="$what, $arch, $form" link $arch $form "$@"
}

for arch in $archs; do
  for form in $forms; do
    w=$work/macho-hello
    both hello $w/hello.$arch.2.o "$libsystem" -o hello
    both "hello, -O0" $w/hello.$arch.0.o "$libsystem" -o hello
    both "hello, -dead_strip" -dead_strip $w/hello.$arch.2.o "$libsystem" -o hello
    both "hello, -x -S" -x -S $w/hello.$arch.2.o "$libsystem" -o hello
    w=$work/macho-dylib
    both "a library" -dylib $w/inner.$arch.o "$libsystem" -install_name @rpath/libinner.dylib -current_version 1.2.3 \
      -compatibility_version 1.1 -o libinner.dylib
    both "a library that re-exports" -dylib $w/outer.$arch.o "$libsystem" -reexport_library libinner.dylib \
      -install_name @rpath/libouter.dylib -rpath @loader_path -o libouter.dylib
    both "a library that may be missing" -dylib $w/gone.$arch.o "$libsystem" -install_name @rpath/libgone.dylib -o libgone.dylib
    both "a bundle" -bundle $w/bundle.$arch.o "$libsystem" -undefined dynamic_lookup -o bundle
    both "a program of libraries" $w/dylibs.$arch.o -L . -louter -weak_library libgone.dylib "$libsystem" -rpath @executable_path \
      -o dylibs
    w=$work/macho-unwind
    both "exceptions of C" $w/unwind.$arch.o $w/catch.$arch.o "$libsystem" -o unwind
    w=$work/macho-lua
    both Lua $w/$arch/*.o "$stubs" -o lua
    both "Lua, -dead_strip" -dead_strip $w/$arch/*.o "$stubs" -o lua
    w=$work/macho-sqlite3
    both SQLite $w/sqlite3.$arch.o $w/shell.$arch.o "$stubs" -o sqlite3
    both "SQLite, -dead_strip" -dead_strip $w/sqlite3.$arch.o $w/shell.$arch.o "$stubs" -o sqlite3
    w=$work/macho-cxx
    libcxx=$work/sources/libcxx.$arch
    both "C++ exceptions, static libc++" $w/exceptions.$arch.o $w/thrower.$arch.o "$libcxx/libc++.a" "$stubs" -o cxx
    both "C++ exceptions, -dead_strip" -dead_strip $w/exceptions.$arch.o $w/thrower.$arch.o "$libcxx/libc++.a" "$stubs" -o cxx
    both "libc++.dylib" -dylib "$libcxx"/*.o "$stubs" -install_name @rpath/libc++.1.dylib -o libc++.1.dylib
    both "C++ exceptions, libc++.dylib" $w/exceptions.$arch.o $w/thrower.$arch.o libc++.1.dylib "$stubs" -rpath @loader_path -o cxx
  done
done
python3 "$differences" --sizes report.json >sizes.md
python3 "$differences" --summary report.json
