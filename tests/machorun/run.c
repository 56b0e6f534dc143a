/* run.c: what happens between mapping and the end: thread variables, initialisers, main.
 * The trap: the address of a thread variable is asked for by code that keeps its registers over the call; only
 * asm_*.S may be between it and thread_variable_address. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "machorun.h"

const char *program_path;
char **program_argv;
int program_argc;
static char **program_envp;
static char *apple_strings[2];

/* asm_*.S: calls thread_variable_address and keeps all registers but the result's. */
void shim_tlv_get_address(void);

/* As dyld has it: the descriptor of a variable is its getter, a key, and its offset in the template. */
typedef struct {
  void (*getter)(void);
  u64 key, offset;
} Descriptor;

typedef struct {
  u64 start, size, align; /* of the template; start is unslid */
} TlvTemplate;

static TlvTemplate *templates;
static pthread_key_t *keys;
static u32 template_count;

static TlvTemplate template_find(const Image *im) {
  TlvTemplate t = {0};
  u64 end = 0;
  for (u32 i = 0; i < im->section_count; i++) {
    const Section *s = &im->sections[i];
    if ((s->type != SECT_TLV_REGULAR && s->type != SECT_TLV_ZEROFILL) || !s->size)
      continue;
    if (!t.start)
      t.start = s->addr;
    else if (s->addr - end > 1ull << s->align)
      fail(im, "the template of its thread variables is not in one piece");
    end = s->addr + s->size;
    t.size = end - t.start;
    t.align = MAX(t.align, 1ull << s->align);
  }
  if (t.align && t.start % t.align)
    fail(im, "the template of its thread variables is not aligned to 0x%lx", t.align);
  return t;
}

/* The bind of the word at `vmaddr`, NULL: none. */
static const char *bind_name(const Image *im, u64 vmaddr) {
  for (u32 i = 0; i < im->fixup_count; i++)
    if (im->fixups[i].vmaddr == vmaddr && im->fixups[i].kind == FIX_BIND)
      return im->fixups[i].name;
  return NULL;
}

void thread_variables_check(const Image *im) {
  TlvTemplate t = template_find(im);
  for (u32 i = 0; i < im->section_count; i++) {
    const Section *s = &im->sections[i];
    if (s->type != SECT_TLV_VARIABLES)
      continue;
    if (s->size % sizeof(Descriptor))
      fail(im, "section %s,%s has no whole number of descriptors", s->segname, s->name);
    for (u64 off = 0; off < s->size; off += sizeof(Descriptor)) {
      const u8 *d = im->file.p + s->offset + off;
      const char *getter = bind_name(im, s->addr + off);
      if (!getter || !streq(getter, "__tlv_bootstrap"))
        fail(im, "the thread variable at 0x%lx has not __tlv_bootstrap as its getter", s->addr + off);
      if (rd64(d + 8) || rd64(d + 16) >= t.size)
        fail(im, "the thread variable at 0x%lx is at offset 0x%lx of a template of 0x%lx bytes", s->addr + off,
             rd64(d + 16), t.size);
    }
  }
}

void thread_variables_set_up(Image *im) {
  TlvTemplate t = template_find(im);
  bool any = false;
  for (u32 i = 0; i < im->section_count; i++) {
    const Section *s = &im->sections[i];
    Descriptor *d = (Descriptor *)(im->memory + (s->addr - im->base));
    for (u64 k = 0; s->type == SECT_TLV_VARIABLES && k < s->size / sizeof *d; k++) {
      any = true;
      d[k].getter = shim_tlv_get_address;
      d[k].key = template_count;
    }
  }
  if (!any)
    return;
  im->tlv_index = template_count++;
  templates = realloc(templates, template_count * sizeof *templates);
  keys = realloc(keys, template_count * sizeof *keys);
  if (!templates || !keys || pthread_key_create(&keys[im->tlv_index], free))
    fail(im, "no thread variables can be had");
  t.start += (u64)im->slide;
  templates[im->tlv_index] = t;
}

void *thread_variable_address(void *descriptor) {
  const Descriptor *d = descriptor;
  const TlvTemplate *t = &templates[d->key];
  u8 *block = pthread_getspecific(keys[d->key]);
  if (!block) {
    void *p;
    if (posix_memalign(&p, MAX(t->align, 16), t->size))
      fail(NULL, "out of memory");
    block = memcpy(p, (const void *)(uintptr_t)t->start, t->size);
    pthread_setspecific(keys[d->key], block);
  }
  return block + d->offset;
}

typedef void Initialiser(int, char **, char **, char **, void *);

static void initialiser_call(const Image *im, u64 address, const Section *s) {
  const Section *code = image_section_at(im, address - (u64)im->slide);
  if (!code || !(code->attributes & (SECT_ATTR_PURE_CODE | SECT_ATTR_SOME_CODE)))
    fail(im, "%s,%s names an initialiser that is no code of it", s->segname, s->name);
  ((Initialiser *)(uintptr_t)address)(program_argc, program_argv, program_envp, apple_strings, NULL);
}

/* Those that an image depends on come first; one that depends on itself that way has begun already. */
static void image_initialise(Image *im) {
  if (im->initialised)
    return;
  im->initialised = true;
  for (u32 i = 0; i < im->dylib_count; i++)
    if (im->dylibs[i].image && im->dylibs[i].kind != DYLIB_UPWARD)
      image_initialise(im->dylibs[i].image);
  for (u32 i = 0; i < im->section_count; i++) {
    const Section *s = &im->sections[i];
    const u8 *p = im->memory + (s->addr - im->base);
    u64 size = s->type == SECT_INIT_OFFSETS ? 4 : 8;
    if ((s->type == SECT_INIT_POINTERS || s->type == SECT_INIT_OFFSETS) && s->size % size)
      fail(im, "%s,%s has no whole number of initialisers", s->segname, s->name);
    if (s->type == SECT_INIT_POINTERS)
      for (u64 k = 0; k < s->size; k += 8)
        initialiser_call(im, rd64(p + k), s);
    else if (s->type == SECT_INIT_OFFSETS)
      for (u64 k = 0; k < s->size; k += 4)
        initialiser_call(im, (u64)(uintptr_t)im->memory + rd32(p + k), s);
  }
}

static void terminate_all(void) {
  for (u32 i = 0; i < image_count; i++)
    for (u32 k = 0; k < images[i]->section_count; k++) {
      const Section *s = &images[i]->sections[k];
      for (u64 off = s->size; s->type == SECT_TERM_POINTERS && off >= 8; off -= 8)
        ((void (*)(void))(uintptr_t)rd64(images[i]->memory + (s->addr - images[i]->base) + off - 8))();
    }
}

/* Of all images from `first` on: mapped, bound and initialised. */
void images_start(u32 first) {
  for (u32 i = first; i < image_count; i++)
    image_map(images[i]);
  for (u32 i = first; i < image_count; i++) {
    Image *im = images[i];
    if (im->system)
      continue;
    image_bind(im);
    thread_variables_set_up(im);
    image_protect(im);
    if (options.verbose)
      fprintf(stderr, "machorun: %s: at %p, %u fixups, %u exports\n", im->path, (void *)im->memory, im->fixup_count,
              im->export_count);
  }
  for (u32 i = first; i < image_count; i++)
    image_initialise(images[i]);
}

int program_run(Image *im, int argc, char **argv, char **envp) {
  program_path = realpath(im->path, NULL);
  if (!program_path)
    fail(im, "has no path");
  program_argc = argc;
  program_argv = argv;
  program_envp = envp;
  apple_strings[0] = get_memory(strlen(program_path) + 32, 1);
  sprintf(apple_strings[0], "executable_path=%s", program_path);
  images_start(0);
  atexit(terminate_all);
  int (*main_function)(int, char **, char **, char **) =
      (int (*)(int, char **, char **, char **))(uintptr_t)(im->memory + im->main.entryoff);
  return main_function(argc, argv, envp, apple_strings);
}
