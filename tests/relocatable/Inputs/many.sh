#!/bin/sh
# many.sh N: an assembly file with N functions, each in a section of its own; every second one calls the one before.
awk -v n="$1" 'BEGIN {
  print ".section .note.GNU-stack,\"\",@progbits"
  for (i = 0; i < n; i++)
    printf ".section .text.m%d,\"ax\",@progbits\n.globl many_%d\nmany_%d: %smov $%d,%%eax\nret\n", i, i, i, i % 2 ? "call many_" i - 1 "\n" : "", i
}'
