/* image.c: finds an image's dylibs, maps images at another address than they were linked for, and gives each
 * import its address. The trap: weak definitions are one for the process: the first strong one in load order, else
 * the first weak one, whatever library the import names. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "machorun.h"

Image **images;
u32 image_count;

static Image *image_add(Image *im) {
  images = realloc(images, (image_count + 1) * sizeof *images);
  if (!images)
    fail(im, "out of memory");
  im->index = image_count;
  images[image_count++] = im;
  return im;
}

/* Everything of a file that can be checked without mapping it. */
static Image *image_open(const char *path) {
  Image *im = image_read(path);
  signature_check(im);
  exports_read(im);
  fixups_read(im);
  linkedit_check(im);
  unwind_check(im);
  thread_variables_check(im);
  return im;
}

static bool is_system(const char *name) {
  return starts_with(name, "/usr/lib/system/") || streq(name, "/usr/lib/libSystem.B.dylib") ||
         streq(name, "/usr/lib/libSystem.dylib");
}

static Image *image_system(void) {
  for (u32 i = 0; i < image_count; i++)
    if (images[i]->system)
      return images[i];
  Image *im = get_memory(1, sizeof *im);
  *im = (Image){.path = "/usr/lib/libSystem.B.dylib", .system = true, .initialised = true,
                .current_version = ~0u};
  return image_add(im);
}

/* The directory of `path`, with the slash. */
static int directory_length(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? (int)(slash + 1 - path) : 0;
}

/* Expands @loader_path and @executable_path; NULL when `name` begins with neither and is relative. */
static bool name_expand(const Image *loader, const char *name, char out[PATH_MAX]) {
  const Image *from = NULL;
  const char *rest = name;
  if (starts_with(name, "@loader_path/")) {
    from = loader;
    rest = name + strlen("@loader_path/");
  } else if (starts_with(name, "@executable_path/")) {
    from = images[0];
    rest = name + strlen("@executable_path/");
  }
  int n = from ? snprintf(out, PATH_MAX, "%.*s%s", directory_length(from->path), from->path, rest)
               : snprintf(out, PATH_MAX, "%s", name);
  return n < PATH_MAX && !access(out, R_OK);
}

/* @rpath is searched in the run paths of the loading image, then in the executable's. */
static bool rpath_search(const Image *loader, const char *rest, char out[PATH_MAX]) {
  const Image *owners[] = {loader, images[0]};
  for (u32 k = 0; k < COUNT_OF(owners); k++)
    for (u32 i = 0; i < owners[k]->rpath_count; i++) {
      char name[PATH_MAX];
      if (snprintf(name, sizeof name, "%s/%s", owners[k]->rpaths[i], rest) < PATH_MAX &&
          name_expand(owners[k], name, out))
        return true;
    }
  return false;
}

static Image *image_loaded(const char *path) {
  char real[PATH_MAX], other[PATH_MAX];
  if (!realpath(path, real))
    return NULL;
  for (u32 i = 0; i < image_count; i++)
    if (!images[i]->system && realpath(images[i]->path, other) && streq(real, other))
      return images[i];
  return NULL;
}

static void dylib_load(Image *im, Dylib *d) {
  char path[PATH_MAX];
  if (is_system(d->name)) {
    d->image = image_system();
    return;
  }
  bool found = starts_with(d->name, "@rpath/") ? rpath_search(im, d->name + strlen("@rpath/"), path)
                                               : name_expand(im, d->name, path);
  if (!found) {
    if (d->kind == DYLIB_WEAK)
      return;
    fail(im, "the library %s is not found", d->name);
  }
  d->image = image_loaded(path);
  if (!d->image)
    d->image = image_add(image_open(path));
  if (d->image->header.filetype != TYPE_DYLIB)
    fail(d->image, "is no dylib, but %s is linked against it", im->path);
  if (d->image->header.cputype != images[0]->header.cputype)
    fail(d->image, "is not for the CPU of %s", im->path);
  if (d->image->current_version < d->compatibility)
    fail(im, "needs version 0x%x of %s, which has 0x%x", d->compatibility, d->name, d->image->current_version);
}

Image *images_load(const char *program) {
  u32 first = image_count;
  Image *im = image_add(image_open(program));
  /* A checked file is for any CPU and its libraries may not be there. */
  if (options.check_only)
    return im;
  for (u32 i = first; i < image_count; i++)
    for (u32 k = 0; k < images[i]->dylib_count; k++)
      dylib_load(images[i], &images[i]->dylibs[k]);
  return im;
}

void image_map(Image *im) {
  if (im->system)
    return;
  u64 size = im->end - im->base, granule = 0x4000;
  bool fixed = im->header.filetype == TYPE_EXECUTE && !(im->header.flags & FLAG_PIE);
  u8 *p;
  if (fixed) {
    p = mmap((void *)(uintptr_t)im->base, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (p != (u8 *)(uintptr_t)im->base)
      fail(im, "cannot be mapped where it was linked for, 0x%lx", im->base);
  } else {
    p = mmap(NULL, size + granule, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
      fail(im, "cannot be mapped");
    p = (u8 *)(uintptr_t)align_up((u64)(uintptr_t)p, granule);
  }
  im->memory = p;
  im->slide = (i64)((u64)(uintptr_t)p - im->base);
  for (u32 i = 0; i < im->segment_count; i++) {
    const Segment *s = &im->segments[i];
    if (s->vmaddr < im->base || !s->vmsize)
      continue;
    u8 *to = p + (s->vmaddr - im->base);
    if (mprotect(to, s->vmsize, PROT_READ | PROT_WRITE))
      fail(im, "cannot be mapped");
    memcpy(to, im->file.p + s->fileoff, s->filesize);
  }
}

void image_protect(Image *im) {
  for (u32 i = 0; i < im->segment_count; i++) {
    const Segment *s = &im->segments[i];
    if (s->vmaddr < im->base || !s->vmsize)
      continue;
    u8 *p = im->memory + (s->vmaddr - im->base);
    int prot = (s->initprot & PROT_R ? PROT_READ : 0) | (s->initprot & PROT_X ? PROT_EXEC : 0);
    if (s->initprot & PROT_W && !(s->flags & SEGMENT_READ_ONLY))
      prot |= PROT_WRITE;
    if (prot & PROT_EXEC)
      __builtin___clear_cache((char *)p, (char *)p + s->vmsize);
    if (mprotect(p, s->vmsize, prot))
      fail(im, "segment %s cannot be protected", s->name);
  }
}

Image *image_containing(u64 address) {
  for (u32 i = 0; i < image_count; i++) {
    Image *im = images[i];
    u64 at = (u64)(uintptr_t)im->memory;
    if (im->memory && address >= at && address - at < im->end - im->base)
      return im;
  }
  return NULL;
}

static u64 export_address(Image *im, const Export *e, u32 depth);

static u64 address_search(Image *im, const char *name, bool *is_weak, u32 depth) {
  if (!im || depth > 32)
    return 0;
  if (im->system)
    return (u64)(uintptr_t)system_symbol(name);
  const Export *e = export_find(im, name);
  if (e) {
    *is_weak = e->flags & EXPORT_WEAK;
    return export_address(im, e, depth);
  }
  for (u32 i = 0; i < im->dylib_count; i++) {
    u64 a = im->dylibs[i].kind == DYLIB_REEXPORT ? address_search(im->dylibs[i].image, name, is_weak, depth + 1) : 0;
    if (a)
      return a;
  }
  return 0;
}

static u64 export_address(Image *im, const Export *e, u32 depth) {
  bool ignored;
  if (e->flags & EXPORT_REEXPORT)
    return address_search(im->dylibs[e->vmaddr - 1].image, e->reexport_name, &ignored, depth + 1);
  if (e->flags & EXPORT_RESOLVER) {
    u64 (*resolver)(void) = (u64 (*)(void))(uintptr_t)(e->resolver + (u64)im->slide);
    return resolver();
  }
  return (e->flags & EXPORT_KIND) == EXPORT_ABSOLUTE ? e->vmaddr : e->vmaddr + (u64)im->slide;
}

u64 exported_address(Image *im, const char *name, bool *is_weak) {
  *is_weak = false;
  return address_search(im, name, is_weak, 0);
}

/* In load order; a strong definition wins, and for a flat lookup the first of any kind. */
static u64 search_all(const char *name, bool coalesce) {
  u64 found = 0;
  for (u32 i = 0; i < image_count; i++) {
    bool weak;
    if (coalesce && !images[i]->system && !export_find(images[i], name))
      continue;
    u64 a = exported_address(images[i], name, &weak);
    if (a && (!coalesce || !weak))
      return a;
    if (a && !found)
      found = a;
  }
  return found;
}

u64 resolve(Image *im, const Fixup *f) {
  bool ignored;
  u64 a = 0;
  const char *where = "any library";
  switch (f->ordinal) {
  case ORDINAL_SELF:
    a = exported_address(im, f->name, &ignored);
    where = im->path;
    break;
  case ORDINAL_EXECUTABLE:
    a = exported_address(images[0], f->name, &ignored);
    where = images[0]->path;
    break;
  case ORDINAL_FLAT: a = search_all(f->name, false); break;
  case ORDINAL_WEAK: a = search_all(f->name, true); break;
  default:
    where = im->dylibs[f->ordinal - 1].name;
    a = exported_address(im->dylibs[f->ordinal - 1].image, f->name, &ignored);
  }
  if (!a && !f->weak_import && f->kind != FIX_WEAK)
    fail(im, "the symbol %s is not in %s", f->name, where);
  return a;
}

static void fixup_apply(Image *im, const Fixup *f) {
  u8 *place = im->memory + (f->vmaddr - im->base);
  u64 a;
  if (f->kind == FIX_REBASE) {
    wr64(place, (f->value + (u64)im->slide) | (u64)f->high8 << 56);
  } else if (f->kind == FIX_WEAK) {
    /* Without any definition it stays what the bind or rebase made of it. */
    a = resolve(im, f);
    if (a)
      wr64(place, a + f->value);
  } else if (f->kind == FIX_BIND || !options.lazy) {
    a = resolve(im, f);
    wr64(place, a ? a + f->value : 0);
  }
}

void image_bind(Image *im) {
  for (FixupKind kind = FIX_REBASE; kind <= FIX_WEAK; kind++)
    for (u32 i = 0; i < im->fixup_count; i++)
      if (im->fixups[i].kind == kind)
        fixup_apply(im, &im->fixups[i]);
}

/* What dyld_stub_binder does: binds the lazy pointer and says where to go. */
void *image_bind_lazily(void *cache, u64 offset) {
  Image *im = image_containing((u64)(uintptr_t)cache);
  if (!im)
    fail(NULL, "a stub helper names %p, which is in no image", cache);
  Fixup f = fixups_lazy_at(im, offset);
  u64 a = resolve(im, &f) + f.value;
  wr64(im->memory + (f.vmaddr - im->base), a);
  if (options.verbose)
    fprintf(stderr, "machorun: %s: bound %s when it was called\n", im->path, f.name);
  return (void *)(uintptr_t)a;
}
