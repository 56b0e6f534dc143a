/* elf_x86_64.c: the default layout of ELF on x86-64, as a script with SECTIONS would give it. The
 * order is GNU ld's with -z separate-code: headers and dynamic tables | code | read-only data |
 * RELRO | data | zero fill. Tools and programs have come to rely on much of it; every place where
 * it differs says why.
 *
 * What is not here, since layout derives it from the permissions of sections: a new page and
 * PT_LOAD where ATOM_WRITE, ATOM_EXEC or ATOM_LARGE change, or where file contents follow zero
 * fill; the base address. -z noseparate-code keeps this order and only drops the page alignment
 * between the first two groups, so that headers, code and read-only data share a PT_LOAD; -n and
 * --omagic drop all page alignment, and omagic RELRO as well. None of these is another description.
 *
 * The trap: the first pattern that matches wins, so what is special (.data.rel.ro) stands before
 * what is general (.data.*), wherever its place in memory would be. */
#include "script/default.h"

/* Macros and a table, one output section a line. */
/* clang-format off */
/* Patterns: alone, or joined to the one before (one list, *(a b)); K: KEEP. */
#define P(s) {.section = s}
#define J(s) {.section = s, .joined = true}
#define K(s) {.section = s, .keep = true}
#define K_RAW(s) {.section = s, .keep = true, .no_sort = true}
#define K_SORTED(s) {.section = s, .keep = true, .sort = SORT_NAME}
#define K_PRIORITY(s) {.section = s, .keep = true, .sort = SORT_PRIORITY}
#define KJ_PRIORITY(s) {.section = s, .keep = true, .sort = SORT_PRIORITY, .joined = true}
#define K_FILE(f, s) {.file = f, .section = s, .keep = true}
#define K_EXCLUDE(list, s) {.section = s, .keep = true, .exclude_files = list}
#define KJ_EXCLUDE(list, s) {.section = s, .keep = true, .exclude_files = list, .joined = true}
#define ANY(with, without) {.section = "*", .flags_with = (with), .flags_without = (without)}

#define PATTERNS(...)                                                                              \
  .patterns = (const LayoutPattern[]){__VA_ARGS__, {0}},                                           \
  .npatterns = COUNT_OF(((const LayoutPattern[]){__VA_ARGS__}))
#define BODY(...) .body = (const LayoutStmt[]){__VA_ARGS__, {.kind = LAYOUT_ORPHANS}}

#define OUT(n, ...) {.kind = LAYOUT_OUTPUT, .name = n, PATTERNS(__VA_ARGS__)}
/* An output section of the input section of the same name. */
#define SAME(n) OUT(n, P(n))
#define ORPHANS(...) {.kind = LAYOUT_ORPHANS, PATTERNS(__VA_ARGS__)}

#define DEFINE(n, e, f) {.kind = LAYOUT_ASSIGN, .name = n, .expr = e, .flags = (f)}
#define PROVIDE(n) DEFINE(n, &dot, LAYOUT_PROVIDE)
/* In a body: before pattern b. */
#define MARK(n, b, f)                                                                              \
  {.kind = LAYOUT_ASSIGN, .name = n, .expr = &dot, .before = (b),                                  \
   .flags = LAYOUT_PROVIDE | LAYOUT_HIDDEN | (f)}

static const Expr dot = {.op = EX_DOT};
static const Expr sizeof_headers = {.op = EX_SIZEOF_HEADERS};
/* The location counter starts behind the headers. */
static const Expr image_start = {.op = EX_SUB, .a = &dot, .b = &sizeof_headers};

static const char *const crt_files[] = {"*crtbegin.o", "*crtbegin?.o", "*crtend.o", "*crtend?.o",
                                        NULL};
static const char *const crtend_files[] = {"*crtend.o", "*crtend?.o", NULL};

static const LayoutStmt stmts[] = {
    DEFINE("__executable_start", &image_start, LAYOUT_PROVIDE),
    SAME(".interp"),
    /* The aligned note first, so that no gap splits PT_NOTE. */
    SAME(".note.gnu.property"),
    SAME(".note.gnu.build-id"),
    SAME(".note.ABI-tag"),
    SAME(".note.package"),
    ORPHANS({.section = ".note*", .flags_with = ATOM_ALLOC,
             .flags_without = ATOM_WRITE | ATOM_EXEC}),
    SAME(".hash"),
    SAME(".gnu.hash"),
    SAME(".dynsym"),
    SAME(".dynstr"),
    SAME(".gnu.version"),
    SAME(".gnu.version_d"),
    SAME(".gnu.version_r"),
    SAME(".rela.dyn"),
    /* Right behind .rela.dyn: glibc then walks both in one go. The symbols are how a static program
     * finds its IRELATIVE relocations; a static PIE applies them with the others. */
    {.kind = LAYOUT_OUTPUT, .name = ".rela.plt", PATTERNS(P(".rela.plt"), P(".rela.iplt")),
     BODY(MARK("__rela_iplt_start", 0, LAYOUT_NOT_PIC),
          MARK("__rela_iplt_end", 2, LAYOUT_NOT_PIC))},
    SAME(".rel.dyn"), /* the same without addends: i386 */
    {.kind = LAYOUT_OUTPUT, .name = ".rel.plt", PATTERNS(P(".rel.plt"), P(".rel.iplt")),
     BODY(MARK("__rel_iplt_start", 0, LAYOUT_NOT_PIC),
          MARK("__rel_iplt_end", 2, LAYOUT_NOT_PIC))},
    SAME(".relr.dyn"),

    /* code */
    OUT(".init", K_RAW(".init")),
    OUT(".plt", P(".plt"), P(".iplt")),
    SAME(".plt.got"),
    SAME(".plt.sec"),
    OUT(".text",
        P(".text.unlikely"), J(".text.*_unlikely"), J(".text.unlikely.*"),
        P(".text.exit"), J(".text.exit.*"),
        P(".text.startup"), J(".text.startup.*"),
        P(".text.hot"), J(".text.hot.*"),
        {.section = ".text.sorted.*", .sort = SORT_NAME},
        P(".text"), J(".stub"), J(".text.*"), J(".gnu.linkonce.t.*")),
    OUT(".fini", K_RAW(".fini")),
    ORPHANS(ANY(ATOM_ALLOC | ATOM_EXEC, ATOM_LARGE)),
    PROVIDE("__etext"),
    PROVIDE("_etext"),
    PROVIDE("etext"),

    /* read-only data */
    OUT(".rodata", P(".rodata"), J(".rodata.*"), J(".gnu.linkonce.r.*")),
    SAME(".rodata1"),
    ORPHANS(ANY(ATOM_ALLOC, ATOM_WRITE | ATOM_EXEC | ATOM_TLS | ATOM_LARGE)),
    OUT(".eh_frame_hdr", P(".eh_frame_hdr"), P(".eh_frame_entry"), J(".eh_frame_entry.*")),
    OUT(".eh_frame", K(".eh_frame"), P(".eh_frame.*")),
    OUT(".sframe", P(".sframe"), P(".sframe.*")),
    OUT(".gcc_except_table", P(".gcc_except_table"), J(".gcc_except_table.*")),
    OUT(".gnu_extab", P(".gnu_extab*")),
    OUT(".exception_ranges", P(".exception_ranges*")),

    /* RELRO: read-only once the loader has relocated it */
    {.kind = LAYOUT_OUTPUT, .name = ".tdata",
     PATTERNS(P(".tdata"), J(".tdata.*"), J(".gnu.linkonce.td.*")),
     BODY(MARK("__tdata_start", 0, 0))},
    ORPHANS(ANY(ATOM_ALLOC | ATOM_TLS, ATOM_ZEROFILL | ATOM_EXEC)),
    OUT(".tbss", P(".tbss"), J(".tbss.*"), J(".gnu.linkonce.tb.*"), P(".tcommon")),
    ORPHANS(ANY(ATOM_ALLOC | ATOM_TLS | ATOM_ZEROFILL, ATOM_EXEC)),
    {.kind = LAYOUT_OUTPUT, .name = ".preinit_array", .flags = LAYOUT_WRITABLE, PATTERNS(K(".preinit_array")),
     BODY(MARK("__preinit_array_start", 0, 0), MARK("__preinit_array_end", 1, 0))},
    /* Old .ctors join in by their priority, but crtbegin.o's and crtend.o's: no functions there. */
    {.kind = LAYOUT_OUTPUT, .name = ".init_array", .flags = LAYOUT_WRITABLE,
     PATTERNS(K_PRIORITY(".init_array.*"), KJ_PRIORITY(".ctors.*"),
              K(".init_array"), KJ_EXCLUDE(crt_files, ".ctors")),
     BODY(MARK("__init_array_start", 0, 0), MARK("__init_array_end", 4, 0))},
    {.kind = LAYOUT_OUTPUT, .name = ".fini_array", .flags = LAYOUT_WRITABLE,
     PATTERNS(K_PRIORITY(".fini_array.*"), KJ_PRIORITY(".dtors.*"),
              K(".fini_array"), KJ_EXCLUDE(crt_files, ".dtors")),
     BODY(MARK("__fini_array_start", 0, 0), MARK("__fini_array_end", 4, 0))},
    /* What the lists above left over: the ends of the table that crtbegin.o and crtend.o mark. */
    OUT(".ctors", K_FILE("*crtbegin.o", ".ctors"), K_FILE("*crtbegin?.o", ".ctors"),
        K_EXCLUDE(crtend_files, ".ctors"), K_SORTED(".ctors.*"), K(".ctors")),
    OUT(".dtors", K_FILE("*crtbegin.o", ".dtors"), K_FILE("*crtbegin?.o", ".dtors"),
        K_EXCLUDE(crtend_files, ".dtors"), K_SORTED(".dtors.*"), K(".dtors")),
    OUT(".jcr", K(".jcr")),
    OUT(".data.rel.ro",
        P(".data.rel.ro.local*"), J(".gnu.linkonce.d.rel.ro.local.*"),
        P(".data.rel.ro"), J(".data.rel.ro.*"), J(".gnu.linkonce.d.rel.ro.*"),
        P(".dynbss.rel.ro")), /* copies of a shared library's read-only data */
    SAME(".dynamic"),
    OUT(".got", P(".got"), P(".igot")),
    /* Lazy binding writes to .got.plt for ever; -z now makes it as constant as .got. */
    {.kind = LAYOUT_OUTPUT, .name = ".got.plt", PATTERNS(P(".got.plt"), P(".igot.plt")),
     .flags = LAYOUT_RELRO_END},

    /* data */
    {.kind = LAYOUT_OUTPUT, .name = ".data",
     PATTERNS(P(".data"), J(".data.*"), J(".gnu.linkonce.d.*")), .flags = LAYOUT_RELRO_END_NOW},
    SAME(".data1"),
    ORPHANS(ANY(ATOM_ALLOC | ATOM_WRITE, ATOM_EXEC | ATOM_TLS | ATOM_LARGE | ATOM_ZEROFILL)),
    PROVIDE("_edata"),
    PROVIDE("edata"),
    PROVIDE("__bss_start"),
    OUT(".bss", P(".dynbss"), P(".bss"), J(".bss.*"), J(".gnu.linkonce.b.*"), P("COMMON")),
    ORPHANS(ANY(ATOM_ALLOC | ATOM_WRITE | ATOM_ZEROFILL, ATOM_EXEC | ATOM_TLS | ATOM_LARGE)),

    /* The large code model's sections, out of reach of 32-bit displacements: last, so that they
     * push nothing else away. */
    OUT(".lbss", P(".dynlbss"), P(".lbss"), J(".lbss.*"), J(".gnu.linkonce.lb.*"),
        P("LARGE_COMMON")),
    ORPHANS(ANY(ATOM_ALLOC | ATOM_WRITE | ATOM_ZEROFILL | ATOM_LARGE, ATOM_EXEC)),
    OUT(".ltext", P(".ltext"), J(".ltext.*")),
    ORPHANS(ANY(ATOM_ALLOC | ATOM_EXEC | ATOM_LARGE, 0)),
    OUT(".lrodata", P(".lrodata"), J(".lrodata.*"), J(".gnu.linkonce.lr.*")),
    ORPHANS(ANY(ATOM_ALLOC | ATOM_LARGE, ATOM_WRITE)),
    OUT(".ldata", P(".ldata"), J(".ldata.*"), J(".gnu.linkonce.l.*")),
    ORPHANS(ANY(ATOM_ALLOC | ATOM_LARGE, 0)),
    PROVIDE("_end"),
    PROVIDE("end"),

    /* .comment, .debug_*, .symtab and whatever else takes no memory */
    {.kind = LAYOUT_ORPHANS},
    {.kind = LAYOUT_OUTPUT, .name = "/DISCARD/", .flags = LAYOUT_DISCARD,
     PATTERNS(P(".note.GNU-stack"), P(".gnu_debuglink"), P(".gnu_debugaltlink"), P(".gnu.lto_*"))},
};
/* clang-format on */

const LayoutDesc layout_elf_x86_64 = {.name = "elf_x86_64", .stmts = stmts, .nstmts = COUNT_OF(stmts)};
