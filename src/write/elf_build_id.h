/* elf_build_id.h: .note.gnu.build-id (--build-id). The id is a digest over digests of the output's
 * ranges, so that threads hash what they have just composed. */
#ifndef WELD_WRITE_ELF_BUILD_ID_H
#define WELD_WRITE_ELF_BUILD_ID_H

#include "core/link.h"

typedef struct BuildIdHash BuildIdHash; /* a digest in progress */

/* Sizes SYN_BUILD_ID and makes its bytes; an id that is a hash is zero until it is known. */
void build_id_prepare(Link *l);
/* Bytes of a digest of opt->build_id; 0 when the id does not depend on the output's content. */
u32 build_id_digest_size(const Link *l);
/* For the use of one thread. In the link arena: serial code only. */
BuildIdHash *build_id_hash_create(Link *l);
void build_id_begin(BuildIdHash *h);
void build_id_update(BuildIdHash *h, const void *p, u64 len);
/* Writes build_id_digest_size() bytes. */
void build_id_end(BuildIdHash *h, u8 *out);
/* Digest of all of p: the same as begin, update, end. */
void build_id_once(BuildIdHash *h, const void *p, u64 len, u8 *out);
/* Where the id itself is, inside the note: output section and offset. False when the output has none. After layout. */
bool build_id_find(const Link *l, u32 *osec, u64 *offset);

#endif
