"""xindex.py IN OUT [all|globals|locals] [short]: the same object, where those of its symbols that are in a section say so
in an SHT_SYMTAB_SHNDX section, as if there were 65,280 sections and more. short: its table is one entry short."""
import struct
import sys

data = bytearray(open(sys.argv[1], "rb").read())
which = sys.argv[3] if len(sys.argv) > 3 else "all"
short = "short" in sys.argv[4:]
shoff, = struct.unpack_from("<Q", data, 40)
shnum, = struct.unpack_from("<H", data, 60)
headers = [list(struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * 64)) for i in range(shnum)]
symtab = next(i for i, h in enumerate(headers) if h[1] == 2)
_, _, _, _, off, size, _, first_global, _, _ = headers[symtab]
table = []
for i in range(size // 24):
    at = off + i * 24 + 6
    section, = struct.unpack_from("<H", data, at)
    escape = 0 < section < 0xFF00 and which in ("all", "globals" if i >= first_global else "locals")
    table.append(section if escape else 0)
    if escape:
        struct.pack_into("<H", data, at, 0xFFFF)
data += bytes(-len(data) % 8)
headers.append([headers[symtab][0], 18, 0, 0, len(data), 4 * (len(table) - short), symtab, 0, 4, 4])
data += struct.pack(f"<{len(table)}I", *table)
data += bytes(-len(data) % 8)
struct.pack_into("<Q", data, 40, len(data))
struct.pack_into("<H", data, 60, len(headers))
for h in headers:
    data += struct.pack("<IIQQQQIIQQ", *h)
open(sys.argv[2], "wb").write(data)
