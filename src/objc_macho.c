/* objc_macho.c: see objc_macho.h. The trap: who needs a stub is known before dead strip, and a stub of dead code costs only itself, so
 * dead strip is not asked. */
#include "objc_macho.h"

#include <stdlib.h>

#include "core/resolve.h"
#include "scope_macho.h"

static const char prefix[] = "_objc_msgSend$";
enum { PREFIX = sizeof prefix - 1, WORD = 8 };

typedef struct {
  u32 *sym; /* of each stub */
  u64 *name_off; /* of its selector, in the Synth of names */
  u32 n;
  u32 send; /* SymId of _objc_msgSend */
  u32 names, refs, stubs; /* Synths */
  u8 *text;
} Stubs;

static int by_order(const void *a, const void *b, void *ctx) {
  u64 x = sym_order(ctx, *(const u32 *)a), y = sym_order(ctx, *(const u32 *)b);
  return x < y ? -1 : x > y;
}

static bool is_stub_name(const SymName *n) { return n->len > PREFIX && !memcmp(n->p, prefix, PREFIX); }

void objc_define_stubs(MachoImage *m) {
  Link *l = m->l;
  VEC(u32) found = {0};
  for (u32 i = 0; i < l->syms.nglobal; i++)
    if ((l->syms.flags[i] & (SF_UNDEFINED | SF_REF)) == (SF_UNDEFINED | SF_REF) && is_stub_name(&l->syms.name[i]))
      *vec_push(&found) = i;
  if (found.n)
    qsort_r(found.at, found.n, sizeof *found.at, by_order, l);
  Stubs *s = ARENA_NEW(&l->arena, Stubs);
  *s = (Stubs){.sym = ARENA_ARRAY(&l->arena, u32, found.n + 1), .n = found.n, .send = sym_find(l, "_objc_msgSend", strlen("_objc_msgSend")).i};
  for (u32 i = 0; i < found.n; i++) {
    s->sym[i] = found.at[i];
    define_weld_name(l, found.at[i], true);
  }
  m->objc_stubs = found.n ? s : NULL;
  vec_free(&found);
}

static void write_names(Link *l, const Synth *x, u8 *out, u64 off, u64 len) {
  const Stubs *s = x->ctx;
  (void)l;
  memcpy(out, s->text + off, len);
}

static void write_refs(Link *l, const Synth *x, u8 *out, u64 off, u64 len) {
  const Stubs *s = x->ctx;
  (void)off;
  for (u32 i = 0; i < s->n; i++)
    wr64(out + (u64)i * WORD, synth_addr(l, s->names) + s->name_off[i]);
  if (l->binds->encode)
    l->binds->encode(l, out, synth_addr(l, s->refs), len);
}

static void write_stubs(Link *l, const Synth *x, u8 *out, u64 off, u64 len) {
  const Stubs *s = x->ctx;
  u64 size = l->arch->objc_stub_size, addr = synth_addr(l, s->stubs), send = bind_got_addr(l, (u32)sym_aux(l, s->send)->got);
  bool ok = true;
  (void)off, (void)len;
  for (u32 i = 0; i < s->n; i++)
    ok &= l->arch->write_objc_stub(out + i * size, addr + i * size, synth_addr(l, s->refs) + (u64)i * WORD, send);
  if (!ok)
    diag_error(l->diag, "relocation", "stubs of message sends are too far from the pointers that they use: the output is too large");
}

static u64 gather_names(Link *l, Stubs *s) {
  u64 size = 0;
  s->name_off = ARENA_ARRAY(&l->arena, u64, s->n);
  for (u32 i = 0; i < s->n; i++) {
    s->name_off[i] = size;
    size += l->syms.name[s->sym[i]].len - PREFIX + 1;
  }
  s->text = arena_alloc(&l->arena, size, 1);
  for (u32 i = 0; i < s->n; i++)
    memcpy(s->text + s->name_off[i], l->syms.name[s->sym[i]].p + PREFIX, l->syms.name[s->sym[i]].len - PREFIX);
  return size;
}

void objc_make_stubs(MachoImage *m) {
  Link *l = m->l;
  Stubs *s = m->objc_stubs;
  const u32 code = S_ATTR_PURE_INSTRUCTIONS | S_ATTR_SOME_INSTRUCTIONS;
  if (!s)
    return;
  if (s->send == NO_SYM.i || l->syms.flags[s->send] & SF_UNDEFINED) {
    diag_error(l->diag, "undefined-symbol", "undefined symbol: _objc_msgSend, which stubs of message sends (%.*s) need",
               (int)l->syms.name[s->sym[0]].len, l->syms.name[s->sym[0]].p);
    return;
  }
  bind_need_got(l, s->send);
  u64 size = gather_names(l, s);
  s->names = synth_add(l, &(Synth){.name = "__TEXT,__objc_methname", .type = S_CSTRING_LITERALS, .size = size, .write = write_names, .fills = true, .grain = 1, .ctx = s});
  s->refs = synth_add(l, &(Synth){.name = "__DATA,__objc_selrefs", .type = S_LITERAL_POINTERS, .attr = S_ATTR_NO_DEAD_STRIP, .p2align = 3,
                                  .size = (u64)s->n * WORD, .write = write_refs, .ctx = s});
  s->stubs = synth_add(l, &(Synth){.name = "__TEXT,__objc_stubs", .type = S_REGULAR, .attr = code, .p2align = 5,
                                   .size = (u64)s->n * l->arch->objc_stub_size, .write = write_stubs, .ctx = s});
  bind_add_words(l, s->refs, s->names, s->name_off, s->n);
  for (u32 i = 0; i < s->n; i++) {
    l->syms.atom[s->sym[i]] = l->synths.at[s->stubs].atom.i;
    l->syms.value[s->sym[i]] = (u64)i * l->arch->objc_stub_size;
  }
}
