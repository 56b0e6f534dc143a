"""generate.py SEED DIR: writes a program of several C files and a library of several more (a*.c, library*.c), which
refer to each other in every way that C has. Both compute the same on every system, so that a build for this system
says what is expected. No header is used."""
import os
import random
import sys

random.seed(int(sys.argv[1]))
out = sys.argv[2]
FILES = 12
library = {f: f >= 8 for f in range(FILES)}
word = lambda: "".join(random.choice("abcdefgh") for _ in range(random.randint(1, 5)))
lines = {f: [] for f in range(FILES)}
arrays, functions, thread, tables = [], [], [], []

# What exists, first; then references to it. A library refers to the program only through pointers that it is given.
for f in range(FILES):
    for k in range(random.randint(2, 6)):
        n = random.choice([1, 3, 7, 100, 600, 1100, 3000])
        kind = random.choice(["data", "const", "zero", "common", "doubles"])
        arrays.append((f, f"array_{f}_{k}", n, kind))
    for k in range(random.randint(3, 8)):
        functions.append((f, f"function_{f}_{k}"))
    for k in range(random.randint(1, 3)):
        thread.append((f, f"thread_{f}_{k}", random.choice([0, 0, random.randint(1, 1000)])))


def visible(f, owner):
    return library[owner] or not library[f]


def element(f):
    """An address constant of an int, and its declaration."""
    while True:
        owner, name, n, kind = random.choice(arrays)
        if visible(f, owner) and kind != "doubles":
            break
    const = "const " if kind == "const" else ""
    return f"(const int *)&{name}[{random.randrange(n)}]", f"extern {const}int {name}[{n}];"


for f in range(FILES):
    w = lines[f].append
    declarations, body = set(), []
    for owner, name, n, kind in arrays:
        if owner != f:
            continue
        values = [random.randint(-99, 99) for _ in range(n)]
        if kind == "data":
            body.append(f"int {name}[{n}] = {{{', '.join(map(str, values))}}};")
        elif kind == "const":
            declarations.add(f"extern const int {name}[{n}];")
            body.append(f"const int {name}[{n}] = {{{', '.join(map(str, values))}}};")
        elif kind == "doubles":
            body.append(f"const double {name}[{n}] = {{{', '.join(f'{v}.5' for v in values)}}};")
        elif kind == "zero":
            body.append(f"int {name}[{n}] = {{0}};")
        else:
            body.append(f"int {name}[{n}];")
    for owner, name, value in thread:
        if owner == f:
            body.append(f"_Thread_local int {name}{f' = {value}' if value else ''};")
    # Tables of pointers, some longer than a page.
    for k in range(random.randint(1, 4)):
        n = random.choice([1, 5, 30, 511, 700])
        items = []
        for _ in range(n):
            text, declaration = element(f)
            declarations.add(declaration)
            items.append(text)
        const = random.choice(["", "const"])
        static = random.choice(["", "static "])
        tables.append((f, f"table_{f}_{k}", n))
        if not static:
            declarations.add(f"extern const int *{const} table_{f}_{k}[{n}];")
        body.append(f"{static}const int *{const} table_{f}_{k}[{n}] = {{{', '.join(items)}}};")
    # Far from what they are of, for addends of every size.
    targets = [a for a in arrays if visible(f, a[0]) and a[3] in ("data", "zero", "common")]
    far = []
    for distance in random.sample([-4096, -200, -8, 260, 5000, 70000, 0x12345678, -0x7654321, 1 << 33], 4):
        owner, name, n, kind = random.choice(targets)
        if not library[owner] or library[f]:
            continue  # within an image a pointer must stay in it
        declarations.add(f"extern int {name}[{n}];")
        body.append(f"#ifndef ONE_IMAGE\nstatic char *volatile far_{f}_{len(far)} = (char *){name} + {distance}l;\n#endif")
        far.append((name, distance))
    # Functions, weak ones of which every file has one, strings and numbers that are shared.
    calls = [(o, n) for o, n in functions if visible(f, o) and o != f]
    weak = f"""__attribute__((weak, noinline)) long shared_{'library' if library[f] else 'program'}(long v) {{ return v * 31 + 7; }}
static __attribute__((noinline)) const char *text(long v) {{
  switch (v & 15) {{
"""
    for c in range(11):
        weak += f'  case {c}: return "{word()}{random.choice(["", chr(92) + "0after"])}";\n'
    weak += '  default: return "default";\n  }\n}\n'
    body.append(weak)
    own = [n for o, n in functions if o == f]
    for i, name in enumerate(own):
        declarations.add(f"long {name}(long);")
        code = f"long {name}(long v) {{\n  long r = v * {random.randint(3, 99)};\n"
        for owner, t, n in tables:
            if owner == f and random.random() < 0.7:
                code += f"  for (unsigned i = 0; i < {n}; i += {random.randint(1, 9)}) r = r * 33 + *{t}[i];\n"
        for _ in range(random.randint(0, 3)):
            owner, t, _value = random.choice([x for x in thread if visible(f, x[0])])
            declarations.add(f"extern _Thread_local int {t};")
            code += f"  {t} += (int)(r & 7); r += {t};\n"
        for _ in range(random.randint(0, 2)):
            doubles = [a for a in arrays if a[3] == "doubles" and visible(f, a[0])]
            if doubles:
                owner, a, n, _kind = random.choice(doubles)
                declarations.add(f"extern const double {a}[{n}];")
                code += f"  r += (long)({a}[{random.randrange(n)}] * {random.randint(1, 9)}.25 + (float)(r & 3) * {random.randint(1, 9)}.125f);\n"
        code += f"  for (const char *s = text(r); *s; s++) r = r * 7 + *s;\n"
        code += f"  r += shared_{'library' if library[f] else 'program'}(r & 255);\n"
        deeper = [n for o, n in functions if visible(f, o) and (o, n) > (f, name)]
        if deeper:
            for n in random.sample(deeper, min(2, len(deeper))):
                declarations.add(f"long {n}(long);")
                if random.random() < 0.5:
                    code += f"  if (v > 0) r ^= {n}(v - 1);\n"
                else:
                    code += f"  {{ static long (*volatile p)(long) = {n}; if (v > 0) r += p(v - 2); }}\n"
        for i, (name2, distance) in enumerate(far):
            code += (f"#ifdef ONE_IMAGE\n  r += {distance}l;\n#else\n  r += (long)(far_{f}_{i} - (char *){name2});\n#endif\n")
        code += "  return r;\n}\n"
        body.append(code)
    body.append(f"extern long started;\n__attribute__((constructor)) static void start(void) {{ started += {f + 1} * {f + 3}; }}"
                if not library[f] else
                f"static long library_started_{f};\n__attribute__((constructor)) static void start(void) {{ library_started_{f} = {f}; }}\n"
                f"long library_state_{f}(void) {{ return library_started_{f}; }}")
    lines[f] = sorted(declarations) + body

main = ["int printf(const char *, ...);", "long started;"]
main += [f"long {n}(long);" for o, n in functions] + [f"long library_state_{f}(void);" for f in range(FILES) if library[f]]
main.append("static long (*const all[])(long) = {" + ", ".join(n for o, n in functions) + "};")
main.append("static const char *const names[] = {" + ", ".join(f'"{n}"' for o, n in functions) + "};")
main.append("int main(void) {\n  printf(\"started %ld\\n\", started);")
for f in range(FILES):
    if library[f]:
        main.append(f'  printf("library %ld\\n", library_state_{f}());')
main.append("  for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {\n    long a = all[i](3), b = all[i](i);\n"
            "    printf(\"%s %ld %ld\\n\", names[i], a, b);\n  }\n  return 0;\n}")
lines["main"] = main
for f, text in lines.items():
    name = "main" if f == "main" else f"{'library' if library[f] else 'program'}{f}"
    with open(os.path.join(out, name + ".c"), "w") as o:
        o.write("\n".join(text) + "\n")
