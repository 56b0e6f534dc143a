#!/bin/sh
# A small program: constructors, thread variables, a weak import, variadic calls, tentative and zero-fill data.
. "$(dirname "$0")/macho.inc"
cat >expected <<'TEXT'
arguments 2 argument, constructors 212
of the order, 1 2 3.25 x
many: 1 2 3 4 5 6 7 8 9.5
thread variables 41 1047 0
weak import absent
data 1 0 2.5 three many
apple strings
at exit
destroyed
TEXT
for arch in $archs; do
  for level in 0 2; do
    compile $arch -O$level -c "$inputs/hello.c" -o hello.$arch.$level.o
  done
  for form in $forms; do
    for level in 0 2; do
      program=hello.$arch.$form.$level
      for options in "" "-dead_strip" "-x -S"; do
        link $arch $form $options hello.$arch.$level.o "$libsystem" -o $program
        status=0
        run $arch $program argument >$program.out || status=$?
        [ $status = 42 ] || { echo "$program $options: status $status"; exit 1; }
        same expected $program.out
        [ $form = chained ] || {
          run $arch --lazy $program argument >$program.out || status=$?
          same expected $program.out
        }
      done
    done
  done
  # Stubs of other versions say the same.
  cat >puts.c <<'C'
int puts(const char *);
int main(void) { return puts("hello") < 0; }
C
  compile $arch -c puts.c -o puts.$arch.o
  for version in v3 v5; do
    link $arch chained puts.$arch.o "${libsystem%.tbd}.$version.tbd" -o puts.$arch.$version
    [ "$(run $arch puts.$arch.$version)" = hello ]
  done
done
