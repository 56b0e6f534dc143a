#!/usr/bin/env python3
"""pclntab.py IMAGE: the run-time table of functions of a Go program (ELF or Mach-O), as text. pclntab.py -o OBJECT: what the
object says of its functions, as the same text, so that the two can be compared. Places are relative to the function; with an
ELF image that has symbols, funcdata has names."""
import struct
import sys

import mkgoobj


def elf_sections(b):
    shoff, = struct.unpack_from("<Q", b, 40)
    num, names = struct.unpack_from("<HH", b, 60)
    rows = [struct.unpack_from("<IIQQQQIIQQ", b, shoff + 64 * i) for i in range(num)]
    base = rows[names][4]
    return {b[base + r[0]:b.index(b"\0", base + r[0])].decode(): r for r in rows}


def table_of(b):
    """Content and address of the table, and names of addresses."""
    if b[:4] != b"\x7fELF":
        at, n = 32, struct.unpack_from("<I", b, 16)[0]
        for _ in range(n):
            cmd, size = struct.unpack_from("<II", b, at)
            for s in range(at + 72, at + size if cmd == 0x19 else 0, 80):
                if b[s:s + 16].rstrip(b"\0") == b"__functab":
                    addr, length, off = struct.unpack_from("<QQI", b, s + 32)
                    return b[off:off + length], addr, {}
            at += size
    sections = elf_sections(b)
    r, sym, names = sections[".gopclntab"], sections.get(".symtab"), {}
    for i in range(24, sym[5] if sym else 0, 24):
        name, _, _, _, value, size = struct.unpack_from("<IBBHQQ", b, sym[4] + i)
        start = sections[".strtab"][4] + name
        names[value] = b[start:b.index(b"\0", start)].decode()
    return b[r[4]:r[4] + r[5]], r[3], names


def runs(pairs):
    return " ".join(f"{v}:{n}" for v, n in pairs) or "-"


def show(name, args, frame, tables, files, pcdata, funcdata):
    print(f"{name} args={args & 0xffffffff} frame={frame}")
    print("  pcsp", runs(tables[0]))
    print("  pcfile", runs((files.get(v, v), n) for v, n in tables[1]))
    print("  pcline", runs(tables[2]))
    for t in pcdata:
        print("  pcdata", runs(t))
    for f in funcdata:
        print("  funcdata", f)


def near(names, value):
    below = [a for a in names if a <= value]
    return f"{names[max(below)]}+{value - max(below)}" if below else f"{value:#x}"


def image(path):
    t, addr, names = table_of(open(path, "rb").read())
    assert t[:8] == bytes.fromhex("fbffffff00000108"), t[:8]
    n, = struct.unpack_from("<Q", t, 8)
    index = struct.unpack_from(f"<{2 * n + 1}Q", t, 16)
    assert list(index[::2]) == sorted(index[::2]), "the index is not in order"
    files_at, = struct.unpack_from("<I", t, 16 + 8 * (2 * n + 1))
    text = lambda at: t[at:t.index(b"\0", at)].decode()
    nfiles, = struct.unpack_from("<I", t, files_at)
    files = {i: text(struct.unpack_from("<I", t, files_at + 4 * i)[0]) for i in range(1, nfiles)}
    table = lambda at: mkgoobj.pc_runs(t[at:]) if at else []
    for i in range(n):
        entry, at = index[2 * i], index[2 * i + 1]
        again, name, args, frame, pcsp, pcfile, pcline, npcdata, nfuncdata = struct.unpack_from("<QIIIIIIII", t, at)
        assert entry == again and at % 8 == 0
        pcdata = struct.unpack_from(f"<{npcdata}I", t, at + 40)
        funcdata = struct.unpack_from(f"<{nfuncdata}Q", t, at + (40 + 4 * npcdata + 7) // 8 * 8)
        show(text(name), args, frame, [table(x) for x in (pcsp, pcfile, pcline)], files, [table(x) for x in pcdata],
             [near(names, v) if names and v > 4096 else f"{v:#x}" for v in funcdata])


def obj(path):
    for s in mkgoobj.Reader(open(path, "rb").read()).symbols:
        if s.kind == "STEXT":
            show(s.name, s.func["args"], s.func["locals"] + 8, [mkgoobj.pc_runs(s.tables[t]) for t in ("pcsp", "pcfile", "pcline")],
                 dict(enumerate(s.files)), [mkgoobj.pc_runs(b) for b in s.pcdata],
                 [f"{o:#x}" if n == "nil" else f"{n}+{o}" for n, o in s.funcdata])


if __name__ == "__main__":
    obj(sys.argv[2]) if sys.argv[1] == "-o" else image(sys.argv[1])
