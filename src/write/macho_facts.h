/* macho_facts.h: numbers of Mach-O's __LINKEDIT (<mach-o/loader.h>). */
#ifndef WELD_WRITE_MACHO_FACTS_H
#define WELD_WRITE_MACHO_FACTS_H
#include "util/base.h"
enum {
  EXPORT_SYMBOL_FLAGS_REEXPORT = 0x08,
  EXPORT_SYMBOL_FLAGS_STUB_AND_RESOLVER = 0x10,
};
#endif
