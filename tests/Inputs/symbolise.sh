# symbolise.sh CC DIR TOOLS OPTION...: links the program of symbolise-*.c with each OPTION in every way, and asks TOOLS
# (lines, gdb or perf) where they think they are. To be called in an empty directory.
set -e
cc=$1 dir=$2 tools=$3
shift 3
gcc -g -O1 -ffunction-sections -fPIE -c "$dir/symbolise-main.c" -o main.o
gcc -g -O1 -ffunction-sections -fPIC -c "$dir/symbolise-lib.c" -o lib.o

# The functions of a program by their addresses.
lines() {
  for f in in_program main; do
    a=0x$(nm "$1" | sed -n "s/ [tT] $f\$//p")
    for tool in addr2line eu-addr2line llvm-symbolizer; do
      $tool -f -e "$1" $a | tr '\n' ' ' | grep -q "^$f .*symbolise-main.c:[0-9]" || { echo "$tool $f"; return 1; }
    done
  done
}
gdb() {
  command gdb -nx -batch -ex 'break in_library' -ex run -ex bt "./$1" >out 2>&1
  tr '\n' ' ' <out | grep -q '#0 *in_library (n=[^)]*) at [^#]*symbolise-lib.c:3 #1 [^#]* in main () at [^#]*symbolise-main.c:11' || { cat out; return 1; }
}
# Samples have names, and so have the callers that unwind tables lead to.
perf() {
  command perf record -q --call-graph dwarf,512 -F 997 -o perf.data -e cpu-clock:u "./$1" >out 2>&1
  command perf report -i perf.data --stdio --no-children -g none -F sample,dso,symbol >out 2>&1
  grep -q " $1 .*in_program" out && grep -q " $2 .*in_library" out || { cat out; return 1; }
  command perf script -i perf.data -F ip,sym,dso >out 2>&1
  awk '/ in_library /{ getline; if ($2 == "main") n++ } END { exit !n }' out || { head -n 20 out; return 1; }
}

for o in "$@"; do
  $cc $o -shared lib.o -o lib.so
  for kind in -pie -no-pie -static -static-pie; do
    case $kind in
    -static*) other=lib.o in=exe$kind ;;
    *) other=./lib.so in=lib.so ;;
    esac
    $cc $o $kind main.o $other -o exe$kind
    for t in $tools; do
      $t exe$kind $in || { echo "$t: $o $kind"; exit 1; }
    done
  done
done
