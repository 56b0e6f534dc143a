/* report_uses.c: reports on standard output about who defines and who uses names: --trace,
 * --trace-symbol, --print-dependencies. The trap: they are looked at by scripts, so the order is the
 * command line's and the names are those of the files, not demangled. */
#include <stdio.h>

#include "core/report.h"
#include "core/resolve.h"

enum { REC_BATCH = 128 };

static void trace_symbol(const Link *l, const char *name) {
  u32 sym = sym_find(l, name, strlen(name)).i;
  SymRec rec[REC_BATCH];
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    if (!file->live || !file->globals || !file->fmt)
      continue;
    for (u32 i = file->first_global, n; (n = l->format->symbols(l, (FileId){f}, i, rec, REC_BATCH)); i += n)
      for (u32 k = 0; k < n; k++)
        if (file->globals[rec[k].index - file->first_global] == sym)
          printf("trace-symbol: %s: %s %s\n", file_name(l, (FileId){f}),
                 rec[k].rank == RANK_NONE     ? "reference to"
                 : rec[k].rank == RANK_COMMON ? "common definition of"
                                              : "definition of",
                 name);
  }
}

void report_trace(const Link *l) {
  for (u32 f = 1; l->opt->trace && f < l->files.n; f++)
    if (l->files.at[f].live)
      printf("%s\n", file_name(l, (FileId){f}));
  for (u32 i = 0; i < l->opt->trace_symbols.n; i++)
    trace_symbol(l, l->opt->trace_symbols.at[i]);
}

void report_dependencies(const Link *l) {
  SymRec rec[REC_BATCH];
  if (!l->opt->print_dependencies)
    return;
  printf("# user, definer, u (reference) or w (weak reference), symbol; separated by tabs\n");
  for (u32 f = 1; f < l->files.n; f++) {
    const File *file = &l->files.at[f];
    if (!file->live || !file->fmt || file->kind != FILE_OBJECT)
      continue;
    for (u32 i = file->first_global, n; (n = l->format->symbols(l, (FileId){f}, i, rec, REC_BATCH)); i += n)
      for (u32 k = 0; k < n; k++) {
        u32 sym = file->globals[rec[k].index - file->first_global];
        if (rec[k].rank != RANK_NONE || sym == UINT32_MAX || l->syms.flags[sym] & SF_UNDEFINED)
          continue;
        printf("%s\t%s\t%c\t%s\n", file_name(l, (FileId){f}), file_name(l, (FileId){key_file(l->syms.key[sym])}),
               rec[k].flags & SF_WEAK ? 'w' : 'u', l->format->sym_name(l, (FileId){f}, rec[k].index));
      }
  }
}
