/* inputs_go.h: opens the objects and packages of a Go program. */
#ifndef WELD_INPUTS_GO_H
#define WELD_INPUTS_GO_H

#include "core/link.h"

/* Fills Link.files with what the command line names and, through -L directories, what that imports; each file's head was read.
 * Checks that all are for one system and CPU, which *os and *arch get. *first_revision: the first file has no version byte.
 * False when nothing could be read; reports. */
bool go_inputs_load(Link *l, const char **os, const char **arch, bool *first_revision);

#endif
