/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * A plugin of QEMU that counts what a program executes between the functions region_begin and region_end:
 *
 *   cc -O2 -shared -fPIC count.c -o count.so;  qemu-system-... -plugin count.so,out=FILE[,vlen=BITS]
 *
 * writes a line "<instructions> <weighted>" for each region. Weighted, so that no instruction is cheaper than its work: loads
 * and stores of several registers count as many as these; a vector operation as many as the registers that its widest operand
 * has (RISC-V: LMUL and the element's width), an indexed or strided access as many as its elements; a division counts 8.
 * The plugin interface (version 1) is declared here: its header is not packaged with the emulator. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef struct {
  const char *target_name;
} qemu_info_t;
enum { INLINE_ADD = 0, NO_REGISTERS = 0 };

typedef void (*translate_t)(uint64_t id, struct qemu_plugin_tb *);
typedef void (*execute_t)(unsigned cpu, void *data);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, translate_t);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, execute_t, int flags, void *);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *, int op, void *to, uint64_t number);
void qemu_plugin_register_atexit_cb(uint64_t id, void (*)(uint64_t id, void *), void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
const char *qemu_plugin_insn_symbol(const struct qemu_plugin_insn *);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

static uint64_t instructions, weighted, instructions_before, weighted_before;
static uint64_t begin_address, end_address; /* The first instructions of the two functions. */
static FILE *out;
static bool arm;
static unsigned vector_bits = 128;

static void begin(unsigned cpu, void *data) {
  (void)cpu, (void)data;
  instructions_before = instructions;
  weighted_before = weighted;
}

static void end(unsigned cpu, void *data) {
  (void)cpu, (void)data;
  fprintf(out, "%llu %llu\n", (unsigned long long)(instructions - instructions_before),
          (unsigned long long)(weighted - weighted_before));
}

/* ---- RISC-V ---- */

/* What vtype says: eighths of a register in a group, bits of an element. */
static unsigned group_eighths = 8, element_bits = 8;

enum { SAME, TWICE, ACCESS, ELEMENTS, REGISTERS, DIVISION }; /* What the weight of a vector operation comes from. */

static unsigned registers_of(unsigned eighths) { return eighths <= 8 ? 1 : eighths / 8; }

static void set_type(unsigned cpu, void *data) {
  static const unsigned eighths[8] = {8, 16, 32, 64, 0, 1, 2, 4};
  unsigned type = (unsigned)(uintptr_t)data;
  (void)cpu;
  group_eighths = eighths[type & 7];
  element_bits = 8u << (type >> 3 & 7);
}

static void count_vector(unsigned cpu, void *data) {
  unsigned kind = (uintptr_t)data & 15, number = (unsigned)((uintptr_t)data >> 4);
  unsigned elements = vector_bits * group_eighths / 8 / element_bits;
  (void)cpu;
  weighted += kind == SAME      ? registers_of(group_eighths)
              : kind == TWICE   ? registers_of(2 * group_eighths)
              : kind == ACCESS  ? registers_of(group_eighths * number / element_bits)
              : kind == DIVISION ? 8 * registers_of(group_eighths)
              : kind == ELEMENTS ? (elements ? elements : 1)
                                 : number;
}

/* The kind of an arithmetic vector instruction: whose operands are wider than the type says. */
static unsigned arithmetic_kind(uint32_t word) {
  unsigned form = word >> 12 & 7, operation = word >> 26;
  bool multiply = form == 2 || form == 6; /* OPMVV, OPMVX */
  if (multiply && operation >= 0x30) /* vwadd ... vwmaccsu */
    return TWICE;
  if (multiply && operation >= 0x20 && operation <= 0x23) /* vdiv, vrem */
    return DIVISION;
  if (multiply && operation == 0x10) /* vmv.x.s, vmv.s.x */
    return REGISTERS | 1 << 4;
  if (!multiply && operation >= 0x2c && operation <= 0x31 && operation != 0x30) /* narrowing shifts, vwredsum */
    return TWICE;
  if (form == 3 && operation == 0x27) /* vmv<n>r.v */
    return REGISTERS | ((word >> 15 & 7) + 1) << 4;
  return SAME;
}

static unsigned access_kind(uint32_t word) {
  static const unsigned bits[8] = {8, 0, 0, 0, 0, 16, 32, 64};
  unsigned mode = word >> 26 & 3, fields = (word >> 29) + 1;
  if (mode != 0)
    return ELEMENTS;
  if ((word >> 20 & 31) == 8) /* whole registers */
    return REGISTERS | fields << 4;
  return ACCESS | bits[word >> 12 & 7] << 4;
}

/* Arranges for the weight of an instruction to be counted; false: it weighs one. */
static bool weigh_riscv(struct qemu_plugin_insn *instruction, uint32_t word, size_t size) {
  unsigned opcode = word & 0x7f, form = word >> 12 & 7;
  if (size != 4)
    return false;
  if (opcode == 0x33 && word >> 25 == 1 && form >= 4) { /* div, rem */
    qemu_plugin_register_vcpu_insn_exec_inline(instruction, INLINE_ADD, &weighted, 8);
    return true;
  }
  if (opcode == 0x57 && form == 7) { /* vsetvli, vsetivli */
    if (word >> 31 == 0 || word >> 30 == 3)
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, set_type, NO_REGISTERS, (void *)(uintptr_t)(word >> 20 & 0xff));
    return false;
  }
  bool access = (opcode == 0x07 || opcode == 0x27) && (form == 0 || form >= 5);
  if (opcode != 0x57 && !access)
    return false;
  uintptr_t kind = access ? access_kind(word) : arithmetic_kind(word);
  qemu_plugin_register_vcpu_insn_exec_cb(instruction, count_vector, NO_REGISTERS, (void *)kind);
  return true;
}

/* ---- Thumb ---- */

static unsigned weigh_thumb(uint32_t word, size_t size) {
  unsigned first = word & 0xffff, second = word >> 16;
  if (size == 2) {
    if ((first & 0xf600) == 0xb400) /* push, pop */
      return (unsigned)__builtin_popcount(first & 0x1ff);
    return (first & 0xf000) == 0xc000 ? (unsigned)__builtin_popcount(first & 0xff) : 1; /* ldm, stm */
  }
  if ((first & 0xfe40) == 0xe800) /* ldm, stm */
    return (unsigned)__builtin_popcount(second);
  if ((first & 0xfe40) == 0xe840 && (first & 0x120)) /* ldrd, strd */
    return 2;
  if ((first & 0xffd0) == 0xfb90 && (second & 0xf0f0) == 0xf0f0) /* sdiv, udiv */
    return 8;
  bool single = (first & 0x0120) == 0x0100;
  if ((first & 0xfe00) == 0xec00 && (second & 0x0e00) == 0x0a00 && !single && (first & 0x01a0)) /* vldm, vstm, vpush, vpop */
    return second & 0xff ? second & 0xff : 1;
  if ((first & 0xefa0) == 0xec80 && (second & 0x1e00) == 0x0e00) /* Helium: gathers and scatters */
    return 16u >> (second >> 7 & 3);
  return (first & 0xff00) == 0xfd00 && (second & 0x1e00) == 0x1e00 ? 4 : 1; /* the same, from a vector of addresses */
}

static void translate(uint64_t id, struct qemu_plugin_tb *block) {
  (void)id;
  for (size_t i = 0, n = qemu_plugin_tb_n_insns(block); i < n; ++i) {
    struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
    uint64_t address = qemu_plugin_insn_vaddr(instruction);
    const char *symbol = qemu_plugin_insn_symbol(instruction);
    if (symbol && !strcmp(symbol, "region_begin") && (!begin_address || address < begin_address))
      begin_address = address;
    if (symbol && !strcmp(symbol, "region_end") && (!end_address || address < end_address))
      end_address = address;
    if (address == begin_address)
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, begin, NO_REGISTERS, NULL);
    if (address == end_address)
      qemu_plugin_register_vcpu_insn_exec_cb(instruction, end, NO_REGISTERS, NULL);
    qemu_plugin_register_vcpu_insn_exec_inline(instruction, INLINE_ADD, &instructions, 1);
    uint32_t word = 0;
    size_t size = qemu_plugin_insn_size(instruction);
    memcpy(&word, qemu_plugin_insn_data(instruction), size < 4 ? size : 4);
    if (arm)
      qemu_plugin_register_vcpu_insn_exec_inline(instruction, INLINE_ADD, &weighted, weigh_thumb(word, size));
    else if (!weigh_riscv(instruction, word, size))
      qemu_plugin_register_vcpu_insn_exec_inline(instruction, INLINE_ADD, &weighted, 1);
  }
}

static void finish(uint64_t id, void *data) {
  (void)id, (void)data;
  fclose(out);
}

__attribute__((visibility("default"))) int qemu_plugin_install(uint64_t id, const qemu_info_t *info, int count, char **arguments) {
  for (int i = 0; i < count; ++i) {
    if (!strncmp(arguments[i], "out=", 4))
      out = fopen(arguments[i] + 4, "w");
    if (!strncmp(arguments[i], "vlen=", 5))
      vector_bits = (unsigned)atoi(arguments[i] + 5);
  }
  if (!out)
    return fprintf(stderr, "count: give out=FILE\n"), 1;
  arm = !strcmp(info->target_name, "arm");
  qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
  qemu_plugin_register_atexit_cb(id, finish, NULL);
  return 0;
}
