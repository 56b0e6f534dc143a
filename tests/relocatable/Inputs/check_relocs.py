#!/usr/bin/python3
"""Computes what relocations that an output kept (--emit-relocs) say of their fields, and compares.

check_relocs.py FILE: of ELFCLASS64, x86-64. Prints how many fields agree; the exit status is 1 when one does not."""
import struct
import sys

NONE, ABS64, PC32, PLT32, ABS32, ABS32S, PC64 = 0, 1, 2, 4, 10, 11, 24
data = open(sys.argv[1], "rb").read()
shoff, = struct.unpack_from("<Q", data, 40)
shentsize, shnum = struct.unpack_from("<HH", data, 58)
sections = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shentsize) for i in range(shnum)]
good = bad = other = 0
for s in sections:
    if s[1] != 4 or s[2] & 2:  # SHT_RELA that is not loaded
        continue
    target, symtab = sections[s[7]], sections[s[6]]
    for at in range(s[4], s[4] + s[5], 24):
        where, info, addend = struct.unpack_from("<QQq", data, at)
        kind, sym = info & 0xffffffff, info >> 32
        st_info, shndx, value = struct.unpack_from("<xxxxBxHQ", data, symtab[4] + sym * 24)
        sized = {ABS64: "<Q", PC64: "<q", PC32: "<i", PLT32: "<i", ABS32: "<I", ABS32S: "<i"}
        if kind not in sized or not shndx or st_info & 15 in (6, 10):  # others, undefined, TLS, indirect functions
            other += kind != NONE
            continue
        off = where - target[3]
        assert 0 <= off <= target[5] - struct.calcsize(sized[kind]), hex(where)
        field, = struct.unpack_from(sized[kind], data, target[4] + off)
        want = value + addend - (where if kind in (PC32, PLT32, PC64) else 0)
        if (field - want) % (1 << 32 if struct.calcsize(sized[kind]) == 4 else 1 << 64):
            print(f"type {kind} at {where:#x}: {field:#x}, expected {want:#x}")
            bad += 1
        else:
            good += 1
print(f"{good} fields agree, {bad} do not, {other} not looked at")
sys.exit(bad != 0)
