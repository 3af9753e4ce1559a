/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * Weights of Thumb instructions; encodings as in the Armv8-M Architecture Reference Manual, chapter C2. */
#include "lib/Measure/Plugin/weight.h"

static int count_bits(unsigned bits) { return __builtin_popcount(bits); }

static int weigh_short(unsigned code) {
  if ((code & 0xFE00) == 0xB400 || (code & 0xFE00) == 0xBC00) /* PUSH, POP: eight registers, and lr or pc */
    return count_bits(code & 0x1FF);
  if ((code & 0xF000) == 0xC000) /* STM, LDM */
    return count_bits(code & 0xFF);
  return 1;
}

static int weigh_long(unsigned first, unsigned second) {
  if ((first & 0xFE40) == 0xE800) /* LDM, STM, PUSH, POP */
    return count_bits(second);
  if ((first & 0xFE40) == 0xE840 && (first & 0x0120)) /* LDRD, STRD: with an index or writing it back */
    return 2;
  if (((first & 0xFFF0) == 0xFB90 || (first & 0xFFF0) == 0xFBB0) && (second & 0x00F0) == 0x00F0) /* SDIV, UDIV */
    return WEIGHT_DIVISION;
  if ((first & 0xEFA0) == 0xEC80 && (second & 0x1E00) == 0x0E00) /* gather, scatter: [Rn, Qm] */
    return WEIGHT_BY_ACCESS;
  if ((first & 0xFF00) == 0xFD00 && (second & 0x1E00) == 0x1E00) /* gather, scatter: [Qn, #n] */
    return WEIGHT_BY_ACCESS;
  if ((first & 0xFE00) == 0xEC00 && (second & 0x0E00) == 0x0A00) { /* one or many floating-point registers */
    if ((first & 0x0120) == 0x0100)                               /* VLDR, VSTR */
      return second & 0x0100 ? 2 : 1;
    return (first & 0x01A0) ? (int)(second & 0xFF) : 1; /* VLDM, VSTM: words; else VMOV between files */
  }
  return 1;
}

int weigh(const uint8_t *bytes, size_t size) {
  unsigned first = bytes[0] | bytes[1] << 8;
  return size < 4 ? weigh_short(first) : weigh_long(first, bytes[2] | bytes[3] << 8);
}

/* No weight depends on state. */
unsigned weigh_executed(uint32_t instruction) { return instruction ? 1 : 0; }
