#!/bin/sh
# demo.sh: what weld is for, in one minute. A C program that carries a whole compiler in it (LLVM, with
# every target, from Debian's static libraries) is linked through cc: by the system's linker, then by weld.
# Then it runs.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
dir=$top/build/demo
mkdir -p "$dir"
cd "$dir"

cat >demo.c <<'C'
#include <stdio.h>

#include <llvm-c/Core.h>
#include <llvm-c/ExecutionEngine.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>

/* Builds f(x) = x * x + 1 as machine code in memory, and calls it. */
int main(void) {
  LLVMInitializeAllTargetInfos();
  LLVMInitializeAllTargets();
  LLVMInitializeAllTargetMCs();
  LLVMInitializeAllAsmPrinters();
  LLVMLinkInMCJIT();
  LLVMModuleRef module = LLVMModuleCreateWithName("demo");
  LLVMTypeRef i32 = LLVMInt32Type();
  LLVMValueRef f = LLVMAddFunction(module, "f", LLVMFunctionType(i32, &i32, 1, 0));
  LLVMBuilderRef b = LLVMCreateBuilder();
  LLVMPositionBuilderAtEnd(b, LLVMAppendBasicBlock(f, "entry"));
  LLVMValueRef x = LLVMGetParam(f, 0);
  LLVMBuildRet(b, LLVMBuildAdd(b, LLVMBuildMul(b, x, x, ""), LLVMConstInt(i32, 1, 0), ""));
  LLVMExecutionEngineRef engine;
  char *error = NULL;
  if (LLVMCreateExecutionEngineForModule(&engine, module, &error)) {
    fprintf(stderr, "%s\n", error);
    return 1;
  }
  int (*code)(int) = (int (*)(int))LLVMGetFunctionAddress(engine, "f");
  int targets = 0;
  for (LLVMTargetRef t = LLVMGetFirstTarget(); t; t = LLVMGetNextTarget(t))
    targets++;
  printf("  a compiler with %d targets says: f(6) = %d\n", targets, code(6));
  return code(6) != 37;
}
C
config=/usr/lib/llvm-14/bin/llvm-config
cc -O1 -I"$($config --includedir)" -c demo.c -o demo.o
libs="$($config --link-static --libs all-targets mcjit) $($config --link-static --system-libs all-targets mcjit) -lstdc++"
flags="-L$($config --libdir)"

now() { date +%s%N; }
# link NAME FLAGS...: the best of three links through cc.
link() {
  name=$1
  shift
  best=
  for _ in 1 2 3; do
    rm -f "$name"
    begin=$(now)
    cc "$@" demo.o $flags $libs -o "$name"
    t=$((($(now) - begin) / 1000000))
    [ -n "$best" ] && [ "$best" -le "$t" ] || best=$t
  done
}

link warm-up
link demo-system
system=$best
link demo-weld -B "$top/build/bin"
weld=$best
rm -f warm-up

echo "Linking a program of $(($(wc -c <demo-weld) / 1000000)) MB through cc (the whole command, best of three):"
printf '  %-34s %6d ms\n' "$(ld --version | head -n 1)" "$system"
printf '  %-34s %6d ms\n' "$("$top/build/bin/weld" --version | head -n 1)" "$weld"
echo "Running it:"
./demo-weld
echo "Who linked it:"
readelf -p .comment demo-weld | sed -n 's/^ *\[[^]]*\] */  /p'
