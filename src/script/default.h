/* default.h: the layout of relocatable output, where no script gives one. */
#ifndef WELD_SCRIPT_DEFAULT_H
#define WELD_SCRIPT_DEFAULT_H

#include "core/layout.h"

extern const LayoutDesc layout_relocatable; /* of -r */

#endif
