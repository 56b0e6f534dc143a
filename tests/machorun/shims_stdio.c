/* shims_stdio.c: stdio over the host's. A program's FILE is a record whose first fields have macOS's layout, with
 * empty buffers, so that the inline getc and putc of its headers always call __srget and __swbuf.
 * The trap: that record and the host's stream must agree on who buffers; only the host does. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#include "shims.h"

typedef struct {
  u8 *p;
  int r, w;
  i16 flags, file;
  void *buffer;
  int buffer_size, pad;
  int line_buffer_size;
  FILE *host;
  u64 rest[16];
} MacFile;

static MacFile mac_stdin, mac_stdout, mac_stderr;
static MacFile *mac_stdinp = &mac_stdin, *mac_stdoutp = &mac_stdout, *mac_stderrp = &mac_stderr;

static FILE *host_of(MacFile *f) {
  if (!f->host)
    f->host = f == &mac_stdin ? stdin : f == &mac_stdout ? stdout : f == &mac_stderr ? stderr : NULL;
  if (!f->host)
    fail(NULL, "a FILE is used that is not open");
  return f->host;
}

static MacFile *wrap(FILE *host) {
  if (!host)
    return NULL;
  MacFile *f = get_memory(1, sizeof *f);
  f->host = host;
  f->file = (i16)fileno(host);
  return f;
}

static MacFile *mac_fopen(const char *path, const char *mode) { return wrap(fopen(path, mode)); }
static MacFile *mac_fdopen(int fd, const char *mode) { return wrap(fdopen(fd, mode)); }
static MacFile *mac_tmpfile(void) { return wrap(tmpfile()); }
static MacFile *mac_popen(const char *command, const char *mode) { return wrap(popen(command, mode)); }
static MacFile *mac_freopen(const char *path, const char *mode, MacFile *f) {
  FILE *host = freopen(path, mode, host_of(f));
  if (!host)
    return NULL;
  f->host = host;
  return f;
}
static int mac_fclose(MacFile *f) {
  int r = fclose(host_of(f));
  f->host = NULL;
  if (f != &mac_stdin && f != &mac_stdout && f != &mac_stderr)
    free(f);
  return r;
}
static int mac_pclose(MacFile *f) {
  int r = pclose(host_of(f));
  free(f);
  return r;
}
static int mac_fflush(MacFile *f) { return fflush(f ? host_of(f) : NULL); }
static size_t mac_fread(void *p, size_t size, size_t n, MacFile *f) { return fread(p, size, n, host_of(f)); }
static size_t mac_fwrite(const void *p, size_t size, size_t n, MacFile *f) { return fwrite(p, size, n, host_of(f)); }
static int mac_getc(MacFile *f) { return getc(host_of(f)); }
static int mac_srget(MacFile *f) {
  f->r = 0;
  return getc(host_of(f));
}
static int mac_swbuf(int c, MacFile *f) {
  f->w = 0;
  return putc(c, host_of(f));
}
static int mac_getchar(void) { return getchar(); }
static int mac_putchar(int c) { return putchar(c); }
static char *mac_fgets(char *p, int n, MacFile *f) { return fgets(p, n, host_of(f)); }
static int mac_putc(int c, MacFile *f) { return putc(c, host_of(f)); }
static int mac_fputs(const char *s, MacFile *f) { return fputs(s, host_of(f)); }
static int mac_ungetc(int c, MacFile *f) { return ungetc(c, host_of(f)); }
static int mac_fseek(MacFile *f, long off, int whence) { return fseek(host_of(f), off, whence); }
static long mac_ftell(MacFile *f) { return ftell(host_of(f)); }
static int mac_fgetpos(MacFile *f, i64 *pos) { return (*pos = ftell(host_of(f))) < 0 ? -1 : 0; }
static int mac_fsetpos(MacFile *f, const i64 *pos) { return fseek(host_of(f), *pos, SEEK_SET); }
static void mac_rewind(MacFile *f) { rewind(host_of(f)); }
static int mac_feof(MacFile *f) { return feof(host_of(f)); }
static int mac_ferror(MacFile *f) { return ferror(host_of(f)); }
static void mac_clearerr(MacFile *f) { clearerr(host_of(f)); }
static int mac_fileno(MacFile *f) { return fileno(host_of(f)); }
static int mac_setvbuf(MacFile *f, char *p, int mode, size_t size) { return setvbuf(host_of(f), p, mode, size); }
static void mac_setbuf(MacFile *f, char *p) { setbuf(host_of(f), p); }
static void mac_flockfile(MacFile *f) { flockfile(host_of(f)); }
static void mac_funlockfile(MacFile *f) { funlockfile(host_of(f)); }
static ssize_t mac_getline(char **line, size_t *n, MacFile *f) { return getline(line, n, host_of(f)); }
static ssize_t mac_getdelim(char **line, size_t *n, int c, MacFile *f) { return getdelim(line, n, c, host_of(f)); }

/* Jumped to from asm_*.S. */
int mac_vprintf(const char *format, MacList list);
int mac_vfprintf(MacFile *f, const char *format, MacList list);
int mac_vsprintf(char *out, const char *format, MacList list);
int mac_vsnprintf(char *out, size_t size, const char *format, MacList list);
int mac_vasprintf(char **out, const char *format, MacList list);
int mac_vdprintf(int fd, const char *format, MacList list);
int mac_vsprintf_chk(char *out, int flag, size_t size, const char *format, MacList list);
int mac_vsnprintf_chk(char *out, size_t size, int flag, size_t real, const char *format, MacList list);
int mac_vscanf(const char *format, MacList list);
int mac_vfscanf(MacFile *f, const char *format, MacList list);
int mac_vsscanf(const char *s, const char *format, MacList list);
int mac_vswprintf(wchar_t *out, size_t size, const wchar_t *format, MacList list);
int mac_vsnprintf_l(char *out, size_t size, void *locale, const char *format, MacList list);
int mac_vasprintf_l(char **out, void *locale, const char *format, MacList list);
int mac_vsscanf_l(const char *s, void *locale, const char *format, MacList list);

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#define ADAPT(format)                                                                                                  \
  char buffer[1024];                                                                                                   \
  LIST_OPEN(ap, list);                                                                                                 \
  format = format_adapt(format, buffer)

int mac_vprintf(const char *format, MacList list) {
  ADAPT(format);
  return vprintf(format, ap);
}
int mac_vfprintf(MacFile *f, const char *format, MacList list) {
  ADAPT(format);
  return vfprintf(host_of(f), format, ap);
}
int mac_vsprintf(char *out, const char *format, MacList list) {
  ADAPT(format);
  return vsprintf(out, format, ap);
}
int mac_vsnprintf(char *out, size_t size, const char *format, MacList list) {
  ADAPT(format);
  return vsnprintf(out, size, format, ap);
}
int mac_vasprintf(char **out, const char *format, MacList list) {
  ADAPT(format);
  return vasprintf(out, format, ap);
}
int mac_vdprintf(int fd, const char *format, MacList list) {
  ADAPT(format);
  return vdprintf(fd, format, ap);
}
int mac_vsprintf_chk(char *out, int flag, size_t size, const char *format, MacList list) {
  (void)flag;
  int n = mac_vsnprintf(out, size, format, list);
  if (n >= 0 && (size_t)n >= size)
    fail(NULL, "sprintf writes past the end of its buffer");
  return n;
}
int mac_vsnprintf_chk(char *out, size_t size, int flag, size_t real, const char *format, MacList list) {
  (void)flag;
  if (size > real)
    fail(NULL, "snprintf may write past the end of its buffer");
  return mac_vsnprintf(out, size, format, list);
}
int mac_vscanf(const char *format, MacList list) {
  ADAPT(format);
  return vscanf(format, ap);
}
int mac_vfscanf(MacFile *f, const char *format, MacList list) {
  ADAPT(format);
  return vfscanf(host_of(f), format, ap);
}
int mac_vsscanf(const char *s, const char *format, MacList list) {
  ADAPT(format);
  return vsscanf(s, format, ap);
}
int mac_vswprintf(wchar_t *out, size_t size, const wchar_t *format, MacList list) {
  LIST_OPEN(ap, list);
  return vswprintf(out, size, format, ap);
}
/* There is one locale here, "C". */
int mac_vsnprintf_l(char *out, size_t size, void *locale, const char *format, MacList list) {
  (void)locale;
  return mac_vsnprintf(out, size, format, list);
}
int mac_vasprintf_l(char **out, void *locale, const char *format, MacList list) {
  (void)locale;
  return mac_vasprintf(out, format, list);
}
int mac_vsscanf_l(const char *s, void *locale, const char *format, MacList list) {
  (void)locale;
  return mac_vsscanf(s, format, list);
}

void shim_printf(void), shim_fprintf(void), shim_sprintf(void), shim_snprintf(void), shim_asprintf(void),
    shim_dprintf(void), shim_sprintf_chk(void), shim_snprintf_chk(void), shim_scanf(void), shim_fscanf(void),
    shim_sscanf(void), shim_swprintf(void), shim_snprintf_l(void), shim_asprintf_l(void), shim_sscanf_l(void);

const Shim shims_stdio[] = {
    {"___stdinp", (void *)&mac_stdinp}, {"___stdoutp", (void *)&mac_stdoutp}, {"___stderrp", (void *)&mac_stderrp},
    {"_fopen", (void *)mac_fopen}, {"_fdopen", (void *)mac_fdopen}, {"_freopen", (void *)mac_freopen},
    {"_tmpfile", (void *)mac_tmpfile}, {"_popen", (void *)mac_popen}, {"_pclose", (void *)mac_pclose},
    {"_fclose", (void *)mac_fclose}, {"_fflush", (void *)mac_fflush}, {"_fread", (void *)mac_fread},
    {"_fwrite", (void *)mac_fwrite}, {"_getc", (void *)mac_getc}, {"_fgetc", (void *)mac_getc},
    {"_getc_unlocked", (void *)mac_getc}, {"_getchar", (void *)mac_getchar}, {"___srget", (void *)mac_srget},
    {"___swbuf", (void *)mac_swbuf}, {"_fgets", (void *)mac_fgets}, {"_putc", (void *)mac_putc},
    {"_fputc", (void *)mac_putc}, {"_putchar", (void *)mac_putchar}, {"_fputs", (void *)mac_fputs},
    {"_ungetc", (void *)mac_ungetc}, {"_fseek", (void *)mac_fseek}, {"_fseeko", (void *)mac_fseek},
    {"_ftell", (void *)mac_ftell}, {"_ftello", (void *)mac_ftell}, {"_fgetpos", (void *)mac_fgetpos},
    {"_fsetpos", (void *)mac_fsetpos}, {"_rewind", (void *)mac_rewind}, {"_feof", (void *)mac_feof},
    {"_ferror", (void *)mac_ferror}, {"_clearerr", (void *)mac_clearerr}, {"_fileno", (void *)mac_fileno},
    {"_setvbuf", (void *)mac_setvbuf}, {"_setbuf", (void *)mac_setbuf}, {"_flockfile", (void *)mac_flockfile},
    {"_funlockfile", (void *)mac_funlockfile}, {"_getline", (void *)mac_getline},
    {"_getdelim", (void *)mac_getdelim},
    {"_printf", (void *)shim_printf}, {"_vprintf", (void *)mac_vprintf}, {"_fprintf", (void *)shim_fprintf},
    {"_vfprintf", (void *)mac_vfprintf}, {"_sprintf", (void *)shim_sprintf}, {"_vsprintf", (void *)mac_vsprintf},
    {"_snprintf", (void *)shim_snprintf}, {"_vsnprintf", (void *)mac_vsnprintf},
    {"_asprintf", (void *)shim_asprintf}, {"_vasprintf", (void *)mac_vasprintf}, {"_dprintf", (void *)shim_dprintf},
    {"_vdprintf", (void *)mac_vdprintf}, {"___sprintf_chk", (void *)shim_sprintf_chk},
    {"___vsprintf_chk", (void *)mac_vsprintf_chk}, {"___snprintf_chk", (void *)shim_snprintf_chk},
    {"___vsnprintf_chk", (void *)mac_vsnprintf_chk}, {"_scanf", (void *)shim_scanf},
    {"_vscanf", (void *)mac_vscanf}, {"_fscanf", (void *)shim_fscanf}, {"_vfscanf", (void *)mac_vfscanf},
    {"_sscanf", (void *)shim_sscanf}, {"_vsscanf", (void *)mac_vsscanf}, {"_swprintf", (void *)shim_swprintf},
    {"_vswprintf", (void *)mac_vswprintf}, {"_snprintf_l", (void *)shim_snprintf_l},
    {"_asprintf_l", (void *)shim_asprintf_l}, {"_sscanf_l", (void *)shim_sscanf_l},
    SAME(puts), SAME(perror), SAME(remove), SAME(rename),
    {0},
};
