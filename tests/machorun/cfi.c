/* cfi.c: __eh_frame (the LSB's form of DWARF call frame information) and its small interpreter, for functions that
 * have no compact encoding. The trap: pointers are relative to their own place, so every reader carries the
 * address of what it reads. Expressions, which compilers do not emit for functions of C and C++, are refused. */
#include "unwind.h"

/* A reader in a section; `delta` turns a pointer into the file into an unslid address. */
typedef struct {
  const Image *im;
  const u8 *at, *end;
  u64 delta;
} Reader;

static u64 reader_address(const Reader *r) { return (u64)(uintptr_t)r->at + r->delta; }

static u64 fixed(Reader *r, u32 size) {
  u64 v = 0;
  if ((u64)(r->end - r->at) < size)
    fail(r->im, "__eh_frame: an entry ends too early");
  memcpy(&v, r->at, size);
  r->at += size;
  return v;
}

static u64 number(Reader *r) { return uleb(r->im, &r->at, r->end, "__eh_frame"); }
static i64 signed_number(Reader *r) { return sleb(r->im, &r->at, r->end, "__eh_frame"); }

enum { POINTER_PCREL = 0x10, POINTER_INDIRECT = 0x80, POINTER_NONE = 0xff };

/* A pointer by its DW_EH_PE encoding; an indirect one is the address of the slot. */
static u64 pointer(Reader *r, u8 encoding) {
  u64 here = reader_address(r), v;
  switch (encoding & 0xf) {
  case 0x0:
  case 0x4:
  case 0xc: v = fixed(r, 8); break;
  case 0x2: v = fixed(r, 2); break;
  case 0xa: v = (u64)(i64)(i16)fixed(r, 2); break;
  case 0x3: v = fixed(r, 4); break;
  case 0xb: v = (u64)(i64)(i32)fixed(r, 4); break;
  case 0x1: v = number(r); break;
  case 0x9: v = (u64)signed_number(r); break;
  default: fail(r->im, "__eh_frame: the pointer encoding 0x%x is not known", encoding);
  }
  if ((encoding & 0x70) == POINTER_PCREL)
    return v ? v + here : 0;
  if (encoding & 0x70)
    fail(r->im, "__eh_frame: the pointer encoding 0x%x is not known", encoding);
  return v;
}

static Reader section_reader(const Image *im, const Section *s, u64 at) {
  Bytes b;
  if (!bytes_slice(im->file, s->offset, s->size, &b) || at < s->addr || at - s->addr >= s->size)
    fail(im, "__eh_frame: 0x%lx is not in it", at);
  return (Reader){im, b.p + (at - s->addr), b.p + b.len, s->addr - (u64)(uintptr_t)b.p};
}

/* Cuts `r` to the record that begins there; false at the end mark. */
static bool record_enter(Reader *r) {
  u64 length = fixed(r, 4);
  if (length == 0xffffffff)
    length = fixed(r, 8);
  if (length > (u64)(r->end - r->at))
    fail(r->im, "__eh_frame: the entry at 0x%lx runs past the end", reader_address(r) - 4);
  r->end = r->at + length;
  return length != 0;
}

typedef struct {
  u8 pointer_encoding, lsda_encoding;
  bool has_augmentation;
} Augmentation;

static Augmentation common_read(Reader r, FrameDescription *fd) {
  Augmentation a = {.lsda_encoding = POINTER_NONE};
  if (!record_enter(&r) || fixed(&r, 4))
    fail(r.im, "__eh_frame: a description names no common entry");
  u64 version = fixed(&r, 1);
  const char *text = bytes_cstr((Bytes){r.at, (u64)(r.end - r.at)}, 0);
  if ((version != 1 && version != 3) || !text)
    fail(r.im, "__eh_frame: a common entry has version %lu", version);
  r.at += strlen(text) + 1;
  fd->code_align = number(&r);
  fd->data_align = signed_number(&r);
  fd->return_register = version == 1 ? fixed(&r, 1) : number(&r);
  a.has_augmentation = *text == 'z';
  if (*text && *text != 'z')
    fail(r.im, "__eh_frame: the augmentation %s is not known", text);
  if (a.has_augmentation) {
    u64 size = number(&r);
    const u8 *end = r.at + MIN(size, (u64)(r.end - r.at));
    for (const char *c = text + 1; *c; c++) {
      if (*c == 'P') {
        u8 encoding = (u8)fixed(&r, 1);
        fd->personality_slot = pointer(&r, encoding);
        if (!(encoding & POINTER_INDIRECT))
          fail(r.im, "__eh_frame: a personality is not named through a pointer");
      } else if (*c == 'L') {
        a.lsda_encoding = (u8)fixed(&r, 1);
      } else if (*c == 'R') {
        a.pointer_encoding = (u8)fixed(&r, 1);
      } else if (*c == 'S') {
        fd->signal_frame = true;
      } else if (*c != 'B') {
        fail(r.im, "__eh_frame: the augmentation %s is not known", text);
      }
    }
    r.at = end;
  }
  fd->common_code = (Bytes){r.at, (u64)(r.end - r.at)};
  return a;
}

/* Of the record at `r`; false: it is a common entry. */
static bool description_read(Reader r, const Section *eh_frame, FrameDescription *fd) {
  *fd = (FrameDescription){.at = reader_address(&r)};
  if (!record_enter(&r))
    fail(r.im, "__eh_frame: there is no description at 0x%lx", fd->at);
  u64 here = reader_address(&r), back = fixed(&r, 4);
  if (!back) {
    common_read(section_reader(r.im, eh_frame, fd->at), fd);
    return false;
  }
  Augmentation a = common_read(section_reader(r.im, eh_frame, here - back), fd);
  fd->start = pointer(&r, a.pointer_encoding);
  fd->end = fd->start + pointer(&r, a.pointer_encoding & 0xf);
  if (!image_segment_at(r.im, fd->start, fd->end - fd->start))
    fail(r.im, "__eh_frame: the description at 0x%lx is of 0x%lx, outside the image", fd->at, fd->start);
  if (a.has_augmentation) {
    u64 size = number(&r);
    if (size > (u64)(r.end - r.at))
      fail(r.im, "__eh_frame: the entry at 0x%lx ends too early", fd->at);
    const u8 *end = r.at + size;
    if (a.lsda_encoding != POINTER_NONE)
      fd->lsda = pointer(&r, a.lsda_encoding);
    r.at = end;
  }
  if (fd->lsda && !image_section_at(r.im, fd->lsda))
    fail(r.im, "__eh_frame: the language specific data of 0x%lx are in no section", fd->start);
  fd->code = (Bytes){r.at, (u64)(r.end - r.at)};
  return true;
}

FrameDescription frame_description(const Image *im, const Section *eh_frame, u64 at) {
  FrameDescription fd;
  if (!description_read(section_reader(im, eh_frame, at), eh_frame, &fd))
    fail(im, "__eh_frame: there is no description at 0x%lx", at);
  return fd;
}

static bool descriptions_walk(const Image *im, u64 wanted, FrameDescription *out) {
  const Section *s = image_section(im, "__TEXT", "__eh_frame");
  if (!s || !s->size)
    return false;
  Reader r = section_reader(im, s, s->addr);
  while (r.at < r.end) {
    Reader record = r;
    FrameDescription fd;
    if (!record_enter(&record))
      break;
    if (description_read(r, s, &fd) && wanted >= fd.start && wanted < fd.end) {
      *out = fd;
      return true;
    }
    r.at = record.end;
  }
  return false;
}

bool frame_description_find(const Image *im, u64 vmaddr, FrameDescription *out) {
  return descriptions_walk(im, vmaddr, out);
}

void frame_descriptions_check(const Image *im) {
  FrameDescription ignored;
  descriptions_walk(im, ~0ull, &ignored);
}

/* Rules: where the caller's register is. */
typedef enum { RULE_SAME, RULE_OFFSET, RULE_VALUE_OFFSET, RULE_REGISTER, RULE_UNDEFINED } RuleKind;
enum { CFI_REGISTERS = 96, CFI_DEPTH = 8 };
typedef struct {
  u64 cfa_register;
  i64 cfa_offset;
  struct {
    RuleKind kind;
    i64 value;
  } rule[CFI_REGISTERS];
} Row;

typedef struct {
  Row row, initial, stack[CFI_DEPTH];
  u32 depth;
  u64 location;
} Machine;

static u64 cfi_register(Reader *r) {
  u64 v = number(r);
  if (v >= CFI_REGISTERS)
    fail(r->im, "__eh_frame: there is no register %lu", v);
  return v;
}

static void rule_set(Machine *m, u64 reg, RuleKind kind, i64 value) {
  m->row.rule[reg].kind = kind;
  m->row.rule[reg].value = value;
}

/* DWARF 5, 6.4.2. Runs until the row for `pc`. */
static void cfi_run(Machine *m, Reader r, const FrameDescription *fd, u64 pc) {
  while (r.at < r.end) {
    u8 op = (u8)fixed(&r, 1), low = op & 0x3f;
    u64 reg, advance = 0;
    bool advances = true;
    switch (op >= 0x40 ? op & 0xc0 : op) {
    case 0x40: advance = low; break;
    case 0x02: advance = fixed(&r, 1); break;
    case 0x03: advance = fixed(&r, 2); break;
    case 0x04: advance = fixed(&r, 4); break;
    default: advances = false;
    }
    if (advances) {
      m->location += advance * fd->code_align;
      if (m->location > pc)
        return;
      continue;
    }
    switch (op >= 0x40 ? op & 0xc0 : op) {
    case 0x80: rule_set(m, low, RULE_OFFSET, (i64)number(&r) * fd->data_align); break;
    case 0xc0: m->row.rule[low] = m->initial.rule[low]; break;
    case 0x00: break;                                                    /* nop */
    case 0x01: m->location = pointer(&r, POINTER_PCREL | 0xb); break;    /* set_loc */
    case 0x05: reg = cfi_register(&r); rule_set(m, reg, RULE_OFFSET, (i64)number(&r) * fd->data_align); break;
    case 0x06: reg = cfi_register(&r); m->row.rule[reg] = m->initial.rule[reg]; break;
    case 0x07: rule_set(m, cfi_register(&r), RULE_UNDEFINED, 0); break;
    case 0x08: rule_set(m, cfi_register(&r), RULE_SAME, 0); break;
    case 0x09: reg = cfi_register(&r); rule_set(m, reg, RULE_REGISTER, (i64)cfi_register(&r)); break;
    case 0x0a: /* remember_state */
      if (m->depth == CFI_DEPTH)
        fail(r.im, "__eh_frame: more than %u states are remembered", CFI_DEPTH);
      m->stack[m->depth++] = m->row;
      break;
    case 0x0b: /* restore_state */
      if (!m->depth)
        fail(r.im, "__eh_frame: no state is remembered");
      m->row = m->stack[--m->depth];
      break;
    case 0x0c: m->row.cfa_register = cfi_register(&r); m->row.cfa_offset = (i64)number(&r); break;
    case 0x0d: m->row.cfa_register = cfi_register(&r); break;
    case 0x0e: m->row.cfa_offset = (i64)number(&r); break;
    case 0x11: reg = cfi_register(&r); rule_set(m, reg, RULE_OFFSET, signed_number(&r) * fd->data_align); break;
    case 0x12: m->row.cfa_register = cfi_register(&r); m->row.cfa_offset = signed_number(&r) * fd->data_align; break;
    case 0x13: m->row.cfa_offset = signed_number(&r) * fd->data_align; break;
    case 0x14: reg = cfi_register(&r); rule_set(m, reg, RULE_VALUE_OFFSET, (i64)number(&r) * fd->data_align); break;
    case 0x15: reg = cfi_register(&r); rule_set(m, reg, RULE_VALUE_OFFSET, signed_number(&r) * fd->data_align); break;
    case 0x2e: number(&r); break; /* GNU_args_size */
    default: fail(r.im, "__eh_frame: the instruction 0x%x is not supported", op);
    }
  }
}

/* The index in Registers of a DWARF register; -1: not kept (the unwinder restores what calls preserve). */
static int register_index(u64 dwarf) {
#ifdef __aarch64__
  if (dwarf >= 72 && dwarf < 80)
    return (int)(REG_D8 + dwarf - 72);
  return dwarf <= 31 ? (int)dwarf : -1;
#else
  return dwarf <= 16 ? (int)dwarf : -1;
#endif
}

void cfi_step(const Image *im, const FrameDescription *fd, u64 vmaddr, Registers *regs) {
  Machine m = {.location = fd->start};
  u64 delta = fd->at - (u64)(uintptr_t)section_reader(im, image_section_at(im, fd->at), fd->at).at;
  cfi_run(&m, (Reader){im, fd->common_code.p, fd->common_code.p + fd->common_code.len, delta}, fd, ~0ull);
  m.initial = m.row;
  m.location = fd->start;
  cfi_run(&m, (Reader){im, fd->code.p, fd->code.p + fd->code.len, delta}, fd, vmaddr);
  int cfa_index = register_index(m.row.cfa_register);
  if (cfa_index < 0)
    fail(im, "__eh_frame: the frame of 0x%lx is in register %lu", fd->start, m.row.cfa_register);
  u64 cfa = regs->r[cfa_index] + (u64)m.row.cfa_offset;
  Registers out = *regs;
  for (u32 i = 0; i < CFI_REGISTERS; i++) {
    int to = register_index(i), from;
    i64 v = m.row.rule[i].value;
    if (to < 0)
      continue;
    switch (m.row.rule[i].kind) {
    case RULE_SAME:
    case RULE_UNDEFINED: break;
    case RULE_OFFSET: out.r[to] = rd64((const void *)(uintptr_t)(cfa + (u64)v)); break;
    case RULE_VALUE_OFFSET: out.r[to] = cfa + (u64)v; break;
    case RULE_REGISTER:
      from = register_index((u64)v);
      if (from >= 0)
        out.r[to] = regs->r[from];
      break;
    }
  }
  if (m.row.rule[REG_SP].kind == RULE_SAME)
    out.r[REG_SP] = cfa;
  int ra = register_index(fd->return_register);
  if (ra < 0)
    fail(im, "__eh_frame: the return address of 0x%lx is in register %lu", fd->start, fd->return_register);
  out.r[REG_PC] = out.r[ra];
  *regs = out;
}
