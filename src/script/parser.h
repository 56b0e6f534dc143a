/* parser.h: what lex.c, parse.c, sections.c, expr.c and version.c of this room share.
 * The trap: what a token is depends on where it stands. "a-b" is a difference in an expression and
 * a name in a list of files, so peek() takes the mode; a token that was peeked at in another mode
 * is cut again from its first byte. */
#ifndef WELD_SCRIPT_PARSER_H
#define WELD_SCRIPT_PARSER_H

#include "script/script.h"

typedef enum {
  LEX_EXPR,    /* symbols, numbers, operators */
  LEX_STMT,    /* names of symbols and output sections; no ':' in them; assignment operators */
  LEX_PATTERN, /* globs of files and sections; "archive:member" */
  LEX_FILE,    /* file names; '=' and ':' may stand in them */
  LEX_VERSION, /* version nodes, patterns; "::" may stand in them */
  LEX_CXX,     /* inside extern "C++": ( ) < > , & too */
} LexMode;

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
  VEC(LayoutRegion) regions;
  VEC(LayoutPhdr) phdrs;
  bool orders_outputs;
  bool have;             /* tok is the next token, cut in `mode` */
  LexMode mode;
  bool failed; /* a syntax error: every further token is EOF */
  bool bad;    /* something was reported */
  u32 depth;   /* of nested constructs */
  u32 includes;
  const char *code; /* of messages */
  Script *out;      /* NULL unless script_parse */
} Parser;

enum { MAX_NESTING = 200, MAX_EXPR_HEIGHT = 1000, MAX_INCLUDE_DEPTH = 10, MAX_INCLUDES = 1000 };

/* lex.c */
void parser_init(Parser *p, Arena *a, Diag *d, const char *code);
/* Makes `text` the next thing read. False after a report (too large). */
bool parser_push(Parser *p, const char *name, Bytes text);
const Tok *peek(Parser *p, LexMode m);
Tok next(Parser *p, LexMode m);
/* Takes the next token when it is this punctuator. */
bool accept(Parser *p, LexMode m, u32 punct);
/* The same, or a syntax error. */
bool expect(Parser *p, LexMode m, u32 punct);
/* Takes the next token when it is this unquoted word. */
bool accept_word(Parser *p, LexMode m, const char *word);
bool tok_is(const Tok *t, const char *word);
bool tok_punct(const Tok *t, u32 punct);
/* A name, quoted or not, as a string in the arena; NULL after a syntax error that says "expected
 * `what`". */
const char *expect_name(Parser *p, LexMode m, const char *what);
const char *tok_str(Parser *p, const Tok *t);
/* Syntax error: reported once, then everything is EOF. */
void syntax_error(Parser *p, const Tok *at, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* An error after which parsing goes on. */
void report(Parser *p, const Tok *at, const char *fmt, ...) PRINTF_LIKE(3, 4);
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
/* An assignment or ASSERT that starts with the token `t`, just taken: SYM op= expr; PROVIDE(...),
 * HIDDEN(...), PROVIDE_HIDDEN(...), ASSERT(...). False (nothing more taken) when it is none. */
bool parse_assignment(Parser *p, const Tok *t, LexMode m, LayoutStmt *st);

/* parse.c; the word was just taken */
void parse_include(Parser *p);
void parse_entry(Parser *p);
/* "X is not supported yet", at t. */
void unsupported(Parser *p, const Tok *t, const char *what);

#endif
