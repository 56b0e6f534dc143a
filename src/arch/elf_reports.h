/* elf_reports.h: what scan() and apply() of all CPUs say alike about edges of ELF's kinds. Thread safe: `tid` is the caller's. Edge e
 * is one of atom a. */
#ifndef WELD_ARCH_ELF_REPORTS_H
#define WELD_ARCH_ELF_REPORTS_H

#include "core/link.h"
#include "core/scan.h"

/* It can't be had in this kind of output: compile in another way. */
void report_recompile(Link *l, unsigned tid, AtomId a, const Edge *e);
/* Local exec TLS where the distance from the thread pointer is known only at run time. */
void report_tls_le(Link *l, unsigned tid, AtomId a, const Edge *e);
/* Its kind says what the instructions around it are, and they are others. */
void report_sequence(Link *l, unsigned tid, AtomId a, const Edge *e);
/* It leads to a group that lost to another file. */
void report_discarded(Link *l, unsigned tid, AtomId a, const Edge *e);
/* A dynamic relocation in a read-only section: an error, a warning or nothing, as the options say. */
void report_textrel(Link *l, unsigned tid, AtomId a, const Edge *e, ScanThread *t);
/* An imported symbol whose address code takes without asking the dynamic linker: it gets an address in this executable (psABI,
 * "Function Addresses"; copy relocations). Returns the NEED_* bits for that; 0 after a report: it can't. */
u8 needs_of_address(Link *l, unsigned tid, AtomId a, const Edge *e);
/* The value does not fit the field. */
void report_range(Link *l, unsigned tid, AtomId a, const Edge *e, u64 v, i64 lo, u64 hi);
/* Apply came to another decision than scan: an instruction that two relocations want, say. */
void report_no_slot(Link *l, unsigned tid, AtomId a, const Edge *e);
/* Its kind means something to the loader only, and stands where that does not come. */
void report_unloaded(Link *l, unsigned tid, AtomId a, const Edge *e);

#endif
