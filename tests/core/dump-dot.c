// REQUIRES: weld
// RUN: %cc -O1 -ffunction-sections -fdata-sections -c %s -o %t.o
// RUN: objcopy --redefine-sym 'odd=an "odd\name' %t.o
// RUN: %cc %t.o -o %t.exe -Wl,--gc-sections -Wl,--dump-graph=dead-strip:%t.dot
// RUN: FileCheck --implicit-check-not=dead %s < %t.dot
// A graph, one cluster for each file, nodes and edges, each a statement of its own with its text in quotes.
// RUN: sed -E -e '1{/^digraph weld \{$/d}' -e '${/^\}$/d}' -e '/^  (node|edge) \[[^]]*\];$/d' -e '/^  subgraph cluster_[0-9]+ \{$/d' -e '/^    label="([^"\\]|\\.)*";$/d' -e '/^  \}$/d' -e '/^ +[as][0-9]+ \[[a-z, =]*label="([^"\\]|\\.)*"(, penwidth=2)?\];$/d' -e '/^  a[0-9]+ -> [as][0-9]+ \[label="[^"\\]*"\];$/d' %t.dot > %t.rest
// RUN: diff %t.rest /dev/null
// RUN: test $(grep -c '{$' %t.dot) = $(grep -c '^ *}$' %t.dot)
// Every node that an edge names was declared.
// RUN: sed -nE 's/^ +([as][0-9]+) \[.*/\1/p' %t.dot | sort > %t.nodes
// RUN: uniq -d %t.nodes | diff - /dev/null
// RUN: sed -nE 's/^  (a[0-9]+) -> ([as][0-9]+) .*/\1\n\2/p' %t.dot | sort -u | comm -23 - %t.nodes | diff - /dev/null

// CHECK: digraph weld {
// CHECK: [[USED:a[0-9]+]] [label="used"];
// CHECK: [[ODD:a[0-9]+]] [label="an \"odd\\name"];
// CHECK: [[MAIN:a[0-9]+]] [label="main"];
// CHECK-DAG: [[MAIN]] -> [[USED]] [label="R_X86_64_PLT32"];
// CHECK-DAG: [[MAIN]] -> [[ODD]] [label="R_X86_64_PLT32"];
// CHECK-DAG: [[PUTS:s[0-9]+]] [{{.*}}label="puts"];
// CHECK-DAG: [[MAIN]] -> [[PUTS]] [label="R_X86_64_PLT32"];
extern int puts(const char *);
__attribute__((noinline)) int used(int x) { return x * 3; }
__attribute__((noinline)) int odd(int x) { return x * 5; }
int dead(int x) { return x + 41; }
int main(int argc, char **argv) {
  puts(argv[0]);
  return used(argc) + odd(argc) + used(argc + 1);
}
