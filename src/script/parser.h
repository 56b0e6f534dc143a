/* parser.h: what lex.c, parse.c, memory.c, sections.c, patterns.c, expr.c and version.c of this room share.
 * The trap: what a token is depends on where it stands. "a-b" is a difference in an expression and
 * a name in a list of files, so peek() takes the mode; a token that was peeked at in another mode
 * is cut again from its first byte. */
#ifndef WELD_SCRIPT_PARSER_H
#define WELD_SCRIPT_PARSER_H

#include "script/script.h"
#include "util/near.h"

typedef enum {
  LEX_EXPR,    /* symbols, numbers, operators */
  LEX_STMT,    /* names of symbols and output sections; no ':' in them; assignment operators */
  LEX_PATTERN, /* globs of files and sections; "archive:member" */
  LEX_FILE,    /* file names; '=' and ':' may stand in them */
  LEX_VERSION, /* version nodes, patterns; "::" may stand in them */
  LEX_CXX,     /* inside extern "C++": ( ) < > , & too */
} LexMode;

/* Words that mean something; W_NONE: any other. */
typedef enum {
  W_NONE,
#define LENGTH(n)
#define WORD(w) W_##w,
#include "script/words.def"
#undef WORD
#undef LENGTH
} Word;

typedef enum { TOK_EOF, TOK_NAME, TOK_QUOTED, TOK_NUMBER, TOK_PUNCT } TokKind;

/* A punctuator as one number: P1('{'), P2('<', '<'), P3('<', '<', '='). */
#define P1(a)       ((u32)(a))
#define P2(a, b)    ((u32)(a) | (u32)(b) << 8)
#define P3(a, b, c) ((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16)

/* A text being read; `up` is the one whose INCLUDE named it. */
typedef struct Source {
  const char *name;
  const u8 *p;
  u32 len;
  u32 pos;
  u32 line, line_start;
  u32 depth;
  struct Source *up;
} Source;

typedef struct {
  TokKind kind;
  Word word; /* of a NAME */
  bool same; /* it would be this token in every mode */
  u32 punct;
  u64 num;
  const u8 *p; /* NAME, NUMBER: as written; QUOTED: between the quotes. Not NUL-terminated. */
  u32 len;
  Source *src;
  u32 begin, end; /* in src, quotes included */
  u32 line, line_start;
} Tok;

typedef struct {
  Arena *a;
  Diag *d;
  Source *src;
  Tok tok;
  VEC(LayoutStmt) stmts; /* these become out->layout */
  VEC(LayoutPattern) patterns; /* of the output section that is being read */
  VEC(LayoutStmt) body;
  VEC(LayoutRegion) regions;
  VEC(LayoutPhdr) phdrs;
  VEC(LayoutNoCross) nocross;
  VEC(const char *) names; /* scratch: a list that is being read, a stack where lists nest */
  u32 insert_from;       /* the statement behind the last INSERT */
  bool sections;         /* SECTIONS stood there since the last INSERT */
  u32 overlays;          /* how many there were */
  u32 ncrossnames;       /* in all NOCROSSREFS */
  bool orders_outputs;   /* LayoutDesc.orders_outputs */
  bool long_numbers;     /* in a fill: a hex number may have any length, */
  Tok hex, too_long;     /* is this one, the last; and one of more than 64 bits */
  const Expr *hex_expr;
  bool have;             /* tok is the next token, cut in `mode` */
  LexMode mode;
  bool failed; /* a syntax error: every further token is EOF */
  bool bad;    /* something was reported */
  u32 depth;   /* of nested constructs */
  u32 includes;
  const char *code; /* of messages */
  Script *out;      /* NULL unless script_parse */
} Parser;

enum {
  MAX_NESTING = 200,
  MAX_EXPR_HEIGHT = 1000,
  MAX_INCLUDE_DEPTH = 10,
  MAX_INCLUDES = 1000,
  MAX_STMTS = 60000, /* Link.rules has 16 bits for each of these two; default layouts take some */
  MAX_PATTERNS = 65535,
  MAX_OVERLAY = 500, /* sections of one: below MAX_EXPR_HEIGHT */
  MAX_STRING = 1 << 20,
  MAX_NAMED = 4096, /* regions, program headers, names of NOCROSSREFS: they are looked for one by one */
  MAX_INSERTS = 1000,
};

/* lex.c */
void parser_init(Parser *p, Arena *a, Diag *d, const char *code);
/* Makes `text` the next thing read. False after a report (too large). */
bool parser_push(Parser *p, const char *name, Bytes text);
/* The next token, cut in a mode that may differ from the last look's. */
const Tok *peek_again(Parser *p, LexMode m);
static inline const Tok *peek(Parser *p, LexMode m) { return LIKELY(p->have && p->mode == m) ? &p->tok : peek_again(p, m); }
static inline Tok next(Parser *p, LexMode m) {
  Tok t = *peek(p, m);
  p->have = false;
  return t;
}
static inline bool tok_punct(const Tok *t, u32 punct) { return t->kind == TOK_PUNCT && t->punct == punct; }
/* Takes the next token when it is this punctuator. */
static inline bool accept(Parser *p, LexMode m, u32 punct) {
  if (!tok_punct(peek(p, m), punct))
    return false;
  p->have = false;
  return true;
}
/* The same of an unquoted word. */
static inline bool accept_word(Parser *p, LexMode m, Word word) {
  if (peek(p, m)->word != word)
    return false;
  p->have = false;
  return true;
}
/* The same, or a syntax error. */
bool expect(Parser *p, LexMode m, u32 punct);
bool tok_is(const Tok *t, const char *word);
/* A name, quoted or not, as a string in the arena; NULL after a syntax error that says "expected
 * `what`". */
const char *expect_name(Parser *p, LexMode m, const char *what);
const char *tok_str(Parser *p, const Tok *t);
/* The names from `base` on of Parser.names, which lose them, as a NULL-ended list. */
const char *const *names_take(Parser *p, u32 base);
/* Syntax error: reported once, then everything is EOF. */
void syntax_error(Parser *p, const Tok *at, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* An error after which parsing goes on. */
void report(Parser *p, const Tok *at, const char *fmt, ...) PRINTF_LIKE(3, 4);
void warn(Parser *p, const Tok *at, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* "expected WHAT, found 'x'" at the next token. */
void expected(Parser *p, LexMode m, const char *what);
/* Makes t, the token just taken (and at most peeked behind), the next one again. */
void unread(Parser *p, const Tok *t);
/* Bounds recursion: false after a syntax error. Pair with leave(). */
bool enter(Parser *p);
void leave(Parser *p);

/* expr.c; NULL after a syntax error */
const Expr *parse_expr(Parser *p);
/* ASSERT( expr, "message" ) and nothing behind it: a '*' there begins a pattern. */
const Expr *parse_assert(Parser *p);
/* ( expr ) */
const Expr *parse_paren_expr(Parser *p);
Expr *expr_make(Parser *p, const Tok *at, ExprOp op, const Expr *a, const Expr *b);
/* What follows '=' behind an output section, or stands in FILL( ). */
LayoutFill parse_fill(Parser *p);

/* version.c: the nodes up to EOF, or up to the '}' of VERSION { } */
void parse_version_nodes(Parser *p, VersionScript *out, bool in_braces);

/* sections.c: the contents of SECTIONS { } */
void parse_sections(Parser *p);
void add_stmt(Parser *p, const LayoutStmt *st);
/* patterns.c: FILE ( SECTIONS ) or FILE alone; t is its first token, taken. To Parser.patterns. */
void parse_input(Parser *p, const Tok *t, bool keep);
/* An assignment or ASSERT that starts with the token `t`, just taken: SYM op= expr; PROVIDE(...),
 * HIDDEN(...), PROVIDE_HIDDEN(...), ASSERT(...). False (nothing more taken) when it is none. */
bool parse_assignment(Parser *p, const Tok *t, LexMode m, LayoutStmt *st);

/* parse.c; the word was just taken */
void parse_include(Parser *p);
void parse_entry(Parser *p);

/* memory.c; the word was just taken */
void parse_memory(Parser *p);
void parse_region_alias(Parser *p);
void parse_phdrs(Parser *p);
void parse_nocross(Parser *p, const Tok *word, bool to_first);
/* Copies the n names. */
void add_nocross(Parser *p, const Tok *at, const char *const *names, u32 n, bool to_first);

/* A row of format/elf_names.def. */
typedef struct {
  const char *kind, *name;
  u64 number;
} ElfName;
/* The row that the token names, PREFIX_NAME; NULL: none. */
const ElfName *elf_name(const char *prefix, const Tok *t);
/* "; did you mean 'PREFIX_NAME'?", or "". */
const char *elf_name_near(Parser *p, const char *prefix, const Tok *t);
/* The same for what near_try() found. */
const char *near_hint(Parser *p, const Near *n);

#endif
