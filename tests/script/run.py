#!/usr/bin/env python3
"""run.py [--linker PATH] [--update | --update-weld | --table | --check-table | --print] [CASE ...]: the linker script tests.

A case is a file cases/NAME.ld: a comment with fields, then the script. The answer of GNU ld stands beside it in NAME.expect;
where weld answers something else on purpose (field "differs"), its answer is in NAME.weld.

  (nothing)      links every case with weld (or --linker) and compares
  --print        shows the answers instead, with the command
  --update       writes NAME.expect from ld.bfd's answers, which somebody then reads
  --update-weld  writes NAME.weld for the cases that have the field "differs"
  --table        writes the table of docs/linker-scripts.md; runs ld.bfd, ld.lld-19 and weld
  --check-table  says whether the table in the docs has all cases, and says of weld and GNU ld what they say; runs no linker

Fields of the comment, one a line; args, says and not may stand more than once:

  feature:  what the row of the table is called
  group:    one of GROUPS
  manual:   the section of GNU ld's manual whose example has the same construction
  inputs:   objects of Inputs/ (default: a.o b.o)
  args:     more arguments
  command:  all arguments instead: %s is the script, %o the output
  check:    what of the output is the answer (default: sections symbols), see Answer
  says:     text that weld must print, in an error or a warning
  not:      text that weld must not print
  differs:  why weld's answer is another one (the table says so)
  xfail:    why weld fails the case today (the table says so)
  gnu, lld: text for the table instead of what the runner finds

The trap: names of inputs are matched by scripts, so links run in the directory of the objects, with plain names.
"""
import argparse
import hashlib
import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
CASES = os.path.join(HERE, "cases")
INPUTS = os.path.join(HERE, "Inputs")
DOC = os.path.join(TOP, "docs/linker-scripts.md")
GROUPS = ["commands", "files", "assignments", "sections", "patterns", "sorting", "data", "attributes", "constructors", "memory",
          "phdrs", "overlays", "functions", "values", "orphans", "versions", "options", "errors"]
FIELDS = {"feature", "group", "manual", "inputs", "args", "command", "check", "says", "not", "differs", "xfail", "gnu", "lld"}
MANY = {"args", "says", "not"}


BOOKKEEPING = (".symtab", ".strtab", ".shstrtab", ".comment")  # Not shown unless a case names them.


class Case:
    """A file of cases/ and what its comment says."""

    def __init__(self, path):
        self.path = path
        self.name = os.path.splitext(os.path.basename(path))[0]
        with open(path) as f:
            text = f.read()
        head = re.match(r"/\*(.*?)\*/", text, re.S)
        if not head:
            raise ValueError(f"{path}: begins with no comment")
        self.fields = {}
        for line in head.group(1).strip().splitlines():
            key, colon, value = line.strip().partition(":")
            value = value.strip()
            if not colon or key not in FIELDS:
                raise ValueError(f"{path}: no such field: {line}")
            if key in MANY:
                self.fields.setdefault(key, []).append(value)
            elif key in self.fields:
                raise ValueError(f"{path}: field twice: {key}")
            else:
                self.fields[key] = value
        if self["group"] not in GROUPS or not self["feature"]:
            raise ValueError(f"{path}: needs a feature, and a group of {', '.join(GROUPS)}")

    def __getitem__(self, key):
        return self.fields.get(key, [] if key in MANY else None)

    def command(self, out):
        if self["command"]:
            words = shlex.split(self["command"])
            if "%o" in words:
                return [w.replace("%s", self.path).replace("%o", out) for w in words]
            return ["-o", out] + [w.replace("%s", self.path) for w in words]
        more = [w for line in self["args"] for w in shlex.split(line)]
        return ["-o", out, "-T", self.path] + more + (self["inputs"] or "a.o b.o").split()

    def expected(self, suffix):
        path = self.path[:-3] + suffix
        if not os.path.exists(path):
            return None
        with open(path) as f:
            return [line for line in f.read().splitlines() if line]


def cases(names=()):
    found = [Case(os.path.join(CASES, f)) for f in sorted(os.listdir(CASES)) if f.endswith(".ld")]
    if names:
        want = {os.path.splitext(os.path.basename(n))[0] for n in names}
        missing = want - {c.name for c in found}
        if missing:
            raise ValueError("no such case: " + ", ".join(sorted(missing)))
        found = [c for c in found if c.name in want]
    return sorted(found, key=lambda c: (GROUPS.index(c["group"]), c.name))


def build_inputs(directory):
    """Assembles Inputs/*.s, makes the archives and the shared library, copies the rest; only when something changed."""
    names = sorted(os.path.join(root, f)[len(INPUTS) + 1:] for root, _, files in os.walk(INPUTS) for f in files)
    digest = hashlib.sha256()
    for name in names + [__file__]:
        with open(os.path.join(INPUTS, name), "rb") as f:
            digest.update(name.encode() + b"\0" + f.read())
    stamp = os.path.join(directory, "stamp")
    if os.path.exists(stamp):
        with open(stamp) as f:
            if f.read() == digest.hexdigest():
                return
    shutil.rmtree(directory, ignore_errors=True)
    for name in names:
        target = os.path.join(directory, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if name.endswith(".s"):
            subprocess.run(["as", "--64", "-mx86-used-note=no", "-o", target[:-2] + ".o", os.path.join(INPUTS, name)], check=True)
        else:
            shutil.copyfile(os.path.join(INPUTS, name), target)
    for archive, members in {"libx.a": ["x1.o", "x2.o"], "liby.a": ["y1.o"], "libz.a": ["z1.o"]}.items():
        subprocess.run(["ar", "rcD", archive, *members], cwd=directory, check=True)
    subprocess.run(["ld.bfd", "-shared", "-soname", "libshared.so", "-o", "libshared.so", "shared.o"], cwd=directory, check=True)
    with open(stamp, "w") as f:
        f.write(digest.hexdigest())


TYPES = {0: "NULL", 1: "PROGBITS", 2: "SYMTAB", 3: "STRTAB", 4: "RELA", 5: "HASH", 6: "DYNAMIC", 7: "NOTE", 8: "NOBITS", 9: "REL",
         11: "DYNSYM", 14: "INIT_ARRAY", 15: "FINI_ARRAY", 16: "PREINIT_ARRAY", 17: "GROUP", 0x6ffffff6: "GNU_HASH",
         0x6ffffffd: "VERDEF", 0x6ffffffe: "VERNEED", 0x6fffffff: "VERSYM"}
SEGMENTS = {0: "NULL", 1: "LOAD", 2: "DYNAMIC", 3: "INTERP", 4: "NOTE", 5: "SHLIB", 6: "PHDR", 7: "TLS", 0x6474e550: "GNU_EH_FRAME",
            0x6474e551: "GNU_STACK", 0x6474e552: "GNU_RELRO", 0x6474e553: "GNU_PROPERTY"}
FLAGS = [(1, "W"), (2, "A"), (4, "X"), (0x10, "M"), (0x20, "S"), (0x40, "I"), (0x80, "L"), (0x200, "G"), (0x400, "T"), (0x200000, "R")]


class Elf:
    """What the answers need of an ELF file, 64 or 32 bits, little endian. Our own outputs: a broken one ends in an exception."""

    def __init__(self, data):
        if data[:4] != b"\x7fELF":
            raise ValueError("the output is not ELF")
        self.data = data
        self.wide = data[4] == 2
        if self.wide:
            (self.type, self.machine, _, self.entry, phoff, shoff, _, _, _, phnum, _, shnum, names) = struct.unpack_from(
                "<HHIQQQIHHHHHH", data, 16)
            form, each = "<IIQQQQIIQQ", 64
            pform, peach = "<IIQQQQQQ", 56
        else:
            (self.type, self.machine, _, self.entry, phoff, shoff, _, _, _, phnum, _, shnum, names) = struct.unpack_from(
                "<HHIIIIIHHHHHH", data, 16)
            form, each = "<IIIIIIIIII", 40
            pform, peach = "<IIIIIIII", 32
        keys = ("name", "type", "flags", "addr", "offset", "size", "link", "info", "align", "entsize")
        self.sections = [dict(zip(keys, struct.unpack_from(form, data, shoff + i * each))) for i in range(shnum)]
        strings = self.sections[names] if shnum else None
        for s in self.sections:
            s["name"] = self.string(strings, s["name"])
        keys = ("type", "flags", "offset", "vaddr", "paddr", "filesz", "memsz", "align") if self.wide else (
            "type", "offset", "vaddr", "paddr", "filesz", "memsz", "flags", "align")
        self.segments = [dict(zip(keys, struct.unpack_from(pform, data, phoff + i * peach))) for i in range(phnum)]

    def string(self, table, offset):
        start = table["offset"] + offset
        return self.data[start:self.data.index(b"\0", start)].decode()

    def content(self, s):
        return b"" if s["type"] == 8 else self.data[s["offset"]:s["offset"] + s["size"]]

    def lma(self, s):
        """The load address that objcopy would use, or None where no PT_LOAD has the section."""
        for p in self.segments:
            if p["type"] != 1 or not s["flags"] & 2:
                continue
            if s["type"] == 8:
                if p["vaddr"] <= s["addr"] and s["addr"] + s["size"] <= p["vaddr"] + p["memsz"]:
                    return p["paddr"] + s["addr"] - p["vaddr"]
            elif p["offset"] <= s["offset"] and s["offset"] + s["size"] <= p["offset"] + p["filesz"] and (
                    p["vaddr"] + s["offset"] - p["offset"] == s["addr"]):
                return p["paddr"] + s["offset"] - p["offset"]
        return None

    def symbols(self, kind):
        """(name, value, section, binding, visibility, index) of each defined symbol that is not a section's or a file's."""
        for t in self.sections:
            if t["type"] != kind:
                continue
            each = 24 if self.wide else 16
            for i in range(1, t["size"] // each):
                if self.wide:
                    name, info, other, shndx, value, _ = struct.unpack_from("<IBBHQQ", self.data, t["offset"] + i * each)
                else:
                    name, value, _, info, other, shndx = struct.unpack_from("<IIIBBH", self.data, t["offset"] + i * each)
                if info & 15 in (3, 4) or shndx == 0:
                    continue
                where = {0xfff1: "ABS", 0xfff2: "COMMON"}.get(shndx) or self.sections[shndx]["name"]
                yield (self.string(self.sections[t["link"]], name), value, where, info >> 4, other & 3, i)

    def versions(self):
        """Version index to name, of .gnu.version_d."""
        names = {0: "local", 1: ""}
        for s in self.sections:
            at = s["offset"]
            while s["type"] == 0x6ffffffd:
                _, _, index, _, _, aux, step = struct.unpack_from("<HHHHIII", self.data, at)
                names[index] = self.string(self.sections[s["link"]], struct.unpack_from("<I", self.data, at + aux)[0])
                if step == 0:
                    break
                at += step
        return names


def dump(data):
    """Hex, 16 bytes a line, lines that repeat as one *."""
    lines, last = [], None
    for i in range(0, len(data), 16):
        row = data[i:i + 16].hex(" ", 1)
        if row != last:
            lines.append(f"  {i:04x}: {row}")
        elif lines[-1] != "  *":
            lines.append("  *")
        last = row
    return lines


def flag_letters(flags):
    return "".join(letter for bit, letter in FLAGS if flags & bit) or "-"


class Answer:
    """What a linker made of a case: status, lines that are compared, and what it printed.

    The field "check" is a list of: sections, sections:A,B (only these), symbols, symbols:A,B, segments, offsets (segments with
    file offsets), holds (segments with their sections), bytes:SECTION, file (the whole output), stdout, dynsyms, needed, entry, type."""

    def __init__(self, case, linker, directory):
        self.lines = []
        with tempfile.TemporaryDirectory() as scratch:
            out = os.path.join(scratch, "out")
            self.argv = [linker] + case.command(out)
            r = subprocess.run(self.argv, cwd=directory, capture_output=True, text=True, errors="replace", timeout=60)
            self.status = r.returncode
            self.printed = r.stdout + r.stderr
            made = os.path.exists(out)
            if made:
                with open(out, "rb") as f:
                    data = f.read()
        if self.status:
            self.lines = ["status 1" if self.status == 1 else f"status {self.status}"]
            self.lines += ["an output in spite of the error"] if made else []
            return
        if not made:
            self.lines = ["no output"]
            return
        words = (case["check"] or "sections symbols").split()
        try:
            elf = None if data[:4] != b"\x7fELF" else Elf(data)
            for word in words:
                what, _, names = word.partition(":")
                names = names.split(",") if names else None
                self.lines += getattr(self, "of_" + what)(elf, names, data, r)
        except (AttributeError, IndexError, KeyError, UnicodeDecodeError, ValueError, struct.error) as e:
            self.lines += [f"an output that can't be read: {e}"]

    def of_sections(self, elf, names, _data, _r):
        lines = []
        # Where headers of debug info stand does not count, nor the order where a case names sections.
        for s in sorted(elf.sections[1:], key=lambda s: names.index(s["name"]) if names and s["name"] in names else not s["flags"] & 2):
            if s["name"] not in names if names else s["name"] in BOOKKEEPING:
                continue
            lma = elf.lma(s)
            lines.append(f"section {s['name']} {s['addr']:#x} size {s['size']:#x} {TYPES.get(s['type'], hex(s['type']))} "
                         f"{flag_letters(s['flags'])} align {s['align']}" +
                         ("" if lma in (None, s["addr"]) else f" lma {lma:#x}"))
        return lines

    def of_symbols(self, elf, names, _data, _r):
        lines = []
        for name, value, where, bind, visibility, _ in sorted(elf.symbols(2), key=lambda s: (s[1], s[0])):
            if names and name not in names or not names and name in ("_DYNAMIC", "_GLOBAL_OFFSET_TABLE_"):
                continue
            lines.append(f"symbol {name} {value:#x} {where}" + {0: " local", 2: " weak"}.get(bind, "") +
                         ({1: " internal", 2: " hidden", 3: " protected"}.get(visibility, "") if bind else ""))
        return lines

    def of_segments(self, elf, _names, _data, _r, offsets=False):
        return [f"segment {SEGMENTS.get(p['type'], hex(p['type']))} " + (f"offset {p['offset']:#x} " if offsets else "") +
                f"vaddr {p['vaddr']:#x} paddr {p['paddr']:#x} file {p['filesz']:#x} memory {p['memsz']:#x} " +
                ("R" if p["flags"] & 4 else "") + ("W" if p["flags"] & 2 else "") + ("X" if p["flags"] & 1 else "") +
                ("" if p["flags"] & 7 == p["flags"] else f" {p['flags']:#x}") for p in elf.segments]

    def of_offsets(self, elf, names, data, r):
        return self.of_segments(elf, names, data, r, True)

    def of_holds(self, elf, _names, _data, _r):
        """Program headers with the sections in them."""
        lines = []
        for p in elf.segments:
            inside = [s["name"] for s in elf.sections if s["flags"] & 2 and s["size"] and p["vaddr"] <= s["addr"] and
                      s["addr"] + s["size"] <= p["vaddr"] + p["memsz"]]
            lines.append(" ".join(["segment", SEGMENTS.get(p["type"], hex(p["type"])), str(p["flags"])] + inside))
        return lines

    def of_bytes(self, elf, names, _data, _r):
        lines = []
        for s in elf.sections:
            if s["name"] in names:
                lines += [f"bytes {s['name']}"] + dump(elf.content(s))
        return lines

    def of_file(self, _elf, _names, data, _r):
        return [f"file {len(data):#x} bytes"] + dump(data)

    def of_stdout(self, _elf, _names, _data, r):
        return ["stdout"] + ["  " + re.sub(r"\s+", " ", line).strip() for line in r.stdout.splitlines()]

    def of_dynsyms(self, elf, _names, data, _r):
        versions = elf.versions()
        table = [s for s in elf.sections if s["type"] == 0x6fffffff]
        lines = []
        for name, _, where, _, _, index in elf.symbols(11):
            if where == "ABS" and name in versions.values():
                continue  # GNU ld makes a symbol of each version.
            version = struct.unpack_from("<H", data, table[0]["offset"] + 2 * index)[0] if table else 1
            text = versions.get(version & 0x7fff, "")
            lines.append(f"dynsym {name}" + (("@" if version & 0x8000 else "@@") + text if text else ""))
        return sorted(lines)

    def of_needed(self, elf, _names, _data, _r):
        lines = []
        for s in elf.sections:
            if s["type"] == 6:
                entries = struct.iter_unpack("<qQ" if elf.wide else "<iI", elf.content(s))
                lines += ["needed " + elf.string(elf.sections[s["link"]], value) for tag, value in entries if tag == 1]
        return lines

    def of_entry(self, elf, _names, _data, _r):
        return [f"entry {elf.entry:#x}"]

    def of_type(self, elf, _names, _data, _r):
        return [f"type {elf.type} machine {elf.machine} class {64 if elf.wide else 32}"]


def first_message(case, answer):
    """The first error (else the first warning) that a linker printed, without its name and without directories."""
    name = os.path.basename(answer.argv[0])
    lines = []
    for line in answer.printed.splitlines():
        line = re.sub(r"(?:[^\s:]*/)?" + re.escape(name) + r": ?", "", line)
        line = line.replace(case.path, os.path.basename(case.path))
        line = re.sub(r"/[^\s:]*/(?=[^\s/]+)", "", line)
        if line.strip() and not re.search(r"RWX permissions|^>>>|use the --help|NOTE: |in function `.*':$", line):
            lines.append(line.strip())
    errors = [line for line in lines if "warning:" not in line]
    return re.sub(r"^error: ", "", (errors or lines or [""])[0])


def judge(case, answer, is_weld):
    """What is wrong with an answer: a list of lines, none when it is right."""
    suffix = ".weld" if is_weld and case["differs"] else ".expect"
    expected = case.expected(suffix)
    if expected is None:
        return [f"no {case.name}{suffix}"]
    expected = [line for line in expected if not line.startswith("message ")]
    wrong = []
    if expected != answer.lines:
        for line in expected:
            if line not in answer.lines:
                wrong.append("- " + line)
        for line in answer.lines:
            if line not in expected:
                wrong.append("+ " + line)
        wrong = wrong or ["the same lines in another order:"] + ["+ " + line for line in answer.lines]
    if is_weld:
        wrong += [f"does not say: {text}" for text in case["says"] if text not in answer.printed]
        wrong += [f"says: {text}" for text in case["not"] if text in answer.printed]
    if wrong and answer.printed:
        wrong += ["printed: " + line for line in answer.printed.splitlines()[:8]]
    return wrong


def facts(lines):
    """What the lines of an answer say, by thing, for describing a difference."""
    found = {}
    for line in lines:
        words = line.split(" ")
        if words[0] == "section":
            found["section " + words[1]] = words[2:]
        elif words[0] == "symbol":
            found["symbol " + words[1]] = words[2:]
    return found


def difference(expected, got):
    """In a few words: how the lines of an answer differ from what GNU ld says."""
    old, new = facts(expected), facts(got)
    said = []
    for thing, words in old.items():
        kind, name = thing.split(" ", 1)
        if thing not in new:
            said.append(f"no `{name}`")
        elif kind == "section" and new[thing] != words:
            was, now = words, new[thing]
            if now[0] != was[0]:
                said.append(f"`{name}` at {now[0]}, not {was[0]}")
            elif now[2] != was[2]:
                said.append(f"`{name}` has {now[2]} bytes, not {was[2]}")
            elif now[3:5] != was[3:5]:
                said.append(f"`{name}` is {' '.join(now[3:5])}, not {' '.join(was[3:5])}")
            elif now[5:7] != was[5:7]:
                said.append(f"alignment of `{name}` {now[6]}, not {was[6]}")
            else:
                said.append(f"load address of `{name}` {now[8] if len(now) > 8 else now[0]}, not {was[8] if len(was) > 8 else was[0]}")
        elif kind == "symbol" and new[thing] != words:
            was, now = words, new[thing]
            said.append(f"`{name}` is {now[0]}, not {was[0]}" if now[0] != was[0] else
                        f"`{name}` in {' '.join(now[1:])}, not {' '.join(was[1:])}")
    said += [f"has `{thing.split(' ', 1)[1]}`" for thing in new if thing not in old]
    if not said:
        for kind, text in (("segment", "program headers differ"), ("bytes", "bytes differ"), ("file", "bytes differ"),
                           ("stdout", "prints other text"), ("dynsym", "versions differ"), ("entry", "another entry"),
                           ("section", "order of sections"), ("  ", "bytes differ")):
            if [x for x in expected if x.startswith(kind)] != [x for x in got if x.startswith(kind)]:
                said.append(text)
                break
    return "; ".join(said[:2]) + (" ..." if len(said) > 2 else "")


def escape(text):
    return text.replace("|", "\\|").replace("<", "&lt;")


def cell_gnu(case):
    if case["gnu"]:
        return case["gnu"]
    expected = case.expected(".expect") or []
    messages = [line[len("message "):] for line in expected if line.startswith("message ")]
    if expected and expected[0].startswith("status"):
        return "error: " + escape(messages[0]) if messages else "error"
    return "yes"


def cell_weld(case):
    if case["xfail"]:
        return "**fails**: " + case["xfail"]
    return "differs: " + case["differs"] if case["differs"] else "same"


def cell_lld(case, answer):
    if case["lld"]:
        return case["lld"]
    expected = [line for line in case.expected(".expect") or [] if not line.startswith("message ")]
    # lld keeps input sections without contents in output sections that no script describes: not the point of a case.
    lines = [line for line in answer.lines if line in expected or not re.match(r"section \S+ \S+ size 0x0 ", line)]
    if lines == expected:
        return "same"
    if lines == case.expected(".weld"):
        return "as weld"
    if answer.status < 0:
        return "crashes"
    if answer.status:
        text = first_message(case, answer)
        return "error: " + escape(text) if len(text) < 110 else "error: " + escape(text[:107]) + "..."
    if expected and expected[0].startswith("status"):
        return "links without a word" if not answer.printed.strip() else "warns: " + escape(first_message(case, answer))
    return "differs: " + difference(expected, lines)


BEGIN, END = "<!-- made by tests/script/run.py --table -->", "<!-- end of the table -->"


def table(found, lld):
    """The rows, with lld(case) as the last cell."""
    lines, group = [], None
    for case in found:
        if case["group"] != group:
            group = case["group"]
            lines += ["", f"### {group[0].upper()}{group[1:]}", "", "| feature | test | weld | GNU ld | lld |",
                      "|---|---|---|---|---|"]
        lines.append(f"| {escape(case['feature'])} | `{case.name}` | {cell_weld(case)} | {cell_gnu(case)} | {lld(case)} |")
    return lines[1:]


def doc_parts():
    with open(DOC) as f:
        text = f.read()
    before, rest = text.split(BEGIN + "\n")
    inside, after = rest.split(END + "\n")
    return before, inside, after


def summary(found, rows):
    same = sum(1 for c in found if not c["xfail"] and not c["differs"])
    lld = sum(1 for r in rows if re.search(r"\| (same|as weld) \|$", r))
    differs, fails = sum(1 for c in found if c["differs"] and not c["xfail"]), sum(1 for c in found if c["xfail"])
    return [f"{len(found)} features. weld: {same} as GNU ld, {differs} otherwise on purpose, {fails} fail. lld 19: {lld} as GNU ld or weld.", ""]


def write_table(found, directory):
    rows = table(found, lambda c: cell_lld(c, Answer(c, "ld.lld-19", directory)))
    before, _, after = doc_parts()
    with open(DOC, "w") as f:
        f.write(before + BEGIN + "\n" + "\n".join(summary(found, rows) + rows) + "\n" + END + "\n" + after)


def check_table(found):
    """0 when the docs have a row for each case and its cells for weld and GNU ld, in order."""
    _, inside, _ = doc_parts()
    have = [line.rsplit(" | ", 1)[0] for line in inside.splitlines() if line.startswith("| ")]
    want = [line.rsplit(" | ", 1)[0] for line in table(found, lambda c: "") if line.startswith("| ")]
    wrong = [f"not in the table: {line}" for line in want if line not in have]
    wrong += [f"only in the table: {line}" for line in have if line not in want]
    for line in wrong:
        print(line)
    print("the table is up to date" if have == want else "tests/script/run.py --table writes the table anew")
    return have != want


def main():
    p = argparse.ArgumentParser(usage=__doc__.replace("%", "%%"))
    p.add_argument("--linker", default=os.path.join(TOP, "build/bin/weld"))
    p.add_argument("--objects", default=os.path.join(TOP, "build/tests/script-inputs"))
    for option in ("update", "update-weld", "table", "check-table", "print"):
        p.add_argument("--" + option, action="store_true")
    p.add_argument("names", nargs="*")
    args = p.parse_args()
    args.linker = os.path.abspath(args.linker) if os.sep in args.linker else args.linker
    found = cases(args.names)
    if args.check_table:
        return check_table(found)
    build_inputs(args.objects)
    if args.table:
        write_table(found, args.objects)
        return 0
    failed, expected = [], 0
    for case in found:
        if args.update or args.update_weld:
            if args.update_weld and not case["differs"]:
                continue
            answer = Answer(case, "ld.bfd" if args.update else args.linker, args.objects)
            said = first_message(case, answer) if args.update and (answer.status or case["says"]) else ""
            with open(case.path[:-3] + (".expect" if args.update else ".weld"), "w") as f:
                f.write("\n".join(answer.lines + (["message " + said] if said else [])) + "\n")
            continue
        answer = Answer(case, args.linker, args.objects)
        is_weld = "weld" in os.path.basename(args.linker)
        if args.print:
            print(f"== {case.name}: {' '.join(answer.argv)}\n{answer.printed}" + "\n".join(answer.lines))
            continue
        wrong = judge(case, answer, is_weld)
        if wrong and case["xfail"] and is_weld:
            expected += 1
        elif wrong:
            failed.append(case.name)
            print(f"FAILED {case.name}: {' '.join(answer.argv)}")
            print("\n".join("    " + line for line in wrong))
        elif case["xfail"] and is_weld:
            failed.append(case.name)
            print(f"PASSED, but has xfail: {case.name}")
    if not (args.update or args.update_weld or args.print):
        print(f"{len(found) - len(failed) - expected} passed, {len(failed)} failed, {expected} expected to fail")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
