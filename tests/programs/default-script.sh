#!/bin/sh
# Large links with the default script: the same bytes when what --verbose prints is given with -T. Lua, and a tool on libTooling (clang) where its
# inputs are there already: bench/make-corpus takes minutes (CLANG_TOOL names the directory, bench/corpus/clang-tool by default).
. "$(dirname "$0")/common.inc"

# twice OUT ARGS...: links three times
twice() {
  out=$1
  shift
  "$linker_dir/ld" "$@" -o "$out"
  "$linker_dir/ld" "$@" -o "$out" --verbose | sed -e '1,/^=====/d;/^=====/,$d' >"$out.ld"
  "$linker_dir/ld" "$@" -o "$out.second" -T "$out.ld"
  cmp "$out" "$out.second"
  rm "$out.second"
}

fetch lua5.4 lua
make -j"$jobs" linux CC="gcc -std=gnu99"
# What gcc says to the linker.
gcc -o lua.exe src/lua.o src/liblua.a -lm -ldl -Wl,-E -### 2>&1 | tail -1 | tr -d '"' >line
grep -o '[^ ]*collect2 .*' line | sed -e 's/^[^ ]* //' -e 's/-plugin[^ ]* [^ ]*//' -e 's/-plugin-opt=[^ ]*//g' -e 's/ -o [^ ]*//' >args
# shellcheck disable=SC2046
twice lua.exe $(cat args)
./lua.exe "$top/tests/programs/Inputs/test.lua"

tool=${CLANG_TOOL:-$top/bench/corpus/clang-tool}
if [ -e "$tool/args.rsp" ]; then
  cd "$tool"
  twice "$work/clang-tool.exe" @args.rsp
  "$work/clang-tool.exe" | grep -q ok=1
fi
