/* elf_reports.c: see elf_reports.h. The trap: which of two threads reports first is chance, so each message says where it belongs. */
#include "arch/elf_reports.h"

#include <stdarg.h>
#include <stdio.h>

static const char *target_name(const Link *l, const Edge *e) {
  const char *name = sym_name(l, e->target);
  if (!name || !*name)
    return e->flags & SF_SECTION ? "a section symbol" : "a local symbol";
  return diag_name(l->diag, name);
}

static u64 order_at(const Link *l, AtomId a, const Edge *e) { return (u64)l->atoms.at[a.i].file << 32 | (u32)e->offset; }

static const char *output_kind(const Link *l) {
  return l->opt->kind == OUTPUT_SHARED ? "a shared object" : l->is_pic ? "a PIE object" : "an executable";
}

void report_recompile(Link *l, unsigned tid, AtomId a, const Edge *e) {
  diag_report(l->diag, DIAG_ERROR, "relocation", order_at(l, a, e),
              "%s: relocation %s against symbol `%s' can not be used when making %s; recompile with %s", place_of(l, tid, a, e->offset),
              l->arch->edge_name(e->kind), target_name(l, e), output_kind(l),
              l->opt->kind == OUTPUT_SHARED ? "-fPIC" : l->is_pic ? "-fPIC or -fPIE" : "-fPIE or -fPIC");
}

void report_tls_le(Link *l, unsigned tid, AtomId a, const Edge *e) {
  diag_report(l->diag, DIAG_ERROR, "relocation", order_at(l, a, e),
              "%s: relocation %s against `%s` can not be used when making %s%s; recompile with -fPIC", place_of(l, tid, a, e->offset),
              l->arch->edge_name(e->kind), target_name(l, e), output_kind(l),
              l->opt->kind == OUTPUT_SHARED ? "" : ", since a shared library defines it");
}

void report_sequence(Link *l, unsigned tid, AtomId a, const Edge *e) {
  diag_report(l->diag, DIAG_ERROR, "relocation", order_at(l, a, e), "%s: relocation %s against `%s' stands in an unexpected instruction",
              place_of(l, tid, a, e->offset), l->arch->edge_name(e->kind), target_name(l, e));
}

/* References from code: one-definition slips, or a bad compiler. Tables that describe code may name what is gone. */
void report_discarded(Link *l, unsigned tid, AtomId a, const Edge *e) {
  const char *name = l->format->atom_name(l, a);
  if (starts_with(name, ".gcc_except_table") || starts_with(name, ".eh_frame") || starts_with(name, ".stab"))
    return;
  diag_report(l->diag, DIAG_ERROR, "discarded-section", order_at(l, a, e), "%s: relocation %s refers to a symbol in a discarded section: %s",
              place_of(l, tid, a, e->offset), l->arch->edge_name(e->kind), target_name(l, e));
}

void report_textrel(Link *l, unsigned tid, AtomId a, const Edge *e, ScanThread *t) {
  const Options *o = l->opt;
  bool shared = o->kind == OUTPUT_SHARED;
  const char *section = l->format->atom_name(l, a);
  if (o->z_text == OPT_YES) {
    diag_report(l->diag, DIAG_ERROR, "text-relocation", order_at(l, a, e),
                "%s: relocation %s against symbol `%s' in read-only section `%s' can not be used when making %s; recompile with %s, or pass "
                "-z notext to allow text relocations",
                place_of(l, tid, a, e->offset), l->arch->edge_name(e->kind), target_name(l, e), section, output_kind(l),
                shared ? "-fPIC" : "-fPIC or -fPIE");
    return;
  }
  /* As GNU ld, warns unless -z notext says that they are meant. */
  if (o->z_text == OPT_AUTO || o->warn_textrel || (o->warn_shared_textrel && shared))
    diag_report(l->diag, DIAG_WARNING, "text-relocation", order_at(l, a, e), "%s: relocation against symbol `%s' in read-only section `%s'",
                place_of(l, tid, a, e->offset), target_name(l, e), section);
  t->has_textrel = true;
}

__attribute__((format(printf, 5, 6))) static u8 no_copy(Link *l, unsigned tid, AtomId a, const Edge *e, const char *fmt, ...) {
  char text[512];
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  diag_report(l->diag, DIAG_ERROR, "copy-relocation", order_at(l, a, e), "%s: %s", place_of(l, tid, a, e->offset), text);
  return 0;
}

u8 needs_of_address(Link *l, unsigned tid, AtomId a, const Edge *e) {
  const char *name = target_name(l, e);
  if (e->flags & SF_FUNC) {
    if (!(e->flags & SF_PROTECTED) || !(e->flags & SF_SHARED))
      return NEED_CPLT | NEED_PLT;
    diag_report(l->diag, DIAG_ERROR, "protected-symbol", order_at(l, a, e),
                "%s: relocation %s takes the address of protected function `%s' of a shared library, which its library may know by another "
                "address; recompile with -fPIC",
                place_of(l, tid, a, e->offset), l->arch->edge_name(e->kind), name);
    return 0;
  }
  if (!(e->flags & SF_SHARED) || e->flags & SF_TLS)
    return no_copy(l, tid, a, e, "cannot create a copy relocation for %s; recompile with -fPIE or -fPIC", name);
  if (e->flags & SF_PROTECTED)
    return no_copy(l, tid, a, e, "cannot create a copy relocation for protected symbol '%s'; recompile with -fPIC", name);
  if (l->opt->z_nocopyreloc)
    return no_copy(l, tid, a, e, "-z nocopyreloc: cannot create a copy relocation for symbol '%s'; recompile with -fPIC", name);
  return NEED_COPY;
}

void report_range(Link *l, unsigned tid, AtomId a, const Edge *e, u64 v, i64 lo, u64 hi) {
  if (e->flags & SF_UNDEFINED)
    return; /* a weak symbol that nobody defines: the code that uses it does not run */
  diag_report(l->diag, DIAG_ERROR, "relocation-range", order_at(l, a, e),
              "%s: relocation %s against %s out of range: 0x%llx is not in [%lld, %llu]", place_of(l, tid, a, e->offset),
              l->arch->edge_name(e->kind), target_name(l, e), (unsigned long long)v, (long long)lo, (unsigned long long)hi);
}

void report_no_slot(Link *l, unsigned tid, AtomId a, const Edge *e) {
  diag_report(l->diag, DIAG_ERROR, "relocation", order_at(l, a, e), "%s: relocation %s against `%s' needs a slot that was not foreseen",
              place_of(l, tid, a, e->offset), l->arch->edge_name(e->kind), target_name(l, e));
}

void report_unloaded(Link *l, unsigned tid, AtomId a, const Edge *e) {
  diag_report(l->diag, DIAG_ERROR, "relocation", order_at(l, a, e), "%s: relocation %s has no meaning in a section that is not loaded",
              place_of(l, tid, a, e->offset), l->arch->edge_name(e->kind));
}
