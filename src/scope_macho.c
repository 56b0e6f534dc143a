/* scope_macho.c: see scope_macho.h.
 * The trap: a name that an option hides is private from here on, so a weak definition of it is one like any other; that
 * has to be known before anything asks what is imported. */
#include "scope_macho.h"

#include <stdlib.h>

#include "core/resolve.h"
#include "format/macho_object.h"
#include "util/glob.h"

static bool is_library(const MachoImage *m) { return m->filetype != MH_EXECUTE; }

static const char *header_name(const MachoImage *m) {
  return m->filetype == MH_EXECUTE ? "__mh_execute_header" : m->filetype == MH_DYLIB ? "__mh_dylib_header" : "__mh_bundle_header";
}

/* ---- names of weld's own ---- */

static bool is_pattern(const char *s) { return strpbrk(s, "*?[") != NULL; }

void scope_name(MachoImage *m) {
  Link *l = m->l;
  const Options *o = l->opt;
  const DarwinOptions *d = &o->darwin;
  if (m->filetype == MH_EXECUTE) {
    l->entry_name = o->entry ? o->entry : "_main";
    weld_name(l, l->entry_name, WELD_REF, NULL, false);
  }
  for (u32 i = 0; i < o->undefined.n; i++)
    weld_name(l, o->undefined.at[i], WELD_REF, NULL, false);
  for (u32 i = 0; i < d->exported.n; i++)
    if (!is_pattern(d->exported.at[i]))
      weld_name(l, d->exported.at[i], WELD_REF, NULL, false);
  for (u32 i = 0; i < d->aliases.n; i++) {
    Expr *e = ARENA_NEW(&l->arena, Expr);
    *e = (Expr){.op = EX_SYM, .name = d->aliases.at[i].text};
    weld_name(l, d->aliases.at[i].text, WELD_REF, NULL, false);
    weld_name(l, d->aliases.at[i].name, WELD_DEFINE, e, false);
  }
  for (u32 i = 0; i < d->dynamic_lookup.n; i++)
    weld_name(l, d->dynamic_lookup.at[i], WELD_MENTION, NULL, false);
  for (u32 i = 0; i < o->trace_symbols.n; i++)
    weld_name(l, o->trace_symbols.at[i], WELD_MENTION, NULL, false);
  weld_name(l, header_name(m), m->filetype == MH_EXECUTE ? WELD_DEFINE : WELD_PROVIDE, NULL, is_library(m));
  weld_name(l, "___dso_handle", WELD_PROVIDE, NULL, true);
  weld_name(l, "_objc_msgSend", WELD_MENTION, NULL, false);
  if (!d->chained_fixups)
    weld_name(l, "dyld_stub_binder", WELD_MENTION, NULL, false);
}

/* ---- ends of sections and segments ---- */

static bool is_end_name(const SymName *n) {
  static const char *const prefixes[] = {"section$start$", "section$end$", "segment$start$", "segment$end$"};
  for (u32 i = 0; i < COUNT_OF(prefixes); i++)
    if (n->len > strlen(prefixes[i]) && !memcmp(n->p, prefixes[i], strlen(prefixes[i])))
      return true;
  return false;
}

void define_weld_name(Link *l, u32 sym, bool hidden) {
  Symbols *s = &l->syms;
  u32 at = weld_name(l, arena_strndup(&l->arena, s->name[sym].p, s->name[sym].len), WELD_DEFINE, NULL, hidden);
  l->weld_names.at[at].sym = sym;
  l->weld_names.at[at].used = true;
  s->key[sym] = (u64)RANK_WELD << 56 | at;
  s->flags[sym] = (s->flags[sym] & ~((u32)SF_UNDEFINED | SF_WEAK)) | SF_SYNTHETIC | (hidden ? SF_HIDDEN : 0);
}

void scope_define(MachoImage *m) {
  Link *l = m->l;
  const Symbols *s = &l->syms;
  for (u32 i = 0; i < s->nglobal; i++) {
    if ((s->flags[i] & (SF_UNDEFINED | SF_REF)) != (SF_UNDEFINED | SF_REF) || s->name[i].p[0] != 's' || !is_end_name(&s->name[i]))
      continue;
    define_weld_name(l, i, true);
  }
}

static u64 section_end(const MachoImage *m, const char *which, bool end) {
  const Link *l = m->l;
  const char *dollar = strchr(which, '$');
  if (!dollar)
    return m->base;
  const char *name = arena_printf(&m->l->arena, "%.*s,%s", (int)(dollar - which), which, dollar + 1);
  for (u32 i = 1; i < l->osecs.n; i++)
    if (streq(l->osecs.at[i].name, name) && l->osecs.at[i].placed)
      return l->osecs.at[i].addr + (end ? l->osecs.at[i].size : 0);
  return m->base; /* no such section: begin and end are one */
}

static u64 segment_end(const MachoImage *m, const char *name, bool end) {
  for (u32 i = 0; i < m->segments.n; i++)
    if (streq(m->segments.at[i].name, name))
      return m->segments.at[i].addr + (end ? m->segments.at[i].size : 0);
  return m->base;
}

static u64 value_of(const MachoImage *m, const char *name) {
  bool end = strstr(name, "$end$");
  const char *rest = name + strlen(end ? "section$end$" : "section$start$");
  if (starts_with(name, "section$"))
    return section_end(m, rest, end);
  return starts_with(name, "segment$") ? segment_end(m, rest, end) : m->base;
}

void scope_values(MachoImage *m) {
  Link *l = m->l;
  for (u32 i = 0; i < l->weld_names.n; i++) {
    const WeldName *w = &l->weld_names.at[i];
    if (w->used && !w->expr && w->kind != WELD_REF && w->kind != WELD_MENTION && !l->syms.atom[w->sym])
      l->syms.value[w->sym] = value_of(m, w->name);
  }
}

/* ---- exports ---- */

static bool matches(const StrVec *patterns, const SymName *n) {
  for (u32 i = 0; i < patterns->n; i++)
    if (glob_match(patterns->at[i], n->p, n->len))
      return true;
  return false;
}

/* A weak definition of which nobody takes the address, as all objects agree, is this image's own business. */
static void hide_what_can_be(Link *l) {
  u8 *seen = pages_alloc(l->syms.nglobal + 1ull);
  enum { CAN = 1, MUST_NOT = 2 };
  SymRec rec[64];
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    if (!file->live || file->kind != FILE_OBJECT || !file->fmt)
      continue;
    for (u32 i = file->first_global, n; (n = l->format->symbols(l, (FileId){f}, i, rec, COUNT_OF(rec))); i += n)
      for (u32 k = 0; k < n; k++) {
        u32 sym = file->globals[rec[k].index - file->first_global];
        const Nlist64 *r = macho_nlist(file->fmt, rec[k].index);
        if (sym != UINT32_MAX && r && rec[k].rank != RANK_NONE)
          seen[sym] |= macho_auto_hide(r) ? CAN : MUST_NOT;
      }
  }
  for (u32 i = 0; i < l->syms.nglobal; i++)
    if (seen[i] == CAN)
      l->syms.flags[i] |= SF_HIDDEN;
  pages_free(seen, l->syms.nglobal + 1ull);
}

static bool is_listed(const Link *l, u32 sym) {
  const DarwinOptions *d = &l->opt->darwin;
  const SymName *n = &l->syms.name[sym];
  if (d->explicit_exports && !matches(&d->exported, n))
    return false;
  return !d->unexported.n || !matches(&d->unexported, n);
}

static bool defined_here(u32 f) { return !(f & (SF_UNDEFINED | SF_SHARED)); }

/* Options that let a name open: it is looked up in all images. */
static bool may_be_open(const Link *l, u32 sym) {
  const DarwinOptions *d = &l->opt->darwin;
  if (d->undefined == UNDEFINED_DYNAMIC_LOOKUP || d->undefined == UNDEFINED_SUPPRESS)
    return true;
  return d->dynamic_lookup.n && matches(&d->dynamic_lookup, &l->syms.name[sym]);
}

static u32 scope_of(const MachoImage *m, u32 sym, u32 f) {
  const Link *l = m->l;
  if (f & SF_SHARED)
    return f | SF_IMPORTED;
  if (f & SF_UNDEFINED)
    return f & SF_REF && may_be_open(l, sym) ? f | SF_IMPORTED : f;
  if (!(f & SF_HIDDEN) && !is_listed(l, sym))
    f |= SF_HIDDEN;
  if (f & SF_HIDDEN)
    return f;
  if (f & SF_WEAK && l->syms.atom[sym])
    f |= SF_IMPORTED; /* another image's may be chosen */
  if (is_library(m) || l->opt->export_dynamic)
    f |= SF_EXPORTED;
  return f;
}

/* Only names that some object, or weld, has a hand in. */
static bool counts(const Link *l, u32 sym) {
  u64 key = l->syms.key[sym];
  return l->syms.flags[sym] & SF_REF || key_rank(key) == RANK_WELD || l->syms.flags[sym] & SF_SHARED;
}

void scope_symbols(MachoImage *m) {
  Link *l = m->l;
  hide_what_can_be(l);
  for (u32 i = 0; i < l->syms.nglobal; i++)
    if (counts(l, i))
      l->syms.flags[i] = scope_of(m, i, l->syms.flags[i]);
}

static void report_missing_names(const Link *l) {
  for (u32 i = 0; i < l->weld_names.n; i++) {
    const WeldName *w = &l->weld_names.at[i];
    u32 f = l->syms.flags[w->sym];
    if (w->kind != WELD_REF || (f & (SF_UNDEFINED | SF_IMPORTED)) != SF_UNDEFINED)
      continue;
    bool entry = l->entry_name && streq(w->name, l->entry_name);
    diag_report(l->diag, l->opt->warn_unresolved ? DIAG_WARNING : DIAG_ERROR, "undefined-symbol", i, "undefined symbol: %s (%s)",
                diag_name(l->diag, w->name), entry ? "the entry point" : "named by an option");
  }
}

void scope_finish(MachoImage *m) {
  Link *l = m->l;
  report_missing_names(l);
  for (u32 i = 0; i < l->syms.nglobal; i++) {
    u32 f = l->syms.flags[i];
    if (defined_here(f) && !(f & (SF_HIDDEN | SF_DISCARDED)) && counts(l, i))
      l->syms.flags[i] |= SF_EXPORTED;
    else if (f & SF_UNDEFINED && f & SF_REF && l->opt->darwin.undefined == UNDEFINED_WARNING)
      l->syms.flags[i] |= SF_IMPORTED;
  }
}
