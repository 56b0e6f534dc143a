/* aarch64_thunk.c: how far branches reach, and the branch islands for what is farther away (Arm ARM, C6.2: B, BL, ADRP, ADD, BR;
 * AAPCS64 6.1.1 leaves x16 to linkers between a call and its function). */
#include "arch/aarch64_thunk.h"

/* 26 bits that count instructions. */
const BranchReach a64_branches[A64_COUNT] = {
    [A64_CALL26] = {-(1 << 27), (1 << 27) - 4, 0},
};

static const ThunkEdge edges[] = {{A64_ADR_PREL_PG_HI21, 0, 0}, {A64_ADD_ABS_LO12_NC, 4, 0}};

const ThunkShape a64_thunk = {
    .bytes = (const u8[A64_THUNK_SIZE]){0x10, 0, 0, 0x90, 0x10, 0x02, 0, 0x91, 0, 0x02, 0x1f, 0xd6},
    .edges = edges,
    .nedges = COUNT_OF(edges),
    .p2align = 2,
    .back = -(1ll << 32) + 0x1000,
    .ahead = (1ll << 32) - 0x1001,
};

/* adrp x16, page; add x16, x16, offset in it; br x16. Pages of ADRP are 4 KiB, whatever the system's are. */
bool a64_write_thunk(u8 *out, u64 at, u64 target) {
  i64 pages = (i64)((target >> 12) - (at >> 12));
  u32 low = (u32)pages & 3, high = (u32)(pages >> 2) & 0x7ffff;
  wr32(out, 0x90000010 | low << 29 | high << 5);
  wr32(out + 4, 0x91000210 | (u32)(target & 0xfff) << 10);
  wr32(out + 8, 0xd61f0200);
  return pages >= -(1 << 20) && pages < 1 << 20;
}
