/* emulate.h: which emulation a link is for. */
#ifndef WELD_EMULATE_H
#define WELD_EMULATE_H

#include "core/options.h"
#include "script/emulation.h"

/* What -m names; else what the first object or shared library among the inputs is for; else the default. Never NULL. */
const Emulation *emulate_pick(const Options *o);

/* DriverHooks.script. */
const char *emulate_script(Arena *a, const Options *o, bool *internal);

#endif
