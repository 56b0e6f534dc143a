#!/usr/bin/env python3
"""random_scripts.py [--linker PATH] [--count N] [--seed S] [--keep DIR]: random scripts, GNU ld's answer beside weld's.

Finds what nobody thought of a case for. Each script is made of few things, so that most links succeed; what differs is printed with
its number (--seed S --count 1 makes it again) and kept in DIR. Not a part of the test suite: GNU ld has whims that weld leaves out.
"""
import argparse
import os
import random
import re
import sys
import tempfile

import run

NAMES = [".text", ".data", ".rodata", ".bss"]
OTHERS = ["orphan_code", ".orphan_ro", ".orphan_rw", ".orphan_bss", "set_of_things", ".note.orphan"]
SYMBOLS = ["a_text", "b_text", "a_data", "b_data", "r_const", "z_bss"]


class Maker:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.inputs = "a.o b.o" + self.r.choice(["", " ro.o zero.o", " ro.o zero.o", " ro.o zero.o orphans.o", " zero.o common.o", " ro.o tls.o"])
        self.objects = [s for s in SYMBOLS if not (s == "r_const" and " ro.o" not in self.inputs or s == "z_bss" and "zero.o" not in self.inputs)]
        self.defined = []
        self.sections = []
        self.count = 0

    def number(self):
        return self.r.choice(["0", "1", "4", "0x10", "0x100", "0x1000", "3", "0x24"])

    def term(self, inside):
        r = self.r
        kinds = ["number", "dot", "symbol", "object"] + (["addr", "sizeof", "loadaddr"] if self.sections else [])
        kind = r.choice(kinds)
        if kind == "dot":
            return "."
        if kind == "symbol" and self.defined:
            return r.choice(self.defined)
        if kind == "object":
            return r.choice(self.objects)
        if kind in ("addr", "sizeof", "loadaddr"):
            return f"{kind.upper()}({r.choice(self.sections)})"
        return self.number()

    def expression(self, inside, depth=2):
        r = self.r
        kind = r.randrange(8) if depth else 0
        if kind < 4:
            return self.term(inside)
        a, b = self.expression(inside, depth - 1), self.expression(inside, depth - 1)
        if kind == 4:
            return f"ALIGN({a}, {r.choice(['4', '16', '0x40'])})"
        if kind == 5:
            return r.choice(["ABSOLUTE({0})", "MAX({0}, {1})", "MIN({0}, {1})", "(~{0})", "(-{0})"]).format(a, b)
        if kind == 6:
            return f"({a} {r.choice(['+', '-', '&', '|', '<', '>=', '==', '&&'])} {b})"
        return f"({a} ? {b} : {self.term(inside)})" if r.random() < .3 else f"({a} + {self.number()})"

    def assignment(self, inside):
        self.count += 1
        name = f"v{self.count}"
        value = self.expression(inside)
        form = self.r.choice(["{0} = {1};"] * 4 + ["PROVIDE({0} = {1});", "HIDDEN({0} = {1});"])
        if "PROVIDE" not in form:
            self.defined.append(name)
        return form.format(name, value)

    def dot(self):
        return self.r.choice([". = ALIGN(0x10);", ". = ALIGN(0x100);", ". += 0x20;", ". = . + 3;", ". = .;"])

    def body(self, patterns):
        r = self.r
        out = []
        for p in patterns:
            while r.random() < .3:
                out.append(r.choice([lambda: self.assignment(True), self.dot, lambda: f"BYTE({self.number()})",
                                     lambda: f"LONG({self.expression(True)})", lambda: f"QUAD({self.expression(True)})",
                                     lambda: "FILL(0x55)"])())
            out.append(p)
        if r.random() < .3:
            out.append(self.assignment(True))
        if r.random() < .15:
            out.append(self.dot())
        return " ".join(out)

    def section(self, name, patterns, regions):
        r = self.r
        head = name
        if r.random() < .12 and not regions:
            head += " " + r.choice([".", "ALIGN(0x40)", ". + 0x100", "(. & ~0xfff) + 0x2000"])
        head += " :"
        if r.random() < .1:
            head += f" AT({r.choice(['0x8000', 'ADDR(' + name + ') + 0x10000'])})"
        if r.random() < .1:
            head += f" ALIGN({r.choice(['0x20', '4'])})"
        if r.random() < .1:
            head += f" SUBALIGN({r.choice(['0x20', '4', '1'])})"
        tail = ""
        if regions and r.random() < .8:
            tail += " >" + r.choice(regions)
            if r.random() < .2 and "AT(" not in head:
                tail += " AT>" + r.choice(regions)
        if r.random() < .15:
            tail += " =" + r.choice(["0x90", "0x1234", "(0x90)"])
        text = f"{head} {{ {self.body(patterns)} }}{tail}"
        self.sections.append(name)
        return text

    def script(self):
        r = self.r
        out = []
        regions = []
        if r.random() < .25:
            regions = ["rom", "ram"]
            out.append("MEMORY { rom (rx) : ORIGIN = 0x1000, LENGTH = 1M  ram (rw) : ORIGIN = 0x200000, LENGTH = 1M }")
        if r.random() < .3:
            out.append(f"v0 = {self.number()};")
            self.defined.append("v0")
        out.append("SECTIONS\n{")
        if r.random() < .7 and not regions:
            out.append(f"  . = {r.choice(['0x1000', '0x10000', '0x400000', '0x1004'])};")
        names = NAMES[:]
        if r.random() < .3:
            r.shuffle(names)
        names = [n for n in names if r.random() < .85]
        for name in names:
            patterns = r.choice([[f"*({name})"], [f"*b.o({name})", f"*({name})"], [f"*({name} {name}.*)"], [f"*a.o({name})"]])
            if r.random() < .15:
                patterns.append(f"*({r.choice(OTHERS)})")
            while r.random() < .25:
                out.append("  " + r.choice([lambda: self.assignment(False), lambda: self.assignment(False), self.dot])())
            out.append("  " + self.section(name, patterns, regions))
        if r.random() < .2:
            out.append("  " + self.section(".made", [], regions))
        while r.random() < .4:
            out.append("  " + self.assignment(False))
        if r.random() < .15:
            out.append("  /DISCARD/ : { *(.note.*) }")
        out.append("}")
        if r.random() < .3:
            out.append(self.assignment(False).replace(" . ", " 1 ") if "." not in self.defined else "")
        return "\n".join(out)


def make(seed):
    m = Maker(seed)
    text = m.script()
    args = m.r.choice([""] * 6 + ["--orphan-handling=place", "-n", "-N", "-z max-page-size=0x1000"])
    fields = [f"feature: random {seed}", "group: values", f"inputs: {m.inputs}", "check: sections symbols" + m.r.choice(["", " segments"])]
    contents = [name for name in m.sections if name not in (".bss", ".text")]
    if contents and m.r.random() < .5:
        fields[-1] += " bytes:" + m.r.choice(contents)
    if args:
        fields.append("args: " + args)
    return "/* " + "\n   ".join(fields) + " */\n" + text + "\n"


def main():
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument("--linker", default=os.path.join(run.TOP, "build/bin/weld"))
    p.add_argument("--objects", default=os.path.join(run.TOP, "build/tests/script-inputs"))
    p.add_argument("--count", type=int, default=200)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--keep")
    args = p.parse_args()
    args.linker = os.path.abspath(args.linker) if os.sep in args.linker else args.linker
    run.build_inputs(args.objects)
    same = refused = differs = 0
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(args.seed, args.seed + args.count):
            path = os.path.join(args.keep or scratch, f"random{seed}.ld")
            with open(path, "w") as f:
                f.write(make(seed))
            case = run.Case(path)
            gnu = run.Answer(case, "ld.bfd", args.objects)
            weld = run.Answer(case, args.linker, args.objects)
            if gnu.lines == weld.lines:
                same += 1
                refused += gnu.status != 0
                os.remove(path)
                continue
            differs += 1
            print(f"== {seed}")
            for line in gnu.lines:
                if line not in weld.lines:
                    print("  - " + line)
            for line in weld.lines:
                if line not in gnu.lines:
                    print("  + " + line)
            for answer in (gnu, weld):
                if answer.status:
                    print("  says: " + run.first_message(case, answer))
    print(f"{same} equal ({refused} of them refused by both), {differs} differ")
    return differs > 0


if __name__ == "__main__":
    sys.exit(main())
