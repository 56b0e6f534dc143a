/* default.h: the layouts that weld uses when no script gives one; one for each emulation (-m). */
#ifndef WELD_SCRIPT_DEFAULT_H
#define WELD_SCRIPT_DEFAULT_H

#include "core/layout.h"

extern const LayoutDesc layout_elf_x86_64;
extern const LayoutDesc layout_relocatable; /* of -r */

#endif
