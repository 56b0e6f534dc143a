/* shims.c: finds a name of libSystem in the tables, and the rows that the loader itself answers for: dyld's
 * functions, thread variables, the unwinder, setjmp. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "shims.h"

void list_open(void *host_list, MacList list) {
#ifdef __aarch64__
  /* Procedure Call Standard, appendix B: with both offsets 0, everything comes from the stack. */
  struct {
    void *stack, *gr_top, *vr_top;
    int gr_offs, vr_offs;
  } l = {list, NULL, NULL, 0, 0};
  memcpy(host_list, &l, sizeof l);
#else
  memcpy(host_list, list, sizeof(va_list));
#endif
}

const char *format_adapt(const char *format, char buffer[1024]) {
#ifdef __aarch64__
  u64 n = strlen(format);
  if (!strchr(format, 'L') || n >= 1024)
    return format;
  bool in = false;
  for (u64 i = 0; i <= n; i++) {
    buffer[i] = in && format[i] == 'L' ? 'l' : format[i];
    if (format[i] == '%')
      in = !in;
    else if (in && strchr("diouxXeEfFgGaAcspn", format[i]))
      in = false;
  }
  return buffer;
#else
  (void)buffer;
  return format;
#endif
}

/* dyld */

static _Noreturn void stub_bootstrap(void) { fail(NULL, "a thread variable was used before its image was set up"); }

static int get_executable_path(char *out, u32 *size) {
  u32 needs = (u32)strlen(program_path) + 1;
  bool fits = *size >= needs;
  if (fits)
    memcpy(out, program_path, needs);
  *size = needs;
  return fits ? 0 : -1;
}
static u32 dyld_image_count(void) { return image_count; }
static const char *dyld_image_name(u32 i) { return i < image_count ? images[i]->path : NULL; }
static const void *dyld_image_header(u32 i) { return i < image_count ? images[i]->memory : NULL; }
static i64 dyld_image_slide(u32 i) { return i < image_count ? images[i]->slide : 0; }
static char ***get_argv(void) { return &program_argv; }
static int *get_argc(void) { return &program_argc; }
static char ***get_environ(void) {
  extern char **environ;
  return &environ;
}

typedef struct {
  const char *path;
  void *base;
  const char *symbol;
  void *address;
} MacDlInfo;

static int mac_dladdr(const void *address, MacDlInfo *out) {
  Image *im = image_containing((u64)(uintptr_t)address);
  if (!im)
    return 0;
  *out = (MacDlInfo){.path = im->path, .base = im->memory};
  u64 vmaddr = (u64)(uintptr_t)address - (u64)im->slide, best = 0;
  for (u32 i = 0; i < im->export_count; i++)
    if (!(im->exports[i].flags & EXPORT_REEXPORT) && im->exports[i].vmaddr <= vmaddr && im->exports[i].vmaddr > best) {
      best = im->exports[i].vmaddr;
      out->symbol = im->exports[i].name + 1;
      out->address = (void *)(uintptr_t)(best + (u64)im->slide);
    }
  return 1;
}

/* A library that is opened stays: closing it is allowed to do nothing. A bad file ends the program, so that a test
 * sees why. */
static char dl_error[256];
static bool dl_failed;

static void *mac_dlopen(const char *path, int mode) {
  (void)mode;
  if (!path)
    return images[0];
  FILE *f = fopen(path, "rb");
  if (!f) {
    snprintf(dl_error, sizeof dl_error, "dlopen(%s): no such file", path);
    dl_failed = true;
    return NULL;
  }
  fclose(f);
  u32 first = image_count;
  Image *im = images_load(path);
  images_start(first);
  return im;
}

static void *mac_dlsym(void *handle, const char *name) {
  char full[512];
  bool weak;
  u64 a = 0;
  snprintf(full, sizeof full, "_%s", name);
  i64 special = (i64)(intptr_t)handle;
  if (special < 0 && special >= -5) /* RTLD_NEXT, RTLD_DEFAULT, RTLD_SELF, RTLD_MAIN_ONLY */
    for (u32 i = 0; i < image_count && !a; i++)
      a = exported_address(images[i], full, &weak);
  else
    a = exported_address(handle, full, &weak);
  if (!a) {
    snprintf(dl_error, sizeof dl_error, "dlsym(%p, %s): symbol not found", handle, name);
    dl_failed = true;
  }
  return (void *)(uintptr_t)a;
}

static char *mac_dlerror(void) {
  bool failed = dl_failed;
  dl_failed = false;
  return failed ? dl_error : NULL;
}

static int mac_dlclose(void *handle) {
  (void)handle;
  return 0;
}

/* setjmp: asm_*.S has kept the registers in the first part of the buffer. */
#ifdef __aarch64__
enum { JUMP_FLAG = 168, JUMP_MASK = 176 };
#else
enum { JUMP_FLAG = 72, JUMP_MASK = 80 };
#endif
int jump_mask_save(u8 *buffer, int keep);
_Noreturn void jump_registers(u8 *buffer, int value);

int jump_mask_save(u8 *buffer, int keep) {
  wr32(buffer + JUMP_FLAG, (u32)keep);
  if (keep) {
    sigset_t set;
    sigprocmask(SIG_SETMASK, NULL, &set);
    memcpy(buffer + JUMP_MASK, &set, 8);
  }
  return 0;
}

static _Noreturn void jump(u8 *buffer, int value) {
  if (rd32(buffer + JUMP_FLAG)) {
    sigset_t set;
    sigemptyset(&set);
    memcpy(&set, buffer + JUMP_MASK, 8);
    sigprocmask(SIG_SETMASK, &set, NULL);
  }
  jump_registers(buffer, value ? value : 1);
}

/* Defined in asm_*.S and unwind.c; here only their addresses matter. */
void shim_stub_binder(void), shim_setjmp(void), shim__setjmp(void), shim_sigsetjmp(void), shim_unwind_raise(void),
    shim_unwind_resume(void), shim_unwind_forced(void), shim_unwind_rethrow(void), shim_unwind_backtrace(void),
    unwind_get_gr(void), unwind_set_gr(void), unwind_get_ip(void), unwind_get_ip_info(void), unwind_set_ip(void),
    unwind_get_cfa(void), unwind_lsda(void), unwind_region_start(void), unwind_zero(void), unwind_delete(void),
    c_personality(void);
extern int __cxa_atexit(void (*)(void *), void *, void *);
extern int __cxa_thread_atexit_impl(void (*)(void *), void *, void *);

const Shim shims_loader[] = {
    {"dyld_stub_binder", (void *)shim_stub_binder},
    {"__tlv_bootstrap", (void *)stub_bootstrap},
    {"__tlv_atexit", (void *)__cxa_thread_atexit_impl},
    {"___cxa_atexit", (void *)__cxa_atexit},
    {"__NSGetExecutablePath", (void *)get_executable_path},
    {"__NSGetArgv", (void *)get_argv},
    {"__NSGetArgc", (void *)get_argc},
    {"__NSGetEnviron", (void *)get_environ},
    {"__dyld_image_count", (void *)dyld_image_count},
    {"__dyld_get_image_name", (void *)dyld_image_name},
    {"__dyld_get_image_header", (void *)dyld_image_header},
    {"__dyld_get_image_vmaddr_slide", (void *)dyld_image_slide},
    {"_dladdr", (void *)mac_dladdr},
    {"_dlopen", (void *)mac_dlopen},
    {"_dlsym", (void *)mac_dlsym},
    {"_dlerror", (void *)mac_dlerror},
    {"_dlclose", (void *)mac_dlclose},
    {"_setjmp", (void *)shim_setjmp},
    {"__setjmp", (void *)shim__setjmp},
    {"_sigsetjmp", (void *)shim_sigsetjmp},
    {"_longjmp", (void *)jump},
    {"__longjmp", (void *)jump},
    {"_siglongjmp", (void *)jump},
    {"__Unwind_RaiseException", (void *)shim_unwind_raise},
    {"__Unwind_Resume", (void *)shim_unwind_resume},
    {"__Unwind_ForcedUnwind", (void *)shim_unwind_forced},
    {"__Unwind_Resume_or_Rethrow", (void *)shim_unwind_rethrow},
    {"__Unwind_Backtrace", (void *)shim_unwind_backtrace},
    {"__Unwind_GetGR", (void *)unwind_get_gr},
    {"__Unwind_SetGR", (void *)unwind_set_gr},
    {"__Unwind_GetIP", (void *)unwind_get_ip},
    {"__Unwind_GetIPInfo", (void *)unwind_get_ip_info},
    {"__Unwind_SetIP", (void *)unwind_set_ip},
    {"__Unwind_GetCFA", (void *)unwind_get_cfa},
    {"__Unwind_GetLanguageSpecificData", (void *)unwind_lsda},
    {"__Unwind_GetRegionStart", (void *)unwind_region_start},
    {"__Unwind_GetTextRelBase", (void *)unwind_zero},
    {"__Unwind_GetDataRelBase", (void *)unwind_zero},
    {"__Unwind_DeleteException", (void *)unwind_delete},
    {"___gcc_personality_v0", (void *)c_personality},
    {0},
};

static int shim_compare(const void *a, const void *b) {
  return strcmp(((const Shim *)a)->name, ((const Shim *)b)->name);
}

void *system_symbol(const char *name) {
  static Shim *all;
  static u32 count;
  if (!all) {
    const Shim *const tables[] = {shims_same, shims_stdio, shims_files, shims_threads, shims_process, shims_locale,
                                  shims_loader};
    for (u32 i = 0; i < COUNT_OF(tables); i++)
      for (const Shim *s = tables[i]; s->name; s++)
        count++;
    all = get_memory(count, sizeof *all);
    count = 0;
    for (u32 i = 0; i < COUNT_OF(tables); i++)
      for (const Shim *s = tables[i]; s->name; s++)
        all[count++] = *s;
    qsort(all, count, sizeof *all, shim_compare);
  }
  /* Variants that say which standard, or that no thread is cancelled, are one function for the host. */
  static const char *const suffixes[] = {"$DARWIN_EXTSN", "$UNIX2003", "$NOCANCEL", "$1050", ""};
  char plain[512];
  u64 n = strlen(name);
  for (u32 i = 0; i < COUNT_OF(suffixes); i++) {
    u64 k = strlen(suffixes[i]);
    if (n >= sizeof plain || n < k || !streq(name + n - k, suffixes[i]))
      continue;
    memcpy(plain, name, n - k);
    plain[n - k] = 0;
    Shim key = {.name = plain};
    const Shim *s = bsearch(&key, all, count, sizeof *all, shim_compare);
    if (s)
      return s->address;
  }
  return NULL;
}
