#!/usr/bin/env python3
"""mkgoobj.py IN.txt OUT.6: an object of Go 1.3 or 1.4 ("go13ld") from text. mkgoobj.py -d OBJ: the text of an object.

The text, line by line; # begins a comment:
  go object OS ARCH ...         the header line as it is
  revision 0                    no version byte (0), or one (1, the default)
  export TEXT                   a line of export data
  import PATH                   in order
  symbol KIND NAME[<VERSION>] [dupok] [size=N]
    bytes HEX...                content, in order with
    string "C string"           and
    word N                      (8 bytes)
    reloc TYPE at=N size=N [add=N] to=NAME[<VERSION>]|nil
    func [args=N] [locals=N] [nosplit=N] [flags=N]
    auto NAME offset=N type=N
    pcsp|pcfile|pcline|pcdata V:N ...   value V for N units of code; `-` is a table without bytes
    funcdata NAME[<VERSION>][+N]|nil[+N]
    file NAME
  raw HEX...                    these bytes in place of the end of the symbols
"""
import ast
import re
import struct
import sys

KINDS = """STEXT SELFRXSECT STYPE SSTRING SGOSTRING SGOFUNC SRODATA SFUNCTAB STYPELINK SSYMTAB SPCLNTAB SELFROSECT SMACHOPLT SELFSECT
SMACHO SMACHOGOT SWINDOWS SNOPTRDATA SINITARR SDATA SBSS SNOPTRBSS STLSBSS""".split()
TYPES = """R_ADDR R_SIZE R_CALL R_CALLARM R_CALLIND R_CONST R_PCREL R_TLS R_TLS_LE R_TLS_IE R_GOTOFF R_PLT0 R_PLT1 R_PLT2
R_USEFIELD""".split()
OLD = {"R_ADDR": 120, "R_SIZE": 246, "R_PCREL": 247}


def number(n):
    n = (n << 1) ^ (n >> 63)
    return varint(n & (1 << 64) - 1)


def varint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7f | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def data(b):
    return number(len(b)) + b


def string(s):
    return data(s.encode("latin-1"))


def split_ref(s):
    m = re.fullmatch(r"(.*)<(\d+)>", s)
    return (m[1], int(m[2])) if m else (s, 0)


def symref(s):
    name, version = ("", 0) if s == "nil" else split_ref(s)
    return string(name) + number(version)


def pc_table(words):
    if words == ["-"]:
        return b""
    out, value = b"", -1
    for w in words:
        v, n = (int(x, 0) for x in w.split(":"))
        out += varint(((v - value) << 1 ^ (v - value) >> 31) & 0xffffffff) + varint(n)
        value = v
    return out + b"\0"


class Symbol:
    def __init__(self, kind, words):
        self.kind, self.dupok, self.size, self.content, self.relocs = kind, False, None, b"", []
        self.name, self.version = split_ref(words[0])
        for w in words[1:]:
            if w == "dupok":
                self.dupok = True
            else:
                self.size = int(w.split("=")[1], 0)
        self.func = dict(args=0, locals=0, nosplit=0, flags=0)
        self.autos, self.tables, self.pcdata, self.funcdata, self.files = [], {}, [], [], []

    def encode(self, revision):
        size = len(self.content) if self.size is None else self.size
        kind = KINDS.index(self.kind) + 1 if self.kind in KINDS else int(self.kind, 0)
        out = b"\xfe" + number(kind) + string(self.name) + number(self.version) + number(int(self.dupok))
        out += number(size) + symref("nil") + data(self.content) + number(len(self.relocs))
        for r in self.relocs:
            t = TYPES.index(r["type"]) + 1 if r["type"] in TYPES else int(r["type"], 0)
            if not revision:
                t = OLD.get(r["type"], t)
            out += number(r["at"]) + number(r["size"]) + number(t) + number(r["add"]) + number(0) + symref(r["to"]) + symref("nil")
        if kind != 1:
            return out
        out += number(self.func["args"]) + number(self.func["locals"])
        if revision:
            out += number(self.func["nosplit"]) + number(self.func["flags"])
        out += number(len(self.autos))
        for name, off, t in self.autos:
            out += symref(name) + number(off) + number(t) + symref("nil")
        for t in ("pcsp", "pcfile", "pcline"):
            out += data(self.tables.get(t, b""))
        out += number(len(self.pcdata)) + b"".join(data(t) for t in self.pcdata)
        out += number(len(self.funcdata)) + b"".join(symref(s) for s, _ in self.funcdata) + b"".join(number(o) for _, o in self.funcdata)
        return out + number(len(self.files)) + b"".join(symref(f + "<1>") for f in self.files)


def fields(words):
    return dict(w.split("=", 1) for w in words)


def compile_text(text):
    header, revision, imports, export, symbols, raw = None, 1, [], [], [], None
    for line in text.splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        op, rest = words[0], words[1:]
        s = symbols[-1] if symbols else None
        if op == "go":
            header = line.strip()
        elif op == "revision":
            revision = int(rest[0])
        elif op == "export":
            export.append(line.split(None, 1)[1])
        elif op == "import":
            imports.append(rest[0])
        elif op == "symbol":
            symbols.append(Symbol(rest[0], rest[1:]))
        elif op == "bytes":
            s.content += bytes.fromhex(" ".join(rest))
        elif op == "string":
            s.content += ast.literal_eval("b" + line.strip().split(None, 1)[1])
        elif op == "word":
            s.content += struct.pack("<Q", int(rest[0], 0))
        elif op == "reloc":
            f = fields(rest[1:])
            s.relocs.append(dict(type=rest[0], at=int(f["at"], 0), size=int(f["size"], 0), add=int(f.get("add", "0"), 0), to=f["to"]))
        elif op == "func":
            s.func.update({k: int(v, 0) for k, v in fields(rest).items()})
        elif op == "auto":
            f = fields(rest[1:])
            s.autos.append((rest[0], int(f["offset"], 0), int(f["type"], 0)))
        elif op == "pcdata":
            s.pcdata.append(pc_table(rest))
        elif op in ("pcsp", "pcfile", "pcline"):
            s.tables[op] = pc_table(rest)
        elif op == "funcdata":
            m = re.fullmatch(r"(.*?)([+-]\d+)?", rest[0])
            s.funcdata.append((m[1], int(m[2] or 0)))
        elif op == "file":
            s.files.append(rest[0])
        elif op == "raw":
            raw = bytes.fromhex(" ".join(rest))
        else:
            sys.exit(f"mkgoobj.py: unknown line: {line}")
    out = header.encode() + b"\n" + b"".join(e.encode() + b"\n" for e in export) + b"!\n\0\0go13ld" + (b"\1" if revision else b"")
    out += b"".join(string(i) for i in imports) + string("") + b"".join(s.encode(revision) for s in symbols)
    return out + (b"\xff\xffgo13ld" if raw is None else raw)


class Reader:
    def __init__(self, b):
        self.b = b
        self.header = b[:b.index(b"\n")].decode()
        self.at = b.index(b"\n!\n") + 3
        assert b[self.at:self.at + 8] == b"\0\0go13ld"
        self.at += 8
        self.revision = int(b[self.at] == 1)
        self.at += self.revision
        self.imports = list(iter(self.string, ""))
        self.symbols = []
        while self.b[self.at] == 0xfe:
            self.at += 1
            self.symbols.append(self.symbol())
        assert self.b[self.at:self.at + 8] == b"\xff\xffgo13ld"

    def number(self):
        v = shift = 0
        while True:
            c = self.b[self.at]
            self.at += 1
            v |= (c & 0x7f) << shift
            shift += 7
            if not c & 0x80:
                return (v >> 1) ^ -(v & 1)

    def data(self):
        n = self.number()
        self.at += n
        return self.b[self.at - n:self.at]

    def string(self):
        return self.data().decode("latin-1")

    def symref(self):
        name, version = self.string(), self.number()
        return f"{name}<{version}>" if version else name or "nil"

    def symbol(self):
        k = self.number()
        name, version = self.string(), self.number()
        s = Symbol(KINDS[k - 1], [f"{name}<{version}>" if version else name])
        s.dupok, s.size, _, s.content = bool(self.number() & 1), self.number(), self.symref(), self.data()
        for _ in range(self.number()):
            at, size, t, add, _ = (self.number() for _ in range(5))
            names = TYPES if self.revision else {v - 1: n for n, v in OLD.items()}
            s.relocs.append(dict(at=at, size=size, type=names[t - 1], add=add, to=self.symref()))
            self.symref()
        if s.kind == "STEXT":
            s.func = dict(args=self.number(), locals=self.number())
            if self.revision:
                s.func.update(nosplit=self.number(), flags=self.number())
            for _ in range(self.number()):
                s.autos.append((self.symref(), self.number(), self.number()))
                self.symref()
            s.tables = {t: self.data() for t in ("pcsp", "pcfile", "pcline")}
            s.pcdata = [self.data() for _ in range(self.number())]
            names = [self.symref() for _ in range(self.number())]
            s.funcdata = [(n, self.number()) for n in names]
            s.files = [split_ref(self.symref())[0] for _ in range(self.number())]
        return s


def pc_runs(b):
    """[(value, units)] of a table of pc values."""
    at, value, out = 0, -1, []

    def take():
        nonlocal at
        v = shift = 0
        while True:
            c = b[at]
            at += 1
            v |= (c & 0x7f) << shift
            shift += 7
            if not c & 0x80:
                return v
    while b and not (b[at] == 0 and out):
        d = take()
        value += (d >> 1) ^ -(d & 1)
        out.append((value, take()))
    return out


def show(o):
    print(o.header)
    if not o.revision:
        print("revision 0")
    for i in o.imports:
        print("import", i)
    for s in o.symbols:
        name = f"{s.name}<{s.version}>" if s.version else s.name
        print("symbol", s.kind, name, *["dupok"] * s.dupok, *[f"size={s.size}"] * (s.size != len(s.content)))
        for i in range(0, len(s.content), 32):
            print("  bytes", s.content[i:i + 32].hex(" "))
        for r in s.relocs:
            print(f"  reloc {r['type']} at={r['at']} size={r['size']} add={r['add']} to={r['to']}")
        if s.kind != "STEXT":
            continue
        print("  func", *[f"{k}={v}" for k, v in s.func.items()])
        for name, off, t in s.autos:
            print(f"  auto {name} offset={off} type={t}")
        for f in s.files:
            print("  file", f)
        for t, b in [*s.tables.items(), *(("pcdata", b) for b in s.pcdata)]:
            print(f"  {t}", *[f"{v}:{n}" for v, n in pc_runs(b)] or "-")
        for f, off in s.funcdata:
            print(f"  funcdata {f}" + (f"{off:+}" if off else ""))


if __name__ == "__main__":
    if sys.argv[1] == "-d":
        show(Reader(open(sys.argv[2], "rb").read()))
    else:
        text = sys.stdin.read() if sys.argv[1] == "-" else open(sys.argv[1], encoding="utf-8").read()
        with open(sys.argv[2], "wb") as f:
            f.write(compile_text(text))
