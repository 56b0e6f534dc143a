# REQUIRES: weld
# Thread-local variables: descriptors, and what they are made from.
# RUN: llvm-mc -triple arm64-apple-macos11 -filetype obj %s -o %t.o
# RUN: %weld -core -e _main --dead-strip %t.o | FileCheck --implicit-check-not=_unused %s

# CHECK:      - name:            _main
# CHECK:        - kind:            ARM64_RELOC_TLVP_LOAD_PAGE21
# CHECK-NEXT:     target:          _var
# CHECK-NEXT:   - kind:            ARM64_RELOC_TLVP_LOAD_PAGEOFF12
# CHECK-NEXT:     offset:          4
# CHECK-NEXT:     target:          _var
# CHECK:      - name:            _var$tlv$init
# CHECK-NEXT:   type:            tlv-data
# CHECK:      - name:            _var
# CHECK-NEXT:   scope:           global
# CHECK-NEXT:   type:            tlv-thunk
# CHECK:        - kind:            R_AARCH64_ABS64
# CHECK-NEXT:     target:          __tlv_bootstrap
# CHECK-NEXT:   - kind:            R_AARCH64_ABS64
# CHECK-NEXT:     offset:          16
# CHECK-NEXT:     target:          _var$tlv$init
# CHECK:      - name:            _zero
# CHECK-NEXT:   type:            tlv-thunk
# CHECK:      - name:            _zero$tlv$init
# CHECK-NEXT:   type:            tlv-zero-fill
# CHECK-NEXT:   size:            16
# CHECK-NEXT:   alignment:       8

  .globl _main, _var, _unused
_main:
  adrp x0, _var@TLVPPAGE
  ldr x0, [x0, _var@TLVPPAGEOFF]
  adrp x0, _zero@TLVPPAGE
  ret
  .section __DATA,__thread_data,thread_local_regular
_var$tlv$init:
  .long 5
_unused$tlv$init:
  .long 6
  .section __DATA,__thread_vars,thread_local_variables
_var:
  .quad __tlv_bootstrap, 0, _var$tlv$init
_unused:
  .quad __tlv_bootstrap, 0, _unused$tlv$init
_zero:
  .quad __tlv_bootstrap, 0, _zero$tlv$init
  .tbss _zero$tlv$init, 16, 3
  .subsections_via_symbols
