/* go_elf.h: a Go program as ELF: what differs from the ELF of C programs. write/elf.c does the rest. */
#ifndef WELD_WRITE_GO_ELF_H
#define WELD_WRITE_GO_ELF_H

#include "core/link.h"

/* Of the Format row. */
void go_elf_output_section(const Link *l, Osec *o);
u64 go_elf_plan_segments(Link *l);
void go_elf_finish_segments(Link *l);
/* Section names, and .symtab unless options strip it. Before layout_assign(). */
void go_elf_prepare(Link *l);
bool go_elf_write(Link *l);

#endif
