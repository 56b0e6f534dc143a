"""limits.py WELD: sizes, alignments, values and numbers of things that are absurd, or only very large.
Each link must end soon, with a right output or with an error line, and leave nothing behind when it
fails. Prints what went wrong, then the number of links."""
import os
import re
import resource
import subprocess
import sys

from elfobject import Obj

weld, count, bad = sys.argv[1], 0, 0
KINDS = [[], ["-pie"], ["-shared"]]
SECONDS = 60


def limits():
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))


def run(what, args, status=None, text=""):
    """status: what must come out, None: 0 or 1."""
    global count, bad
    count += 1
    before = set(os.listdir("."))
    try:
        r = subprocess.run([weld, *args, "-o", "out"], capture_output=True, timeout=SECONDS, preexec_fn=limits)
    except subprocess.TimeoutExpired:
        bad += 1
        print(f"{what}: no end after {SECONDS} s")
        return
    err = r.stderr.decode(errors="replace")
    left = set(os.listdir(".")) - before - ({"out"} if r.returncode == 0 else set())
    if (r.returncode not in (0, 1) or (status is not None and r.returncode != status) or left or text not in err or
            (r.returncode == 1 and not re.search(r"^weld: (\S+:\d+:\d+: )?error: .", err, re.M))):
        bad += 1
        print(f"{what}: status {r.returncode}, left {sorted(left)}: {err[:300]}")
    if os.path.exists("out"):
        os.remove("out")


def base():
    o = Obj()
    text = o.section(".text", b"\x90" * 16, flags=6)
    o.symbol("_start", text, kind=2)
    return o, text


def each(what, o, status=None, text=""):
    o.write("a.o")
    for kind in KINDS:
        run(" ".join([what, *kind]), [*kind, "a.o"], status, text)


def one_section(what, status=None, text="", twice=False, **section):
    o, _ = base()
    s = o.section(**section)
    if twice:
        o.section(**section)
    o.symbol("x", s, kind=6 if section["flags"] & 0x400 else 0)
    each(what, o, status, text)


SPACE = "does not fit into the 64-bit address space"
BSS, DATA, TBSS, DEBUG, LARGE, STRINGS = 3, 3, 0x403, 0, 0x10000003, 0x32

one_section("bss of 3 GB", 0, name=".bss", type=8, flags=BSS, size=3 << 30)
for p in (12, 21, 31, 32, 40, 47, 62, 63):
    one_section(f"data aligned to 2^{p}", 0, name=".data", data=b"x" * 8, flags=DATA, align=1 << p)
    one_section(f"bss aligned to 2^{p}", 0, name=".bss", type=8, size=8, flags=BSS, align=1 << p)
    one_section(f"tbss aligned to 2^{p}", 0, name=".tbss", type=8, size=8, flags=TBSS, align=1 << p)
    one_section(f"strings aligned to 2^{p}", name=".s", data=b"ab\0c\0\0\0\0", flags=STRINGS, align=1 << p, entsize=1)
    if p < 20 or p > 31:  # between these the file is right, and large
        one_section(f"debug data aligned to 2^{p}", 0 if p < 20 else 1, name=".debug_x", data=b"x" * 8, flags=DEBUG, align=1 << p)
    o, _ = base()
    o.symbol("common", 0xfff2, 1 << p, 8)
    each(f"common aligned to 2^{p}", o, 0)
for size in (1 << 40, 1 << 47, (1 << 63) - 1, 1 << 63, (1 << 64) - 4096, (1 << 64) - 1):
    past = size >= (1 << 64) - 4096
    for name, flags in ((".bss", BSS), (".tbss", TBSS), (".lbss", LARGE)):
        one_section(f"{name} of {size:#x}", 1 if past else 0, SPACE if past else "", name=name, type=8, flags=flags, size=size)
    past = size >= (1 << 63) - 1
    one_section(f"two .bss of {size:#x}", 1 if past else 0, SPACE if past else "", True, name=".bss", type=8, flags=BSS, size=size)
    o, _ = base()
    o.symbol("c1", 0xfff2, 8, size)
    o.symbol("c2", 0xfff2, 8, size)
    each(f"two commons of {size:#x}", o, 1 if past else 0)
    o, _ = base()
    o.section(".data", type=8, flags=DATA, size=size)
    o.section(".data", b"x", flags=DATA)
    each(f"zeros of {size:#x} before data", o, 1)
for value in ((1 << 63) - 1, 1 << 63, (1 << 64) - 4096, (1 << 64) - 1):
    o, _ = base()
    data = o.section(".data", bytes(64), flags=DATA, align=8)
    tls = o.section(".tdata", bytes(8), flags=TBSS, align=8)
    strings = o.section(".s", b"abc\0def\0", flags=STRINGS, entsize=1)
    targets = [o.symbol("v", data, value, value, kind=1), o.symbol("abs", 0xfff1, value), o.symbol("l", data, value, bind=0),
               o.symbol("m", strings, value, bind=0), o.symbol("", strings, bind=0, kind=3), o.symbol("f", data, value, kind=10, bind=0)]
    for i, t in enumerate(targets):
        o.rela(data, 8 * i, 1, t, [-(1 << 63), (1 << 63) - 1, -5][i % 3])
    o.rela(data, 48, 18, o.symbol("t", tls, value, kind=6, bind=0), 5)
    each(f"symbols with value {value:#x}", o)
for entsize in (1, 2, 3, 7, 12, 255, 256, 1 << 32, (1 << 64) - 1):
    for flags in (0x12, 0x32, 0x10):
        one_section(f"entries of {entsize}, flags {flags:#x}", name=".m", data=b"abc\0def\0\0\0\0\0", flags=flags, entsize=entsize)

o, text = base()
for i in range(70000):
    o.symbol(f"f{i}", o.section(f".text.f{i}", b"\xc3", flags=6))
each("70000 sections", o, 0)
o, text = base()
for i in range(70000):
    o.section(f"orphan{i}", b"\xc3", flags=2 * (i % 2))
each("70000 output sections", o, 0)
o, text = base()
for i in range(500000):
    o.symbol(f"global_{i}", text, i % 16)
    o.symbol(f"local_{i}", text, i % 16, bind=0)
each("a million symbols", o, 0)

o = Obj()
o.section(".text", b"\xc3", flags=6)
o.write("m.o")
with open("m.o", "rb") as f:
    member = f.read()
base()[0].write("a.o")
with open("many.a", "wb") as f:
    f.write(b"!<arch>\n")
    for i in range(100000):
        f.write(b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (b"m%d.o/" % i, 0, 0, 0, b"644", len(member)) + member + b"\n" * (len(member) & 1))
run("100000 members, none needed", ["a.o", "many.a"], 0)
run("100000 members, all needed", ["a.o", "--whole-archive", "many.a"], 0)
os.remove("many.a")
with open("files.rsp", "w") as f:
    f.write("a.o " + "m.o " * 10000)
run("10000 files", ["@files.rsp"], 0)


def script(what, text, args=(), name="a.ld"):
    with open(name, "w") as f:
        f.write(text)
    run(what, ["a.o", *args] if args else ["a.o", name], 1)


N = 100000
script("response file in itself, twice", "@a.rsp @a.rsp", ["@a.rsp"], "a.rsp")
script("script in itself, three times", "INPUT(a.ld a.ld a.ld)")
script("include of itself", "INCLUDE a.ld\nINCLUDE a.ld\n")
script("parentheses", "x = " + "(" * N + "1" + ")" * N + ";")
script("signs", "x = " + "-" * N + "1;")
script("a long sum", "x = " + "1 + " * N + "1;")
script("conditions", "x = " + "1 ? " * N + "1" + ": 1" * N + ";")
script("AS_NEEDED in AS_NEEDED", "GROUP(" + "AS_NEEDED(" * N + ")" * N + ")")
script("sections in sections", "SECTIONS {" + ".text : {" * N + "}" * N + "}", ["-T", "a.ld"])
script("SORT in SORT", "SECTIONS { .text : { *(" + "SORT(" * N + ".text" + ")" * N + ")}}", ["-T", "a.ld"])
script("languages in languages", "V1 { " + 'extern "C" {' * N + "x;" + "};" * N + "};", ["-shared", "--version-script=a.ld"])
print(f"{count} links, {bad} wrong")
