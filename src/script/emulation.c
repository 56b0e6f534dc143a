/* emulation.c: the table of emulations, and the text of the default linker script.
 * The trap: what a link makes must not differ when this text comes back with -T, so nothing may depend on where it came from:
 * what layout has to know stands in the text. */
#include "script/emulation.h"

#include <stdio.h>

#define EMULATION(...) {__VA_ARGS__},
static const Emulation emulations[] = {
#include "script/emulation.def"
};
#undef EMULATION

const Emulation *emulation_named(const char *name) {
  for (u32 i = 0; i < COUNT_OF(emulations); i++)
    if (streq(emulations[i].name, name))
      return &emulations[i];
  return NULL;
}

const Emulation *emulation_of_format(const char *format) {
  for (u32 i = 0; i < COUNT_OF(emulations); i++)
    if (streq(emulations[i].format, format))
      return &emulations[i];
  return NULL;
}

const Emulation *emulation_of_object(Bytes elf) {
  if (elf.len < 20 || memcmp(elf.p, "\177ELF", 4))
    return NULL;
  u32 word = elf.p[4] == 2 ? 8 : 4, machine = rd16(elf.p + 18);
  for (u32 i = 0; i < COUNT_OF(emulations); i++)
    if (emulations[i].machine == machine && emulations[i].word == word)
      return &emulations[i];
  return NULL;
}

const Emulation *emulation_default(void) { return &emulations[0]; }

/* ---- the default script ---- */

/* What a row of template.def may depend on. */
enum {
  RELOC = 1 << 0,     /* -r */
  CONSTRUCT = 1 << 1, /* -Ur */
  SHARED = 1 << 2,    /* -shared */
  MOVES = 1 << 3,     /* shared or PIE */
  PAGES = 1 << 4,     /* code on pages of its own, in the file too */
  BUMP = 1 << 5,      /* in memory only */
  SEGMENTS = 1 << 6,  /* all segments on pages of their own in the file */
  NOW = 1 << 7,       /* -z now: .got.plt is in .got */
  OMAGIC = 1 << 8,    /* -N */
  NMAGIC = 1 << 11,   /* -n */
  LARGE = 1 << 9,     /* Emulation.large */
  ORDER = 1 << 10,    /* sections may get an order */
};

static u32 variant(const Emulation *e, const Options *o) {
  bool packed = o->nmagic || o->omagic, apart = o->rosegment && !o->omagic;
  bool pages = apart && !packed && o->z_separate_code != OPT_NO;
  return (o->relocatable ? (u32)RELOC : 0) | (o->kind == OUTPUT_SHARED ? (u32)SHARED : 0) | (o->kind != OUTPUT_EXEC ? (u32)MOVES : 0) |
         (pages ? (u32)PAGES : apart ? (u32)BUMP : 0) | (pages && o->z_separate_loadable_segments ? (u32)SEGMENTS : 0) |
         (o->z_now ? (u32)NOW : 0) | (o->omagic ? (u32)OMAGIC : 0) | (o->nmagic && !o->omagic ? (u32)NMAGIC : 0) | (e->large ? (u32)LARGE : 0) |
         (o->symbol_ordering_file || o->call_sort != CALL_SORT_NONE ? (u32)ORDER : 0);
}

typedef struct {
  u32 with, without;
  u32 len;
  const char *text;
} Line;

#define LINE(with, without, text) {with, without, sizeof(text) - 1, text},
static const Line lines[] = {
#include "script/template.def"
};
#undef LINE

static char *put(char *at, const char *text, u64 len) {
  memcpy(at, text, len);
  return at + len;
}

Bytes emulation_script(Arena *a, const Emulation *e, const Options *o) {
  u32 bits = variant(e, o);
  char base[24], word[4], reserved[4];
  int nbase = snprintf(base, sizeof base, bits & MOVES ? "0" : "0x%llx", (unsigned long long)e->text_start);
  snprintf(word, sizeof word, "%u", e->word);
  snprintf(reserved, sizeof reserved, "%u", 3 * e->word);
  char *head = arena_printf(a, "OUTPUT_FORMAT(\"%s\")\nOUTPUT_ARCH(%s)\n", e->format, e->arch);
  u64 size = strlen(head);
  for (u32 i = 0; i < COUNT_OF(lines); i++)
    size += (bits & lines[i].with) == lines[i].with && !(bits & lines[i].without) ? lines[i].len + 48u : 0;
  char *text = arena_alloc(a, size, 1), *at = put(text, head, strlen(head));
  for (u32 i = 0; i < COUNT_OF(lines); i++) {
    const Line *r = &lines[i];
    if ((bits & r->with) != r->with || bits & r->without)
      continue;
    const char *p = r->text, *end = p + r->len;
    for (u64 n; (n = strcspn(p, "@#$%~")) < (u64)(end - p); p += n + 1) {
      at = put(at, p, n);
      switch (p[n]) {
      case '@': at = put(at, "rela", e->rel ? 3 : 4); break;
      case '#': at = put(at, word, strlen(word)); break;
      case '~': at = o->nmagic ? put(at, "COMMONPAGESIZE", 14) : put(at, "MAXPAGESIZE", 11); break;
      case '%': at = put(at, reserved, strlen(reserved)); break;
      default: at = put(at, base, (u64)nbase); break;
      }
    }
    at = put(at, p, (u64)(end - p));
    *at++ = '\n';
  }
  return (Bytes){(const u8 *)text, (u64)(at - text)};
}
