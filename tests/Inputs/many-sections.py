"""An assembly file with N functions, each in a section of its own."""
import sys

n = int(sys.argv[1])
print('.section .note.GNU-stack,"",@progbits')
for i in range(n):
    print(f'.section .text.m{i},"ax",@progbits\n.globl many_{i}\nmany_{i}: mov ${i},%eax\nret')
