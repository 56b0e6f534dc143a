/* inputs_macho.h: opens what the command line of Apple's linker names, and what libraries and objects name in turn. */
#ifndef WELD_INPUTS_MACHO_H
#define WELD_INPUTS_MACHO_H

#include "core/link.h"

typedef struct MachoInputs MachoInputs;

/* Fills Link.files in command-line order: objects and members are not opened by the format yet; dynamic libraries are
 * whole (File.fmt is a MachoShared): re-exports were followed. Needs Link.arch. Reports what can't be found or read.
 * inputs_macho_end() frees the result. */
MachoInputs *inputs_macho_load(Link *l);
/* After resolve_open() and after resolve_names(): adds and opens the libraries that objects ask for (LC_LINKER_OPTION), and those that
 * these ask for; members of archives count when they are loaded. True when there are new files. Those that are not found are only
 * remembered. */
bool inputs_macho_auto_link(MachoInputs *m);
/* A warning for each that was not found: for links with undefined symbols, whose reason it may be. */
void inputs_macho_report_missing(MachoInputs *m);
/* Writes the file of -dependency_info, if one was asked for: at the end of a link that went well. */
void inputs_macho_write_dependencies(MachoInputs *m);
void inputs_macho_end(MachoInputs *m);

#endif
