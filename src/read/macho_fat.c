/* macho_fat.c: what kind of Mach-O a file is, and which part of a fat file is for a CPU.
 * The trap: a fat file's magic number is that of a Java class, too, whose next word is a version of at least 45. */
#include "read/macho.h"

#include "format/macho.h"

enum { MAX_SLICES = 40, MAX_ALIGN = 31 };

bool macho_is(Bytes b, u32 *filetype, u32 *cputype) {
  if (b.len < sizeof(MachHeader64) || rd32(b.p) != MH_MAGIC_64)
    return false;
  const MachHeader64 *h = (const MachHeader64 *)b.p;
  if (filetype)
    *filetype = h->filetype;
  if (cputype)
    *cputype = h->cputype;
  return true;
}

bool macho_is_fat(Bytes b) {
  if (b.len < FAT_HEADER_SIZE || (be32(b.p) != FAT_MAGIC && be32(b.p) != FAT_MAGIC_64))
    return false;
  return be32(b.p + 4) <= MAX_SLICES;
}

/* Of several parts for one CPU, the one that runs on all of its kind. */
static u32 strangeness(u32 cputype, u32 cpusubtype) {
  u32 sub = cpusubtype & ~CPU_SUBTYPE_MASK;
  if (cputype == CPU_TYPE_ARM64)
    return sub == CPU_SUBTYPE_ARM64E ? 2 : sub != CPU_SUBTYPE_ARM64_ALL;
  return cputype == CPU_TYPE_X86_64 ? sub != CPU_SUBTYPE_X86_64_ALL : 0;
}

bool macho_slice(Bytes b, u32 cputype, Bytes *out, const char **why) {
  bool wide = be32(b.p) == FAT_MAGIC_64;
  u32 size = wide ? FAT_ARCH_64_SIZE : FAT_ARCH_SIZE;
  const u8 *best = NULL;
  Bytes table;
  *why = NULL;
  if (!bytes_array(b, FAT_HEADER_SIZE, be32(b.p + 4), size, &table)) {
    *why = "the table of a fat file runs past its end";
    return false;
  }
  for (const u8 *p = table.p; p < table.p + table.len; p += size)
    if (be32(p) == cputype && (!best || strangeness(cputype, be32(p + 4)) < strangeness(cputype, be32(best + 4))))
      best = p;
  if (!best)
    return false;
  u64 off = wide ? be64(best + 8) : be32(best + 8), len = wide ? be64(best + 16) : be32(best + 12);
  u32 align = wide ? be32(best + 24) : be32(best + 16);
  if (align > MAX_ALIGN || off & ((1ull << align) - 1))
    *why = "a part of a fat file is not aligned as it says";
  else if (!bytes_slice(b, off, len, out))
    *why = "a part of a fat file runs past its end";
  return !*why;
}

const char *macho_cpu_name(u32 cputype, u32 cpusubtype) {
  switch (cputype) {
  case CPU_TYPE_X86_64: return (cpusubtype & ~CPU_SUBTYPE_MASK) == CPU_SUBTYPE_X86_64_H ? "x86_64h" : "x86_64";
  case CPU_TYPE_ARM64: return (cpusubtype & ~CPU_SUBTYPE_MASK) == CPU_SUBTYPE_ARM64E ? "arm64e" : "arm64";
  case CPU_TYPE_ARM64_32: return "arm64_32";
  case CPU_TYPE_I386: return "i386";
  case CPU_TYPE_ARM: return "arm";
  case CPU_TYPE_POWERPC: return "ppc";
  default: return NULL;
  }
}

u32 macho_cpu_of(const Arch *a) { return streq(a->name, "aarch64") ? CPU_TYPE_ARM64 : CPU_TYPE_X86_64; }

const char *macho_filetype_name(u32 filetype) {
  static const char *const names[] = {
      [MH_OBJECT] = "a relocatable object (MH_OBJECT)", [MH_EXECUTE] = "an executable (MH_EXECUTE)",
      [MH_FVMLIB] = "a fixed shared library (MH_FVMLIB)", [MH_CORE] = "a core file (MH_CORE)",
      [MH_PRELOAD] = "a preloaded executable (MH_PRELOAD)", [MH_DYLIB] = "a dynamic library (MH_DYLIB)",
      [MH_DYLINKER] = "a dynamic linker (MH_DYLINKER)", [MH_BUNDLE] = "a bundle (MH_BUNDLE)",
      [MH_DYLIB_STUB] = "the stub of a dynamic library (MH_DYLIB_STUB)", [MH_DSYM] = "debug information (MH_DSYM)",
      [MH_KEXT_BUNDLE] = "a kernel extension (MH_KEXT_BUNDLE)", [MH_FILESET] = "a set of images (MH_FILESET)",
  };
  return filetype < COUNT_OF(names) && names[filetype] ? names[filetype] : "a Mach-O file of an unknown type";
}
