#!/bin/sh
# Relocatable output: all objects of a program become one (and once more, out of two halves); what weld, GNU ld and lld make of that
# object behaves as the program does. So does what weld makes of the object that GNU ld or lld made.
. "$(dirname "$0")/common.inc"
ld=$linker_dir/ld
others=
for other in bfd lld; do
  command -v ld.$other >/dev/null && others="$others $other"
done
command -v ld.lld-19 >/dev/null && others="$others lld-19"

# joined NAME OBJECT...: NAME.o of all, NAME-nested.o of two halves, NAME-LINKER.o by other linkers.
joined() {
  name=$1
  shift
  "$ld" -r -o "$name.o" "$@"
  readelf -SsrW "$name.o" >"$name.headers" 2>"$name.warnings"
  [ ! -s "$name.warnings" ] || { cat "$name.warnings"; exit 1; }
  half=$(($# / 2)) i=0 first= second=
  for o in "$@"; do
    i=$((i + 1))
    if [ $i -le $half ]; then first="$first $o"; else second="$second $o"; fi
  done
  "$ld" -r -o "$name-first.o" $first
  "$ld" -r -o "$name-second.o" $second
  "$ld" -r -o "$name-nested.o" "$name-first.o" "$name-second.o"
  for other in $others; do
    ld.$other -r -o "$name-$other.o" "$@"
  done
  echo "$name: $# objects are one"
}

# each_way NAME COMPILER OPTIONS CHECK: links each of them to ./NAME-program, and runs the shell commands CHECK.
each_way() {
  for o in "$1.o" "$1-nested.o" $(for other in $others; do echo "$1-$other.o"; done); do
    rm -f "$1-program"
    $2 "$o" -o "$1-program" $3
    linked_by_weld "$1-program"
    eval "$4"
  done
  for other in $others; do
    rm -f "$1-program"
    mkdir -p "by-$other"
    ln -sf "$(command -v ld.$other)" "by-$other/ld"
    /usr/bin/$2 -B "$PWD/by-$other" "$1.o" -o "$1-program" $3
    eval "$4"
  done
}

fetch lua5.4 lua
make -j"$jobs" linux CC="gcc -std=gnu99" MYCFLAGS=-g
gcc -std=gnu99 -O2 -fPIC -shared -Isrc "$top/tests/programs/Inputs/lua_module.c" -o lua_module.so
joined lua $(ls src/*.o | grep -v luac.o)
each_way lua gcc "-lm -ldl -Wl,-E -rdynamic" './lua-program "$top/tests/programs/Inputs/test.lua"'
# Debug information still knows the lines.
addr=$(nm lua-program | sed -n 's/ [tT] luaH_get$//p')
addr2line -e lua-program "0x$addr" | grep 'ltable.c:[1-9]'

fetch libzstd zstd
make -j"$jobs" zstd
joined zstd $(find programs/obj -name '*.o')
head -c 3000000 zstd.o >plain
each_way zstd gcc "-pthread $(readelf -d programs/zstd | sed -n 's/.*\[lib\(z\|lzma\|lz4\)\.so.*/-l\1/p' | tr '\n' ' ')" \
  './zstd-program -q -f -3 plain -o packed && ./zstd-program -q -d -f packed -o unpacked && cmp plain unpacked'

fetch libjsoncpp jsoncpp
cmake -G Ninja -S . -B build -DCMAKE_BUILD_TYPE=Debug -DBUILD_SHARED_LIBS=OFF -DBUILD_STATIC_LIBS=ON -DBUILD_OBJECT_LIBS=OFF \
  -DCMAKE_C_COMPILER="$work/bin/gcc" -DCMAKE_CXX_COMPILER="$work/bin/g++" -DJSONCPP_WITH_POST_BUILD_UNITTEST=OFF >cmake.log
ninja -C build jsoncpp_static jsoncpp_test
joined jsoncpp $(find build/src/lib_json build/src/test_lib_json -name '*.o')
each_way jsoncpp g++ "" './jsoncpp-program >json.log || { tail json.log; exit 1; }'
# The relocations that a program keeps say what its fields hold.
g++ -no-pie jsoncpp.o -o kept -Wl,--emit-relocs
./kept >json.log
/usr/bin/python3 "$top/tests/relocatable/Inputs/check_relocs.py" kept
