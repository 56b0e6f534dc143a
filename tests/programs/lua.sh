#!/bin/sh
# Lua: the interpreter and the compiler with loadable modules, and tests of the language.
. "$(dirname "$0")/common.inc"
fetch lua5.4 lua
make -j"$jobs" linux CC="gcc -std=gnu99"
linked_by_weld src/lua src/luac
gcc -std=gnu99 -O2 -fPIC -shared -Isrc "$top/tests/programs/Inputs/lua_module.c" -o lua_module.so
./src/lua "$top/tests/programs/Inputs/test.lua"
./src/luac -o test.luac "$top/tests/programs/Inputs/test.lua"
./src/lua test.luac
# The same from objects that were text in between.
through_text src
rm -f src/lua src/luac src/liblua.a
make -j"$jobs" linux CC="gcc -std=gnu99"
linked_by_weld src/lua src/luac
./src/lua "$top/tests/programs/Inputs/test.lua"
./src/luac -o test.luac "$top/tests/programs/Inputs/test.lua"
./src/lua test.luac
