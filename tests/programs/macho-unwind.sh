#!/bin/sh
# Exceptions of C (cleanups), of hand-written tables, and forced ones, through __unwind_info and __eh_frame; with
# frame pointers and without, so that each kind of compact encoding and DWARF mode are there.
. "$(dirname "$0")/macho.inc"
for arch in $archs; do
  compile $arch -c "$inputs/catch.$arch.s" -o catch.$arch.o
  for shape in "-O2" "-O2 -fomit-frame-pointer" "-O0" "-Os -fno-exceptions -fexceptions -momit-leaf-frame-pointer"; do
    compile $arch $shape -fexceptions -c "$inputs/unwind.c" -o unwind.$arch.o
    for form in $forms; do
      program=unwind.$arch.$form
      link $arch $form unwind.$arch.o catch.$arch.o "$libsystem" -o $program
      run_all $arch $form $program >output
      same "$inputs/unwind.expected" output
      link $arch $form -dead_strip unwind.$arch.o catch.$arch.o "$libsystem" -o $program
      run_all $arch $form $program >output
      same "$inputs/unwind.expected" output
    done
  done
done
