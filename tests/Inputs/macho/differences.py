#!/usr/bin/env python3
"""differences.py IMAGE IMAGE: every difference between what weld and ld64.lld made of the same link, by kind.

    differences.py WELDS LLDS                   two images
    differences.py --weld COMMAND --peer COMMAND --report FILE ARGUMENT...
                                                a linker: links with both, output and exit status are weld's; FILE gets a line of JSON
    differences.py --summary FILE               what a report says, as markdown
    differences.py --sizes FILE                 sizes of the outputs and of their parts, as markdown

Everything that llvm-objdump --macho prints is compared: the header, load commands, sections, symbols, indirect symbols, exports,
function starts, data in code, rebases, binds, chained fixups, unwind info and frames. Addresses, and offsets in the file, become what
they mean (same.py), so that what merely stands elsewhere is no difference. Each difference has a kind, a row of KINDS, which
docs/macho-differences.md explains under that name; what fits no row is unexplained, and the exit status is 1.
"""
import collections
import json
import os
import re
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import same  # noqa: E402

# Fields that say where something stands, or how large the parts before it are.
SHIFTS = {"cmdsize", "vmaddr", "vmsize", "fileoff", "filesize", "addr", "offset", "symoff", "stroff", "dataoff", "indirectsymoff", "entryoff",
          "rebase_off", "bind_off", "weak_bind_off", "lazy_bind_off", "export_off", "ilocalsym", "iextdefsym", "iundefsym", "reserved1"}
# Counts of what is compared one by one.
COUNTS = {"nsects", "nlocalsym", "nextdefsym", "nundefsym", "nindirectsyms", "nsyms"}
PARTS = ["header", "commands", "sections", "order", "symbols", "indirect", "exports", "functions", "data", "rebase", "bind", "lazy", "weak",
         "chained", "unwind", "frames", "sizes"]


class Image(same.Image):
    def __init__(self, path):
        super().__init__(path)
        self.headers = same.run(same.OBJDUMP, "--macho", "--private-headers", path).splitlines()

    def header(self):
        i = next(i for i, line in enumerate(self.headers) if line.split()[:2] == ["magic", "cputype"])
        f = self.headers[i + 1].split()
        return [f"{k} {v}" for k, v in zip(("magic", "cpu", "subtype", "caps", "type"), f)] + [f"flag {x}" for x in f[7:]]

    def blocks(self):
        """Load commands and sections: (kind, {field: value})."""
        kind, fields = None, {}
        for line in self.headers:
            if re.match(r"Load command \d+$|Section$", line):
                if kind:
                    yield kind, fields
                kind, fields = line.split()[0], {}
            elif kind and (m := re.match(r" *(current version|compatibility version|time stamp|\S+) (.*)$", line)):
                name = m[1]
                while name in fields:  # LC_BUILD_VERSION has two versions
                    name += "'"
                fields[name] = re.sub(r" \((offset|index|size).*\)$", "", m[2]).strip()
        yield kind, fields

    def each_command(self):
        for kind, f in self.blocks():
            if kind == "Load":
                what = f["cmd"] + (" " + f["segname"] if "segname" in f else " " + f["name"] if "name" in f else "")
                yield what, f

    def commands(self):
        out = []
        for what, f in self.each_command():
            out.append(what)
            out += [f"{what}: {k} {v}" for k, v in f.items() if k not in SHIFTS | COUNTS and k not in ("cmd", "segname", "name")
                    and not (k in ("size", "datasize", "strsize") or k.endswith("_size"))]
        return out

    def order(self):
        """Load commands and sections as they come; whole() makes pairs of them."""
        return [f"command {w}" for w, _ in self.each_command()] + [f"section {f['segname']},{f['sectname']}" for f in self.sections_of()]

    def sections_of(self):
        return [f for k, f in self.blocks() if k == "Section"]

    # Defined by the base class as an attribute (addresses); here the part of that name, so that the dispatch below is one.
    def part(self, name):
        if name == "sections":
            out = []
            for f in self.sections_of():
                what = f"{f['segname']},{f['sectname']}"
                out += [f"{what}: {k} {v}" for k, v in f.items() if k not in SHIFTS and k not in ("sectname", "segname")]
            return out
        if name == "symbols":
            out = []
            for line in same.run(same.OBJDUMP, "--macho", "--syms", self.path).splitlines():
                if m := re.match(r"([0-9a-f]{16}) (.{7}) (\S+) (.*)$", line):
                    out.append(f"{m[2].replace(' ', '-')} {m[3]} {m[4].strip()}")
            return out
        if name == "frames" and not any(n == "__eh_frame" for _, _, n in self.sections):
            return []
        return getattr(self, name)()

    def chained(self):
        """llvm-objdump 19 shows the first name for all imports of the format with 64-bit addends: there the table itself is compared."""
        at = next((int(f["dataoff"]) for w, f in self.each_command() if w == "LC_DYLD_CHAINED_FIXUPS"), None)
        if at is None:
            return super().chained()
        with open(self.path, "rb") as file:
            data = file.read()[at:]
        imports, names, count, form = struct.unpack_from("<4I", data, 8)
        if form != 3:
            return super().chained()
        out = [re.sub(r"^\[__got .*?\] |(?<= )\S+( \(weak import\))?$", "", line) if " bind " in line else line for line in super().chained()]
        for i in range(count):
            word, addend = struct.unpack_from("<2Q", data, imports + 16 * i)
            name = names + (word >> 32)
            out.append(f"import {word & 0xffff} weak {word >> 16 & 1} {data[name:data.index(0, name)].decode()} {addend:#x}")
        return out

    def indirect(self):
        out, section = [], ""
        for line in same.run(same.OBJDUMP, "--macho", "--indirect-symbols", self.path).splitlines():
            if m := re.match(r"Indirect symbols for \((\S+)\) ", line):
                section = m[1]
            elif m := re.match(r"0x[0-9a-f]+ +(\S+) *(\S*)$", line):
                out.append(f"{section} {m[2] or m[1]}")
        return out

    def sizes(self):
        out = []
        for what, f in self.each_command():
            out += [f"{what} {k} {v}" for k, v in f.items() if k in ("datasize", "strsize") or k.endswith("_size")]
        return out

    def bytes(self):
        """Sizes by part of the file."""
        out = collections.Counter()
        for f in self.sections_of():
            if not f["type"].endswith("ZEROFILL"):
                out[f["sectname"]] += int(f["size"], 16)
        names = {"datasize": None, "strsize": "strings", "nsyms": "symbols"}
        for what, f in self.each_command():
            for k, v in f.items():
                if k in names or k.endswith("_size") and what.startswith("LC_DYLD"):
                    out[names.get(k) or {"datasize": what}.get(k, k[:-5])] += int(v) * (16 if k == "nsyms" else 1)
        return out


# (name of the kind, what it matches: "PART WHOSE: LINE"); the first row that fits.
KINDS = [
    ("tool", r"commands \w+: LC_BUILD_VERSION: (tool|version) "),
    ("uuid", r"commands \w+: LC_UUID: uuid "),
    ("time stamps", r"commands \w+: LC_(ID|LOAD|LOAD_WEAK|REEXPORT)_DYLIB \S+: time stamp "),
    ("source version", r"commands weld: LC_SOURCE_VERSION$"),
    ("re-exported twice", r"commands lld: LC_LOAD_DYLIB \S*libinner\.dylib$|commands \w+: LC_REEXPORT_DYLIB \S+: (current|compatibility) version "),
    ("order of commands", r"order \w+: command "),
    ("order of sections", r"order \w+: section "),
    ("literals", r"sections lld: __TEXT,__literals$|sections weld: __TEXT,__literal(4|8|16)$"),
    ("unwind info without padding", r"sections \w+: __TEXT,__unwind_info: size "),
    ("frames that nobody needs", r"sections lld: __TEXT,__eh_frame$"),
    ("end of frames", r"sections \w+: __TEXT,__eh_frame: (size|attributes) "),
    ("alignment of stubs", r"sections \w+: __TEXT,__stubs: align "),
    ("alignment of thread data", r"sections \w+: __DATA,__thread_(bss|data): align "),
    ("gaps", r"sections \w+: (__DATA,__bss|__DATA,__data|__DATA,__common|__TEXT,__const|__DATA_CONST,__const): size "),
    ("dyld_stub_binder", r"symbols lld: \S+ \*UND\* dyld_stub_binder$|bind \w+: \[__got dyld_stub_binder\]"),
    ("__dyld_private", r"symbols lld: \S+ \S+ __dyld_private$"),
    ("unwind entries that lld loses", r"unwind lld: \S+ 0x00000000$|unwind \w+: \S*(valarrayImEC[12]Em|u32toaEjPc) 0x04"),
    ("entries of neighbours", r"unwind \w+: \S+ 0x0"),
    ("sizes of tables", r"sizes \w+: LC_\S+ (datasize|strsize|\w+_size) "),
]


def whole(lists, part):
    """What only one image has of load commands and sections is one line, and no order of it with others is told."""
    if part in ("sections", "commands"):
        heads = [{line.split(": ")[0] for line in x} for x in lists]
        lists = [[line for line in x if line.split(": ")[0] in heads[1 - i]] + sorted(heads[i] - heads[1 - i]) for i, x in enumerate(lists)]
    if part == "order":
        lists = [[n for n in x if n in lists[1 - i]] for i, x in enumerate(lists)]
        lists = [[f"{a}, {b}" for a, b in zip(x, x[1:]) if a.split()[0] == b.split()[0]] for x in lists]
    return (collections.Counter(x) for x in lists)


def compare(paths):
    """[(part, "weld" or "lld", count, line)] of what only one image has, or has more often."""
    images = [Image(p) for p in paths]
    found = []
    for part in PARTS:
        a, b = whole([i.part(part) for i in images], part)
        found += [(part, "weld", n, line) for line, n in sorted((a - b).items())]
        found += [(part, "lld", n, line) for line, n in sorted((b - a).items())]
    return found, images


def kind(part, whose, line):
    text = f"{part} {whose}: {line}"
    return next((name for name, pattern in KINDS if re.match(pattern, text)), None)


def link(weld, peer, report, words):
    """Be a linker: weld's output stays, the peer's is compared with it and removed."""
    status = subprocess.run([*weld.split("%"), *words]).returncode
    if status:
        return status
    at = words.index("-o") + 1
    out = words[at]
    theirs = out + ".peer"
    p = subprocess.run([*peer.split(), *words[:at], theirs, *words[at + 1:]], capture_output=True, text=True)
    if p.returncode:
        print(f"{peer} fails: {p.stderr}", file=sys.stderr)
        return 1
    found, images = compare([out, theirs])
    name = os.environ.get("DIFFERENCES_OF", out)
    with open(report, "a") as f:
        json.dump({"link": name, "files": [os.path.getsize(x) for x in (out, theirs)], "bytes": [i.bytes() for i in images], "found": found}, f)
        f.write("\n")
    os.remove(theirs)
    return 0


def read_report(path):
    with open(path) as f:
        return [json.loads(line) for line in f]


def summary(links):
    """Kinds with the number of links and of lines, and the first example of each; then what has no kind."""
    kinds, unexplained = {}, []
    for entry in links:
        for part, whose, n, line in entry["found"]:
            k = kind(part, whose, line)
            if k is None:
                unexplained.append(f"{entry['link']}: {part}: {whose} {n}: {line}")
            else:
                who = kinds.setdefault(k, [set(), 0, f"{part}: only {whose}: `{line}`"])
                who[0].add(entry["link"])
                who[1] += n
    print(f"{len(links)} links\n\n| kind | links | lines | an example |\n|---|---|---|---|")
    for name in dict.fromkeys(n for n, _ in KINDS):
        if name in kinds:
            which, lines, example = kinds[name]
            print(f"| {name} | {len(which)} | {lines} | {example} |")
    if unexplained:
        print(f"\nunexplained: {len(unexplained)}\n")
        print("\n".join(unexplained))
    return 1 if unexplained else 0


def sizes(links):
    print("| link | weld | lld | weld / lld |\n|---|---|---|---|")
    for entry in links:
        a, b = entry["files"]
        print(f"| {entry['link']} | {a} | {b} | {a / b:.3f} |")
    return 0


def main():
    words = sys.argv[1:]
    if words[0] == "--weld":
        return link(words[1], words[3], words[5], words[6:])
    if words[0] in ("--summary", "--sizes"):
        return {"--summary": summary, "--sizes": sizes}[words[0]](read_report(words[1]))
    found, _ = compare(words)
    return summary([{"link": " ".join(words), "found": found}])


if __name__ == "__main__":
    sys.exit(main())
