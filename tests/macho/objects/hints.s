# REQUIRES: weld
# A table of address-significant symbols keeps what it names apart; a profile of calls brings caller and callee together. Neither is in
# the output.
# RUN: llvm-mc -triple arm64-apple-macos11 -filetype obj %s -o %t.o
# RUN: %weld -core --add-pass icf --add-pass order %t.o | FileCheck --implicit-check-not=addrsig --implicit-check-not=cg_profile %s
# RUN: %weld -core %t.o | FileCheck --check-prefix=PLAIN %s

# CHECK:      - name:            _caller
# CHECK:      - name:            _callee
# CHECK:      - name:            _between
# CHECK:      - name:            l_kept_1
# CHECK:      - name:            l_kept_2
# CHECK:      - name:            _named_1
# CHECK-NOT:  _named_2
# CHECK:      absolute

# PLAIN:      - name:            _caller
# PLAIN:      - name:            _between
# PLAIN:      - name:            _callee

_caller:
  bl _callee
_between:
  nop
_callee:
  ret
  .section __DATA,__const
l_kept_1:
  .quad 1
l_kept_2:
  .quad 1
_named_1:
  .quad 2
_named_2:
  .quad 2
  .section __DATA,__llvm_addrsig
  .quad l_kept_1
  .quad l_kept_2
_number = 1
  .cg_profile _caller, _callee, 100
  .subsections_via_symbols
