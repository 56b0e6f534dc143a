#!/bin/sh
# Lua for macOS: the interpreter does what one built for this system from the same source does, and loads a module.
. "$(dirname "$0")/common.inc"
. "$(dirname "$0")/macho.inc"
need_sdk
fetch lua5.4 macho-lua
lua=$PWD
modules=$(cd src && ls l*.c | grep -v -x luac.c | sed 's/\.c$//')
mkdir -p "$out/host"
for m in $modules; do gcc -std=gnu99 -O1 -DLUA_USE_LINUX -c src/$m.c -o "$out/host/$m.o"; done
cd "$out"
gcc -Wl,-E host/*.o -lm -ldl -o host/lua
SOME_VARIABLE=value
export SOME_VARIABLE
status=0
host/lua "$inputs/behaviour.lua" file.txt >expected 2>expected.errors || status=$?
[ $status = 7 ] || { echo "the host's Lua: status $status"; cat expected.errors; exit 1; }
# lua.c names itself where it reports an error.
for arch in $archs; do
  mkdir $arch
  for m in $modules; do
    compile $arch $(sdk_flags $arch) -O1 -DLUA_USE_MACOSX -c "$lua/src/$m.c" -o $arch/$m.o
  done
  compile $arch $(sdk_flags $arch) -O1 -I "$lua/src" -c "$top/tests/programs/Inputs/lua_module.c" -o module.$arch.o
  for form in $forms; do
    for options in "" -dead_strip; do
      program=lua.$arch.$form$options
      link $arch $form $options $arch/*.o "$sdk/libc/darwin/libSystem.11.tbd" -o $program
      for lazy in "" --lazy; do
        [ $form$lazy != chained--lazy ] || continue
        status=0
        run $arch $lazy $program "$inputs/behaviour.lua" file.txt >output 2>errors || status=$?
        [ $status = 7 ] || { echo "$program: status $status"; cat errors; exit 1; }
        same expected output
        same expected.errors errors
      done
    done
    link $arch $form -bundle module.$arch.o -undefined dynamic_lookup "$sdk/libc/darwin/libSystem.11.tbd" \
      -o lua_module.so
    run $arch lua.$arch.$form "$top/tests/programs/Inputs/test.lua"
  done
done
