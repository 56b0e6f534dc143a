/* bind_apply.c: relocating for a loader that binds by name, and the bytes of slots and stubs. Every field goes through
 * Arch.fix, so this knows no CPU.
 * The trap: a load of a slot is rewritten to compute the address where bind_scan() found that it can be, so both ask
 * the same question of the input's bytes, not of what has been relocated already. */
#include "core/bind.h"
#include "core/thunks.h"

typedef struct {
  Link *l;
  const Binds *b;
  unsigned tid;
  u32 atom;
  u8 *bytes; /* of the atom */
  u64 addr;  /* likewise */
} Apply;

static const char *target_name(const Link *l, const Edge *e) { return e->target == NO_SYM.i ? "" : diag_name(l->diag, sym_name(l, e->target)); }

static void report_fix(const Apply *x, const Edge *e, u32 kind, FixResult r, i64 value) {
  Link *l = x->l;
  u64 order = (u64)l->atoms.at[x->atom].file << 32 | x->atom;
  const char *place = place_of(l, x->tid, (AtomId){x->atom}, e->offset), *name = target_name(l, e);
  i64 min, max;
  switch (r) {
  case FIX_OK:
    break;
  case FIX_RANGE:
    l->arch->fix_range(kind, &min, &max);
    diag_report(l->diag, DIAG_ERROR, "relocation", order, "%s: %s of '%s' is out of range: %lld is not in [%lld, %lld]", place, edge_kind_name(l, e->kind),
                name, (long long)value, (long long)min, (long long)max);
    break;
  case FIX_ALIGN:
    diag_report(l->diag, DIAG_ERROR, "relocation", order, "%s: %s of '%s' is misaligned: 0x%llx", place, edge_kind_name(l, e->kind), name,
                (unsigned long long)value);
    break;
  case FIX_KIND:
    diag_report(l->diag, DIAG_ERROR, "relocation", order, "%s: %s of '%s' can't be relocated in this output", place, edge_kind_name(l, e->kind), name);
    break;
  }
}

static void fix(const Apply *x, const Edge *e, u32 kind, u64 S, i64 A) {
  i64 value = 0;
  FixResult r = x->l->arch->fix(kind, x->bytes + e->offset, x->addr + e->offset, S, A, &value);
  if (UNLIKELY(r != FIX_OK))
    report_fix(x, e, kind, r, value);
}

static void fix_branch(const Apply *x, const Edge *e) {
  const Link *l = x->l;
  const Thunk *t = l->thunks ? thunk_of(l, (AtomId){x->atom}, e) : NULL;
  const SymAux *aux = e->flags & SF_IMPORTED ? sym_aux(l, e->target) : NULL;
  if (UNLIKELY(t))
    fix(x, e, e->kind, thunk_addr(l, t), thunk_bias(l, e->kind));
  else
    fix(x, e, e->kind, aux && aux->plt >= 0 ? bind_stub_addr(l, (u32)aux->plt) : e->S, e->addend);
}

/* A load through a slot, or what it becomes. */
static void fix_load(const Apply *x, const Edge *e, bool tlv) {
  const Link *l = x->l;
  const Atom *a = &l->atoms.at[x->atom];
  u16 as;
  if (!(e->flags & SF_IMPORTED) && l->arch->can_relax(e->kind, a->data, a->size, e->offset, &as)) {
    l->arch->relax(e->kind, x->bytes + e->offset);
    fix(x, e, as, e->S, e->addend);
    return;
  }
  const SymAux *aux = sym_aux(l, e->target);
  if (aux)
    fix(x, e, e->kind, tlv ? bind_tlv_addr(l, (u32)aux->gottp) : bind_got_addr(l, (u32)aux->got), e->addend);
}

/* What a thread-local variable's descriptor points at has no address: it is an offset in the template. */
static u64 template_base(const Apply *x, const Edge *e) {
  Link *l = x->l;
  i64 off;
  if (LIKELY(e->S < l->tls_begin || e->S > l->tls_end))
    return 0;
  u32 atom = l->format->edge_atom(l, (FileId){l->atoms.at[x->atom].file}, e, &off).i;
  return l->atoms.flags[atom] & ATOM_TLS ? l->tls_begin : 0;
}

static void fix_edge(const Apply *x, const Edge *e, EdgeClass c, u64 subtrahend) {
  const Link *l = x->l;
  const SymAux *aux;
  switch (c) {
  case EC_BRANCH:
    fix_branch(x, e);
    break;
  case EC_POINTER:
    fix(x, e, e->kind, e->S, (i64)((u64)e->addend - template_base(x, e)));
    break;
  case EC_PCREL:
  case EC_PAGE:
  case EC_PAGEOFF:
  case EC_ABS:
    fix(x, e, e->kind, e->S, (i64)((u64)e->addend - subtrahend));
    break;
  case EC_GOT_LOAD:
    fix_load(x, e, false);
    break;
  case EC_TLV_LOAD:
    fix_load(x, e, true);
    break;
  case EC_GOT:
    aux = sym_aux(l, e->target);
    if (aux)
      fix(x, e, e->kind, bind_got_addr(l, (u32)aux->got), e->addend);
    break;
  case EC_SUBTRACT:
  case EC_NONE:
  case EC_OTHER:
    break;
  }
}

static void apply_atom(Apply *x) {
  const Link *l = x->l;
  EdgeCursor c = {.atom = {x->atom}};
  Edge e[EDGE_BATCH];
  for (u32 n; (n = l->format->edges(l, &c, e));) {
    bool pair = false;
    u64 subtrahend = 0;
    for (u32 i = 0; i < n; i++) {
      EdgeClass k = e[i].target == NO_SYM.i ? EC_NONE : edge_class(l->arch, e[i].kind);
      fix_edge(x, &e[i], pair && k == EC_POINTER ? EC_ABS : k, subtrahend);
      pair = k == EC_SUBTRACT;
      subtrahend = pair ? e[i].S : 0;
    }
  }
}

void bind_apply(Link *l, const AtomId *atoms, u32 n, const ApplyOut *out, unsigned tid) {
  Apply x = {.l = l, .b = l->binds, .tid = tid};
  for (u32 i = 0; i < n; i++) {
    x.atom = atoms[i].i;
    if (!l->atoms.at[x.atom].rel)
      continue;
    x.addr = l->atoms.addr[x.atom];
    x.bytes = out->bytes + (x.addr - out->addr);
    apply_atom(&x);
  }
  const u32 last = n ? atoms[n - 1].i : 0;
  if (n && x.b->encode)
    x.b->encode(l, out->bytes, out->addr, l->atoms.addr[last] + l->atoms.at[last].size - out->addr);
}

/* ---- slots and stubs ---- */

static void encode(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  if (l->binds->encode)
    l->binds->encode(l, out, l->atoms.addr[s->atom.i] + off, len);
}

/* Slots are written whole: their Synths have no grain. */
static void write_slots(Link *l, const BindSlots *v, u8 *out) {
  for (u32 i = 0; i < v->n; i++)
    wr64(out + 8ull * i, bind_symbol_addr(l, v->sym[i]));
}

void bind_write_got(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  write_slots(l, &l->binds->got, out);
  encode(l, s, out, off, len);
}

void bind_write_tlv(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  write_slots(l, &l->binds->tlv, out);
  encode(l, s, out, off, len);
}

void bind_write_lazy(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  const Binds *b = l->binds;
  u64 entries = synth_addr(l, b->helper) + l->arch->stub_helper_size;
  write_slots(l, &b->stubs, out);
  for (u32 i = 0; i < b->nlazy; i++)
    wr64(out + 8ull * i, entries + (u64)i * l->arch->stub_helper_entry_size);
  encode(l, s, out, off, len);
}

static void report_far(Link *l, const char *what) {
  diag_error(l->diag, "relocation", "%s are too far from the pointers that they use: the output is too large", what);
}

void bind_write_stubs(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  const Binds *b = l->binds;
  u64 addr = l->atoms.addr[s->atom.i];
  bool ok = true;
  (void)off, (void)len;
  for (u32 i = 0; i < b->stubs.n; i++) {
    u64 at = (u64)i * l->arch->stub_size;
    u64 pointer = b->opt->lazy_pointers ? bind_lazy_addr(l, i) : bind_got_addr(l, (u32)sym_aux(l, b->stubs.sym[i])->got);
    ok &= l->arch->write_stub(out + at, addr + at, pointer);
  }
  if (!ok)
    report_far(l, "stubs");
}

void bind_write_helper(Link *l, const Synth *s, u8 *out, u64 off, u64 len) {
  const Binds *b = l->binds;
  u64 addr = l->atoms.addr[s->atom.i], at = l->arch->stub_helper_size;
  if (b->binder == NO_SYM.i)
    return;
  bool ok = l->arch->write_stub_helper(out, addr, synth_addr(l, b->private_word), bind_got_addr(l, (u32)sym_aux(l, b->binder)->got));
  (void)off, (void)len;
  for (u32 i = 0; i < b->nlazy; i++, at += l->arch->stub_helper_entry_size)
    ok &= l->arch->write_stub_helper_entry(out + at, addr + at, addr, b->lazy_data[i]);
  if (!ok)
    report_far(l, "lazy bindings");
}
