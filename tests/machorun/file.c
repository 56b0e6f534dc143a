/* file.c: reads an image's header and load commands into tables, and refuses what is out of order. It checks more
 * than dyld does: what the kernel, codesign or strip would refuse, and what no linker has a reason to write.
 * The trap: sizes and offsets are the linker's claims; none is used before it was compared with the file. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "machorun.h"

void *get_memory(u64 count, u64 size) {
  void *p = calloc(count ? count : 1, size);
  if (!p)
    fail(NULL, "out of memory");
  return p;
}

u64 page_size(const Image *im) { return im->header.cputype == CPU_ARM64 ? 0x4000 : 0x1000; }

static Bytes file_read(const Image *im) {
  int fd = open(im->path, O_RDONLY | O_CLOEXEC);
  struct stat st;
  if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
    fail(im, "cannot be read");
  u64 size = (u64)st.st_size;
  u8 *p = get_memory(size, 1);
  for (u64 done = 0; done < size;) {
    ssize_t n = read(fd, p + done, size - done);
    if (n <= 0)
      fail(im, "cannot be read");
    done += (u64)n;
  }
  close(fd);
  return (Bytes){p, size};
}

static u32 big32(const u8 *p) { return __builtin_bswap32(rd32(p)); }

/* The slice of this CPU out of a universal file; a thin file is its own. */
static Bytes slice_choose(const Image *im, Bytes file) {
  if (file.len < 8 || big32(file.p) != FAT_MAGIC)
    return file;
#ifdef __aarch64__
  u32 wanted = CPU_ARM64;
#else
  u32 wanted = CPU_X86_64;
#endif
  Bytes archs;
  u32 count = big32(file.p + 4);
  if (!bytes_array(file, 8, count, 20, &archs))
    fail(im, "universal header runs past the end of the file");
  Bytes found = {0};
  for (u32 i = 0; i < count; i++) {
    const u8 *a = archs.p + 20 * i;
    Bytes slice;
    u32 off = big32(a + 8), align = big32(a + 16);
    if (!bytes_slice(file, off, big32(a + 12), &slice))
      fail(im, "slice %u runs past the end of the file", i);
    if (align > 15 || off & ((1u << align) - 1))
      fail(im, "slice %u is not aligned to 2^%u", i, align);
    if (big32(a) == wanted)
      found = slice;
  }
  if (!found.p)
    fail(im, "has no slice for this CPU");
  return found;
}

/* A load command, cut to its cmdsize. */
typedef struct {
  u32 cmd;
  Bytes bytes;
  u32 number;
} Command;

static void command_copy(const Image *im, Command c, void *out, u64 size) {
  if (c.bytes.len < size)
    fail(im, "load command %u (0x%x) has %lu bytes, needs %lu", c.number, c.cmd, c.bytes.len, size);
  memcpy(out, c.bytes.p, size);
}

/* For commands of which there may be one, of exactly `size` bytes. */
static void command_once(const Image *im, Command c, void *out, u64 size, bool *seen) {
  if (*seen)
    fail(im, "load command %u (0x%x) is there twice", c.number, c.cmd);
  *seen = true;
  command_copy(im, c, out, size);
  if (c.bytes.len != size)
    fail(im, "load command %u (0x%x) has %lu bytes, should have %lu", c.number, c.cmd, c.bytes.len, size);
}

/* The string at the offset that is the command's third word. Its padding must be zero. */
static const char *command_string(const Image *im, Command c, u64 fixed) {
  if (c.bytes.len < 12)
    fail(im, "load command %u (0x%x) is too short", c.number, c.cmd);
  u32 off = rd32(c.bytes.p + 8);
  const char *s = bytes_cstr(c.bytes, off);
  if (off != fixed || !s)
    fail(im, "load command %u (0x%x): its string is not inside it", c.number, c.cmd);
  if (!*s)
    fail(im, "load command %u (0x%x): its string is empty", c.number, c.cmd);
  for (u64 i = off + strlen(s); i < c.bytes.len; i++)
    if (c.bytes.p[i])
      fail(im, "load command %u (0x%x): the padding of its string is not zero", c.number, c.cmd);
  return s;
}

static void name_copy(const Image *im, char out[17], const char in[16]) {
  memcpy(out, in, 16);
  out[16] = 0;
  for (u64 i = strlen(out); i < 16; i++)
    if (in[i])
      fail(im, "the padding of the name %s is not zero", out);
}

static bool is_zerofill(u32 type) {
  return type == SECT_ZEROFILL || type == SECT_GB_ZEROFILL || type == SECT_TLV_ZEROFILL;
}

static void section_check(const Image *im, const Segment *seg, const Section *s, const Section *before) {
  if (!streq(s->segname, seg->name))
    fail(im, "section %s,%s is in segment %s", s->segname, s->name, seg->name);
  if (s->addr < seg->vmaddr || s->addr - seg->vmaddr > seg->vmsize || s->size > seg->vmsize - (s->addr - seg->vmaddr))
    fail(im, "section %s,%s is not inside its segment", s->segname, s->name);
  if (s->align > 15 || s->addr & ((1ull << s->align) - 1))
    fail(im, "section %s,%s is not aligned to 2^%u", s->segname, s->name, s->align);
  if (before && s->addr < before->addr + before->size)
    fail(im, "sections %s,%s and %s overlap or are not in order", s->segname, before->name, s->name);
  if (is_zerofill(s->type)) {
    if (s->offset)
      fail(im, "section %s,%s has no content but a file offset", s->segname, s->name);
    if (s->size && s->addr - seg->vmaddr < seg->filesize && s->addr - seg->vmaddr + s->size > seg->filesize &&
        seg->filesize < align_down(s->addr - seg->vmaddr, page_size(im)))
      fail(im, "section %s,%s begins in its segment's content", s->segname, s->name);
  } else {
    if (before && before->segment == s->segment && is_zerofill(before->type) && before->size && s->size)
      fail(im, "section %s,%s has content but stands after %s, which has none", s->segname, s->name, before->name);
    u64 in_segment = s->addr - seg->vmaddr;
    if (s->size && s->offset != seg->fileoff + in_segment)
      fail(im, "section %s,%s: its file offset does not fit its address", s->segname, s->name);
    if (in_segment > seg->filesize || s->size > seg->filesize - in_segment)
      fail(im, "section %s,%s: its content is not inside its segment's", s->segname, s->name);
  }
}

static void segment_read(Image *im, Command c) {
  SegmentCommand sc;
  command_copy(im, c, &sc, sizeof sc);
  if (c.bytes.len != sizeof sc + (u64)sc.nsects * sizeof(SectionRecord))
    fail(im, "load command %u: its size does not fit its %u sections", c.number, sc.nsects);
  Segment *seg = &im->segments[im->segment_count];
  *seg = (Segment){.vmaddr = sc.vmaddr, .vmsize = sc.vmsize, .fileoff = sc.fileoff, .filesize = sc.filesize,
                   .maxprot = sc.maxprot, .initprot = sc.initprot, .flags = sc.flags, .nsects = sc.nsects};
  name_copy(im, seg->name, sc.segname);
  const Section *before = NULL;
  for (u32 i = 0; i < sc.nsects; i++) {
    SectionRecord r;
    memcpy(&r, c.bytes.p + sizeof sc + i * sizeof r, sizeof r);
    Section *s = &im->sections[im->section_count++];
    *s = (Section){.addr = r.addr, .size = r.size, .offset = r.offset, .align = r.align, .type = r.flags & 0xff,
                   .attributes = r.flags & ~0xffu, .reserved1 = r.reserved1, .reserved2 = r.reserved2,
                   .segment = im->segment_count};
    name_copy(im, s->name, r.sectname);
    name_copy(im, s->segname, r.segname);
    if (r.reloff || r.nreloc)
      fail(im, "section %s,%s has relocations", s->segname, s->name);
    section_check(im, seg, s, before);
    before = s;
  }
  im->segment_count++;
}

static void dylib_read(Image *im, Command c, DylibKind kind) {
  DylibCommand d;
  command_copy(im, c, &d, sizeof d);
  im->dylibs[im->dylib_count++] =
      (Dylib){.name = command_string(im, c, sizeof d), .compatibility = d.compatibility_version, .kind = kind};
}

static void command_read(Image *im, Command c, bool seen[]) {
  bool has_id = im->install_name != NULL;
  switch (c.cmd) {
  case CMD_SEGMENT_64: segment_read(im, c); break;
  case CMD_SYMTAB: command_once(im, c, &im->symtab, sizeof im->symtab, &im->has_symtab); break;
  case CMD_DYSYMTAB: command_once(im, c, &im->dysymtab, sizeof im->dysymtab, &im->has_dysymtab); break;
  case CMD_DYLD_INFO:
  case CMD_DYLD_INFO_ONLY: command_once(im, c, &im->dyld_info, sizeof im->dyld_info, &im->has_dyld_info); break;
  case CMD_CHAINED_FIXUPS: command_once(im, c, &im->chained, sizeof im->chained, &im->has_chained); break;
  case CMD_EXPORTS_TRIE: command_once(im, c, &im->trie, sizeof im->trie, &im->has_trie); break;
  case CMD_MAIN: command_once(im, c, &im->main, sizeof im->main, &im->has_main); break;
  case CMD_CODE_SIGNATURE: command_once(im, c, &im->signature, sizeof im->signature, &im->has_signature); break;
  case CMD_FUNCTION_STARTS: command_once(im, c, &im->function_starts, sizeof im->function_starts, &seen[0]); break;
  case CMD_DATA_IN_CODE: command_once(im, c, &im->data_in_code, sizeof im->data_in_code, &seen[1]); break;
  case CMD_UUID: {
    u8 uuid[24];
    command_once(im, c, uuid, sizeof uuid, &im->has_uuid);
    u8 any = 0;
    for (u32 i = 8; i < 24; i++)
      any |= uuid[i];
    if (!any)
      fail(im, "its UUID is zero");
    break;
  }
  case CMD_BUILD_VERSION: {
    if (seen[2])
      fail(im, "load command %u (0x%x) is there twice", c.number, c.cmd);
    seen[2] = true;
    command_copy(im, c, &im->build, sizeof im->build);
    if (c.bytes.len != sizeof im->build + 8ull * im->build.ntools)
      fail(im, "load command %u: its size does not fit its %u tools", c.number, im->build.ntools);
    if (im->build.platform != 1)
      fail(im, "platform %u is not macOS", im->build.platform);
    break;
  }
  case CMD_VERSION_MIN_MACOSX: {
    u32 version[4];
    command_once(im, c, version, sizeof version, &seen[2]);
    im->build = (BuildVersionCommand){.platform = 1, .minos = version[2], .sdk = version[3]};
    break;
  }
  case CMD_SOURCE_VERSION: {
    u32 version[4];
    command_once(im, c, version, sizeof version, &seen[3]);
    break;
  }
  case CMD_LOAD_DYLINKER:
    if (!streq(command_string(im, c, 12), "/usr/lib/dyld"))
      fail(im, "its dynamic linker is %s", command_string(im, c, 12));
    if (im->has_dylinker)
      fail(im, "load command %u (0x%x) is there twice", c.number, c.cmd);
    im->has_dylinker = true;
    break;
  case CMD_ID_DYLIB: {
    DylibCommand d;
    command_copy(im, c, &d, sizeof d);
    if (has_id)
      fail(im, "load command %u (0x%x) is there twice", c.number, c.cmd);
    im->install_name = command_string(im, c, sizeof d);
    im->current_version = d.current_version;
    break;
  }
  case CMD_LOAD_DYLIB: dylib_read(im, c, DYLIB_REGULAR); break;
  case CMD_LOAD_WEAK_DYLIB: dylib_read(im, c, DYLIB_WEAK); break;
  case CMD_REEXPORT_DYLIB: dylib_read(im, c, DYLIB_REEXPORT); break;
  case CMD_LOAD_UPWARD_DYLIB: dylib_read(im, c, DYLIB_UPWARD); break;
  case CMD_RPATH: im->rpaths[im->rpath_count++] = command_string(im, c, 12); break;
  case CMD_SUB_FRAMEWORK:
  case CMD_SUB_UMBRELLA:
  case CMD_SUB_CLIENT:
  case CMD_SUB_LIBRARY:
  case CMD_DYLD_ENVIRONMENT: command_string(im, c, 12); break;
  case CMD_SPLIT_INFO:
  case CMD_LINKER_OPTIMIZATION_HINT: {
    LinkeditCommand ignored;
    command_copy(im, c, &ignored, sizeof ignored);
    image_linkedit(im, ignored.dataoff, ignored.datasize, "a table");
    break;
  }
  default: fail(im, "load command %u (0x%x) is not known", c.number, c.cmd);
  }
}

static void commands_read(Image *im) {
  u32 n = im->header.ncmds;
  Bytes commands;
  if (!bytes_slice(im->file, sizeof(MachHeader), im->header.sizeofcmds, &commands))
    fail(im, "load commands run past the end of the file");
  if (n > commands.len / 8)
    fail(im, "%u load commands do not fit into %lu bytes", n, commands.len);
  im->segments = get_memory(n, sizeof(Segment));
  im->sections = get_memory(commands.len / sizeof(SectionRecord), sizeof(Section));
  im->dylibs = get_memory(n, sizeof(Dylib));
  im->rpaths = get_memory(n, sizeof(char *));
  bool seen[8] = {false};
  u64 at = 0;
  for (u32 i = 0; i < n; i++) {
    Bytes head;
    Command c = {.number = i};
    if (!bytes_slice(commands, at, 8, &head))
      fail(im, "load command %u runs past sizeofcmds", i);
    c.cmd = rd32(head.p);
    u32 size = rd32(head.p + 4);
    if (size < 8 || size % 8)
      fail(im, "load command %u (0x%x): its size %u is not a multiple of 8", i, c.cmd, size);
    if (!bytes_slice(commands, at, size, &c.bytes))
      fail(im, "load command %u (0x%x) runs past sizeofcmds", i, c.cmd);
    command_read(im, c, seen);
    at += size;
  }
  if (at != commands.len)
    fail(im, "sizeofcmds is %lu, the load commands have %lu bytes", commands.len, at);
}

static void segment_check(const Image *im, u32 i) {
  const Segment *s = &im->segments[i];
  u64 page = page_size(im);
  bool last = i + 1 == im->segment_count;
  Bytes content;
  for (u32 j = 0; j < i; j++)
    if (streq(s->name, im->segments[j].name))
      fail(im, "segment %s is there twice", s->name);
  /* The kernel rounds the last one up. */
  if (s->vmaddr % page || (s->vmsize % page && !last) || s->fileoff % page)
    fail(im, "segment %s is not aligned to pages of 0x%lx bytes", s->name, page);
  if (s->vmsize > ~s->vmaddr)
    fail(im, "segment %s wraps around the end of memory", s->name);
  if (!bytes_slice(im->file, s->fileoff, s->filesize, &content))
    fail(im, "segment %s runs past the end of the file", s->name);
  if (s->filesize > s->vmsize)
    fail(im, "segment %s has a larger size in the file than in memory", s->name);
  if (s->initprot & ~s->maxprot)
    fail(im, "segment %s: initprot has bits that maxprot has not", s->name);
  if ((s->initprot & (PROT_W | PROT_X)) == (PROT_W | PROT_X))
    fail(im, "segment %s can be written and executed", s->name);
  if (s->flags & ~(u32)SEGMENT_READ_ONLY)
    fail(im, "segment %s has the unknown flags 0x%x", s->name, s->flags);
  if (s->flags & SEGMENT_READ_ONLY && !(s->initprot & PROT_W))
    fail(im, "segment %s is read-only after fixups, but was not writable before", s->name);
  if (i) {
    const Segment *b = &im->segments[i - 1];
    if (s->vmaddr < b->vmaddr + b->vmsize)
      fail(im, "segments %s and %s overlap in memory or are not in order", b->name, s->name);
    if (s->filesize && s->fileoff < b->fileoff + b->filesize)
      fail(im, "segments %s and %s overlap in the file or are not in order", b->name, s->name);
    if (s->filesize && s->fileoff != align_up(b->fileoff + b->filesize, page))
      fail(im, "there is a gap in the file before segment %s", s->name);
  }
  if (streq(s->name, "__LINKEDIT")) {
    if (!last)
      fail(im, "__LINKEDIT is not the last segment");
    if (s->initprot != PROT_R || s->nsects)
      fail(im, "__LINKEDIT is not plain read-only");
    if (s->fileoff + s->filesize != im->file.len)
      fail(im, "the file does not end where __LINKEDIT ends");
  } else if (s->filesize % page) {
    fail(im, "segment %s: its size in the file is no multiple of a page", s->name);
  }
}

/* __PAGEZERO has no content and no access; __TEXT holds the header. */
static void segments_check(Image *im) {
  u32 text = 0;
  for (u32 i = 0; i < im->segment_count; i++)
    segment_check(im, i);
  if (im->header.filetype == TYPE_EXECUTE) {
    if (!im->segment_count || !streq(im->segments[0].name, "__PAGEZERO"))
      fail(im, "its first segment is not __PAGEZERO");
    const Segment *zero = &im->segments[0];
    if (zero->vmaddr || zero->filesize || zero->maxprot || zero->nsects || zero->vmsize < 0x1000)
      fail(im, "__PAGEZERO is not an empty range without access");
    if (im->header.cputype == CPU_ARM64 && zero->vmsize < 0x100000000)
      fail(im, "__PAGEZERO is smaller than 4 GiB");
    text = 1;
  }
  if (im->segment_count <= text || !streq(im->segments[text].name, "__TEXT"))
    fail(im, "its segment %u is not __TEXT", text);
  const Segment *t = &im->segments[text];
  const Segment *last = &im->segments[im->segment_count - 1];
  if (t->fileoff || t->initprot != (PROT_R | PROT_X))
    fail(im, "__TEXT does not begin with the header, or is not r-x");
  if (!streq(last->name, "__LINKEDIT"))
    fail(im, "it has no __LINKEDIT");
  u64 header_end = t->vmaddr + sizeof(MachHeader) + im->header.sizeofcmds;
  for (u32 i = 0; i < im->section_count; i++)
    if (im->sections[i].segment == text && im->sections[i].addr < header_end)
      fail(im, "section %s,%s overlaps the load commands", im->sections[i].segname, im->sections[i].name);
  im->base = t->vmaddr;
  im->end = align_up(last->vmaddr + last->vmsize, page_size(im));
  if (im->end - im->base > 1ull << 32)
    fail(im, "it is larger than 4 GiB");
}

/* What must and must not be there by the file's type. */
static void kind_check(const Image *im) {
  bool execute = im->header.filetype == TYPE_EXECUTE;
  if (execute != im->has_main)
    fail(im, execute ? "an executable has no LC_MAIN" : "only an executable has LC_MAIN");
  if ((im->header.filetype == TYPE_DYLIB) != (im->install_name != NULL))
    fail(im, "exactly dylibs have LC_ID_DYLIB");
  if (!im->has_symtab || !im->has_dysymtab)
    fail(im, "it has no symbol table");
  if (!im->has_uuid)
    fail(im, "it has no UUID");
  if (!im->build.platform)
    fail(im, "it does not say for which system it is");
  if (!im->dylib_count)
    fail(im, "it is linked against nothing, not even libSystem");
  if (execute && !im->has_dylinker)
    fail(im, "an executable has no LC_LOAD_DYLINKER");
  bool reexports = false;
  for (u32 i = 0; i < im->dylib_count; i++)
    reexports |= im->dylibs[i].kind == DYLIB_REEXPORT;
  if (reexports && im->header.flags & FLAG_NO_REEXPORTED_DYLIBS)
    fail(im, "MH_NO_REEXPORTED_DYLIBS is set, but it re-exports a library");
  if (im->has_dyld_info && (im->has_chained || im->has_trie))
    fail(im, "it has both classic dyld information and chained fixups");
  if (!im->has_dyld_info && !im->has_chained)
    fail(im, "it has neither classic dyld information nor chained fixups");
  if (im->header.cputype == CPU_ARM64 && !im->has_signature)
    fail(im, "arm64 code is not signed");
  if (im->header.cputype == CPU_ARM64 && execute && !(im->header.flags & FLAG_PIE))
    fail(im, "an arm64 executable is not PIE");
  if ((im->header.flags & (FLAG_DYLDLINK | FLAG_NOUNDEFS)) == 0)
    fail(im, "its flags 0x%x say that it is not linked", im->header.flags);
  bool has_tlv = false;
  for (u32 i = 0; i < im->section_count; i++)
    has_tlv |= im->sections[i].type == SECT_TLV_VARIABLES && im->sections[i].size;
  if (has_tlv != !!(im->header.flags & FLAG_HAS_TLV) && execute)
    fail(im, "MH_HAS_TLV_DESCRIPTORS does not say whether there are thread variables");
  if (im->has_main) {
    const Segment *text = &im->segments[1];
    const Section *s = image_section_at(im, text->vmaddr + im->main.entryoff);
    if (im->main.entryoff >= text->filesize || !s || !(s->attributes & (SECT_ATTR_PURE_CODE | SECT_ATTR_SOME_CODE)))
      fail(im, "its entry is not in a section of code");
  }
}

Image *image_read(const char *path) {
  Image *im = get_memory(1, sizeof *im);
  im->path = strdup(path);
  im->file = slice_choose(im, file_read(im));
  if (im->file.len < sizeof im->header)
    fail(im, "is too short for a Mach-O header");
  memcpy(&im->header, im->file.p, sizeof im->header);
  const MachHeader *h = &im->header;
  if (h->magic != MACHO_MAGIC_64)
    fail(im, "is not a 64-bit Mach-O file");
  if (!(h->cputype == CPU_X86_64 && (h->cpusubtype & 0xffffff) == 3) && !(h->cputype == CPU_ARM64 && !h->cpusubtype))
    fail(im, "its CPU 0x%x, 0x%x is neither x86-64 nor arm64", h->cputype, h->cpusubtype);
  if (h->filetype != TYPE_EXECUTE && h->filetype != TYPE_DYLIB && h->filetype != TYPE_BUNDLE)
    fail(im, "its type %u cannot be loaded", h->filetype);
  commands_read(im);
  segments_check(im);
  kind_check(im);
  return im;
}

/* A part of __LINKEDIT. */
Bytes image_linkedit(const Image *im, u64 off, u64 size, const char *what) {
  Bytes part = {0};
  if (!size)
    return part;
  const Segment *le = im->segment_count ? &im->segments[im->segment_count - 1] : NULL;
  if (!le || off < le->fileoff || off - le->fileoff > le->filesize || size > le->filesize - (off - le->fileoff) ||
      !bytes_slice(im->file, off, size, &part))
    fail(im, "%s is not inside __LINKEDIT", what);
  return part;
}

const Segment *image_segment_at(const Image *im, u64 vmaddr, u64 size) {
  for (u32 i = 0; i < im->segment_count; i++) {
    const Segment *s = &im->segments[i];
    if (vmaddr >= s->vmaddr && vmaddr - s->vmaddr < s->vmsize && size <= s->vmsize - (vmaddr - s->vmaddr))
      return s;
  }
  return NULL;
}

const Section *image_section_at(const Image *im, u64 vmaddr) {
  for (u32 i = 0; i < im->section_count; i++)
    if (vmaddr >= im->sections[i].addr && vmaddr - im->sections[i].addr < im->sections[i].size)
      return &im->sections[i];
  return NULL;
}

const Section *image_section(const Image *im, const char *segment, const char *section) {
  for (u32 i = 0; i < im->section_count; i++)
    if (streq(im->sections[i].segname, segment) && streq(im->sections[i].name, section))
      return &im->sections[i];
  return NULL;
}
