/* debuginfo.c: questions to libdw. It never sees the input's own headers: the debug sections are put
 * into a small ELF image made here, so that only DWARF itself is hostile, which libdw checks.
 * The trap: sibling links of hostile DWARF may lead backwards, so every walk insists on growing offsets
 * and has a limit. */
#include "util/debuginfo.h"

#include <dwarf.h>
#include <elf.h>
#include <elfutils/libdw.h>
#include <libelf.h>
#include <stdlib.h>

enum { MAX_DEPTH = 32, MAX_DIES = 4 << 20 };
#define MAX_IMAGE ((u64)1 << 30)

const char *const debug_section_names[DEBUG_COUNT] = {
#define X(id, name) name,
    DEBUG_SECTIONS(X)
#undef X
};

struct DebugInfo {
  u8 *image;
  u64 size;
  u64 off[DEBUG_COUNT], len[DEBUG_COUNT];
  Elf *elf;
  Dwarf *dw;
  bool tried;
};

enum { IMAGE_SHNUM = DEBUG_COUNT + 2 }; /* null, .shstrtab, then the sections */

DebugInfo *debug_create(const Bytes sections[DEBUG_COUNT]) {
  if (!sections[DEBUG_INFO].len || !sections[DEBUG_ABBREV].len)
    return NULL;
  u64 names = 1 + sizeof ".shstrtab", at = sizeof(Elf64_Ehdr) + IMAGE_SHNUM * sizeof(Elf64_Shdr);
  for (u32 i = 0; i < DEBUG_COUNT; i++)
    names += strlen(debug_section_names[i]) + 1;
  u64 shstr = at;
  at = align_up(at + names, 8);
  DebugInfo *d = calloc(1, sizeof *d);
  if (!d)
    return NULL;
  for (u32 i = 0; i < DEBUG_COUNT; i++) {
    if (sections[i].len > MAX_IMAGE) {
      free(d);
      return NULL;
    }
    d->off[i] = at;
    d->len[i] = sections[i].len;
    at = align_up(at + sections[i].len + 1, 8); /* a NUL behind each, for string sections without one */
  }
  d->size = at;
  d->image = at <= MAX_IMAGE ? calloc(1, at) : NULL;
  if (!d->image) {
    free(d);
    return NULL;
  }
  Elf64_Ehdr *eh = (Elf64_Ehdr *)(void *)d->image;
  memcpy(eh->e_ident, ELFMAG, SELFMAG);
  eh->e_ident[EI_CLASS] = ELFCLASS64;
  eh->e_ident[EI_DATA] = ELFDATA2LSB;
  eh->e_ident[EI_VERSION] = EV_CURRENT;
  eh->e_type = ET_EXEC; /* not ET_REL: relocations are the caller's */
  eh->e_machine = EM_X86_64;
  eh->e_version = EV_CURRENT;
  eh->e_shoff = sizeof *eh;
  eh->e_ehsize = sizeof *eh;
  eh->e_shentsize = sizeof(Elf64_Shdr);
  eh->e_shnum = IMAGE_SHNUM;
  eh->e_shstrndx = 1;
  Elf64_Shdr *sh = (Elf64_Shdr *)(void *)(d->image + sizeof *eh);
  u64 name = 1;
  sh[1] = (Elf64_Shdr){.sh_name = 1, .sh_type = SHT_STRTAB, .sh_offset = shstr, .sh_size = names,
                       .sh_addralign = 1};
  memcpy(d->image + shstr + name, ".shstrtab", sizeof ".shstrtab");
  name += sizeof ".shstrtab";
  for (u32 i = 0; i < DEBUG_COUNT; i++) {
    u64 n = strlen(debug_section_names[i]) + 1;
    memcpy(d->image + shstr + name, debug_section_names[i], n);
    /* An absent section keeps type SHT_NULL, which libdw passes over. */
    if (d->len[i])
      sh[i + 2] = (Elf64_Shdr){.sh_name = (u32)name, .sh_type = SHT_PROGBITS, .sh_offset = d->off[i],
                               .sh_size = d->len[i], .sh_addralign = 1};
    name += n;
    if (d->len[i])
      memcpy(d->image + d->off[i], sections[i].p, d->len[i]);
  }
  return d;
}

u8 *debug_bytes(DebugInfo *d, DebugSection s, u64 *len) {
  *len = d->len[s];
  return d->image + d->off[s];
}

void debug_free(DebugInfo *d) {
  if (!d)
    return;
  if (d->dw)
    dwarf_end(d->dw);
  if (d->elf)
    elf_end(d->elf);
  free(d->image);
  free(d);
}

static bool ready(DebugInfo *d) {
  if (!d->tried) {
    d->tried = true;
    elf_version(EV_CURRENT);
    d->elf = elf_memory((char *)d->image, d->size);
    d->dw = d->elf ? dwarf_begin_elf(d->elf, DWARF_C_READ, NULL) : NULL;
  }
  return d->dw != NULL;
}

/* Paths as the user gave them to the compiler: without the directory in which it ran. */
static const char *shorten(Dwarf_Die *cu, const char *path) {
  Dwarf_Attribute attr;
  const char *dir = dwarf_formstring(dwarf_attr(cu, DW_AT_comp_dir, &attr));
  u64 n = dir ? strlen(dir) : 0;
  while (n && dir[n - 1] == '/')
    n--;
  if (n && strncmp(path, dir, n) == 0 && path[n] == '/') {
    path += n;
    while (*path == '/')
      path++;
  }
  while (starts_with(path, "./"))
    path += 2;
  return path;
}

/* The next unit's DIE; false at the end. *off is where to go on. */
static bool next_unit(DebugInfo *d, Dwarf_Off *off, Dwarf_Die *cu) {
  Dwarf_Off next;
  size_t header;
  while (dwarf_nextcu(d->dw, *off, &next, &header, NULL, NULL, NULL) == 0) {
    Dwarf_Off die = *off + header;
    if (next <= *off)
      return false;
    *off = next;
    if (dwarf_offdie(d->dw, die, cu))
      return true;
  }
  return false;
}

static bool line_in_unit(Dwarf_Die *cu, u64 addr, const char **file, u32 *line) {
  Dwarf_Lines *lines;
  size_t n;
  if (dwarf_getsrclines(cu, &lines, &n) != 0)
    return false;
  /* Rows are sorted by address; the last one at or below addr that no end of a sequence closes. */
  Dwarf_Line *best = NULL;
  for (size_t i = 0; i < n; i++) {
    Dwarf_Line *row = dwarf_onesrcline(lines, i);
    Dwarf_Addr a;
    bool end = false;
    if (!row || dwarf_lineaddr(row, &a) != 0 || a > addr)
      break;
    best = dwarf_lineendsequence(row, &end) == 0 && !end ? row : NULL;
  }
  int no;
  const char *src = best ? dwarf_linesrc(best, NULL, NULL) : NULL;
  if (!src || dwarf_lineno(best, &no) != 0 || no <= 0)
    return false;
  *file = shorten(cu, src);
  *line = (u32)no;
  return true;
}

bool debug_line(DebugInfo *d, u64 addr, const char **file, u32 *line) {
  Dwarf_Off off = 0;
  Dwarf_Die cu;
  if (!ready(d))
    return false;
  while (next_unit(d, &off, &cu))
    if (line_in_unit(&cu, addr, file, line))
      return true;
  return false;
}

typedef struct {
  u64 addr;
  u32 budget;
  Dwarf_Die *cu;
  const char **file;
  u32 *line;
} VariableSearch;

/* Location "DW_OP_addr ADDR" or "DW_OP_addrx I" (DWARF 5, 2.6.1.1.2). */
static bool is_at(Dwarf_Die *die, u64 addr) {
  Dwarf_Attribute attr, value;
  Dwarf_Op *ops;
  size_t n;
  Dwarf_Addr a;
  if (!dwarf_attr(die, DW_AT_location, &attr) || dwarf_getlocation(&attr, &ops, &n) != 0 || n != 1)
    return false;
  switch (ops[0].atom) {
  case DW_OP_addr:
    return ops[0].number == addr;
  case DW_OP_addrx:
  case DW_OP_GNU_addr_index:
    return dwarf_getlocation_attr(&attr, &ops[0], &value) == 0 && dwarf_formaddr(&value, &a) == 0 &&
           a == addr;
  default:
    return false;
  }
}

/* dwarf_decl_file() takes file 0 for "none", which DWARF 5 gave a meaning (6.2.4.1). */
static const char *decl_file(VariableSearch *s, Dwarf_Die *die) {
  const char *src = dwarf_decl_file(die);
  Dwarf_Attribute attr;
  Dwarf_Word index;
  Dwarf_Files *files;
  size_t n;
  if (!src && dwarf_formudata(dwarf_attr_integrate(die, DW_AT_decl_file, &attr), &index) == 0 &&
      dwarf_getsrcfiles(s->cu, &files, &n) == 0 && index < n)
    src = dwarf_filesrc(files, index, NULL, NULL);
  return src;
}

static bool search_children(VariableSearch *s, Dwarf_Die *parent, int depth) {
  Dwarf_Die die, next;
  if (depth > MAX_DEPTH || dwarf_child(parent, &die) != 0)
    return false;
  for (;;) {
    if (!s->budget--)
      return s->budget = 0, false;
    switch (dwarf_tag(&die)) {
    case DW_TAG_variable:
      if (is_at(&die, s->addr)) {
        const char *src = decl_file(s, &die);
        int no;
        if (!src || dwarf_decl_line(&die, &no) != 0 || no <= 0)
          return false;
        *s->file = shorten(s->cu, src);
        *s->line = (u32)no;
        return true;
      }
      break;
    case DW_TAG_subprogram:
    case DW_TAG_lexical_block:
    case DW_TAG_namespace:
    case DW_TAG_module:
      if (search_children(s, &die, depth + 1))
        return true;
      break;
    default:
      break;
    }
    if (dwarf_siblingof(&die, &next) != 0 || dwarf_dieoffset(&next) <= dwarf_dieoffset(&die))
      return false;
    die = next;
  }
}

bool debug_variable(DebugInfo *d, u64 addr, const char **file, u32 *line) {
  Dwarf_Off off = 0;
  Dwarf_Die cu;
  if (!ready(d))
    return false;
  VariableSearch s = {addr, MAX_DIES, &cu, file, line};
  while (next_unit(d, &off, &cu))
    if (search_children(&s, &cu, 0))
      return true;
  return false;
}
