"""Random code with random branches and a small range through `weld -core --add-pass=thunks`; then, with the addresses that the pass layout
shows, each branch is followed: it has to reach what it refers to, and to end where it ended before. An error is fine where atoms are
about as long as the range, or where so much branches that islands can't be near; no other is.

thunks.py WELD FIRST-SEED COUNT"""
import random
import re
import subprocess
import sys

ISLAND = 8  # bytes, with what aligns it
weld, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def core(text, *args):
    return subprocess.run([weld, "-core", *args], input=text, capture_output=True, text=True, timeout=60)


def make(r):
    reach = r.choice([64, 100, 128, 256, 300, 512, 1000, 4096, 65536])
    sections = r.choice([[None], [None], [None, "hot"], [".a", ".b", ".c"]])
    branches = r.choice([0, 1, 3, 8])
    atoms = []
    for i in range(r.randint(1, 60)):
        size = r.choice([5, 8, 16, r.randint(1, 64), r.randint(1, reach // 4), r.randint(1, reach)])
        if r.random() < 0.03:
            size = r.randint(reach, 3 * reach)
        atoms.append({"name": f"f{i}", "global": r.random() < 0.5, "size": size, "align": r.choice([1, 1, 1, 4, 8, 16, 64]),
                      "section": r.choice(sections), "refs": [], "after": None})
    for i, a in enumerate(atoms):
        for _ in range(r.randint(0, branches) if a["size"] >= 5 else 0):
            to = r.choice(atoms)
            a["refs"].append((r.randint(1, a["size"] - 4), to["name"], r.choice([0, 0, 0, r.randint(0, to["size"])]) - 4))
        if i + 1 < len(atoms) and atoms[i + 1]["section"] == a["section"] and r.random() < 0.1:
            a["after"] = atoms[i + 1]["name"]
    return reach, atoms


def text_of(atoms):
    out = ["---", "defined-atoms:"]
    for a in atoms:
        out += [f"  - name: {a['name']}", f"    size: {a['size']}", f"    alignment: {a['align']}"]
        out += ["    scope: global"] if a["global"] else []
        out += ["    section-choice: custom-required", "    section-name: " + a["section"]] if a["section"] else []
        out += ["    references:"] if a["refs"] or a["after"] else []
        for offset, to, addend in a["refs"]:
            out.append(f"      - {{ kind: R_X86_64_PLT32, offset: {offset}, target: {to}, addend: {addend} }}")
        out += [f"      - {{ kind: layout-after, target: {a['after']} }}"] if a["after"] else []
    return "\n".join(out + ["...", ""])


def parse(text):
    """Atoms of what weld wrote: its keys, and `refs`."""
    atoms = []
    for line in text.split("\n"):
        if m := re.match(r"(  - |    )([a-z-]+): *(.*)$", line):
            if m[1] == "  - ":
                atoms.append({"refs": []})
            atoms[-1][m[2]] = m[3]
        elif m := re.match(r"(      - |        )([a-z-]+): *(.*)$", line):
            if m[1] == "      - ":
                atoms[-1]["refs"].append({"addend": "0", "offset": "0"})
            atoms[-1]["refs"][-1][m[2]] = m[3]
    return atoms


def check(seed):
    reach, atoms = make(random.Random(seed))
    text, args = text_of(atoms), ["--add-pass=thunks", f"--branch-range={reach}"]
    p = core(text, *args)
    if p.returncode:
        assert p.returncode == 1 and "bytes away and reaches" in p.stderr and not p.stdout, p
        longest = max(a["size"] + a["align"] for a in atoms)
        ends = len({(to, addend) for a in atoms for _, to, addend in a["refs"]})
        chained = any(a["after"] for a in atoms)
        assert 2 * longest > reach or 4 * ISLAND * ends > reach or chained, p.stderr
        return False
    assert core(p.stdout).stdout == p.stdout, "reading it again changes it"
    assert core(p.stdout, *args).stdout == p.stdout, "it has not enough islands"
    if seed % 8 == 0:
        assert all(core(text, *args, f"--threads={n}").stdout == p.stdout for n in (1, 3)), "threads matter"
    placed = parse(core(p.stdout, "--add-pass=layout").stdout)
    both = parse(core(text, *args, "--add-pass=layout").stdout)
    assert [a["address"] for a in placed] == [a["address"] for a in both], "the text has other addresses"
    named = {}
    for a in placed:
        named.update({a[key]: a for key in ("name", "ref-name") if key in a})
        a["at"] = int(a["address"], 16)
    for a in atoms:
        new = named[a["name"]]
        refs = [x for x in new["refs"] if x["kind"] != "layout-after"]
        assert len(refs) == len(a["refs"])
        for (offset, to, addend), ref in zip(a["refs"], refs):
            place, target = new["at"] + offset, named[ref["target"]]
            direct = named[to]["at"] + addend - place
            assert int(ref["offset"]) == offset
            assert -reach <= target["at"] + int(ref["addend"]) - place < reach, f"{a['name']}+{offset} does not reach {ref['target']}"
            if target.get("type") != "branch-island":
                assert (ref["target"], int(ref["addend"])) == (to, addend)
                continue
            end, = target["refs"]
            assert not -reach <= direct < reach, f"{a['name']}+{offset} needs no island"
            assert int(ref["addend"]) == -4 and target["at"] % 8 == 0
            assert (end["target"], int(end["addend"]), int(end["offset"])) == (to, addend, 1)
        if a["after"]:
            between = [x for x in placed if new["at"] + a["size"] <= x["at"] < named[a["after"]]["at"]]
            assert not [x for x in between if x.get("type") == "branch-island"], "an island in a chain"
    return any(a.get("type") == "branch-island" for a in placed)


changed = 0
for number in range(first, first + count):
    try:
        changed += check(number)
    except Exception:
        print("seed", number, file=sys.stderr)
        raise
assert changed > count // 4, changed
