/* ehframe_range.c: questions about single FDEs, for formats that have another table of unwind information beside
 * .eh_frame. The trap: what the fields hold is in the relocations, but for the length of the code, which is a number. */
#include "pass/ehframe_internal.h"

/* Edge i of an atom; NULL: it has no more. */
static const Edge *edge_at(const Link *l, EhWindow *w, u32 atom, u32 i) {
  if (w->atom != atom || i - w->first >= w->n) { /* also when i is before it */
    EdgeCursor c = {.atom = {atom}, .next = i};
    w->n = l->format->edges(l, &c, w->at);
    w->atom = atom;
    w->first = i;
    if (!w->n)
      return NULL;
  }
  return &w->at[i - w->first];
}

/* Where the edge of the record at `off` in it leads. */
static bool find_target(const Link *l, FileId f, const EhRecord *r, EhWindow *w, u64 off, AtomId *atom, i64 *in_atom) {
  for (u32 i = r->rel; i < r->rel + r->nrel; i++) {
    const Edge *e = edge_at(l, w, r->atom, i);
    if (!e)
      return false;
    if (e->offset != r->off + off)
      continue;
    *atom = l->format->edge_atom(l, f, e, in_atom);
    return atom->i != 0;
  }
  return false;
}

static u64 read_number(const u8 *p, u32 width) { return width == 2 ? rd16(p) : width == 4 ? rd32(p) : rd64(p); }

bool ehframe_range(const Link *l, FileId f, const EhRecord *fde, EhWindow *w, EhRange *out) {
  const EhRecord *cie = &file_at(l, f)->eh.cies[fde->cie];
  const u8 *p = l->atoms.at[fde->atom].data + fde->off;
  u8 encoding = cie_fde_encoding(cie);
  u32 width = encoding == DW_EH_PE_omit ? 0 : eh_pointer_size(l->format->word, encoding), at = EH_PC_BEGIN + 2 * width;
  i64 off;
  *out = (EhRange){0};
  if (!width || !find_target(l, f, fde, w, EH_PC_BEGIN, &out->atom, &off) || (u64)off > l->atoms.at[out->atom.i].size)
    return false;
  out->off = (u64)off;
  out->length = read_number(p + EH_PC_BEGIN + width, width); /* fits: ehframe_parse() looked */
  if (cie_lsda_encoding(cie) == DW_EH_PE_omit)
    return true;
  while (at < fde->size && p[at] & 0x80) /* length of the augmentation data */
    at++;
  find_target(l, f, fde, w, at + 1, &out->lsda, &out->lsda_off);
  return true;
}

void ehframe_drop(Link *l, FileId f, const bool *drop) {
  FileEh *eh = &file_at(l, f)->eh;
  u32 kept = 0;
  for (u32 i = 0; i < eh->nfdes; i++)
    l->atoms.at[eh->fdes[i].target].aux = 0;
  for (u32 i = 0; i < eh->nfdes; i++) {
    if (drop[i])
      continue;
    eh->fdes[kept] = eh->fdes[i];
    u32 *aux = &l->atoms.at[eh->fdes[kept].target].aux;
    kept++;
    if (!*aux)
      *aux = kept;
  }
  eh->nfdes = kept;
}
