/* inputs_binary.c: a file of any bytes as an object (-b binary): its content is .data, between _binary_NAME_start and
 * _binary_NAME_end, NAME being the file's as it was given, with an underscore for what no symbol can have in it (GNU ld manual, BFD,
 * "binary"; objcopy -I binary makes the same). The trap: _binary_NAME_size is a number, not a place. */
#include "inputs.h"

#include <ctype.h>

#include "format/elf.h"
#include "read/elf_machine.h"
#include "write/elf_encode.h"

enum { DATA = 1, SYMTAB, STRTAB, SHSTRTAB, NSECTIONS, NSYMBOLS = 4 };
static const char section_names[] = "\0.data\0.symtab\0.strtab\0.shstrtab";
enum { NAME_DATA = 1, NAME_SYMTAB = 7, NAME_STRTAB = 15, NAME_SHSTRTAB = 23 };

static const char *symbol_name(Link *l, const char *name, const char *what) {
  char *s = arena_printf(&l->arena, "_binary_%s_%s", name, what);
  for (char *p = s; *p; p++)
    if (!isalnum((unsigned char)*p))
      *p = '_';
  return s;
}

Bytes input_binary(Link *l, const char *name, Bytes content) {
  static const char *const whats[] = {"start", "end", "size"};
  ElfSizes z = elf_sizes(l);
  const char *names[COUNT_OF(whats)];
  u64 strtab_size = 1;
  for (u32 i = 0; i < COUNT_OF(whats); i++) {
    names[i] = symbol_name(l, name, whats[i]);
    strtab_size += strlen(names[i]) + 1;
  }
  u64 data_at = z.ehdr, symtab_at = align_up(data_at + content.len, 8), strtab_at = symtab_at + NSYMBOLS * (u64)z.sym, names_at = strtab_at + strtab_size,
      shoff = align_up(names_at + sizeof section_names, 8), size = shoff + NSECTIONS * (u64)z.shdr;
  u8 *p = link_own(l, pages_alloc(size), size), *sections = p + shoff;
  elf_put_ehdr(l, p, &(Elf64_Ehdr){.e_type = ET_REL, .e_machine = elf_machine(l)->machine, .e_shoff = shoff, .e_shnum = NSECTIONS, .e_shstrndx = SHSTRTAB});
  if (content.len)
    memcpy(p + data_at, content.p, content.len);
  memcpy(p + names_at, section_names, sizeof section_names);
  const u64 values[] = {0, content.len, content.len};
  u64 at = 1;
  for (u32 i = 0; i < COUNT_OF(whats); i++) {
    ElfSym s = {.st_name = (u32)at, .st_info = STB_GLOBAL << 4, .st_shndx = (u16)(i < 2 ? DATA : SHN_ABS), .st_value = values[i]};
    u8 *out = p + symtab_at + (i + 1) * (u64)z.sym;
    if (elf_is_32(l))
      elf_put_syms32(out, &s, 1);
    else
      memcpy(out, &s, sizeof s);
    strcpy((char *)p + strtab_at + at, names[i]);
    at += strlen(names[i]) + 1;
  }
  const Elf64_Shdr headers[NSECTIONS] = {
      [DATA] = {.sh_name = NAME_DATA, .sh_type = SHT_PROGBITS, .sh_flags = SHF_ALLOC | SHF_WRITE, .sh_offset = data_at, .sh_size = content.len, .sh_addralign = 1},
      [SYMTAB] = {.sh_name = NAME_SYMTAB, .sh_type = SHT_SYMTAB, .sh_offset = symtab_at, .sh_size = NSYMBOLS * (u64)z.sym, .sh_link = STRTAB, .sh_info = 1,
                  .sh_addralign = l->format->word, .sh_entsize = z.sym},
      [STRTAB] = {.sh_name = NAME_STRTAB, .sh_type = SHT_STRTAB, .sh_offset = strtab_at, .sh_size = strtab_size, .sh_addralign = 1},
      [SHSTRTAB] = {.sh_name = NAME_SHSTRTAB, .sh_type = SHT_STRTAB, .sh_offset = names_at, .sh_size = sizeof section_names, .sh_addralign = 1},
  };
  for (u32 i = 0; i < NSECTIONS; i++)
    elf_put_shdr(l, sections + i * (u64)z.shdr, &headers[i]);
  return (Bytes){p, size};
}
