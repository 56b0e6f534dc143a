"""refuse.py MACHORUN FORM HELLO UNWIND DIR: damages two good images in one way at a time and looks at what
machorun says. Each damaged image is signed again (the hashes of its pages), unless the damage is the signature's, so
that the check that is meant is the one that answers. FORM is chained or classic."""
import hashlib
import os
import struct
import subprocess
import sys


class Image:
    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = bytearray(f.read())
        self.commands, self.segments, self.sections = {}, {}, {}
        n, at = self.u32(16), 32
        for _ in range(n):
            cmd, size = self.u32(at), self.u32(at + 4)
            self.commands.setdefault(cmd & 0x7fffffff, at)
            if cmd == 0x19:
                self.segments[self.text(at + 8, 16)] = at
                for i in range(self.u32(at + 64)):
                    s = at + 72 + 80 * i
                    self.sections[self.text(s + 16, 16) + "," + self.text(s, 16)] = s
            at += size

    def text(self, at, size):
        return bytes(self.data[at:at + size]).split(b"\0")[0].decode()

    def u16(self, at):
        return struct.unpack_from("<H", self.data, at)[0]

    def u32(self, at):
        return struct.unpack_from("<I", self.data, at)[0]

    def u64(self, at):
        return struct.unpack_from("<Q", self.data, at)[0]

    def put(self, at, form, *values):
        struct.pack_into("<" + form, self.data, at, *values)

    def uleb(self, at):
        """(value, size)"""
        v = shift = n = 0
        while True:
            b = self.data[at + n]
            v |= (b & 0x7f) << shift
            n, shift = n + 1, shift + 7
            if not b & 0x80:
                return v, n

    def content(self, section):
        """File offset of a section."""
        return self.u32(self.sections[section] + 48)

    def linkedit(self, cmd):
        """File offset of the data of a linkedit_data_command."""
        return self.u32(self.commands[cmd] + 8)

    def signature(self):
        """File offset of the code directory."""
        blob = self.linkedit(0x1d)
        return blob + struct.unpack_from(">I", self.data, blob + 16)[0]

    def sign(self):
        cd = self.signature()
        hashes, = struct.unpack_from(">I", self.data, cd + 16)
        slots, limit = struct.unpack_from(">II", self.data, cd + 28)
        page = 1 << self.data[cd + 39]
        for i in range(slots):
            part = self.data[i * page:min((i + 1) * page, limit)]
            self.data[cd + hashes + 32 * i:cd + hashes + 32 * i + 32] = hashlib.sha256(part).digest()


tests = []


def damage(expected, image="hello", form=None, sign=True):
    def add(f):
        tests.append((f, expected, image, form, sign))
        return f
    return add


@damage("the hash of page 0", sign=False)
def byte_of_code(i):
    i.data[i.content("__TEXT,__text") + 5] ^= 1


@damage("runs past the end of the file", sign=False)
def truncated(i):
    del i.data[-1]


@damage("the file does not end where __LINKEDIT ends", sign=False)
def longer(i):
    i.data += b"\0"


@damage("is not a 64-bit Mach-O file")
def magic(i):
    i.data[0] ^= 1


@damage("is not a multiple of 8")
def command_size(i):
    i.put(i.commands[0x1b] + 4, "I", 25)


@damage("sizeofcmds is")
def commands_size(i):
    i.put(16, "I", i.u32(16) - 1)


@damage("is not known")
def unknown_command(i):
    i.put(i.commands[0x1b], "I", 0x7777)


@damage("its UUID is zero")
def uuid(i):
    i.put(i.commands[0x1b] + 8, "QQ", 0, 0)


@damage("is there twice")
def command_twice(i):
    i.put(i.commands[0x26], "I", 0x29)
    i.put(i.commands[0x29], "I", 0x29)


@damage("its dynamic linker is")
def dynamic_linker(i):
    i.data[i.commands[0xe] + 12] ^= 1


@damage("segments __DATA and __LINKEDIT overlap in memory")
def segment_overlap(i):
    i.put(i.segments["__LINKEDIT"] + 24, "Q", i.u64(i.segments["__DATA"] + 24))


@damage("segments __DATA and __LINKEDIT overlap in the file")
def segment_overlap_in_file(i):
    at, page = i.segments["__LINKEDIT"], 0x4000 if i.u32(4) == 0x0100000c else 0x1000
    i.put(at + 32, "QQQ", i.u64(at + 32) + page, i.u64(at + 40) - page, i.u64(at + 48) + page)


@damage("segment __LINKEDIT is not aligned to pages")
def segment_alignment(i):
    i.put(i.segments["__LINKEDIT"] + 24, "Q", i.u64(i.segments["__LINKEDIT"] + 24) + 8)


@damage("segment __DATA can be written and executed")
def segment_protection(i):
    i.put(i.segments["__DATA"] + 56, "II", 7, 7)


@damage("segment __LINKEDIT has a larger size in the file")
def segment_sizes(i):
    i.put(i.segments["__LINKEDIT"] + 32, "Q", 8)


@damage("is not inside its segment")
def section_outside(i):
    i.put(i.sections["__TEXT,__text"] + 40, "Q", 1 << 40)


@damage("its file offset does not fit its address")
def section_offset(i):
    i.put(i.sections["__TEXT,__cstring"] + 48, "I", i.content("__TEXT,__cstring") + 16)


@damage("sections __TEXT,__text and __stubs overlap")
def section_overlap(i):
    text, stubs = i.sections["__TEXT,__text"], i.sections["__TEXT,__stubs"]
    i.put(text + 40, "Q", i.u64(stubs + 32) - i.u64(text + 32) + 4)


@damage("overlaps the load commands")
def section_over_commands(i):
    s = i.sections["__TEXT,__text"]
    down = i.content("__TEXT,__text") - 64
    i.put(s + 32, "Q", i.u64(s + 32) - down)
    i.put(s + 48, "I", 64)


@damage("an executable has no LC_LOAD_DYLINKER")
def no_dynamic_linker(i):
    at = i.commands[0xe]
    i.put(at, "I", 0x27)


@damage("its entry is not in a section of code")
def entry(i):
    i.put(i.commands[0x28] + 8, "Q", 8)


@damage("segment __DATA is there twice")
def segment_twice(i):
    i.data[i.segments["__LINKEDIT"] + 8:i.segments["__LINKEDIT"] + 24] = b"__DATA".ljust(16, b"\0")


@damage("do not make up the symbol table")
def symbol_counts(i):
    i.put(i.commands[0xb] + 12, "I", i.u32(i.commands[0xb] + 12) - 1)


def nlist(i, group):
    """File offset of the first local (0), external (1) or undefined (2) symbol."""
    return i.u32(i.commands[2] + 8) + 16 * i.u32(i.commands[0xb] + 8 + 8 * group)


@damage("is not inside the string table")
def symbol_name(i):
    i.put(nlist(i, 1), "I", 0x7fffffff)


def symbol(i, name):
    """File offset of a symbol's record."""
    for k in range(i.u32(i.commands[2] + 12)):
        at = i.u32(i.commands[2] + 8) + 16 * k
        string = i.u32(i.commands[2] + 16) + i.u32(at)
        if i.data[string:string + len(name) + 1] == name.encode() + b"\0":
            return at
    raise KeyError(name)


@damage("in the export trie")
def symbol_value(i):
    at = symbol(i, "_main")
    i.put(at + 8, "Q", i.u64(at + 8) ^ 1)


@damage("the symbol table and the export trie do not agree whether")
def symbol_weak(i):
    at = symbol(i, "_main")
    i.put(at + 6, "H", i.u16(at + 6) ^ 0x80)


@damage("in the symbol table, of 1 where it is bound")
def symbol_library(i):
    at = symbol(i, "_printf")
    i.put(at + 6, "H", 0xfe00)


@damage("the indirect symbol table says")
def indirect_symbol(i):
    at = i.u32(i.commands[0xb] + 56)
    first = i.u32(i.sections["__TEXT,__stubs"] + 68)
    a, b = i.u32(at + 4 * first), i.u32(at + 4 * first + 4)
    i.put(at + 4 * first, "II", b, a)


@damage("overlap or are not in order")
def linkedit_order(i):
    i.put(i.commands[2] + 16, "I", i.u32(i.commands[2] + 8))


@damage("is not in a section of code")
def function_start(i):
    i.data[i.linkedit(0x26)] = 1


def trie(i):
    return i.linkedit(0x33) if 0x33 in i.commands else i.u32(i.commands[0x22] + 40)


@damage("is reached twice")
def trie_cycle(i):
    at = trie(i) + 2
    while i.data[at]:
        at += 1
    value, size = i.uleb(at + 1)
    i.data[at + 1:at + 1 + size] = b"\x80" * (size - 1) + b"\0"


@damage("past its end")
def trie_outside(i):
    at = trie(i) + 2
    while i.data[at]:
        at += 1
    assert i.uleb(at + 1)[1] == 1
    i.data[at + 1] = 0x7f
    if 0x33 in i.commands:
        i.put(i.commands[0x33] + 12, "I", 0x70)
    else:
        i.put(i.commands[0x22] + 44, "I", 0x70)


# Chained fixups.

def chain(i, segment):
    """File offset of dyld_chained_starts_in_segment."""
    head = i.linkedit(0x34)
    starts = head + i.u32(head + 4)
    index = list(i.segments).index(segment)
    return starts + i.u32(starts + 4 + 4 * index)


def first_link(i, segment):
    return i.u64(i.segments[segment] + 40) + i.u16(chain(i, segment) + 22)


@damage("chained fixups have version", form="chained")
def chain_version(i):
    i.put(i.linkedit(0x34), "I", 1)


@damage("leaves its page", form="chained")
def chain_leaves_page(i):
    i.put(chain(i, "__DATA") + 22, "H", i.u16(chain(i, "__DATA") + 4) - 4)


@damage("begins outside its page", form="chained")
def chain_start(i):
    i.put(chain(i, "__DATA") + 22, "H", i.u16(chain(i, "__DATA") + 4))


@damage("is not aligned", form="chained")
def chain_alignment(i):
    i.put(chain(i, "__DATA") + 22, "H", i.u16(chain(i, "__DATA") + 22) + 4)


@damage("have the unknown format 99", form="chained")
def chain_format(i):
    i.put(chain(i, "__DATA") + 6, "H", 99)


@damage("say that it is at", form="chained")
def chain_segment(i):
    i.put(chain(i, "__DATA") + 8, "Q", 0)


@damage("binds import", form="chained")
def chain_import(i):
    at = first_link(i, "__DATA_CONST")
    i.put(at, "Q", i.u64(at) & ~0xffffff | 0xfffffe | 1 << 63)


@damage("outside the image", form="chained")
def chain_target(i):
    at = first_link(i, "__DATA_CONST")
    i.put(at, "Q", i.u64(at) & 0xfff << 51 | 0xfffffffff)


@damage("the links of a chain overlap", form="chained")
def chain_overlap(i):
    at = first_link(i, "__DATA_CONST")
    i.put(at, "Q", i.u64(at) & ~(0xfff << 51) | 1 << 51)


@damage("names library 100", form="chained")
def import_library(i):
    head = i.linkedit(0x34)
    i.data[head + i.u32(head + 8)] = 100


@damage("is not inside the names", form="chained")
def import_name(i):
    head = i.linkedit(0x34)
    at = head + i.u32(head + 8)
    i.put(at, "I", i.u32(at) | 0x7fffff << 9)


# Classic streams: the offsets in dyld_info_command are rebase 8, bind 16, weak 24, lazy 32, export 40.

def stream(i, which):
    return i.u32(i.commands[0x22] + which)


@damage("has the unknown opcode", form="classic")
def rebase_opcode(i):
    i.data[stream(i, 8) + 1] = 0xf0


@damage("has the type", form="classic")
def rebase_type(i):
    i.data[stream(i, 8)] = 0x12


@damage("names segment 15", form="classic")
def rebase_segment(i):
    i.data[stream(i, 8) + 1] = 0x2f


@damage("which cannot be written", form="classic")
def rebase_in_text(i):
    i.data[stream(i, 8) + 1] = 0x21


@damage("names library 15", form="classic")
def bind_library(i):
    at = stream(i, 32)
    while i.data[at] != 0x11:
        at += 1
    i.data[at] = 0x1f


@damage("is not in a section of lazy pointers", form="classic")
def lazy_place(i):
    at = stream(i, 32)
    i.data[at + 1] = 0x40


@damage("of a template of")
def thread_variable_offset(i):
    i.put(i.content("__DATA,__thread_vars") + 16, "Q", 1 << 20)


# Unwind information.

@damage("__unwind_info has version 2", image="unwind")
def unwind_version(i):
    i.put(i.content("__TEXT,__unwind_info"), "I", 2)


def unwind_page(i):
    info = i.content("__TEXT,__unwind_info")
    page = info + i.u32(info + i.u32(info + 20) + 4)
    return page, page + i.u16(page + 4)


@damage("is not in order", image="unwind")
def unwind_order(i):
    page, entries = unwind_page(i)
    assert i.u32(page) == 3
    a, b = i.u32(entries + 4), i.u32(entries + 8)
    i.put(entries + 4, "II", b, a)


@damage("an entry has the encoding 255", image="unwind")
def unwind_encoding(i):
    _, entries = unwind_page(i)
    i.data[entries + 3] = 255


@damage("a page is of the unknown kind", image="unwind")
def unwind_page_kind(i):
    i.put(unwind_page(i)[0], "I", 9)


@damage("which is no function", image="unwind")
def unwind_lsda(i):
    info = i.content("__TEXT,__unwind_info")
    at = info + i.u32(info + i.u32(info + 20) + 8)
    i.put(at, "I", i.u32(at) + 1)


@damage("is not among data", image="unwind")
def unwind_personality(i):
    info = i.content("__TEXT,__unwind_info")
    i.put(info + i.u32(info + 12), "I", 64)


@damage("arrays run past its end", image="unwind")
def unwind_index(i):
    i.put(i.content("__TEXT,__unwind_info") + 24, "I", 0xffffff)


# The signature.

@damage("is no super blob", sign=False)
def signature_magic(i):
    i.data[i.linkedit(0x1d)] ^= 1


@damage("is not ad-hoc", sign=False)
def signature_flags(i):
    cd = i.signature()
    i.data[cd + 12:cd + 16] = b"\0\0\0\0"


@damage("its code directory covers", sign=False)
def signature_limit(i):
    i.data[i.signature() + 35] ^= 1


@damage("hashes for", sign=False)
def signature_slots(i):
    i.data[i.signature() + 31] += 1


@damage("does not name __TEXT", sign=False)
def signature_text(i):
    i.data[i.signature() + 79] ^= 1


def main():
    machorun, form, hello, unwind, out = sys.argv[1:6]
    images = {"hello": hello, "unwind": unwind}
    bad = 0
    for name, path in images.items():  # Signing again changes nothing, and the good image is good.
        image = Image(path)
        image.sign()
        with open(path, "rb") as f:
            assert f.read() == image.data, f"the signature of {path}"
        subprocess.run([machorun, "--check", path], check=True)
    count = 0
    for f, expected, which, only, sign in tests:
        if only not in (None, form):
            continue
        image = Image(images[which])
        try:
            f(image)
            if sign:
                image.sign()
        except (KeyError, IndexError, AssertionError, struct.error) as e:
            print(f"{f.__name__}: the image could not be damaged: {e!r}")
            bad += 1
            continue
        path = os.path.join(out, f.__name__)
        with open(path, "wb") as o:
            o.write(image.data)
        r = subprocess.run([machorun, "--check", path], capture_output=True, text=True)
        lines = r.stderr.splitlines()
        count += 1
        if r.returncode != 126 or len(lines) != 1 or not lines[0].startswith(f"machorun: {path}: ") or expected not in lines[0]:
            print(f"{f.__name__}: status {r.returncode}, expected: {expected}\n    {r.stderr}{r.stdout}")
            bad += 1
        else:
            os.remove(path)
    print(f"{count} damaged images, {bad} not refused as they should be")
    return 1 if bad else 0


sys.exit(main())
