/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * A plugin of QEMU that counts what a program executes between its functions region_begin and region_end, whatever it calls there:
 * out=<file> gets a line "<instructions> <weighted>" for each region. For programs that are no bundles: layers of tests, and the
 * same layers by other libraries. */
#include "lib/Measure/Plugin/emulator.h"
#include "lib/Measure/Plugin/weight.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *qemu_plugin_insn_symbol(const struct qemu_plugin_insn *);

static uint64_t instructions, weighted;
static uint64_t begin_address, end_address; /* The first instructions of the two functions. */
static FILE *out;

static void begin(unsigned processor, void *data) {
  (void)processor, (void)data;
  instructions = weighted = 0;
}

static void end(unsigned processor, void *data) {
  (void)processor, (void)data;
  fprintf(out, "%" PRIu64 " %" PRIu64 "\n", instructions, weighted);
}

/* `data` is the number of instructions of a block and, above, their weight. */
static void add_block(unsigned processor, void *data) {
  (void)processor;
  instructions += (uintptr_t)data & 0xffff;
  weighted += (uintptr_t)data >> 16;
}

static void add_executed(unsigned processor, void *data) {
  (void)processor;
  weighted += weigh_executed((uint32_t)(uintptr_t)data);
}

static void add_access(unsigned processor, uint32_t access, uint64_t address, void *data) {
  (void)processor, (void)access, (void)address, (void)data;
  ++weighted;
}

/* The smaller of the addresses: that of the first instruction. */
static void note(struct qemu_plugin_insn *instruction, const char *name, uint64_t *address) {
  const char *symbol = qemu_plugin_insn_symbol(instruction);
  uint64_t at = qemu_plugin_insn_vaddr(instruction);
  if (symbol && !strcmp(symbol, name) && (!*address || at < *address))
    *address = at;
}

/* The weight of an instruction that is known before it is executed; the rest is added when it is. */
static unsigned weigh_early(struct qemu_plugin_insn *instruction) {
  const uint8_t *bytes = qemu_plugin_insn_data(instruction);
  int weight = weigh(bytes, qemu_plugin_insn_size(instruction));
  uint32_t code = 0;
  if (weight >= 0)
    return (unsigned)weight;
  if (weight == WEIGHT_BY_ACCESS) {
    qemu_plugin_register_vcpu_mem_cb(instruction, add_access, NO_REGISTERS, READS_AND_WRITES, NULL);
    return 0;
  }
  memcpy(&code, bytes, sizeof code);
  qemu_plugin_register_vcpu_insn_exec_cb(instruction, add_executed, NO_REGISTERS, (void *)(uintptr_t)code);
  return 0;
}

/* A function that is called begins a block. */
static void translate(plugin_id id, struct qemu_plugin_tb *block) {
  (void)id;
  struct qemu_plugin_insn *first = qemu_plugin_tb_get_insn(block, 0);
  size_t count = qemu_plugin_tb_n_insns(block);
  uintptr_t weight = 0;
  note(first, "region_begin", &begin_address);
  note(first, "region_end", &end_address);
  if (qemu_plugin_insn_vaddr(first) == begin_address)
    qemu_plugin_register_vcpu_tb_exec_cb(block, begin, NO_REGISTERS, NULL);
  if (qemu_plugin_insn_vaddr(first) == end_address)
    qemu_plugin_register_vcpu_tb_exec_cb(block, end, NO_REGISTERS, NULL);
  for (size_t i = 0; i < count; ++i)
    weight += weigh_early(qemu_plugin_tb_get_insn(block, i));
  qemu_plugin_register_vcpu_tb_exec_cb(block, add_block, NO_REGISTERS, (void *)(count | weight << 16));
}

static void finish(plugin_id id, void *data) {
  (void)id, (void)data;
  fclose(out);
}

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

__attribute__((visibility("default"))) int qemu_plugin_install(plugin_id id, const void *info, int count, char **arguments) {
  (void)info;
  for (int i = 0; i < count; ++i)
    if (!strncmp(arguments[i], "out=", 4))
      out = fopen(arguments[i] + 4, "w");
  if (!out)
    return fprintf(stderr, "count: give out=<file>\n"), 1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
  qemu_plugin_register_atexit_cb(id, finish, NULL);
  return 0;
}
