/* ehframe_write.c: the bytes of .eh_frame, in pieces on several threads, and of .eh_frame_hdr, whose
 * table is filled on the way: the address that an FDE covers is read off its finished bytes.
 * The trap: a relocation may reach over the end of its record (input is hostile), so a record is put
 * together only where at least 8 more bytes can be written; the next record then covers the damage. */
#include <stdlib.h>

#include "pass/ehframe_internal.h"

enum { SLACK = 8 };

/* A window on the relocations of the atom whose records are being written, which are used in order. */
typedef struct {
  u32 atom, first, n;
  Edge at[EDGE_BATCH];
} Window;

typedef struct {
  Link *l;
  const EhOutput *o;
  u64 base; /* address of .eh_frame */
  u64 hdr;  /* and of .eh_frame_hdr; 0: there is none */
  u64 addresses; /* the bits that they have */
  Window win;
} Writer;

__attribute__((cold, noinline)) static void report(const Writer *w, const EhRecord *r, u64 off,
                                                   const char *code, const char *what,
                                                   const char *kind) {
  Link *l = w->l;
  u32 file = l->atoms.at[r->atom].file;
  diag_report(l->diag, DIAG_ERROR, code, (u64)file << 32 | (u32)off, "%s:(%s+0x%llx): %s%s",
              file_name(l, (FileId){file}), l->format->atom_name(l, (AtomId){r->atom}),
              (unsigned long long)off, kind, what);
}

/* Relocates `out`, the bytes of record r, which stand at `addr`. */
static void relocate(Writer *w, const EhRecord *r, u8 *out, u64 addr) {
  Window *win = &w->win;
  const Arch *arch = w->l->arch;
  for (u32 i = r->rel; i < r->rel + r->nrel; i++) {
    if (win->atom != r->atom || i - win->first >= win->n) { /* also when i is before it */
      EdgeCursor c = {.atom = {r->atom}, .next = i};
      win->n = w->l->format->edges(w->l, &c, win->at);
      win->atom = r->atom;
      win->first = i;
      if (!win->n)
        return;
    }
    const Edge *e = &win->at[i - win->first];
    u64 off = e->offset - r->off;
    if (off < r->size && !arch->apply_one(w->l, e, out + off, addr + off))
      report(w, r, e->offset, "relocation", " does not fit, or is not for an unwind table",
             arch->edge_name(e->kind));
  }
}

/* The address in a finished field of the given encoding; eh_readable() was asked before. */
static u64 read_pointer(const Writer *w, const u8 *p, u64 addr, u8 encoding) {
  u64 v = 0;
  if (LIKELY(encoding == (DW_EH_PE_pcrel | DW_EH_PE_sdata4)))
    return (addr + (u64)(i32)rd32(p)) & w->addresses;
  switch (encoding & DW_EH_PE_format) {
  case DW_EH_PE_udata2: v = rd16(p); break;
  case DW_EH_PE_sdata2: v = (u64)(i16)rd16(p); break;
  case DW_EH_PE_udata4: v = rd32(p); break;
  case DW_EH_PE_sdata4: v = (u64)(i32)rd32(p); break;
  case DW_EH_PE_absptr: v = w->l->format->word == 4 ? rd32(p) : rd64(p); break;
  default: v = rd64(p); break;
  }
  if ((encoding & DW_EH_PE_application) == DW_EH_PE_pcrel)
    v += addr;
  return v & w->addresses;
}

static void add_entry(Writer *w, const EhRecord *r, u8 encoding, const u8 *bytes) {
  u64 addr = w->base + r->out;
  i64 pc = (i64)(read_pointer(w, bytes + EH_PC_BEGIN, addr + EH_PC_BEGIN, encoding) - w->hdr);
  i64 fde = (i64)(addr - w->hdr);
  if (pc != (i32)pc || fde != (i32)fde) {
    report(w, r, r->off, "eh-frame-hdr",
           "the code or its unwind record is more than 2 GiB away from .eh_frame_hdr", "");
    return;
  }
  w->o->entry[r->index] = (u64)((u32)pc + 0x80000000u) << 32 | (u32)fde;
}

/* `cie`: NULL when r is a CIE itself. Room for r->size + SLACK bytes at out. */
static void put_record(Writer *w, const EhRecord *r, const EhRecord *cie, u8 *out, bool note) {
  memcpy(out, w->l->atoms.at[r->atom].data + r->off, r->size);
  relocate(w, r, out, w->base + r->out);
  if (!cie)
    return;
  wr32(out + 4, r->out + 4 - cie->out);
  if (note && w->o->entry && w->hdr && r->index != EH_DROPPED)
    add_entry(w, r, cie_fde_encoding(cie), out);
}

/* The part of a record that [off, off + len) sees. */
static void put_part(Writer *w, const EhRecord *r, const EhRecord *cie, u8 *out, u64 off, u64 len) {
  u64 begin = r->out, end = begin + r->size;
  if (end <= off || begin >= off + len)
    return;
  if (begin >= off && end + SLACK <= off + len) {
    put_record(w, r, cie, out + (begin - off), true);
    return;
  }
  u8 small[512], *tmp = r->size + SLACK <= sizeof small ? small : heap_alloc((u64)r->size + SLACK);
  put_record(w, r, cie, tmp, begin >= off);
  u64 from = MAX(begin, off), to = MIN(end, off + len);
  memcpy(out + (from - off), tmp + (from - begin), to - from);
  if (tmp != small)
    free(tmp);
}

static void put_file(Writer *w, u32 file, u8 *out, u64 off, u64 len) {
  const FileEh *eh = &w->l->files.at[file].eh;
  for (u32 k = 0; k < eh->ncies; k++) {
    const EhRecord *c = &eh->cies[k];
    if (c->out != EH_DROPPED && c->out >= w->o->base[file])
      put_part(w, c, NULL, out, off, len);
  }
  for (u32 k = 0; k < eh->nfdes; k++) {
    const EhRecord *r = &eh->fdes[k];
    if (r->out != EH_DROPPED) {
      if (r->out >= off + len)
        break;
      put_part(w, r, &eh->cies[r->cie], out, off, len);
    }
  }
}

/* Relocations of the last record may have reached into the terminator. */
static void put_terminator(const Synth *s, u8 *out, u64 off, u64 len) {
  u64 from = MAX(off, s->size - EH_TERMINATOR);
  if (from < off + len)
    memset(out + (from - off), 0, off + len - from);
}

void ehframe_write(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  const EhOutput *o = s->ctx;
  Writer *w = &(Writer){.l = l, .o = o, .base = synth_addr(l, SYN_EH_FRAME),
                        .hdr = synth_addr(l, SYN_EH_FRAME_HDR),
                        .addresses = l->format->word == 4 ? UINT32_MAX : UINT64_MAX};
  u32 lo = FIRST_NOT(o->nfiles, i, o->base[i + 1] <= off);
  for (; lo < o->nfiles && o->base[lo] < off + len; lo++)
    put_file(w, lo, out, off, len);
  if (!l->relocatable)
    put_terminator(s, out, off, len);
}

/* ---- .eh_frame_hdr ---- */

/* By address: radix sort, stable, three digits of 11 bits. Two records for one address: the first one
 * in file order stays. Returns how many there are. */
static u32 sort_entries(u64 *at, u32 n) {
  u64 *other = heap_alloc(sizeof(u64) * n), *from = at, *to = other;
  for (u32 shift = 32; shift < 64; shift += 11) {
    u32 count[2049] = {0};
    for (u32 i = 0; i < n; i++)
      count[(from[i] >> shift & 2047) + 1]++;
    for (u32 d = 0; d < 2048; d++)
      count[d + 1] += count[d];
    for (u32 i = 0; i < n; i++)
      to[count[from[i] >> shift & 2047]++] = from[i];
    u64 *t = from;
    from = to;
    to = t;
  }
  u32 kept = 0; /* three passes: the result is in `other` */
  for (u32 i = 0; i < n; i++)
    if (other[i] && (!kept || at[kept - 1] >> 32 != other[i] >> 32))
      at[kept++] = other[i];
  free(other);
  return kept;
}

void ehframe_write_hdr(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  const EhOutput *o = s->ctx;
  (void)off, (void)len; /* whole */
  u64 addr = synth_addr(l, SYN_EH_FRAME_HDR);
  i64 to_frame = (i64)(synth_addr(l, SYN_EH_FRAME) - (addr + 4));
  if (to_frame != (i32)to_frame)
    diag_error(l->diag, "eh-frame-hdr", ".eh_frame is more than 2 GiB away from .eh_frame_hdr");
  out[0] = 1; /* version */
  out[1] = DW_EH_PE_pcrel | DW_EH_PE_sdata4;
  out[2] = o->entry ? DW_EH_PE_udata4 : DW_EH_PE_omit;
  out[3] = o->entry ? DW_EH_PE_datarel | DW_EH_PE_sdata4 : DW_EH_PE_omit;
  wr32(out + 4, (u32)to_frame);
  if (!o->entry)
    return;
  u32 n = sort_entries(o->entry, o->nentries);
  wr32(out + EH_HDR_SIZE, n);
  u8 *at = out + EH_HDR_SIZE + EH_COUNT_SIZE;
  for (u32 i = 0; i < n; i++, at += EH_ENTRY_SIZE) {
    wr32(at, (u32)(o->entry[i] >> 32) - 0x80000000u);
    wr32(at + 4, (u32)o->entry[i]);
  }
}
