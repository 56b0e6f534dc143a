# REQUIRES: weld
# What lies between two symbols is an atom. Names of one address are names of one atom, .alt_entry is a place inside it, and what
# stands before the first name has none.
# RUN: llvm-mc -triple x86_64-apple-macos11 -filetype obj %s -o %t.o
# RUN: %weld -core %t.o | FileCheck %s
# Without .subsections_via_symbols a section is one atom, and all names are places in it.
# RUN: sed '/subsections_via/d' %s > %t.s && llvm-mc -triple x86_64-apple-macos11 -filetype obj %t.s -o %t.2.o
# RUN: %weld -core %t.2.o | FileCheck --check-prefix=WHOLE %s

# RUN: %weld -core %t.o > %t.1 && %weld -core --target x86_64-apple-macos %t.1 | diff %t.1 -
# RUN: not %weld -core --target arm64-apple-macos %t.o 2>&1 | FileCheck --check-prefix=TARGET %s
# TARGET: an object for x86_64; this link is for arm64

# CHECK:      target-triple:   x86_64-apple-macos
# CHECK-NEXT: defined-atoms:
# CHECK-NEXT:   - content:         [ F4, F4 ]
# CHECK-NEXT:     alignment:       16
# CHECK-NEXT:   - name:            _first
# CHECK-NEXT:     scope:           global
# CHECK-NEXT:     content:         [ 90, 90, 90 ]
# CHECK-NEXT:     alignment:       2
# CHECK-NEXT:     symbols:
# CHECK-NEXT:       - name:            _same
# CHECK-NEXT:         type:            function
# CHECK-NEXT:         size:            3
# CHECK-NEXT:       - name:            _inner
# CHECK-NEXT:         scope:           global
# CHECK-NEXT:         type:            function
# CHECK-NEXT:         size:            2
# CHECK-NEXT:         offset:          1
# CHECK-NEXT:   - name:            _second
# CHECK-NEXT:     content:         [ C3 ]
# CHECK-NEXT:   - name:            _end
# CHECK-NEXT:     scope:           hidden
# CHECK-NEXT:     alignment:       2
# CHECK-NEXT:   - name:            _in_data
# CHECK-NEXT:     type:            data
# CHECK-NEXT:     content:         [ 01, 00, 00, 00 ]
# CHECK-NEXT:     alignment:       8
# CHECK-NEXT:   - name:            _more
# CHECK-NEXT:     type:            data
# CHECK-NEXT:     content:         [ 02, 00, 00, 00 ]
# CHECK-NEXT:     alignment:       4
# CHECK-NEXT:   - name:            _zeros
# CHECK-NEXT:     type:            zero-fill
# CHECK-NEXT:     size:            24
# CHECK-NEXT:     alignment:       32
# CHECK-NEXT:   - name:            _mine
# CHECK-NEXT:     type:            data
# CHECK-NEXT:     content:         [ 07 ]
# CHECK-NEXT:     section-choice:  custom-required
# CHECK-NEXT:     section-name:    '__MINE,__own'
# CHECK-NEXT: absolute-atoms:
# CHECK-NEXT:   - name:            _here
# CHECK-NEXT:     value:           0x11
# CHECK-NEXT:   - name:            _number
# CHECK-NEXT:     scope:           global
# CHECK-NEXT:     value:           0x1234

# WHOLE:      defined-atoms:
# WHOLE-NEXT:   - content:         [ F4, F4, 90, 90, 90, C3 ]
# WHOLE-NEXT:     alignment:       16
# WHOLE-NEXT:     symbols:
# WHOLE-NEXT:       - name:            _same
# WHOLE-NEXT:         type:            function
# WHOLE-NEXT:         size:            4
# WHOLE-NEXT:         offset:          2
# WHOLE:            - name:            _end
# WHOLE-NEXT:         scope:           hidden
# WHOLE-NEXT:         type:            function
# WHOLE-NEXT:         offset:          6
# WHOLE-NOT:      C3 ]
# WHOLE:        - name:            _in_data
# WHOLE-NEXT:     type:            data
# WHOLE-NEXT:     content:         [ 01, 00, 00, 00, 02, 00, 00, 00 ]

  .globl _first, _inner, _end, _number
  .private_extern _end
  .p2align 4
  hlt
  hlt
_first:
_same:
  nop
  .alt_entry _inner
_inner:
  nop
  nop
_second:
  ret
_end:
  .data
  .p2align 3
_in_data:
  .long 1
_more:
  .long 2
  .zerofill __DATA,__bss,_zeros,24,5
  .section __MINE,__own
_mine:
  .byte 7
_here = 17
_number = 0x1234
  .subsections_via_symbols
