#!/usr/bin/env python3
"""unhex.py FILE: the bytes of a hexdump, on standard output. What is left out (or a line of *) is zeros up to the next offset."""
import sys

out = bytearray()
for line in open(sys.argv[1], encoding="ascii"):
    if line.strip() == "*":
        continue
    at, _, rest = line.partition(" ")
    out += bytes(int(at, 16) - len(out)) + bytes.fromhex(rest.split("|")[0])
sys.stdout.buffer.write(out)
