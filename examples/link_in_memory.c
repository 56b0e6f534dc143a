/* link_in_memory.c: links an object that exists only in memory to a program that exists only in memory,
 * then writes the program to the file named on the command line.
 *
 *     cc -o link_in_memory link_in_memory.c $(pkg-config --cflags --libs --static weld)
 *     ./link_in_memory hello && ./hello
 *
 * The object is what a compiler would hand over; here it is put together by hand: x86-64 code that
 * writes a line and exits, the line itself, and one relocation from the first to the second. */
#include <elf.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "weld.h"

#define LINE "Linked in memory by weld\n"
#define STRINGS "\0_start\0line\0.text\0.rodata\0.rela.text\0.symtab\0.strtab\0.note.GNU-stack"

/* mov $1,%eax; mov $1,%edi; lea line(%rip),%rsi; mov $len,%edx; syscall; mov $60,%eax; xor %edi,%edi;
 * syscall */
#define CODE                                                                                       \
  {0xb8, 1, 0, 0, 0, 0xbf, 1, 0, 0, 0, 0x48, 0x8d, 0x35, 0, 0, 0, 0,                               \
   0xba, sizeof LINE - 1, 0, 0, 0, 0x0f, 0x05, 0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05}
enum { LEA_OPERAND = 13, CODE_SIZE = 33 };

enum { NONE, TEXT, RODATA, RELA, SYMTAB, STRTAB, STACK, NSECTIONS };

typedef struct {
  Elf64_Ehdr header;
  Elf64_Shdr sections[NSECTIONS];
  Elf64_Sym symbols[3];
  Elf64_Rela relocation;
  unsigned char code[CODE_SIZE];
  char line[sizeof LINE];
  char strings[sizeof STRINGS];
} Object;

static Elf64_Word string(const Object *o, const char *s) {
  for (size_t i = 0; i < sizeof o->strings; i++)
    if (strcmp(o->strings + i, s) == 0)
      return (Elf64_Word)i;
  return 0;
}

static Elf64_Shdr section(const Object *o, const char *name, Elf64_Word type, Elf64_Xword flags,
                          size_t offset, size_t size) {
  return (Elf64_Shdr){.sh_name = string(o, name), .sh_type = type, .sh_flags = flags,
                      .sh_offset = offset, .sh_size = size, .sh_addralign = 1};
}

static void make_object(Object *o) {
  static const unsigned char code[] = CODE;
  memset(o, 0, sizeof *o);
  memcpy(o->code, code, sizeof code);
  memcpy(o->line, LINE, sizeof LINE);
  memcpy(o->strings, STRINGS, sizeof STRINGS);

  o->header = (Elf64_Ehdr){
      .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
      .e_type = ET_REL, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
      .e_shoff = offsetof(Object, sections), .e_ehsize = sizeof(Elf64_Ehdr),
      .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = NSECTIONS, .e_shstrndx = STRTAB};

  Elf64_Shdr *s = o->sections;
  s[TEXT] = section(o, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, offsetof(Object, code),
                    sizeof o->code);
  s[RODATA] = section(o, ".rodata", SHT_PROGBITS, SHF_ALLOC, offsetof(Object, line),
                      sizeof o->line);
  s[RELA] = section(o, ".rela.text", SHT_RELA, SHF_INFO_LINK, offsetof(Object, relocation),
                    sizeof o->relocation);
  s[RELA].sh_link = SYMTAB;
  s[RELA].sh_info = TEXT;
  s[RELA].sh_entsize = sizeof(Elf64_Rela);
  s[SYMTAB] = section(o, ".symtab", SHT_SYMTAB, 0, offsetof(Object, symbols), sizeof o->symbols);
  s[SYMTAB].sh_link = STRTAB;
  s[SYMTAB].sh_info = 1; /* the first symbol that is not local */
  s[SYMTAB].sh_entsize = sizeof(Elf64_Sym);
  s[STRTAB] = section(o, ".strtab", SHT_STRTAB, 0, offsetof(Object, strings), sizeof o->strings);
  s[STACK] = section(o, ".note.GNU-stack", SHT_PROGBITS, 0, sizeof *o, 0);

  o->symbols[1] = (Elf64_Sym){.st_name = string(o, "_start"), .st_shndx = TEXT,
                              .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC)};
  o->symbols[2] = (Elf64_Sym){.st_name = string(o, "line"), .st_shndx = RODATA,
                              .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT)};
  o->relocation = (Elf64_Rela){.r_offset = LEA_OPERAND, .r_addend = -4,
                               .r_info = ELF64_R_INFO(2, R_X86_64_PC32)};
}

static void message(void *ctx, weld_level level, const char *code, const char *text) {
  static const char *const levels[] = {"error", "warning", "note"};
  (void)ctx;
  fprintf(stderr, "weld %s: %s [%s]\n", levels[level], text, code);
}

static int write_program(const char *path, const weld_buffer *program) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0777);
  int ok = fd >= 0 && write(fd, program->data, program->size) == (ssize_t)program->size;
  if (fd >= 0 && close(fd) != 0)
    ok = 0;
  if (!ok)
    perror(path);
  return ok;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s OUTPUT\n", argv[0]);
    return 2;
  }
  Object object;
  make_object(&object);

  const char *args[] = {"--build-id=none", "-z", "noexecstack"};
  weld_input inputs[] = {{"line.o", &object, sizeof object}};
  weld_request request = {.args = args, .nargs = sizeof args / sizeof *args,
                          .inputs = inputs, .ninputs = 1, .message = message};
  weld_buffer program;
  if (weld_link(&request, &program) != WELD_OK)
    return 1;
  int ok = write_program(argv[1], &program);
  weld_free(&program);
  return ok ? 0 : 1;
}
