"""mutate_macho.py: the Mach-O files of mutate, small links of them for both CPUs, and where in such a file its fields are.

The trap: a damaged field that makes the whole file unreadable hides all others, so most damage goes to one kind of record that is
drawn first (sections, symbols, relocations, tables of __LINKEDIT), and some of it is another whole record of the same kind.
"""
import os
import struct
import subprocess

from mutation import damage_archive, damage_bytes, damage_text, put

LLVM = "/usr/lib/llvm-14/bin/"
CPUS = {"x86_64": "x", "arm64": "a"}

MAIN_C = r"""
int printf(const char *, ...); extern _Thread_local int tls_shared; _Thread_local int tls_own = 3; static _Thread_local int tls_zero[9];
int tentative[10]; extern int from_lib(int), in_dylib, dylib_call(void), chosen(void); extern int weak_data __attribute__((weak_import));
__attribute__((weak)) int overridden(void) { return 1; } __attribute__((visibility("hidden"))) int hidden = 4;
static int *table[] = {&tentative[1], &tentative[2], &hidden}; int *imported = &in_dylib; double number = 0.25;
static const char *const names[] = {"alpha", "beta", "alpha", "a longer string"}; const char *const *volatile all = names;
__attribute__((constructor)) static void begin(void) { tentative[0] = 1; } __attribute__((destructor)) static void end(void) { tentative[0] = 0; }
__attribute__((used, section("__DATA,mine"))) static int element = 7; extern int mine_begin __asm("section$start$__DATA$mine"), mine_end __asm("section$end$__DATA$mine");
extern char image __asm("segment$start$__TEXT"); __attribute__((noinline)) static int pick(int x) { switch (x) { case 0: return 9; case 1: return 4; case 2: return 77; case 3: return 1; case 4: return x * hidden; default: return 0; } }
int main(void) { return printf("%s %d %f\n", all[1], tls_shared + tls_own + tls_zero[2] + pick(tentative[3]), number * 3.5) + from_lib(*table[0]) + in_dylib + dylib_call() + overridden() + (&weak_data ? weak_data : 0) + (int)(&mine_end - &mine_begin) + image + *imported; }
"""
LIB_C = "int from_lib(int x) { return x + 1; }\n_Thread_local int tls_shared = 9;\nint overridden(void) { return 2; }\n"
DYLIB_C = "int in_dylib = 2, weak_data = 5; int dylib_call(void) { return in_dylib; }\n__attribute__((weak)) int overridden(void) { return 3; }\n_Thread_local int tls_dylib = 1; const int constant = 6;\n"
CXX = r"""
int outside(int), outside2(int, int *);
struct Root { virtual ~Root() {} virtual int get() { return 1; } }; struct Leaf : Root { int get() override { static thread_local int last = call(); return ++last; } __attribute__((noinline)) int call() { return outside(1); } };
template <class T> struct Box { T t; __attribute__((noinline)) T get() { static T seen; seen += t; return seen; } };
inline int counter() { static int n = outside(3); return ++n; } thread_local Leaf leaf; Leaf global;
int run(int x) { try { Leaf l; if (x > 3) throw l; return outside(x) + Box<int>{x}.get() + Box<long>{x}.get(); } catch (Root &r) { return r.get(); } catch (int) { return 3; } }
int frame(int n) { int a[n], b[300]; Leaf l; outside2(a[0], b); return l.get() + b[0] + counter(); } int vast() { int a[90000]; return outside2(1, a); } int same1(int x) { return outside(x) * 5; } int same2(int x) { return outside(x) * 5; }
"""
OBJC = r"""
__attribute__((objc_root_class)) @interface A { int i; } @property int p; - (int)m:(int)x; + (id)alloc; @end
@implementation A @synthesize p = i; - (int)m:(int)x { return [self m:x + i]; } + (id)alloc { return [A alloc]; } + (void)load {} @end
@interface A (More) - (int)more; @end @implementation A (More) - (int)more { return [self m:1]; } @end
@protocol P - (int)m:(int)x; @end @interface B : A <P> @end @implementation B @end id b; int use(A *a) { return [a more] + [[A alloc] m:2]; }
"""
DATA_S = r"""
  .linker_option "-lextra"
  .linker_option "-framework", "Extra"
  .text
  .globl _f, _g
_f: .cfi_startproc
  .cfi_def_cfa_offset 32
  .cfi_escape 0x16, 6, 2, 0x77, 8
  nop
  nop
  .data_region jt32
L0: .long L1-L0, _g-L0, l_local-L0
  .end_data_region
L1: nop
  .cfi_endproc
_g: .cfi_startproc
  .cfi_personality 155, _personality
  .cfi_lsda 16, l_lsda
  nop
  .cfi_endproc
  .alt_entry _inner
_inner: nop
l_local: nop
  .weak_definition _weak
  .globl _weak
_weak: nop
  .private_extern _private
  .globl _private
_private: nop
_dead: nop
  .section __TEXT,__gcc_except_tab
l_lsda: .long 1,2
  .section __DATA,__const
  .p2align 3
_pointers: .quad _f, _g+8, _missing, l_local, L1, _f-_g, 7+_g-_f, _pointers-., _common-8
  .long _f-_g, _pointers-_numbers, 5
  .section __TEXT,__literal4,4byte_literals
  .long 1,2,1
  .section __TEXT,__literal8,8byte_literals
_numbers: .quad 1,2,1
  .section __TEXT,__literal16,16byte_literals
  .quad 1,2,1,2
  .cstring
l_str: .asciz "text"
  .asciz "text"
  .section __TEXT,__ustring
  .short 'u',0
  .section __DATA,__mod_init_func,mod_init_funcs
  .quad _f, _g
  .section __DATA,__nl_symbol_ptr,non_lazy_symbol_pointers
  .indirect_symbol _missing
  .quad 0
  .section __DATA,__interpose,interposing
  .quad _f, _missing
  .section __DATA,__lits,literal_pointers
  .quad l_str, l_str
  .zerofill __DATA,__bss,_zero,64,4
  .zerofill __DATA,__common,_zero2,0,2
  .comm _common,16,3
  .lcomm _lcommon,9,2
  .tbss _tbss$tlv$init,8,3
  .section __DATA,__thread_vars,thread_local_variables
  .globl _tbss
_tbss: .quad __tlv_bootstrap, 0, _tbss$tlv$init
  .section __DATA,__kept,regular,no_dead_strip
  .quad _weak, l_str
  .section __DATA,__live,regular,live_support
  .quad _dead
  .weak_reference _maybe
  .no_dead_strip _dead
  .lazy_reference _lazy
  .desc _g, 0x10
_absolute = 0x1234
  .globl _absolute
  .set _alias, _g
  .globl _alias
  .addrsig
  .addrsig_sym _f
  .cg_profile _f, _g, 30
  .cg_profile _g, _missing, 5
  .subsections_via_symbols
"""
RELOCS = {"x86_64": """
  .text
_r: callq _missing
  callq "_objc_msgSend$more"
  movq _missing@GOTPCREL(%rip), %rax
  pushq _here@GOTPCREL(%rip)
  movq _tbss@TLVP(%rip), %rdi
  leaq _here+4(%rip), %rcx
  movb $1, _here(%rip)
  movw $1, _here(%rip)
  movl $1, _here(%rip)
  leaq L_here(%rip), %rcx
  jmp _weak
  .data
_here: .quad _missing
L_here: .long _missing@GOTPCREL
  .globl _here
  .subsections_via_symbols
""", "arm64": """
  .text
_r: bl _missing
  bl "_objc_msgSend$more"
  bl "_objc_msgSend$m:"
  b _weak
L2: adrp x0, _missing@GOTPAGE
L3: ldr x0, [x0, _missing@GOTPAGEOFF]
L4: adrp x1, _here@PAGE+8
L5: add x1, x1, _here@PAGEOFF+8
L6: adrp x2, _tbss@TLVPPAGE
L7: ldr x2, [x2, _tbss@TLVPPAGEOFF]
  adrp x3, _here@PAGE
  ldr q3, [x3, _here@PAGEOFF]
  ldrh w4, [x3, _here@PAGEOFF]
  strb w4, [x3, _here@PAGEOFF]
  .loh AdrpLdrGot L2, L3
  .loh AdrpAdd L4, L5
  .data
  .p2align 4
_here: .quad _missing
L_here: .long _missing@GOT-.
  .quad _here+0x100000
  .globl _here
  .subsections_via_symbols
"""}
STUB = """--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos, arm64-macos ]
install-name: '/usr/lib/libSystem.B.dylib'
exports:
  - targets: [ x86_64-macos, arm64-macos ]
    symbols: [ dyld_stub_binder, _printf, __tlv_bootstrap, __Unwind_Resume, _missing, _objc_msgSend, __tlv_atexit, ___cxa_atexit, ___cxa_throw, _personality ]
    weak-symbols: [ _maybe, __ZdlPv ]
...
"""
LISTS = {"order.txt": "# order\n_g\nx-cxx.o:__Z3runi\narm64:x-main.o:_pick\n_main # last\nl_str\n_f\n_f\nlib.o:_from_lib\n", "exported.txt": "_main\n_f*\n__Z[0-9]?*\n# text\n_in_dylib\n_common\n",
         "files.txt": "x-main.o\nx-data.o\nx-lib.o\n", "section.txt": "bytes of a section\n"}


def make_seeds(d, weld):
    """Small links as (name, command line, names of the files that may be damaged)."""
    def sh(*argv):
        subprocess.run(argv, cwd=d, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    sources = {"main.c": MAIN_C, "lib.c": LIB_C, "dylib.c": DYLIB_C, "cxx.cpp": CXX, "objc.m": OBJC, "data.s": DATA_S, "libSystem.tbd": STUB, **LISTS}
    for cpu in CPUS:
        sources[f"relocs-{cpu}.s"] = RELOCS[cpu]
    for name, text in sources.items():
        with open(os.path.join(d, name), "w") as f:
            f.write(text)
    links = []
    for cpu, c in CPUS.items():
        target = ["-target", f"{cpu}-apple-macos11", "-fno-stack-protector", "-c", "-ffile-compilation-dir=."]
        base = ["-flavor", "darwin", "-arch", cpu, "-platform_version", "macos", "11.0", "11.0", "-client_name", "out", "libSystem.tbd"]
        sh("clang-14", *target, "-O1", "main.c", "-o", f"{c}-main.o")
        sh("clang-14", *target, "-O0", "-g", "-fcommon", "main.c", "-o", f"{c}-debug.o")
        sh("clang-14", *target, "-O1", "-gdwarf-5", "lib.c", "-o", f"{c}-lib.o")
        sh("clang-14", *target, "-O1", "dylib.c", "-o", f"{c}-dylib.o")
        sh("clang++-14", *target, "-O1", "-fexceptions", "-std=c++17", "cxx.cpp", "-o", f"{c}-cxx.o")
        sh("clang++-14", *target, "-O0", "-gdwarf-4", "-fexceptions", "-std=c++17", "-Drun=walk", "-Dframe=door", "-Dvast=wide", "-Dsame1=alike1", "-Dsame2=alike2", "-Dglobal=local",
           "-Dleaf=twig", "cxx.cpp", "-o", f"{c}-cxx2.o")
        sh("clang-14", *target, "-O1", "-fobjc-runtime=macosx-11.0", "-fno-objc-exceptions", "objc.m", "-o", f"{c}-objc.o")
        sh("clang-14", *target, "data.s", "-o", f"{c}-data.o")
        sh("clang-14", *target, f"relocs-{cpu}.s", "-o", f"{c}-relocs.o")
        sh(LLVM + "llvm-ar", "--format=darwin", "rc", f"lib{c}.a", f"{c}-lib.o", f"{c}-objc.o", f"{c}-data.o")
        sh(LLVM + "llvm-ar", "--format=gnu", "rc", f"lib{c}gnu.a", f"{c}-lib.o", f"{c}-cxx2.o")
        sh(LLVM + "llvm-ar", "rcT", f"lib{c}thin.a", f"{c}-cxx2.o")
        for name, more in [("classic", ["-no_fixup_chains"]), ("chained", ["-fixup_chains"])]:
            sh(weld, *base, "-dylib", f"{c}-dylib.o", f"{c}-lib.o", *more, "-install_name", f"@rpath/lib{c}{name}.dylib", "-current_version", "1.2", "-o", f"lib{c}{name}.dylib")
        sh(weld, *base, "-dylib", f"{c}-cxx.o", "-undefined", "dynamic_lookup", "-reexport_library", f"lib{c}classic.dylib", "-rpath", "@loader_path/.", "-install_name",
           f"@loader_path/lib{c}re.dylib", "-allowable_client", "out", "-o", f"lib{c}re.dylib")
        sh(weld, *base, f"{c}-main.o", f"{c}-lib.o", f"lib{c}classic.dylib", "-export_dynamic", "-o", f"{c}-program")
        main, lib, data, cxx, cxx2, objc, debug, relocs = (f"{c}-{n}.o" for n in ("main", "lib", "data", "cxx", "cxx2", "objc", "debug", "relocs"))
        classic, chained, re = (f"lib{c}{n}.dylib" for n in ("classic", "chained", "re"))
        look = ["-undefined", "dynamic_lookup"]
        links += [(f"{c}-{name}", [*base, *argv], victims) for name, argv, victims in [
            ("plain", [main, f"lib{c}.a", classic], [main, f"lib{c}.a", classic]),
            ("debug", [debug, f"lib{c}gnu.a", chained, "-dead_strip", "-fixup_chains", "-map", "map"], [debug, f"lib{c}gnu.a", chained]),
            ("cxx", ["-dylib", cxx, *look, "-no_fixup_chains", "-map", "map"], [cxx]),
            ("unwind", ["-dylib", cxx, cxx2, *look, "-fixup_chains", "-dead_strip", "-init_offsets", "-exported_symbols_list", "exported.txt"], [cxx, cxx2, cxx, "exported.txt"]),
            ("fold", ["-dylib", cxx2, cxx, main, *look, "--icf=all", "-order_file", "order.txt", "-headerpad_max_install_names"], [cxx, cxx2, main, "order.txt"]),
            ("safe", ["-dylib", data, cxx, *look, "--icf=safe", "-dead_strip", "-unexported_symbol", "_f*", "-ignore_auto_link"], [data, cxx]),
            ("data", [data, "-e", "_f", *look, "-ignore_auto_link"], [data]),
            ("bundle", ["-bundle", data, *look, "-no_fixup_chains", "-ignore_auto_link", "-x", "-S", "-dead_strip", "-adhoc_codesign"], [data]),
            ("load", [main, f"-force_load", f"lib{c}.a", chained, "-ignore_auto_link", "-U", "_maybe", *look, "-why_load", "-t"], [f"lib{c}.a", chained, main]),
            ("objc", ["-dylib", "-ObjC", f"lib{c}.a", *look, "-fixup_chains", "-why_live", "*", "-ignore_auto_link", "-dead_strip"], [f"lib{c}.a"]),
            ("objc-classic", ["-bundle", objc, *look, "-no_fixup_chains", "-sectcreate", "__TEXT", "__more", "section.txt", "-rename_section", "__DATA", "__objc_const", "__MORE", "__b"], [objc]),
            ("relocs", ["-dylib", relocs, data, *look, "-ignore_auto_link", "-fixup_chains"], [relocs, relocs, data]),
            ("islands", ["-dylib", relocs, cxx, main, *look, "--branch-range=1024", "-order_file", "order.txt", "-no_compact_unwind"], [relocs, cxx, main]),
            ("lazy", ["-dylib", relocs, "--start-lib", cxx, data, lib, "--end-lib", f"lib{c}thin.a", *look, "-ignore_auto_link", "-u", "_f", "-alias", "_f", "_called", "-sectalign",
                      "__TEXT", "__text", "1000", "-init_offsets", "-flat_namespace"], [cxx, data, lib, f"lib{c}thin.a"]),
            ("fixed", [debug, data, lib, *look, "-ignore_auto_link", "-e", "_main", "-pagezero_size", "1000", "-image_base", "7000000", "-stack_size", "10000", "-no_function_starts",
                       "-no_data_in_code_info", "-dependency_info", "map", *(["-no_pie"] if c == "x" else [])], [debug, data]),
            ("reexport", [main, lib, re, "-dead_strip_dylibs", "-rpath", "."], [re, classic]),
            ("loader", ["-bundle", "-bundle_loader", f"{c}-program", debug, lib, *look, "-flat_namespace"], [f"{c}-program", debug]),
            ("undefined", [cxx2, data, relocs, "-dead_strip", "-e", "_absent", "-demangle"], [cxx2, data, relocs]),
            ("graph", ["-dylib", data, cxx2, *look, "-ignore_auto_link", "--dump-graph=layout", "-dead_strip", "-stats", "-why_live", "_f"], [data, cxx2]),
        ]]
    x, both = ["-flavor", "darwin", "-platform_version", "macos", "11.0", "11.0", "libSystem.tbd"], []
    for out, files in [("fat.o", ["x-cxx.o", "a-cxx.o"]), ("libfat.a", ["libx.a", "liba.a"]), ("libfat.dylib", ["libxclassic.dylib", "libachained.dylib"])]:
        sh(LLVM + "llvm-lipo", "-create", *files, "-output", out)
        both.append(out)
    sh(LLVM + "llvm-lipo", "-create", "x-relocs.o", "a-relocs.o", "-output", "fat32")
    widen(os.path.join(d, "fat32"), os.path.join(d, "fat64.o"))
    both.append("fat64.o")
    for cpu, c in CPUS.items():
        links.append((f"{c}-fat", [*x, "-arch", cpu, f"{c}-main.o", *both, "-undefined", "dynamic_lookup"], both))
    links.append(("filelist", [*x, "-arch", "x86_64", "-filelist", "files.txt", "-L.", "-lxclassic", "-undefined", "dynamic_lookup", "-ignore_auto_link"], ["files.txt", "x-data.o"]))
    return links


def widen(path, out):
    """The fat file `path` with 64-bit offsets."""
    with open(path, "rb") as f:
        b = f.read()
    archs = [struct.unpack_from(">IIIII", b, 8 + 20 * i) for i in range(struct.unpack_from(">I", b, 4)[0])]
    head, body = struct.pack(">II", 0xcafebabf, len(archs)), bytearray(b)
    body[8:8 + 20 * len(archs)] = bytes(20 * len(archs))
    for cpu, sub, offset, size, align in archs:
        head += struct.pack(">IIQQII", cpu, sub, offset, size, align, 0)
    body[:len(head)] = head
    with open(out, "wb") as f:
        f.write(body)


# Fields as (offset, width) of a record; of a section's contents by its name, else words of four bytes.
HEADER = [(o, 4) for o in range(0, 32, 4)]
SEGMENT = [(8, 1), (12, 1), (24, 8), (32, 8), (40, 8), (48, 8), (56, 4), (60, 4), (64, 4), (68, 4)]
SECTION = [(0, 1), (2, 1), (6, 1), (16, 1), (18, 1), (32, 8), (40, 8)] + [(o, 4) for o in range(48, 80, 4)] + [(64, 1)] * 3
NLIST = [(0, 4), (4, 1), (5, 1), (6, 2), (8, 8), (4, 1)]
RELOC = [(0, 4), (4, 4), (4, 1), (7, 1), (7, 1)]
CONTENTS = {b"__compact_unwind": [(0, 8), (8, 4), (12, 4), (16, 8), (24, 8), (15, 1)], b"__thread_vars": [(0, 8), (8, 8), (16, 8)], b"__cfstring": [(0, 8), (8, 8), (16, 8), (24, 8)]}
BYTES = (b"__cstring", b"__debug_abbrev", b"__debug_line", b"__objc_methname", b"__objc_classname", b"__gcc_except_tab")
MAGIC = struct.pack("<I", 0xfeedfacf)


def records(b, base):
    """The records of the image at `base`, by kind: lists of (offset, size, fields)."""
    out = {"header": [(base, 32, HEADER)]}

    def add(kind, at, size, fields):
        if at + size <= len(b):
            out.setdefault(kind, []).append((at, size, fields))

    def add_all(kind, at, total, size, fields):
        for rec in range(at, min(at + total, len(b)) - size + 1, size):
            add(kind, rec, size, fields)

    if base + 32 > len(b):
        return out
    at, (ncmds,) = base + 32, struct.unpack_from("<I", b, base + 16)
    for _ in range(min(ncmds, 200)):
        if at + 8 > len(b):
            break
        cmd, size = struct.unpack_from("<II", b, at)
        if size < 8 or at + size > len(b):
            break
        add("command", at, size, [(0, 4), (4, 4)])
        words = [struct.unpack_from("<I", b, at + o)[0] for o in range(0, size - 3, 4)]
        fields = [(o, 4) for o in range(8, size - 3, 4)]
        if cmd == 0x19 and size >= 72:
            add("segment", at, 72, SEGMENT)
            for s in range(at + 72, at + size - 79, 80):
                add("section", s, 80, SECTION)
                name, (_, length), (offset, _, reloff, nreloc, flags) = bytes(b[s:s + 16]).rstrip(b"\0"), struct.unpack_from("<QQ", b, s + 32), struct.unpack_from("<IIIII", b, s + 48)
                kind = name.decode("latin-1")
                add_all("relocs " + kind, base + reloff, min(nreloc, 10000) * 8, 8, RELOC)
                if flags & 0xff in (1, 12, 18):
                    continue
                if name in CONTENTS:
                    fields = CONTENTS[name]
                    add_all(kind, base + offset, length, fields[-2][0] + 8 if fields[-1][1] == 1 else fields[-1][0] + 8, fields)
                elif name in BYTES:
                    add_all(kind, base + offset, length, 1, [(0, 1)])
                elif name == b"__eh_frame":
                    add_all(kind, base + offset, length, 4, [(0, 4), (0, 1), (1, 1), (2, 1), (3, 1)])
                elif name.startswith(b"__debug"):
                    add_all("debug", base + offset, length, 4, [(0, 4), (0, 1), (3, 1)])
                else:
                    add_all("contents", base + offset, length, 4, [(0, 4), (0, 4)])
        elif cmd == 2 and size >= 24:
            add("symtab", at, 24, fields)
            add_all("nlist", base + words[2], words[3] * 16, 16, NLIST)
            add_all("strings", base + words[4], words[5], 1, [(0, 1)])
        elif cmd == 0xb and size >= 80:
            add("dysymtab", at, 80, fields)
            add_all("indirect", base + words[14], words[15] * 4, 4, [(0, 4)])
        elif cmd & 0x7fffffff == 0x22 and size >= 48:
            add("dyldinfo", at, 48, fields)
            for i, kind in [(2, "rebase"), (4, "bind"), (6, "weak"), (8, "lazy"), (10, "trie"), (10, "trie")]:
                add_all(kind, base + words[i], words[i + 1], 1, [(0, 1)])
        elif cmd & 0x7fffffff in (0x1d, 0x1e, 0x26, 0x29, 0x2e, 0x33, 0x34) and size >= 16:
            add("linkedit", at, 16, fields)
            kind, step, of = {0x29: ("data in code", 8, [(0, 4), (4, 2), (6, 2)]), 0x33: ("trie", 1, [(0, 1)]), 0x2e: ("hints", 1, [(0, 1)])}.get(
                cmd & 0x7fffffff, ("other tables", 1, [(0, 1)]))
            add_all(kind, base + words[2], words[3], step, of)
        else:
            add("other commands", at, size, fields + [(size - 1 - i, 1) for i in range(min(size - 8, 24))])
        at += size
    return out


def damage_image(rnd, b, base):
    by_kind = records(b, base)
    kind = rnd.choice(sorted(by_kind))
    at, size, fields = rnd.choice(by_kind[kind])
    if rnd.random() < .15:
        other, length, _ = rnd.choice(by_kind[kind])
        b[at:at + size], b[other:other + length] = (b[other:other + length], b[at:at + size]) if size == length and at != other else (b[at:at + size], b[other:other + length])
    elif fields:
        offset, width = rnd.choice(fields)
        put(rnd, b, at + offset, width)


def damage_fat(rnd, b):
    count = min(struct.unpack_from(">I", b, 4)[0], 8) if len(b) >= 8 else 0
    size = 20 if b[3] == 0xbe else 32
    fields = [(0, 4), (4, 4)] + [(8 + size * i + o, 4) for i in range(count) for o in range(0, size, 4)]
    put(rnd, b, *rnd.choice(fields), "big")


def mutate(rnd, data):
    b = bytearray(data)
    for _ in range(rnd.choice([1, 1, 1, 2, 3, 6])):
        how = rnd.random()
        if not b:
            b += bytes([rnd.randrange(256)])
        images = [i for i in range(0, len(b) - 4, 4) if b[i:i + 4] == MAGIC]
        if how >= 0.88:
            damage_bytes(rnd, b, 0.80 + (how - 0.88) / 0.12 * 0.20)
        elif b[:4] in (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf") and (how < 0.35 or not images):
            damage_fat(rnd, b)
        elif b[:4] in (b"!<ar", b"!<th") and (how < 0.35 or not images):
            damage_archive(rnd, b, MAGIC)
        elif images:
            damage_image(rnd, b, rnd.choice(images))
        else:
            damage_text(rnd, b)
    return bytes(b)
