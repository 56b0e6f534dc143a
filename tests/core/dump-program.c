// REQUIRES: weld
// RUN: %cc -O1 -fno-toplevel-reorder -fcommon -ffunction-sections -fdata-sections %s -o %t.exe -Wl,--gc-sections -Wl,--dump-graph=resolve:%t.1 -Wl,--dump-graph=dead-strip:%t.2 -Wl,--dump-graph=layout:%t.3
// RUN: FileCheck --check-prefixes=ALL,RESOLVE %s < %t.1
// RUN: FileCheck --check-prefixes=ALL,STRIP --implicit-check-not='{{: +(.*[.])?dead(_data)?$}}' %s < %t.2
// RUN: FileCheck --check-prefixes=ALL,LAYOUT --implicit-check-not='{{: +(.*[.])?dead(_data)?$}}' %s < %t.3
// What was dumped is read back and comes out the same.
// RUN: for i in 1 2 3; do %weld -core %t.$i | diff %t.$i - || exit 1; done
// Addresses are those of the symbol table.
// RUN: awk '/^  - name: /{n=$3} /^    address: /{print n, tolower($2)}' %t.3 | grep -E '^(main|used|maybe|live_data|common_one) ' | sort > %t.have
// RUN: nm %t.exe | awk '{sub(/^0*/, "0x", $1); print $3, $1}' | grep -E '^(main|used|maybe|live_data|common_one) ' | sort > %t.want
// RUN: test $(wc -l < %t.want) = 5
// RUN: diff %t.want %t.have

// ALL: {{^}}---
// ALL-NEXT: {{^}}defined-atoms:
// ALL: - name: used
// ALL-NEXT: scope: global
// ALL-NEXT: content: [
// ALL: section-choice: custom-required
// ALL-NEXT: section-name: .text.used
// RESOLVE-NOT: address:
// STRIP-NOT: address:
// LAYOUT-NEXT: section-type: 0x1
// LAYOUT-NEXT: section-flags: 0x6
// LAYOUT-NEXT: address: 0x{{[0-9A-F]+$}}
// LAYOUT-NEXT: output-section: .text
// ALL: - name: maybe
// ALL-NEXT: scope: global
// ALL-NEXT: content: [
// ALL: merge: as-weak
// RESOLVE: - name: dead
// RESOLVE-NEXT: scope: global
// RESOLVE: - name: dead_data
// RESOLVE-NEXT: scope: global
// RESOLVE-NEXT: type: data
// ALL: - name: live_data
// ALL-NEXT: scope: global
// ALL-NEXT: type: data
// ALL-NEXT: content: [ 07, 00, 00, 00 ]
// RESOLVE: - name: main
// STRIP: - name: main
// LAYOUT: - name: main
// ALL: references:
// ALL-DAG: target: used
// ALL-DAG: target: maybe
// ALL-DAG: target: live_data
// ALL-DAG: target: common_one
// ALL-DAG: target: puts
// ALL: - name: common_one
// ALL-NEXT: scope: global
// ALL-NEXT: type: zero-fill
// ALL-NEXT: size: 4
// ALL-NEXT: merge: as-tentative
// ALL-NEXT: alignment: 4
// ALL: shared-library-atoms:
// ALL-NEXT: - name: puts
// ALL-NEXT: load-name: libc.so.6
extern int puts(const char *);
__attribute__((noinline)) int used(int x) { return x * 3; }
__attribute__((weak, noinline)) int maybe(int x) { return x - 1; }
int dead(int x) { return x + 41; }
int dead_data = 5;
int live_data = 7;
int common_one;
int main(int argc, char **argv) {
  puts(argv[0]);
  return used(argc) + maybe(live_data) + common_one;
}
