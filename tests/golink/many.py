#!/usr/bin/env python3
"""many.py DIR FILES N: objects f0.6, f1.6, ... of N functions each, which call each other from file to file; f0 has the entry."""
import os
import sys

import mkgoobj

directory, files, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def function(f, i):
    s = mkgoobj.Symbol("STEXT", [f"f{f}.function{i}"])
    s.content = bytes.fromhex("e800000000488d0500000000c3") + bytes(i % 7)
    s.relocs = [dict(type="R_CALL", at=1, size=4, add=0, to=f"f{(f + 1) % files}.function{i * 13 % n}"),
                dict(type="R_PCREL", at=8, size=4, add=0, to=f"shared{i % 100}" if i % 3 else f"own{i}<1>")]
    size = len(s.content)
    s.tables = {"pcsp": mkgoobj.pc_table([f"0:{size}"]), "pcfile": mkgoobj.pc_table(["0:3", f"1:{size - 3}"]),
                "pcline": mkgoobj.pc_table([f"{i}:{size}"])}
    s.files = [f"dir{f}/file{i // 50}.go", f"dir/common{i % 10}.go"]
    s.funcdata = [(f"shared{i % 100}", 4)]
    return s


def content(kind, name, b):
    s = mkgoobj.Symbol(kind, name.split())
    s.content = b
    return s


for f in range(files):
    symbols = [function(f, i) for i in range(n)]
    symbols += [content("SDATA", f"own{i}<1>", bytes([i & 255, f] * 40)) for i in range(0, n, 3)]
    symbols += [content("SRODATA", f"shared{i} dupok", bytes([i] * 8)) for i in range(100)]
    if f == 0:
        entry = content("STEXT", "_rt0_amd64_linux", bytes.fromhex("31ffb83c0000000f05"))
        entry.relocs = [dict(type="R_USEFIELD", at=0, size=0, add=0, to=f"f0.function{i}") for i in range(n)]
        symbols.append(entry)
    with open(os.path.join(directory, f"f{f}.6"), "wb") as out:
        out.write(b"go object linux amd64 test\n!\n\0\0go13ld\1" + mkgoobj.string("") + b"".join(s.encode(1) for s in symbols) + b"\xff\xffgo13ld")
