/* script_report.c: messages about scripts after they were parsed. The trap: expressions of options stand in no script: their `file` is
 * the option, which is no text of the link. */
#include <stdarg.h>
#include <stdio.h>

#include "core/link.h"
#include "util/excerpt.h"

void script_report(Link *l, DiagLevel level, ScriptPlace at, const char *fmt, ...) {
  va_list ap;
  va_start(ap, fmt);
  const ScriptText *text = NULL;
  for (u32 i = 0; i < l->script_texts.n && at.file && !text; i++)
    if (l->script_texts.at[i].name == at.file)
      text = &l->script_texts.at[i];
  Excerpt x;
  if (text && excerpt_at(&x, at.file, text->text, at.line, at.col)) {
    excerpt_vreport(l->diag, level, "script", &x, fmt, ap);
  } else {
    char fact[600];
    vsnprintf(fact, sizeof fact, fmt, ap);
    if (text)
      diag_report_at(l->diag, level, "script", at.line, at.file, at.line, at.col, "%s", fact);
    else if (at.file)
      diag_report(l->diag, level, "script", 0, "%s: %s", at.file, fact);
    else
      diag_report(l->diag, level, "script", 0, "%s", fact);
  }
  va_end(ap);
}
