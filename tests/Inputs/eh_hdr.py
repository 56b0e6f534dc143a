"""Checks .eh_frame_hdr of an ELF file: sorted, and every entry points to the FDE of its address."""
import struct
import sys

data = open(sys.argv[1], "rb").read()
wide = data[4] == 2  # EI_CLASS
shoff, = struct.unpack_from("<Q" if wide else "<I", data, 40 if wide else 32)
shentsize, shnum, shstrndx = struct.unpack_from("<HHH", data, 58 if wide else 46)
sections = [struct.unpack_from("<IIQQQQIIQQ" if wide else "<10I", data, shoff + i * shentsize) for i in range(shnum)]
names = sections[shstrndx][4]


def named(name):
    for s in sections:
        end = data.index(b"\0", names + s[0])
        if data[names + s[0]:end].decode() == name:
            return s
    sys.exit(f"no {name}")


hdr, eh = named(".eh_frame_hdr"), named(".eh_frame")
assert data[hdr[4]:hdr[4] + 4] == b"\x01\x1b\x03\x3b", data[hdr[4]:hdr[4] + 4]
ptr, n = struct.unpack_from("<iI", data, hdr[4] + 4)
assert hdr[3] + 4 + ptr == eh[3], "eh_frame_ptr"
assert hdr[5] >= 12 + 8 * n
last = -1
for i in range(n):
    pc, fde = struct.unpack_from("<ii", data, hdr[4] + 12 + 8 * i)
    pc, fde = hdr[3] + pc, hdr[3] + fde
    assert pc > last, f"entry {i} out of order"
    last = pc
    off = eh[4] + fde - eh[3]
    length, cie = struct.unpack_from("<Ii", data, off)
    assert length and cie, f"entry {i}: no FDE at {fde:#x}"
    begin, = struct.unpack_from("<i", data, off + 8)
    assert (fde + 8 + begin) == pc, f"entry {i}: FDE is of {fde + 8 + begin:#x}, not of {pc:#x}"
# Every FDE is in the table.
off, end, fdes = eh[4], eh[4] + eh[5], 0
while off < end:
    length, cie = struct.unpack_from("<Ii", data, off)
    if not length:
        break
    fdes += cie != 0
    off += 4 + length
assert fdes == n, f"{fdes} FDEs, {n} entries"
print("sorted, every entry finds its record")
