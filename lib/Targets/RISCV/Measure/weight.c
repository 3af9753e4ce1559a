/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * Weights of RV32 instructions. Vector instructions count the registers of their widest group, so the group's size
 * (vtype) is followed from vsetvli to vsetvli. Encodings as in the ratified manual, volume I, "V". */
#include "lib/Measure/Plugin/weight.h"
#include <stdbool.h>

enum { OPCODE_LOAD_FP = 0x07, OPCODE_STORE_FP = 0x27, OPCODE_OP = 0x33, OPCODE_VECTOR = 0x57 };
enum { OPIVV = 0, OPMVV = 2, OPIVI = 3, OPMVX = 6, OPCFG = 7 };

static unsigned field(uint32_t code, unsigned low, unsigned bits) { return code >> low & ((1u << bits) - 1); }

/* Widths 1 to 4 of floating-point loads are scalar. */
static bool is_vector_access(uint32_t code) {
  unsigned opcode = field(code, 0, 7), width = field(code, 12, 3);
  return (opcode == OPCODE_LOAD_FP || opcode == OPCODE_STORE_FP) && (width == 0 || width >= 5);
}

int weigh(const uint8_t *bytes, size_t size) {
  if (size < 4)
    return 1;
  uint32_t code = bytes[0] | bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
  if (field(code, 0, 7) == OPCODE_OP && field(code, 25, 7) == 1 && field(code, 12, 3) >= 4) /* DIV, DIVU, REM, REMU */
    return WEIGHT_DIVISION;
  if (is_vector_access(code))
    return field(code, 26, 2) == 0 ? WEIGHT_BY_STATE : WEIGHT_BY_ACCESS; /* unit stride; else strided or indexed */
  return field(code, 0, 7) == OPCODE_VECTOR ? WEIGHT_BY_STATE : 1;
}

static bool known;
static int group;               /* log2 of LMUL, -3 to 3 */
static unsigned element = 3;    /* log2 of SEW in bits, 3 to 6 */

static unsigned registers(int log2) { return log2 <= 0 ? 1 : 1u << log2; }

static unsigned configure(uint32_t code) {
  known = !(code >> 31) || field(code, 30, 2) == 3; /* vsetvl takes vtype from a register: nobody knows */
  unsigned vtype = code >> 31 ? field(code, 20, 10) : field(code, 20, 11);
  group = (int)(vtype & 7);
  if (group > 4)
    group -= 8;
  element = 3 + (vtype >> 3 & 7);
  return 1;
}

static unsigned weigh_access(uint32_t code) {
  unsigned fields = field(code, 29, 3) + 1, mode = field(code, 20, 5), width = field(code, 12, 3);
  if (mode == 8) /* whole registers */
    return fields;
  if (mode == 11) /* a mask */
    return 1;
  unsigned size = width == 0 ? 3 : width - 1; /* log2 of the bits of an element in memory */
  return fields * registers(group + (int)size - (int)element);
}

static unsigned weigh_arithmetic(uint32_t code) {
  unsigned form = field(code, 12, 3), operation = field(code, 26, 6);
  bool multiply = form == OPMVV || form == OPMVX;
  if (form == OPIVI && operation == 0x27) /* vmv<n>r.v */
    return field(code, 15, 5) + 1;
  if (multiply && operation == 0x10) /* vmv.x.s, vmv.s.x, counts of masks */
    return 1;
  if (form == OPMVV && operation >= 0x18 && operation <= 0x1F) /* logic of masks */
    return 1;
  if (multiply && operation >= 0x20 && operation <= 0x23)
    return WEIGHT_DIVISION * registers(group);
  bool narrows = !multiply && operation >= 0x2C && operation <= 0x2F; /* vnsrl, vnsra, vnclip: read two groups */
  bool widens = multiply && operation >= 0x30;                        /* vwadd to vwmacc: write two groups */
  return registers(group + (narrows || widens));
}

unsigned weigh_executed(uint32_t code) {
  if (field(code, 0, 7) == OPCODE_VECTOR && field(code, 12, 3) == OPCFG)
    return configure(code);
  if (!known && !(is_vector_access(code) && field(code, 20, 5) == 8))
    return 0;
  return is_vector_access(code) ? weigh_access(code) : weigh_arithmetic(code);
}
