/* resolve.h: one name is interned once; definitions compete by rank, then by place on the command line. */
#ifndef WELD_CORE_RESOLVE_H
#define WELD_CORE_RESOLVE_H

#include "core/link.h"
#include "core/symbol.h"


/* Smaller is better. A key is rank << 56 | file << 32 | index. */
enum {
  RANK_WELD = 0,    /* --defsym, assignments of a script */
  RANK_STRONG = 1,  /* defined, live object */
  RANK_WEAK_FIRST = 2, /* weak, where weak beats tentative (atoms that are symbols) */
  RANK_COMMON = 3,  /* tentative, live object: beats weak in ELF (gABI ch. 4, Symbol Table) */
  RANK_WEAK = 4,
  RANK_PROVIDE = 5, /* weld's own, only when referenced and not defined by an object */
  RANK_OUTSIDE = 6, /* shared library, or an archive member not loaded yet: by command-line order */
  RANK_OUTSIDE_WEAK = 7, /* shared library's, weak, where such yield to others (RANK_WEAK_FIRST): archives are searched all the same */
  RANK_NONE = 255,
};

/* From opened files to final definitions: interns names, loads archive members, settles groups, makes
 * atoms, lets definitions compete. Link.files and Link.weld_names must be complete. Afterwards
 * symbols.key/flags/atom are final but for what dead strip and export_symbols decide. */
void resolve_open(Link *l);    /* each file's headers, in parallel */
void resolve_names(Link *l);   /* intern, wrap, archive members */
/* The same from the start, for who has added and opened files because of what was loaded. Nothing else may have happened since. */
void resolve_names_again(Link *l);
void resolve_atoms(Link *l);   /* groups, atoms */
void resolve_symbols(Link *l); /* definitions, references, commons, weld's own symbols */
/* log2 of the alignment of a tentative definition, with all that it met; 0 when sym is none that weld makes room for. */
u8 common_p2align(const Link *l, u32 sym);
/* After dead strip: SF_DISCARDED on symbols whose atom is gone; File.needed of shared libraries. */
void resolve_dead(Link *l);
/* After layout: symbols.value becomes an address. */
void resolve_addresses(Link *l);

/* Whether g, a group of `file`, is the first of its name. After the groups were claimed. */
bool group_won(const Link *l, u32 file, const GroupRef *g);

/* Names that weld or an option brings, before resolve_names (they become symbols of file 0, in this
 * order; a name may come twice). What happens to the name: */
typedef enum {
  WELD_REF,      /* must be found (-u, entry): loads archive members, root of dead strip */
  WELD_MENTION,  /* only looked up later (--wrap, version lists) */
  WELD_DEFINE,   /* defined by weld whatever the files say (--defsym, script assignment) */
  WELD_PROVIDE,  /* defined by weld when referenced and not defined by an object */
  WELD_FALLBACK, /* defined by weld when not defined by an object, referenced or not */
} WeldNameKind;
/* Returns the index in file 0. `stmt`/`expr`: how layout computes it (any may be 0). */
u32 weld_name(Link *l, const char *name, WeldNameKind kind, const Expr *expr, bool hidden);
/* NO_SYM when no input or option mentions it. */
SymId sym_find(const Link *l, const char *name, u64 len);

/* Is it a name that C can say? Programs find sections of such a name between __start_NAME and __stop_NAME. */
bool is_c_identifier(const char *s);

#endif
