/* relocatable.c: the layout of relocatable output when no script gives one: every section joins those of its name. Only common
 * symbols that get room (-d) need to be told where. */
#include "script/default.h"

#define BSS(n, s)                                                                                                                  \
  {.kind = LAYOUT_OUTPUT, .name = n, .npatterns = 2, .patterns = (const LayoutPattern[]){{.section = n}, {.section = s}, {0}}}

static const LayoutStmt stmts[] = {
    BSS(".tbss", ".tcommon"),
    BSS(".bss", "COMMON"),
    BSS(".lbss", "LARGE_COMMON"),
};

const LayoutDesc layout_relocatable = {.name = "relocatable", .stmts = stmts, .nstmts = COUNT_OF(stmts)};
