#!/usr/bin/env python3
"""same.py PART[,PART...] IMAGE IMAGE: do two Mach-O images say the same to dyld and to the unwinder?

Each PART is read by llvm-objdump or llvm-dwarfdump, and addresses become what they mean: a symbol and an offset, or a section. Where
things stand, and in which order tables have them, does not matter. Prints the differences; exit status 1 if there are any.
Parts: exports functions data rebase bind lazy weak chained unwind frames
"""
import bisect
import collections
import re
import subprocess
import sys

OBJDUMP, DWARFDUMP, NM = "llvm-objdump-19", "llvm-dwarfdump-19", "llvm-nm-19"


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


class Image:
    # What llvm-objdump prints above the answer to each option; function starts have no such line, and stand
    # at the start or behind data in code.
    HEADS = {"dyld information:": "chained", "Contents of __unwind_info section:": "unwind", "Exports trie:": "exports", "Rebase table:": "rebase",
             "Bind table:": "bind", "Lazy bind table:": "lazy", "Weak bind table:": "weak"}

    def __init__(self, path):
        self.path = path
        self.symbols = []
        for line in run(NM, "-n", path).splitlines():
            m = re.match(r"([0-9a-f]{16}) (\S) (\S+)$", line)
            if m and m[2] not in "aA":
                self.symbols.append((int(m[1], 16), m[3]))
        self.names = {}
        for addr, name in self.symbols:
            self.names[addr] = min(name, self.names.get(addr, name))
        self.addrs = sorted(self.names)
        self.sections = []
        for line in run(OBJDUMP, "-h", path).splitlines():
            f = line.split()
            if len(f) >= 4 and f[0].isdigit():
                self.sections.append((int(f[3], 16), int(f[2], 16), f[1]))
        header = [s for s, n in self.symbols if n == "__mh_execute_header"]
        self.base = header[0] if header else 0
        self.lines = {part: [] for part in [*self.HEADS.values(), "functions", "data"]}
        part = "functions"
        for line in run(OBJDUMP, "--macho", "--exports-trie", "--rebase", "--bind", "--lazy-bind", "--weak-bind", "--dyld-info",
                        "--function-starts", "--unwind-info", "--data-in-code", path).splitlines():
            part = "data" if line.startswith("Data in code table") else self.HEADS.get(line, part)
            self.lines[part].append(line)
        self.strings = None
        self.bound = {}
        for line in self.lines["bind"] + self.lines["lazy"]:
            if m := re.match(r"\S+ +\S+ +(0x[0-9A-Fa-f]+) .* (\S+)$", line):
                self.bound[int(m[1], 16)] = m[2]
        for line in self.lines["chained"]:
            if m := re.match(r"\S+ +\S+ +(0x[0-9A-Fa-f]+) +\S+ +bind .* (\S+)$", line):
                self.bound[int(m[1], 16)] = m[2]

    def section(self, addr):
        for start, size, name in self.sections:
            if start <= addr < start + size:
                return name, start
        return None, 0

    def string(self, addr):
        if self.strings is None:
            self.strings = []
            out = run(OBJDUMP, "--full-contents", "--section=__cstring", self.path)
            for line in out.splitlines():
                if m := re.match(r" ([0-9a-f]+) ((?:[0-9a-f]+ ){1,4})", line):
                    self.strings.append((int(m[1], 16), bytes.fromhex(m[2].replace(" ", ""))))
            self.first_string = self.strings[0][0] if self.strings else 0
            self.content = b"".join(b for _, b in self.strings)
        at = addr - self.first_string
        end = self.content.find(b"\0", at) if 0 <= at < len(self.content) else -1
        return self.content[at:end].decode(errors="replace") if end >= 0 else None

    # Sections that the linker makes, where it may put what it likes at an offset: the place is the section, and what is bound there.
    MADE = ("__got", "__la_symbol_ptr", "__stubs", "__stub_helper", "__thread_ptrs", "__auth_got")

    def name(self, addr):
        addr &= ~(1 << 63)  # a mark of arm64's type_info names, which are compared by address
        section, start = self.section(addr)
        if section == "__cstring" and (text := self.string(addr)) is not None:
            return f"[__cstring {text}]"
        if section is None:
            return hex(addr - self.base)
        if section in self.MADE:
            return f"[{section} {self.bound.get(addr, '')}]"
        i = bisect.bisect_right(self.addrs, addr)
        if i and self.addrs[i - 1] >= start:  # several names for one place: the first in order of letters
            at = self.addrs[i - 1]
            n = self.names[at]
            return f"{n}+{addr - at:#x}" if addr != at else n
        return f"[{section}]+{addr - start:#x}"

    # ---- parts: sets of lines

    def exports(self):
        found = [re.match(r"(0x[0-9A-Fa-f]+|\[re-export\])\s+(.*)$", line) for line in self.lines["exports"]]
        return [f"{m[2]} = {self.name(int(m[1], 16)) if m[1].startswith('0x') else m[1]}" for m in found if m]

    def functions(self):
        return [self.name(int(line, 16)) for line in self.lines["functions"] + self.lines["data"] if re.match(r"[0-9a-f]{16}$", line)]

    def data(self):
        found = [re.match(r"(0x[0-9a-f]+) +(.*)$", line) for line in self.lines["data"]]
        return [f"{self.name(self.base + int(m[1], 16))} {m[2]}" for m in found if m]

    def table(self, part):
        found = [re.match(r"(\S+) +(\S+) +(0x[0-9A-Fa-f]+) +(.*)$", line) for line in self.lines[part]]
        return [f"{self.name(int(m[3], 16))} {' '.join(m[4].split())}" for m in found if m]

    def rebase(self):
        return self.table("rebase")

    def bind(self):
        return self.table("bind")

    def lazy(self):
        return self.table("lazy")

    def weak(self):
        return self.table("weak") + [" ".join(line.split()) for line in self.lines["weak"] if re.match(r" +strong +\S+$", line)]

    def chained(self):
        out = []
        for line in self.lines["chained"]:
            f = line.split()
            if len(f) < 5 or not f[2].startswith("0x"):
                continue
            if f[4] == "rebase":
                out.append(f"{self.name(int(f[2], 16))} -> {self.name(int(f[5], 16))}")
            else:
                out.append(f"{self.name(int(f[2], 16))} {' '.join(f[4:])}")
        return out

    def unwind(self):
        functions, personality, lsda = {}, {}, {}
        for line in self.lines["unwind"]:
            line = line.strip()
            if m := re.match(r"personality\[(\d+)\]: (0x\w+)", line):
                personality[int(m[1])] = self.name(self.base + int(m[2], 16))
                continue
            if m := re.match(r"\[\d+\]: function offset=(0x\w+), LSDA offset=(0x\w+)", line):
                lsda[int(m[1], 16)] = self.name(self.base + int(m[2], 16))
                continue
            if m := re.match(r"\[\d+\]: function offset=(0x\w+), (?:encoding\[\d+\]=)?(?:encoding=)?(0x\w+)", line):
                functions[int(m[1], 16)] = int(m[2], 16)
        out = []
        for addr, encoding in functions.items():
            who = personality.get(encoding >> 28 & 3, "") if encoding >> 28 & 3 else ""
            encoding &= 0xcfffffff
            if encoding & 0x0f000000 == self.dwarf_mode():
                encoding &= 0xff000000  # the rest is an offset in __eh_frame
            out.append(f"{self.name(self.base + addr)} {encoding:#010x} {who} {lsda.get(addr, '')}".strip())
        return out

    def dwarf_mode(self):
        with open(self.path, "rb") as f:
            return 0x03000000 if f.read(8)[4] == 12 else 0x04000000

    def frames(self):
        out, lsda, personality, cies, fde = [], None, None, {}, None
        for line in run(DWARFDUMP, "--eh-frame", self.path).splitlines() + ["end"]:
            if m := re.match(r"([0-9a-f]{8}) [0-9a-f]{8} [0-9a-f]{8} (CIE|FDE cie=([0-9a-f]+) pc=([0-9a-f]+)\.\.\.([0-9a-f]+))", line):
                fde = None
                if m[2] == "CIE":
                    personality = int(m[1], 16)
                    cies[personality] = ""
                else:
                    fde = len(out)
                    who = cies[int(m[3], 16)]
                    begin, end = int(m[4], 16), int(m[5], 16)
                    out.append(f"{self.name(begin)} {end - begin:#x} {who}")
            elif m := re.match(r"  Personality Address: (\w+)", line):
                cies[personality] = self.name(int(m[1], 16))
            elif m := re.match(r"  LSDA Address: (\w+)", line):
                out[fde] += " " + self.name(int(m[1], 16))
        return out


def main():
    parts, paths = sys.argv[1].split(","), sys.argv[2:]
    images = [Image(p) for p in paths]
    bad = 0
    for part in parts:
        a, b = (sorted(getattr(i, part)()) for i in images)
        if a == b:
            print(f"{part}: the same {len(a)}")
            continue
        bad = 1
        print(f"{part}: different")
        count = [collections.Counter(x) for x in (a, b)]
        for line in sorted(set(a) | set(b)):
            if count[0][line] != count[1][line]:
                print(f"  {paths[0]} {count[0][line]}, {paths[1]} {count[1][line]}: {line}")
    return bad


if __name__ == "__main__":
    sys.exit(main())
