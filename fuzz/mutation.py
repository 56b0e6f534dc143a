"""mutation.py: damage to bytes and to text, for mutate and the modules of its kinds.

The trap: --replay repeats a link from its number, so whatever is chosen is chosen by the generator that is handed in.
"""
import json
import re

INTERESTING = [0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xfff1, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
               0xfffffff0, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xfffffffffffffff0,
               0xffffffffffffffff]


def put(rnd, b, at, width, order="little"):
    """A small step, a flipped bit, or one of the values at which checks fail."""
    width = min(width, len(b) - at)
    if width <= 0:
        return
    old = int.from_bytes(b[at:at + width], order)
    new = rnd.choice([old + rnd.choice([1, -1, 8, -8, 24, 64]), old ^ 1 << rnd.randrange(8 * width), rnd.choice(INTERESTING),
                      len(b) - rnd.randrange(3), rnd.getrandbits(8 * width), rnd.randrange(64)])
    b[at:at + width] = (new & (1 << 8 * width) - 1).to_bytes(width, order)


def damage_bytes(rnd, b, how):
    """Damage that knows no format; `how` (at least 0.80) chooses: cut, take out, put in, copy, change."""
    if how < 0.86:
        del b[rnd.randrange(len(b)):]
    elif how < 0.89:
        at = rnd.randrange(len(b))
        del b[at:at + rnd.choice([1, 2, 4, 8, 24, 64, 1000])]
    elif how < 0.92:
        at = rnd.randrange(len(b))
        b[at:at] = bytes(rnd.choice([0, 255, 32, 47, 40, 123, 125, 42, 59, 64, 92, 34]) for _ in range(rnd.choice([1, 2, 8, 64])))
    elif how < 0.95:
        at, src, n = rnd.randrange(len(b)), rnd.randrange(len(b)), rnd.choice([1, 4, 8, 24, 64, 256])
        b[at:at + n] = b[src:src + n]
    else:
        put(rnd, b, rnd.randrange(len(b)), rnd.choice([1, 2, 4, 8]))


def damage_archive(rnd, b, magic):
    """A header of a member, or bytes behind `magic`, with which members begin."""
    members = [i for i in range(8, len(b) - 60) if b[i + 58:i + 60] == b"`\n"]
    if members and rnd.random() < 0.5:
        at = rnd.choice(members)
        if rnd.random() < 0.3:
            b[at + 48:at + 58] = rnd.choice([b"0         ", b"9999999999", b"-1        ", b"60        ", b"4294967296",
                                             b"          ", b"1e3       "])
        elif rnd.random() < 0.5:
            b[at:at + 16] = rnd.choice([b"/               ", b"//              ", b"/0              ", b"/99999999       ",
                                        b"#1/20           ", b"#1/999999999    ", b"__.SYMDEF       ", b"/SYM64/         "])
        else:
            b[at + rnd.randrange(60)] = rnd.randrange(256)
    else:
        starts = [i for i in range(len(b) - 4) if b[i:i + 4] == magic]
        at = rnd.choice(starts or [0])
        put(rnd, b, min(at + rnd.randrange(64 if rnd.random() < .3 else 3000), len(b) - 1), rnd.choice([1, 2, 4, 8]))


WORD = re.compile(rb"[\w.$@/<>-]+")
ODD_TEXT = [b"'", b'"', b"[", b"]", b"{", b"}", b":", b": ", b",", b"- ", b"&a ", b"*a", b"!!int ", b"!t ", b"|\n", b">\n", b"#", b" #", b"%", b"\t", b"\r",
            b"\n", b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b"\\", b"\\u0000", b"\\ud800", b"--- ", b"...\n", b"? ", b"$ld$", b"$", b"@rpath/", b"//", b"../",
            b"null", b"~", b"<<", b"\xc3", b"\xe2\x80\xa8"]
ODD_NUMBERS = [b"0", b"-1", b"1e9", b"0x10", b"1.2.3.4.5.6", b"65536", b"65535.255.255", b"256.256.256", b"4294967296", b"18446744073709551616", b"1..2", b".",
               b"9" * 400, b"0" * 70000, b"999999.9"]


def damage_text(rnd, b):
    """Text that has lines, words, numbers, brackets; of JSON now and then its tree."""
    how = rnd.random()
    if b[:1] == b"{" and how < 0.5:
        try:
            b[:] = json.dumps(damage_tree(rnd, json.loads(b)), ensure_ascii=rnd.random() < .5).encode("utf-8", "surrogatepass")
            return
        except ValueError:
            pass
    words = [m.span() for m in WORD.finditer(b)]
    lines = b.split(b"\n")
    if how < 0.30:
        at, other = rnd.randrange(len(lines)), rnd.randrange(len(lines))
        which = rnd.randrange(6)
        if which == 0:
            lines[at], lines[other] = lines[other], lines[at]
        elif which == 1:
            del lines[at]
        elif which == 2:
            lines.insert(at, lines[other])
        elif which == 3:
            lines[at:at] = [lines[at]] * rnd.choice([2, 100, 3000])
        elif which == 4:
            lines[at] = rnd.choice([b"", b" ", b"  ", b"    ", b"\t", b" " * 5000]) + lines[at].lstrip()
        else:
            lines[at] += rnd.choice([b" ", b"\r", b" #", b",", b":", b" \\"]) + (lines.pop(other) if other > at else b"")
        b[:] = b"\n".join(lines)
    elif how < 0.45 and words:
        at, end = rnd.choice(words)
        start, stop = rnd.choice(words)
        b[at:end] = rnd.choice([b"", bytes(b[start:stop]), bytes(b[at:end]) * 2, bytes(b[at:end]) * 20000, b"_" + bytes(b[at:end]), rnd.choice(ODD_TEXT)])
    elif how < 0.60:
        numbers = [m.span() for m in re.finditer(rb"[0-9]+(\.[0-9]+)*", b)]
        if numbers:
            at, end = rnd.choice(numbers)
            b[at:end] = rnd.choice(ODD_NUMBERS)
    elif how < 0.80:
        at = rnd.choice(words)[rnd.randrange(2)] if words and rnd.random() < .7 else rnd.randrange(len(b) + 1)
        b[at:at] = rnd.choice(ODD_TEXT) * rnd.choice([1, 1, 1, 1, 2, 3, 70, 2000, 100000])
    elif b:
        damage_bytes(rnd, b, how)


def damage_tree(rnd, node):
    """Something else at one place of what JSON can say."""
    if not isinstance(node, (dict, list)) or not node or rnd.random() < .12:
        return rnd.choice([None, True, -1, 1.5, "", "x", "_a\0b", "\ud800", [], {}, [[]], [node], {"name": node}, [node, node], 10 ** 400, 2 ** 63, "4" * 70000,
                           ["_s"] * 5000, {"": ""}])
    keys = list(node) if isinstance(node, dict) else list(range(len(node)))
    at, other = rnd.choice(keys), rnd.choice(keys)
    which = rnd.random()
    if which < .08:
        del node[at]
    elif which < .16:
        node[at] = node[other]
    elif which < .20 and isinstance(node, dict):
        node[rnd.choice(["", "name", "targets", "text", "data", "global", at + "s"])] = node.pop(at)
    else:
        node[at] = damage_tree(rnd, node[at])
    return node
