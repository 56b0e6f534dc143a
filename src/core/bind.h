/* bind.h: what stands between code and the names of other images where a loader binds pointers by name: GOT slots, stubs, lazy
 * pointers, pointers to descriptors of thread-local variables; and the list of all pointers that the loader changes.
 * pass/bind.c and pass/bind_apply.c know EdgeClass only, no CPU and no format. The trap: a weak definition of this output may be
 * replaced by another image's (SF_IMPORTED and an atom): its pointers are bound, but have a good value until then. */
#ifndef WELD_CORE_BIND_H
#define WELD_CORE_BIND_H

#include "core/link.h"

/* A pointer that the loader changes. */
typedef struct {
  u64 addr;   /* of the pointer */
  u64 target; /* where it points if nothing replaces it (S + A); 0 for what is only elsewhere */
  i64 addend;
  u32 sym;    /* SymId that is looked up; NO_SYM.i: none, it moves with the image */
  bool lazy;  /* bound when the stub is called first */
} BindPointer;

/* What the writer says of the sections that bind_allocate() makes: names and the format's types. NULL: the output has none. */
typedef struct {
  const char *name;
  u32 type;
  u64 attr;
} BindSection;

typedef struct {
  BindSection got, stubs, helper, lazy, tlv, private_word;
  /* Stubs jump through lazy pointers, which a helper has bound when they are called first. Else through GOT slots. */
  bool lazy_pointers;
  const char *binder; /* symbol that the helper jumps to, through a GOT slot */
} BindOptions;

/* Symbols with slots of one kind: slot i is of sym[i]. */
typedef struct {
  u32 *sym;
  u32 n;
  u32 synth; /* index in Link.synths */
} BindSlots;

/* Words of a Synth that is none of these. */
typedef struct {
  u32 synth, target; /* Synths */
  const u64 *offsets; /* in `target`, of each word */
  u32 n;
} BindWords;

typedef struct Binds {
  const BindOptions *opt;
  BindSlots got, stubs, tlv; /* SymAux.got, .plt, .gottp */
  u32 nlazy;         /* the first stubs, bound lazily; entries of the helper */
  u32 helper, lazy;  /* Synths */
  u32 private_word;  /* Synth: a word that is the loader's */
  u32 binder;        /* SymId of BindOptions.binder when there is a helper */
  const u32 *lazy_data; /* set by the writer before stubs are written: the number that helper entry i passes */
  struct BindThread *threads;
  VEC(BindWords) words;

  /* From bind_collect() on, by address. */
  BindPointer *pointers;
  u32 npointers;
  /* Set by the writer when pointers in the file are not what they are in memory: puts what they are there instead of those that
   * `len` bytes, which stand for addresses from `addr` on, have. Thread safe. */
  void (*encode)(const Link *l, u8 *bytes, u64 addr, u64 len);
} Binds;

/* After reports: looks at every edge of live, allocated atoms (parallel), reports what can't be imported so. Makes Link.binds. */
void bind_scan(Link *l, const BindOptions *opt);
/* For edges that no atom has (a personality routine): the symbol needs a GOT slot. Serial; between bind_scan and bind_allocate. */
void bind_need_got(Link *l, u32 sym);
/* Likewise a stub, if the symbol is imported. */
void bind_need_stub(Link *l, u32 sym);
/* The n words of Synth `synth` point at these offsets in another one, and move with the image. Between bind_scan and bind_allocate. */
void bind_add_words(Link *l, u32 synth, u32 target, const u64 *offsets, u32 n);
/* By FileId: sets BIND_USED for libraries that something is bound to, BIND_USED_STRONGLY where a name must be there. Serial; between
 * bind_scan and bind_allocate. */
enum { BIND_USED = 1, BIND_USED_STRONGLY = 2 };
void bind_used_files(const Link *l, u8 *used);
/* Gives slots, in the order of sym_order(), and makes their Synths. Before layout_assign. */
void bind_allocate(Link *l);
/* After addresses are final: Binds.pointers. */
void bind_collect(Link *l);
/* As Arch.apply of this kind of output: relocates with Arch.fix. */
void bind_apply(Link *l, const AtomId *atoms, u32 n, const ApplyOut *out, unsigned tid);
/* As Arch.apply_one of this kind of output. */
bool bind_apply_one(Link *l, const Edge *e, u8 *place, u64 place_addr);
void bind_free(Link *l);

/* pass/bind_apply.c: contents of the Synths. */
void bind_write_got(Link *l, const Synth *s, u8 *out, u64 off, u64 len);
void bind_write_stubs(Link *l, const Synth *s, u8 *out, u64 off, u64 len);
void bind_write_helper(Link *l, const Synth *s, u8 *out, u64 off, u64 len);
void bind_write_lazy(Link *l, const Synth *s, u8 *out, u64 off, u64 len);
void bind_write_tlv(Link *l, const Synth *s, u8 *out, u64 off, u64 len);

/* Addresses of slots; after layout. */
u64 bind_got_addr(const Link *l, u32 slot);
u64 bind_stub_addr(const Link *l, u32 slot);
u64 bind_lazy_addr(const Link *l, u32 slot);
u64 bind_tlv_addr(const Link *l, u32 slot);
/* Address of a symbol in this output, of locals too; 0: it is elsewhere. After layout. */
u64 bind_symbol_addr(const Link *l, u32 sym);

#endif
