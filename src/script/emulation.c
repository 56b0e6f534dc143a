/* emulation.c: the table of emulations. */
#include "script/emulation.h"

#define EMULATION(...) {__VA_ARGS__},
static const Emulation emulations[] = {
#include "script/emulation.def"
};
#undef EMULATION

const Emulation *emulation_named(const char *name) {
  for (u32 i = 0; i < COUNT_OF(emulations); i++)
    if (streq(emulations[i].name, name))
      return &emulations[i];
  return NULL;
}

const Emulation *emulation_of_format(const char *format) {
  for (u32 i = 0; i < COUNT_OF(emulations); i++)
    if (streq(emulations[i].format, format))
      return &emulations[i];
  return NULL;
}

const Emulation *emulation_of_object(Bytes elf) {
  if (elf.len < 20 || memcmp(elf.p, "\177ELF", 4))
    return NULL;
  u32 word = elf.p[4] == 2 ? 8 : 4, machine = rd16(elf.p + 18);
  for (u32 i = 0; i < COUNT_OF(emulations); i++)
    if (emulations[i].machine == machine && emulations[i].word == word)
      return &emulations[i];
  return NULL;
}

const Emulation *emulation_default(void) { return &emulations[0]; }
