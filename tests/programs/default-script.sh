#!/bin/sh
# Large links with the default script: the same bytes when what --verbose prints is given with -T. Lua, and a tool on libTooling (clang) where its
# inputs are there already: bench/make-corpus takes minutes (CLANG_TOOL names the directory, bench/corpus/clang-tool by default).
. "$(dirname "$0")/common.inc"

script_of() { sed -e '1,/^=====/d;/^=====/,$d' "$1"; }

fetch lua5.4 lua
make -j"$jobs" linux CC="gcc -std=gnu99"
for kind in -no-pie -pie; do
  gcc $kind -o lua.exe src/lua.o src/liblua.a -lm -ldl -Wl,-E
  gcc $kind -o lua.out src/lua.o src/liblua.a -lm -ldl -Wl,-E,--verbose >text
  script_of text >script.ld
  gcc $kind -o lua.out src/lua.o src/liblua.a -lm -ldl -Wl,-E,-T,script.ld
  cmp lua.exe lua.out
  ./lua.exe -e "print(string.rep([[ab]], 3))" | grep -q ababab
done

tool=${CLANG_TOOL:-$top/bench/corpus/clang-tool}
if [ -e "$tool/args.rsp" ]; then
  cd "$tool"
  out=$work/clang-tool.exe
  "$linker_dir/ld" @args.rsp -o "$out"
  "$linker_dir/ld" @args.rsp -o "$out.second" --verbose >"$out.text"
  script_of "$out.text" >"$out.ld"
  "$linker_dir/ld" @args.rsp -o "$out.second" -T "$out.ld"
  cmp "$out" "$out.second"
  "$out" | grep -q ok=1
  rm "$out" "$out.second"
fi
