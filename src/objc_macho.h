/* objc_macho.h: stubs of message sends. Compilers call _objc_msgSend$SELECTOR, which the linker makes: code that loads the selector and
 * goes on to _objc_msgSend. */
#ifndef WELD_OBJC_MACHO_H
#define WELD_OBJC_MACHO_H

#include "write/macho.h"

/* After resolve_symbols: such names that something refers to and nothing defines are weld's. */
void objc_define_stubs(MachoImage *m);
/* Between bind_scan and bind_allocate: makes the stubs, the selectors, and the pointers to these. Reports a missing _objc_msgSend. */
void objc_make_stubs(MachoImage *m);

#endif
