# REQUIRES: weld
# Relocations of arm64. Which load or store a PAGEOFF12 belongs to, the instruction says.
# RUN: llvm-mc -triple arm64-apple-macos11 -filetype obj %s -o %t.o
# RUN: llvm-objdump --macho -r %t.o | FileCheck --check-prefix=INPUT %s
# RUN: %weld -core %t.o | FileCheck %s

# INPUT-DAG: ADDEND
# INPUT-DAG: SUB

# What was written is read back and comes out the same.
# RUN: %weld -core %t.o > %t.1 && %weld -core --target arm64-apple-macos %t.1 | diff %t.1 -

# CHECK:      target-triple:   arm64-apple-macos
# CHECK:      - name:            _code
# CHECK:        - kind:            R_AARCH64_CALL26
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:   - kind:            R_AARCH64_CALL26
# CHECK-NEXT:     offset:          4
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:     addend:          8
# CHECK-NEXT:   - kind:            R_AARCH64_ADR_PREL_PG_HI21
# CHECK-NEXT:     offset:          8
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:     addend:          3
# CHECK-NEXT:   - kind:            R_AARCH64_ADD_ABS_LO12_NC
# CHECK-NEXT:     offset:          12
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:     addend:          3
# CHECK-NEXT:   - kind:            R_AARCH64_LDST8_ABS_LO12_NC
# CHECK-NEXT:     offset:          16
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:   - kind:            R_AARCH64_LDST16_ABS_LO12_NC
# CHECK-NEXT:     offset:          20
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:   - kind:            R_AARCH64_LDST32_ABS_LO12_NC
# CHECK-NEXT:     offset:          24
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:   - kind:            R_AARCH64_LDST64_ABS_LO12_NC
# CHECK-NEXT:     offset:          28
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:   - kind:            R_AARCH64_LDST64_ABS_LO12_NC
# CHECK-NEXT:     offset:          32
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:   - kind:            R_AARCH64_LDST128_ABS_LO12_NC
# CHECK-NEXT:     offset:          36
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:   - kind:            R_AARCH64_ADR_GOT_PAGE
# CHECK-NEXT:     offset:          40
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:   - kind:            R_AARCH64_LD64_GOT_LO12_NC
# CHECK-NEXT:     offset:          44
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:   - kind:            ARM64_RELOC_TLVP_LOAD_PAGE21
# CHECK-NEXT:     offset:          48
# CHECK-NEXT:     target:          _tlv
# CHECK-NEXT:   - kind:            ARM64_RELOC_TLVP_LOAD_PAGEOFF12
# CHECK-NEXT:     offset:          52
# CHECK-NEXT:     target:          _tlv
# A local symbol in the middle of an atom is a place in it.
# CHECK-NEXT:   - kind:            R_AARCH64_ADR_PREL_PG_HI21
# CHECK-NEXT:     offset:          56
# CHECK-NEXT:     target:          _words
# CHECK-NEXT:     addend:          8
# CHECK:      - name:            _words
# CHECK:        - kind:            R_AARCH64_ABS64
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:     addend:          -2
# CHECK-NEXT:   - kind:            R_AARCH64_GOTPCREL32
# CHECK-NEXT:     offset:          8
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:   - kind:            ARM64_RELOC_SUBTRACTOR64
# CHECK-NEXT:     offset:          12
# CHECK-NEXT:     target:          _words
# CHECK-NEXT:   - kind:            R_AARCH64_ABS64
# CHECK-NEXT:     offset:          12
# CHECK-NEXT:     target:          _far
# CHECK-NEXT:     addend:          7
# CHECK-NEXT:   - kind:            ARM64_RELOC_SUBTRACTOR32
# CHECK-NEXT:     offset:          20
# CHECK-NEXT:     target:          _words
# CHECK-NEXT:   - kind:            R_AARCH64_ABS32
# CHECK-NEXT:     offset:          20
# CHECK-NEXT:     target:          _code

  .globl _words
_code:
  bl _far
  b _far + 8
  adrp x0, _far@PAGE + 3
  add x0, x0, _far@PAGEOFF + 3
  ldrb w1, [x0, _far@PAGEOFF]
  strh w1, [x0, _far@PAGEOFF]
  ldrsw x1, [x0, _far@PAGEOFF]
  ldr x1, [x0, _far@PAGEOFF]
  str d1, [x0, _far@PAGEOFF]
  ldr q1, [x0, _far@PAGEOFF]
  adrp x2, _far@GOTPAGE
  ldr x2, [x2, _far@GOTPAGEOFF]
  adrp x3, _tlv@TLVPPAGE
  ldr x3, [x3, _tlv@TLVPPAGEOFF]
  adrp x4, _inside@PAGE
  .data
_words:
  .quad _far - 2
  .alt_entry _inside
_inside:
  .long _far@GOT - .
  .quad _far - _words + 7
  .long _code - _words
  .subsections_via_symbols
