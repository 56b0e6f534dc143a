/* macho_sign.h: the ad-hoc signature that the kernel of arm64 asks for (xnu's <kern/cs_blobs.h>, LC_CODE_SIGNATURE), with the mark
 * of a linker, and LC_UUID. A signature is hashes of the file's pages of 4096 bytes up to where the signature
 * begins. The trap: the load commands are among what is hashed, so they are final before their page is. */
#ifndef WELD_WRITE_MACHO_SIGN_H
#define WELD_WRITE_MACHO_SIGN_H

#include "util/base.h"

enum {
  MACHO_SIGNATURE_ALIGN = 16, /* of its place in the file */
  MACHO_SIGNATURE_PAGE = 4096,
  MACHO_UUID_SIZE = 16,
};

typedef struct {
  const char *identifier;  /* the output's name without folders */
  u64 code_limit;          /* offset of the signature in the file: what is hashed ends here */
  u64 text_off, text_size; /* of __TEXT in the file */
  bool main_binary;        /* MH_EXECUTE */
} MachoSignature;

/* Bytes of the signature: depends on identifier and code_limit only. */
u64 macho_signature_size(const MachoSignature *s);
/* All but the hashes. `out` has macho_signature_size() bytes. */
void macho_signature_begin(const MachoSignature *s, u8 *out);
/* Hashes the pages in `len` bytes of the file from `off` on, a multiple of MACHO_SIGNATURE_PAGE, and puts the hashes where
 * they belong in `out`, the whole signature. Only the last page may be partial, and ends at code_limit. Thread safe for
 * different pages. */
void macho_signature_hash(const MachoSignature *s, u8 *out, const u8 *bytes, u64 off, u64 len);

/* Makes 16 bytes of a hash a UUID of the kind that says "a hash" (RFC 9562, 5.8: version 8). */
void macho_uuid(u8 id[MACHO_UUID_SIZE]);

#endif
