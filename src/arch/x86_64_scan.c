/* x86_64_scan.c: looks at every edge before anything has an address, and finds out which symbols need
 * GOT, PLT, TLS or copy slots, how many dynamic relocations each atom needs, and which edges can't be
 * had in this kind of output. The trap: scan and apply must come to the same decisions, which are
 * therefore in x86_64_rules.h. */
#include "arch/elf_reports.h"
#include "arch/x86_64_internal.h"
#include "arch/x86_64_rules.h"

typedef enum {
  CLASS_NOTHING, CLASS_WORD, CLASS_ABS, CLASS_PC, CLASS_PLT, CLASS_PLTOFF, CLASS_GOT, CLASS_GOTX,
  CLASS_GOTOFF, CLASS_GOTPC, CLASS_SIZE, CLASS_TLSGD, CLASS_TLSLD, CLASS_DTPOFF, CLASS_GOTTP,
  CLASS_TPOFF, CLASS_DESC, CLASS_DESCCALL, CLASS_SUB, CLASS_TLV,
} X64Class;

static const u8 class_of[X64_COUNT] = {
#define X(kind, bits, class, name) [X64_##kind] = CLASS_##class,
    X86_64_EDGES(X)
#undef X
};

typedef struct {
  Link *l;
  ScanThread *t;
  unsigned tid;
  X64Rules r;
  AtomId a; /* being scanned */
  const Atom *at;
  u32 aflags;
  u32 nrel, nsymrel;
} Scan;

static void need(Scan *s, const Edge *e, u8 bits) {
  u8 *p = &s->l->syms.needs[e->target];
  u8 old = __atomic_load_n(p, __ATOMIC_RELAXED);
  if ((old & bits) == bits)
    return;
  old = __atomic_fetch_or(p, bits, __ATOMIC_RELAXED);
  if (!old)
    *vec_push(&s->t->needed) = (NeededSym){e->target, e->flags};
}

/* ---- messages ---- */

static void error_recompile(Scan *s, const Edge *e) { report_recompile(s->l, s->tid, s->a, e); }
static void error_tls_le(Scan *s, const Edge *e) { report_tls_le(s->l, s->tid, s->a, e); }
static void error_sequence(Scan *s, const Edge *e) { report_sequence(s->l, s->tid, s->a, e); }
static void scan_discarded(Scan *s, const Edge *e) { report_discarded(s->l, s->tid, s->a, e); }
static void scan_textrel(Scan *s, const Edge *e) { report_textrel(s->l, s->tid, s->a, e, s->t); }

/* ---- addresses that must be known now ---- */

static void need_address(Scan *s, const Edge *e) {
  u8 bits = needs_of_address(s->l, s->tid, s->a, e);
  if (bits)
    need(s, e, bits);
}

static void scan_abs(Scan *s, const Edge *e);

static void scan_word(Scan *s, const Edge *e) {
  if (UNLIKELY(s->r.x32 && e->kind == X64_ABS64)) { /* wider than what the dynamic linker fills in */
    scan_abs(s, e);
    return;
  }
  bool writable = s->aflags & ATOM_WRITE;
  switch (x64_word(&s->r, e->flags, writable)) {
  case WORD_STATIC:
    return;
  case WORD_RELATIVE:
    if (x64_relr(&s->r, s->aflags, s->at->p2align, e->offset))
      *vec_push(&s->t->relr) = (RelrRef){.atom = s->a.i, .offset = e->offset};
    else
      s->nrel++;
    break;
  case WORD_SYMBOLIC:
    need(s, e, NEED_DYNSYM);
    s->nsymrel++;
    break;
  case WORD_IFUNC:
    s->t->has_ifunc = true;
    *vec_push(&s->t->ifuncs) = (IfuncRef){s->a.i, e->target, e->offset, e->addend};
    break;
  case WORD_CPLT:
  case WORD_COPY:
    if (e->flags & SF_IFUNC && !(e->flags & SF_IMPORTED)) {
      s->t->has_ifunc = true;
      need(s, e, NEED_CPLT | NEED_PLT);
    } else {
      need_address(s, e);
    }
    return;
  }
  if (UNLIKELY(!writable))
    scan_textrel(s, e);
}

/* S + A in fewer bits than a pointer has: no dynamic relocation can help. */
static void scan_abs(Scan *s, const Edge *e) {
  if (!(e->flags & X64_SPECIAL) && !s->r.pic)
    return;
  if (e->flags & SF_IMPORTED) {
    if (s->r.pic)
      error_recompile(s, e);
    else
      need_address(s, e);
  } else if (e->flags & (SF_ABSOLUTE | SF_UNDEFINED | SF_DISCARDED)) {
    return;
  } else if (s->r.pic) {
    error_recompile(s, e);
  } else if (e->flags & SF_IFUNC) {
    s->t->has_ifunc = true;
    need(s, e, NEED_CPLT | NEED_PLT);
  }
}

/* Is the place the operand of call, jmp or jcc? A %rip-relative operand never follows these bytes. */
static bool is_branch(const Scan *s, const Edge *e) {
  const u8 *d = s->at->data;
  u64 off = e->offset;
  if (e->kind != X64_PC32 || !(s->aflags & ATOM_EXEC) || off < 1)
    return false;
  return d[off - 1] == 0xe8 || d[off - 1] == 0xe9 ||
         (off >= 2 && d[off - 2] == 0x0f && (d[off - 1] & 0xf0) == 0x80);
}

/* S + A - P to what is not simply defined here; also S + A - GOT. */
static void scan_pc(Scan *s, const Edge *e) {
  if (e->flags & SF_IMPORTED) {
    if (is_branch(s, e))
      need(s, e, NEED_PLT);
    else if (s->r.shared)
      error_recompile(s, e);
    else
      need_address(s, e);
  } else if (e->flags & SF_IFUNC) {
    s->t->has_ifunc = true;
    need(s, e, is_branch(s, e) ? NEED_PLT : NEED_CPLT | NEED_PLT);
  } else if ((e->flags & (SF_ABSOLUTE | SF_UNDEFINED)) == SF_ABSOLUTE && s->r.pic) {
    /* What weld defines itself may be "absolute" for want of a section to stand in. */
    if (e->target >= s->l->syms.nglobal || !(s->l->syms.flags[e->target] & SF_SYNTHETIC))
      error_recompile(s, e);
  }
}

static void need_plt(Scan *s, const Edge *e) {
  if (e->flags & SF_IFUNC && !(e->flags & SF_IMPORTED))
    s->t->has_ifunc = true;
  if (e->flags & (SF_IMPORTED | SF_IFUNC))
    need(s, e, NEED_PLT);
}

static void need_got(Scan *s, const Edge *e) {
  if (is_local_ifunc(e->flags))
    s->t->has_ifunc = true;
  need(s, e, NEED_GOT);
}

/* ---- thread-local storage ---- */

/* An access whose code can be rewritten: the slot it is left with. */
static void scan_tls_relaxed(Scan *s, const Edge *e) {
  if (!s->r.shared && !(e->flags & SF_IMPORTED))
    return; /* local exec */
  s->t->has_static_tls |= s->r.shared;
  need(s, e, NEED_GOTTP);
}

/* `e` is TLSGD or TLSLD, `next` what follows it; false: `next` is to be scanned like any other edge. */
static bool scan_tls_call(Scan *s, const Edge *e, const Edge *next) {
  bool known = next && x64_tls_call(&s->r, e, next, s->at->data, s->at->size) != TLSCALL_NONE;
  if (!known && next && next->flags & SF_UNDEFINED && !(next->flags & SF_IMPORTED)) {
    error_sequence(s, e); /* nobody defines the function that it would call */
    return true;
  }
  if (e->kind == X64_TLSGD) {
    if (known) {
      scan_tls_relaxed(s, e);
      return true;
    }
    need(s, e, NEED_TLSGD);
    return false;
  }
  if (!known)
    s->t->uses_tlsld = true;
  return known;
}

static void scan_gottp(Scan *s, const Edge *e) {
  if (s->r.tls_exec && !(e->flags & SF_IMPORTED) &&
      x64_ie_insn(&s->r, e->kind, s->at->data, e->offset))
    return; /* local exec */
  s->t->has_static_tls |= s->r.shared;
  need(s, e, NEED_GOTTP);
}

static void scan_tpoff(Scan *s, const Edge *e) {
  if (!x64_tpoff_dynamic(&s->r, e->flags))
    return;
  if (e->kind != X64_TPOFF64) {
    error_tls_le(s, e);
    return;
  }
  s->t->has_static_tls |= s->r.shared;
  if (e->flags & SF_IMPORTED)
    need(s, e, NEED_DYNSYM);
  s->nsymrel++;
  if (!(s->aflags & ATOM_WRITE))
    scan_textrel(s, e);
}

static void scan_desc(Scan *s, const Edge *e) {
  if (!s->r.tls_ie)
    need(s, e, NEED_TLSDESC);
  else if (!x64_desc_insn(&s->r, e->kind, s->at->data, e->offset))
    error_sequence(s, e); /* the call that belongs to it can't be told apart from others */
  else
    scan_tls_relaxed(s, e);
}

static void scan_desc_call(Scan *s, const Edge *e) {
  const u8 *p = s->at->data + e->offset;
  if (s->r.tls_ie && !(p[0] == 0xff && p[1] == 0x10) && !(p[0] == 0x67 && p[1] == 0xff))
    error_sequence(s, e);
}

/* ---- the walk ---- */

static void scan_edge(Scan *s, const Edge *e) {
  bool special = e->flags & X64_SPECIAL;
  if (UNLIKELY(e->flags & SF_DISCARDED)) {
    scan_discarded(s, e);
    return;
  }
  switch ((X64Class)class_of[e->kind]) {
  case CLASS_NOTHING:
    break;
  case CLASS_WORD:
    scan_word(s, e);
    break;
  case CLASS_ABS:
    scan_abs(s, e);
    break;
  case CLASS_PC:
    if (UNLIKELY(special))
      scan_pc(s, e);
    break;
  case CLASS_PLTOFF:
    s->t->uses_got_base = true;
    need_plt(s, e);
    break;
  case CLASS_PLT:
    if (special)
      need_plt(s, e);
    break;
  case CLASS_GOT:
    if (e->kind == X64_GOT32 || e->kind == X64_GOT64 || e->kind == X64_GOTPLT64)
      s->t->uses_got_base = true;
    need_got(s, e);
    break;
  case CLASS_GOTX: {
    bool sure;
    (void)x64_gotx(&s->r, e, s->at->data, &sure);
    if (!sure)
      need_got(s, e);
    break;
  }
  case CLASS_GOTOFF:
    s->t->uses_got_base = true;
    if (special)
      scan_pc(s, e);
    break;
  case CLASS_GOTPC:
    s->t->uses_got_base = true;
    break;
  case CLASS_SIZE:
    break;
  case CLASS_TLSGD:
    need(s, e, NEED_TLSGD);
    break;
  case CLASS_TLSLD:
    s->t->uses_tlsld = true;
    break;
  case CLASS_DTPOFF:
    if (e->flags & SF_IMPORTED)
      error_recompile(s, e);
    break;
  case CLASS_GOTTP:
    scan_gottp(s, e);
    break;
  case CLASS_TPOFF:
    scan_tpoff(s, e);
    break;
  case CLASS_DESC:
    scan_desc(s, e);
    break;
  case CLASS_DESCCALL:
    scan_desc_call(s, e);
    break;
  case CLASS_SUB: /* other formats' */
  case CLASS_TLV:
    break;
  }
}

/* The first edge of a TLS call waits here for the second. */
typedef struct {
  Edge edge;
  bool have;
} Pending;

static void scan_run(Scan *s, const Edge *e, const Edge *end, Pending *p) {
  for (; e < end; e++) {
    if (UNLIKELY(p->have)) {
      p->have = false;
      if (scan_tls_call(s, &p->edge, e))
        continue;
    }
    u8 class = class_of[e->kind];
    if (LIKELY(!(e->flags & X64_SPECIAL) && (class == CLASS_PC || class == CLASS_PLT)))
      continue; /* most edges: nothing to decide */
    if (UNLIKELY(x64_opens_tls_call(&s->r, e))) {
      *p = (Pending){*e, true};
      continue;
    }
    scan_edge(s, e);
  }
}

static void scan_stream(Scan *s, EdgeStream *st) {
  Link *l = s->l;
  Pending pending = {.have = false};
  while (l->format->edge_stream(l, st))
    for (u32 k = 0; k < st->nruns; k++) {
      const EdgeRun *r = &st->run[k];
      if (r->first) {
        s->a = r->atom;
        s->at = &l->atoms.at[s->a.i];
        s->aflags = l->atoms.flags[s->a.i];
        s->nrel = s->nsymrel = 0;
      }
      if (st->relative)
        s->nrel += r->words;
      scan_run(s, &st->edge[r->begin], &st->edge[r->end], &pending);
      if (!r->last)
        continue;
      if (pending.have)
        (void)scan_tls_call(s, &pending.edge, NULL);
      pending.have = false;
      l->atoms.nrel[s->a.i] = s->nrel;
      if (s->nsymrel) /* rare: most pages of it are never touched */
        l->atoms.nsymrel[s->a.i] = s->nsymrel;
      s->t->nrel += s->nrel;
      s->t->nsymrel += s->nsymrel;
    }
}

static Scan scan_begin(Link *l, unsigned tid) {
  return (Scan){.l = l, .t = &l->slots->threads[tid], .tid = tid, .r = x64_rules(l)};
}

bool x64_edge_is_absolute(u32 kind) {
  return kind < X64_COUNT && (class_of[kind] == CLASS_WORD || class_of[kind] == CLASS_ABS);
}

/* Unwind tables are shared by all processes, so even a pointer in one is never relocated at run time. */
void x64_scan_edges(Link *l, AtomId a, const Edge *e, u32 n, unsigned tid) {
  Scan s = scan_begin(l, tid);
  s.a = a;
  s.at = &l->atoms.at[a.i];
  s.aflags = l->atoms.flags[a.i];
  for (u32 i = 0; i < n; i++) {
    if (e[i].flags & SF_DISCARDED)
      continue;
    if (class_of[e[i].kind] == CLASS_WORD)
      scan_abs(&s, &e[i]);
    else
      scan_edge(&s, &e[i]);
  }
}

void x64_scan(Link *l, AtomRange range, unsigned tid) {
  enum { BATCH = 256 };
  Scan s = scan_begin(l, tid);
  AtomId batch[BATCH];
  EdgeStream st;
  const u32 mask = ATOM_FOLDED | ATOM_ALLOC | ATOM_SYNTH;
  for (u32 i = range.begin.i; i < range.end.i;) {
    u32 n = 0;
    for (; i < range.end.i && n < BATCH; i++) {
      u32 flags = l->atoms.flags[i];
      if ((flags & mask) != (ATOM_LIVE | ATOM_ALLOC))
        continue;
      const Atom *a = &l->atoms.at[i];
      s.t->alloc_bytes += a->size;
      if (a->rel && a->data && !(flags & (ATOM_MERGE | ATOM_EHFRAME | ATOM_ZEROFILL)))
        batch[n++] = (AtomId){i};
    }
    st.atoms = batch;
    st.n = n;
    st.out = NULL;
    x64_plain_words(&s.r, &st);
    st.at = st.next = 0;
    st.pair = st.begun = false;
    scan_stream(&s, &st);
  }
}
