#!/bin/sh
# SQLite's shell for macOS: a script, on a file and in memory, has the output of a build for this system.
. "$(dirname "$0")/common.inc"
. "$(dirname "$0")/macho.inc"
need_sdk
need tcl
fetch sqlite3 macho-sqlite3
sqlite=$PWD
./configure >/dev/null
make sqlite3.c shell.c >/dev/null
cd "$out"
flags="-DSQLITE_ENABLE_FTS5 -DSQLITE_ENABLE_MATH_FUNCTIONS -DSQLITE_ENABLE_COLUMN_METADATA -I $sqlite"
gcc -O1 $flags "$sqlite/sqlite3.c" "$sqlite/shell.c" -o host -lm -ldl -pthread

# shell_check COMMAND...: what it prints must be what the host's build prints.
shell_check() {
  rm -f data.db data.db-*
  "$@" data.db <"$inputs/script.sql" >file.output 2>file.errors || true
  "$@" data.db 'select count(*), sum(id) from t; pragma integrity_check' >again.output
  "$@" :memory: <"$inputs/script.sql" >memory.output 2>memory.errors || true
  # A file that the other build wrote.
  [ ! -e host.db ] || "$@" -readonly host.db 'select count(*), sum(length(data)), max(name) from t' >other.output
}
outputs="file memory again"
shell_check ./host
cp data.db host.db
./host host.db 'select count(*), sum(length(data)), max(name) from t' >host.other
grep -q '^3001|4504501$' again.output
grep -c . file.output memory.output
for f in $outputs; do mv $f.output host.$f; done
for f in file memory; do mv $f.errors host.$f.errors; done
for arch in $archs; do
  for file in sqlite3 shell; do
    compile $arch $(sdk_flags $arch) -O1 -w $flags -c "$sqlite/$file.c" -o $file.$arch.o
  done
  for form in $forms; do
    program=sqlite3.$arch.$form
    link $arch $form -dead_strip sqlite3.$arch.o shell.$arch.o "$sdk/libc/darwin/libSystem.11.tbd" -o $program
    lazy=
    [ $form = chained ] || lazy=--lazy
    shell_check run $arch $lazy $program
    for f in $outputs other; do same host.$f $f.output; done
    for f in file memory; do same host.$f.errors $f.errors; done
  done
done
