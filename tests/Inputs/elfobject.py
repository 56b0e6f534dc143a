"""A small writer of ELF objects, for tests of sizes and values that no assembler would write."""
import struct

class Obj:
    def __init__(self):
        self.sections = [dict(name="", type=0, flags=0, data=b"", size=0, link=0, info=0, align=0, entsize=0)]
        self.symbols = [(0, 0, 0, 0, 0, 0)]
        self.names = bytearray(b"\0")
        self.relas = {}

    def section(self, name, data=b"", type=1, flags=2, size=None, link=0, info=0, align=1, entsize=0):
        self.sections.append(dict(name=name, type=type, flags=flags, data=data, size=len(data) if size is None else size,
                                  link=link, info=info, align=align, entsize=entsize))
        return len(self.sections) - 1

    def symbol(self, name, section, value=0, size=0, bind=1, kind=0, other=0):
        at = len(self.names) if name else 0
        if name:
            self.names += name.encode() + b"\0"
        self.symbols.append((at, bind << 4 | kind, other, section, value, size))
        return len(self.symbols) - 1

    def rela(self, section, offset, kind, symbol, addend):
        self.relas.setdefault(section, []).append(struct.pack("<QQq", offset, symbol << 32 | kind, addend))

    def write(self, path):
        order = sorted(range(1, len(self.symbols)), key=lambda i: self.symbols[i][1] >> 4 != 0)
        number = {0: 0, **{old: new for new, old in enumerate(order, 1)}}
        nlocal = 1 + sum(self.symbols[i][1] >> 4 == 0 for i in order)
        symtab_index = len(self.sections) + len(self.relas)
        for s, entries in list(self.relas.items()):
            data = b"".join(struct.pack("<QQq", o, number[i >> 32] << 32 | i & 0xffffffff, a)
                            for o, i, a in (struct.unpack("<QQq", e) for e in entries))
            self.section(".rela" + self.sections[s]["name"], data, type=4, flags=0x40, link=symtab_index, info=s, align=8, entsize=24)
        def shndx(x):
            return x if x < 0xff00 or 0xfff1 <= x <= 0xfff2 else 0xffff
        syms = [self.symbols[0]] + [self.symbols[i] for i in order]
        big = any(shndx(s[3]) == 0xffff for s in syms)
        self.section(".symtab", b"".join(struct.pack("<IBBHQQ", n, i, o, shndx(x), v, z) for n, i, o, x, v, z in syms),
                     type=2, flags=0, link=symtab_index + 1, info=nlocal, align=8, entsize=24)
        self.section(".strtab", bytes(self.names), type=3, flags=0)
        if big:
            self.section(".symtab_shndx", b"".join(struct.pack("<I", x if shndx(x) == 0xffff else 0) for _, _, _, x, _, _ in syms),
                         type=18, flags=0, link=symtab_index, align=4, entsize=4)
        strings, at = bytearray(b"\0"), {}
        for s in self.sections + [dict(name=".shstrtab")]:
            if s["name"] not in at:
                at[s["name"]] = len(strings)
                strings += s["name"].encode() + b"\0"
        at[""] = 0
        self.section(".shstrtab", bytes(strings), type=3, flags=0)
        body, offsets = bytearray(64), []
        for s in self.sections:
            body += bytes(-len(body) % min(max(s["align"], 1), 16))
            offsets.append(len(body))
            body += s["data"]
        body += bytes(-len(body) % 8)
        n = len(self.sections)
        head = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 1, 62, 1, 0, 0, len(body), 0, 64, 0, 0, 64,
                           n if n < 0xff00 else 0, n - 1 if n < 0xff00 else 0xffff)
        body[:64] = head
        for i, (s, off) in enumerate(zip(self.sections, offsets)):
            if i == 0 and n >= 0xff00:
                s = dict(s, size=n, link=n - 1)
                off = 0
            body += struct.pack("<IIQQQQIIQQ", at[s["name"]], s["type"], s["flags"], 0, off, s["size"], s["link"], s["info"],
                                s["align"], s["entsize"])
        with open(path, "wb") as f:
            f.write(body)
