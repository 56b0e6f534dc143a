# REQUIRES: weld
# What a root reaches stays: roots are the entry, .no_dead_strip and .reference, functions that run at load, sections that say so.
# S_ATTR_LIVE_SUPPORT lives with what it refers to.
# RUN: llvm-mc -triple x86_64-apple-macos11 -filetype obj %s -o %t.o
# RUN: %weld -core -e _main --dead-strip %t.o | FileCheck --implicit-check-not='name: {{.*}}dead' --implicit-check-not='[ 64,' %s
# RUN: %weld -core -e _main --dead-strip --keep-globals %t.o | FileCheck --check-prefix=GLOBALS %s

# CHECK:      - name:            _main
# CHECK:      - name:            _used
# CHECK:      - name:            _kept
# CHECK-NEXT:   content:
# CHECK-NEXT:   dead-strip:      never
# CHECK:      - name:            _at_load
# CHECK:        type:            c-string
# CHECK-NEXT:   content:         [ 6C, 00 ]
# CHECK:      - type:            initializer-pointer
# CHECK:        dead-strip:      never
# CHECK:      - name:            _asked_for
# CHECK:        dead-strip:      never
# CHECK:      - name:            _live_support
# CHECK-NOT:  absolute

# GLOBALS:  - name:            _main
# GLOBALS:  - name:            _dead_global
# GLOBALS-NOT: name:           _dead{{$}}

  .globl _main, _dead_global, _hidden_dead
  .private_extern _hidden_dead
_main:
  call _used
  lea L_live(%rip), %rax
_used:
  ret
_dead:
  call _dead_too
_dead_too:
  ret
_dead_global:
  lea L_dead(%rip), %rax
  ret
_hidden_dead:
  ret
_kept:
  ret
  .no_dead_strip _kept
_at_load:
  ret
  .section __TEXT,__cstring,cstring_literals
L_live:
  .asciz "l"
L_dead:
  .asciz "d"
  .section __DATA,__mod_init_func,mod_init_funcs
  .quad _at_load
  .section __DATA,__asked,regular,no_dead_strip
_asked_for:
  .quad 0
  .section __DATA,__support,regular,live_support
_live_support:
  .quad _used
_dead_support:
  .quad _dead
  .subsections_via_symbols
