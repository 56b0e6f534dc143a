# REQUIRES: weld
# --dump-graph shows a Mach-O link: each file as it was read, and what came of them.
# RUN: llvm-mc -triple arm64-apple-macos11 -filetype obj %s -o %t.o
# RUN: %weld -flavor darwin -arch arm64 -platform_version macos 11.0 11.0 -dylib -dead_strip %t.o -o %t.dylib --dump-graph=read:%t.1 --dump-graph=dead-strip:%t.2 --dump-graph=layout:%t.3 --dump-graph=layout:%t.dot
# RUN: FileCheck --check-prefixes=ALL,READ %s < %t.1
# RUN: FileCheck --check-prefixes=ALL --implicit-check-not=_unused %s < %t.2
# RUN: FileCheck --check-prefixes=ALL,LAYOUT --implicit-check-not=_unused %s < %t.3
# RUN: FileCheck --check-prefix=DOT %s < %t.dot
# RUN: not %weld -flavor darwin -arch arm64 -platform_version macos 11.0 11.0 -dylib %t.o -o %t.dylib --dump-graph=never 2>&1 | FileCheck --check-prefix=ERROR %s
# READ:       path: {{.*}}dump-graph.s.tmp.o
# ALL:        - name:            _exported
# LAYOUT:       address:         0x
# LAYOUT-NEXT:  output-section:  '__TEXT,__text'
# ALL:          kind:            R_AARCH64_CALL26
# ALL-NEXT:     target:          _used
# ALL:        - name:            _used
# READ:       - name:            _unused
# DOT: digraph
# ERROR: error: --dump-graph: 'never' is not a phase and a file
  .globl _exported
_exported:
  bl _used
_used:
  ret
_unused:
  ret
  .subsections_via_symbols
