/* property.c: what every input promises, the output promises (IBT, shadow stacks); what any input
 * needs, the output needs (ISA levels). The trap: an object without a note promises nothing, so one
 * old assembler file turns a feature off for the whole program; -z cet-report tells which. */
#include "pass/property.h"

#include "core/link.h"

enum {
  NT_GNU_PROPERTY_TYPE_0 = 5,
  FEATURE_1_IBT = 1 << 0,
  FEATURE_1_SHSTK = 1 << 1,
};
#define GNU_PROPERTY_X86_FEATURE_1_AND 0xc0000002u
#define GNU_PROPERTY_X86_ISA_1_NEEDED 0xc0008002u
#define GNU_PROPERTY_X86_ISA_1_USED 0xc0010002u

typedef struct {
  u32 type, value;
} Property;

/* The note's contents, in order of types as the specification asks. */
typedef struct {
  u32 n;
  Property at[3];
} Note;

enum { NOTE_HEADER = 16, PROPERTY_SIZE = 12 };

/* Each is padded to a word. */
static u32 property_size(const Link *l) { return (u32)align_up(PROPERTY_SIZE, l->format->word); }

static void write_note(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  const Note *note = s->ctx;
  (void)off, (void)len; /* whole */
  wr32(out, 4);
  wr32(out + 4, note->n * property_size(l));
  wr32(out + 8, NT_GNU_PROPERTY_TYPE_0);
  memcpy(out + 12, "GNU", 4);
  out += NOTE_HEADER;
  for (u32 i = 0; i < note->n; i++, out += property_size(l)) {
    wr32(out, note->at[i].type);
    wr32(out + 4, 4);
    wr32(out + 8, note->at[i].value);
  }
}

static void report_missing(Link *l, u32 file, u32 have) {
  static const struct {
    u32 bit;
    const char *name;
  } features[] = {{FEATURE_1_IBT, "IBT"}, {FEATURE_1_SHSTK, "SHSTK"}};
  const Options *o = l->opt;
  const char *name = file_name(l, (FileId){file});
  u64 order = (u64)file << 32;
  for (u32 i = 0; o->z_cet_report && i < COUNT_OF(features); i++)
    if (!(have & features[i].bit))
      diag_report(l->diag, o->z_cet_report == 2 ? DIAG_ERROR : DIAG_WARNING, "cet-report", order | i,
                  "%s: -cet-report=%s: missing GNU_PROPERTY_X86_FEATURE_1_%s", name,
                  o->z_cet_report == 2 ? "error" : "warning", features[i].name);
  if (o->z_force_ibt && !o->z_cet_report && !(have & FEATURE_1_IBT))
    diag_report(l->diag, DIAG_WARNING, "force-ibt", order,
                "%s: -z force-ibt: file does not have GNU_PROPERTY_X86_FEATURE_1_IBT", name);
}

static void add(Note *n, u32 type, u32 value) {
  if (value)
    n->at[n->n++] = (Property){type, value};
}

void property_merge(Link *l) {
  const Options *o = l->opt;
  u32 feature = UINT32_MAX, needed = 0, used = 0;
  bool any = false, all_used = true;
  for (u32 i = 1; i < l->files.n; i++) {
    const File *f = &l->files.at[i];
    if (f->kind != FILE_OBJECT || !f->live || f->just_symbols)
      continue;
    Properties p = {0};
    if (!l->format->properties(l, (FileId){i}, &p))
      p = (Properties){0};
    any = true;
    feature &= p.feature_1_and;
    needed |= p.isa_1_needed;
    used |= p.isa_1_used;
    all_used &= p.has_isa_1_used;
    if (o->z_cet_report || o->z_force_ibt)
      report_missing(l, i, p.feature_1_and);
  }
  if (!any)
    feature = 0;
  if (o->z_ibt || o->z_force_ibt)
    feature |= FEATURE_1_IBT;
  if (o->z_shstk)
    feature |= FEATURE_1_SHSTK;
  if (o->z_x86_isa_level > 0 && o->z_x86_isa_level <= 4) /* a level includes those below it */
    needed |= (1u << o->z_x86_isa_level) - 1;
  l->ibt = feature & FEATURE_1_IBT;
  l->shstk = feature & FEATURE_1_SHSTK;

  Note *note = ARENA_NEW(&l->arena, Note);
  add(note, GNU_PROPERTY_X86_FEATURE_1_AND, feature);
  add(note, GNU_PROPERTY_X86_ISA_1_NEEDED, needed);
  add(note, GNU_PROPERTY_X86_ISA_1_USED, all_used ? used : 0);
  Synth *s = &l->synths.at[SYN_NOTE_PROPERTY];
  s->size = note->n ? NOTE_HEADER + property_size(l) * (u64)note->n : 0;
  s->write = write_note;
  s->ctx = note;
}
