/* macho_trie.h: the names that an image exports, as the trie that dyld walks (dyld's and cctools'
 * <mach-o/loader.h>, LC_DYLD_EXPORTS_TRIE). The trap: a node says where its children are as ULEB128 offsets, so
 * where a node is depends on where all others are. */
#ifndef WELD_WRITE_MACHO_TRIE_H
#define WELD_WRITE_MACHO_TRIE_H

#include "util/arena.h"
#include "util/bytes.h"

typedef struct {
  const char *name;   /* `len` bytes, none of them NUL */
  u32 len;
  u32 flags;          /* EXPORT_SYMBOL_FLAGS_* */
  u64 addr;           /* from the image's base; of absolute ones the value; of stubs with a resolver the stub.
                         Not of re-exports */
  u64 other;          /* EXPORT_SYMBOL_FLAGS_REEXPORT: the library's ordinal; STUB_AND_RESOLVER: the resolver, from
                         the base */
  const char *import; /* EXPORT_SYMBOL_FLAGS_REEXPORT: its name in that library, NULL: the same */
} MachoExport;

typedef struct MachoTrie MachoTrie;

/* The trie of n exports, in any order; of equal names the first in the array is kept. The array and the names stay in
 * use: the addresses in it may change until the trie is written. */
MachoTrie *macho_trie_create(Arena *arena, const MachoExport *exports, u32 n);
/* Bytes of the trie with the addresses as they are now, a multiple of 8; 0 without exports. Fixes where the nodes stand. */
u64 macho_trie_size(MachoTrie *t);
/* Writes what macho_trie_size() measured; no address changed since. */
void macho_trie_write(const MachoTrie *t, u8 *out);

#endif
