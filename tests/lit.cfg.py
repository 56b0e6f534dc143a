# The lit suite: structure (readelf + FileCheck) and programs that run.
#
# Parameters: -D linker=PATH  the linker under test (default build/bin/weld). Any GNU-style linker can
# stand there: a test that only weld can pass says REQUIRES: weld, all others must also pass with
# GNU ld, which is how a test itself is tested:  tests/run lit -- -D linker=/usr/bin/ld.bfd
import os
import re
import shutil
import subprocess

import lit.formats

config.name = "weld"
config.test_format = lit.formats.ShTest(execute_external=True)
config.suffixes = [".test", ".c", ".cpp", ".s"]
config.excludes = ["unit", "programs", "Inputs", "lit.cfg.py"]
config.test_source_root = os.path.dirname(__file__)
top = os.path.dirname(config.test_source_root)

linker = os.path.abspath(lit_config.params.get("linker", os.path.join(top, "build/bin/weld")))
variant = lit_config.params.get("variant", os.path.basename(linker))
config.name = f"weld[{variant}]"
exec_root = os.path.abspath(lit_config.params.get("out", os.path.join(top, "build/tests/lit-" + variant)))
config.test_exec_root = exec_root

# One directory that looks like build/bin, whatever the linker is.
bindir = os.path.join(exec_root, "bin")
os.makedirs(bindir, exist_ok=True)
for name in ("ld", "ld.weld", "weld", "ld64.weld"):
    path = os.path.join(bindir, name)
    if os.path.lexists(path):
        os.remove(path)
    os.symlink(linker, path)

version = subprocess.run([linker, "--version"], capture_output=True, text=True).stdout
for name in ("weld", "GNU ld", "GNU gold", "LLD", "mold"):
    if name in version.split("\n")[0]:
        config.available_features.add(name.lower().replace(" ", "-"))
        break

# -D features=weld tries the tests that say REQUIRES: weld with another linker.
config.available_features.update(filter(None, lit_config.params.get("features", "").split(",")))

llvm = "/usr/lib/llvm-14/bin"
config.environment["PATH"] = llvm + os.pathsep + os.environ["PATH"]
for name in ("HOME", "CARGO_HOME", "RUSTUP_HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
    if name in os.environ:
        config.environment[name] = os.environ[name]
config.environment["LC_ALL"] = "C.UTF-8"

# Runs Mach-O programs; of the release build, whatever the linker. The linker of those tests is weld; %ld64 is
# another one with -D ld64=ld64.lld-19, which is how such a test itself is tested.
ld64 = lit_config.params.get("ld64", os.path.join(bindir, "ld64.weld"))
if "ld64" in lit_config.params or "weld" in config.available_features:
    config.available_features.add("ld64")
machorun = os.path.join(top, "build/tests/machorun")
qemu = shutil.which("qemu-aarch64")
if os.path.exists(machorun):
    config.available_features.add("machorun")
if os.path.exists(machorun + "-arm64") and qemu:
    config.available_features.add("machorun-arm64")
if qemu:
    config.available_features.add("qemu-aarch64")

for tool in ("rustc", "cargo", "nasm", "gdb", "eu-elflint", "patchelf", "clang-14", "ld.gold", "ld.lld-19", "ld64.lld-19",
             "aarch64-linux-gnu-gcc", "qemu-system-i386", "qemu-system-x86_64"):
    if shutil.which(tool):
        config.available_features.add(tool)
# There may be no perf, none of this kernel, or nobody who may use it.
if shutil.which("perf") and subprocess.run(["perf", "record", "-q", "-o", "/dev/null", "-e", "cpu-clock:u", "true"],
                                           capture_output=True).returncode == 0:
    config.available_features.add("perf")
# A C library for programs of 32 bits, and a kernel that runs them.
crt1_m32 = subprocess.run(["gcc", "-m32", "-print-file-name=crt1.o"], capture_output=True, text=True).stdout.strip()
if os.path.isabs(crt1_m32) and os.path.exists(crt1_m32) and subprocess.run(
        ["gcc", "-m32", "-nostdlib", "-static", "-x", "c", "-", "-o", os.path.join(exec_root, "m32")], capture_output=True,
        input=b"void _start(void) { __asm__(\"int $0x80\" : : \"a\"(1), \"b\"(0)); }").returncode == 0 and \
        subprocess.run([os.path.join(exec_root, "m32")], capture_output=True).returncode == 0:
    config.available_features.add("m32")
# Root in a container may not mount.
if subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/tmp"], capture_output=True).returncode == 0:
    config.available_features.add("mount")
if os.path.dirname(os.path.dirname(linker)) == os.path.join(top, "build"):
    config.available_features.add("release-build")
if variant == "asan":
    config.available_features.add("asan")
if variant == "tsan":
    config.available_features.add("tsan")
# Objects of Go's own compilers and images of its linker, which are not part of weld.
go13ld = os.path.join(os.environ.get("WELD_SHARED", os.path.join(top, "../shared")), "data/go13ld")
if os.path.isdir(go13ld):
    config.available_features.add("go13ld-data")
with open("/proc/cpuinfo") as f:
    flags = f.read()
config.available_features.add("x86-64-v3" if re.search(r"\bavx2\b", flags) else "x86-64-v1")

# -D m32=1: what the compilers make is for i386.
m32 = " -m32" if lit_config.params.get("m32") else ""

# A longer name stands before the shorter one that begins it. %t comes from lit.
config.substitutions += [
    (r"%clangxx", f"clang++-14{m32} --ld-path={bindir}/ld.weld"),
    (r"%clang", f"clang-14{m32} --ld-path={bindir}/ld.weld"),
    (r"%cxx", f"g++{m32} -B {bindir}"),
    (r"%cc", f"gcc{m32} -B {bindir}"),
    (r"%weld", linker),
    (r"%machorun-arm64", f"{qemu} {machorun}-arm64"),
    (r"%machorun", machorun),
    (r"%ld64", ld64),
    (r"%bindir", bindir),
    (r"%go13ld", go13ld),
    (r"%mkgoobj", f"/usr/bin/python3 {top}/tests/golink/mkgoobj.py"),
    (r"%pclntab", f"/usr/bin/python3 {top}/tests/golink/pclntab.py"),
    (r"%builddir", os.path.dirname(os.path.dirname(linker))),
    (r"%top", top),
    (r"%inputs", os.path.join(config.test_source_root, "Inputs")),
    (r"%gccdir", os.path.dirname(subprocess.run(["gcc", *m32.split(), "-print-libgcc-file-name"],
                                                capture_output=True, text=True).stdout.strip())),
    (r"%libdir", "/usr/lib/x86_64-linux-gnu"),
]
try:
    import psutil  # noqa: F401
    lit_config.maxIndividualTestTime = int(lit_config.params.get("timeout", 240))
except ImportError:
    pass
