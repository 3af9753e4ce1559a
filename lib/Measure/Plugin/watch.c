/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * A plugin of QEMU that counts instructions of one call, by layer, and watches every access to memory.
 *
 * spec=<file> has lines (numbers are hexadecimal):
 *   run <lo> <hi>          code of the function that is watched from its first instruction on
 *   layer <lo> <hi>        code of a function that it calls
 *   end <lo> <hi>          code that runs when the call has returned
 *   read|write <lo> <hi>   memory that may be read, or read and written
 *   helpers <lo> <hi>      memory that code of neither may also read: a compiler's library has tables
 * out=<file> gets lines (decimal, addresses hexadecimal):
 *   call <layer or -1> <instructions> <weighted>     each execution of a layer in order; -1: the rest, first
 *   memory <index> <loads> <stores> <lowest> <end of the highest>
 *   outside <count>, and for the first ones: access <pc> <address> <bytes> <load|store>
 *   complete <0|1>, unknown <instructions without a known weight> */
#include "lib/Measure/Plugin/emulator.h"
#include "lib/Measure/Plugin/weight.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_RANGES = 512, MAX_SHOWN = 8, HELPER = -2, RUN = -1 };

struct range { uint64_t low, high; };
struct memory { struct range place; bool writable; uint64_t loads, stores, lowest, end; };
struct call { int layer; uint64_t raw, weighted; };
struct block { int layer; bool entry, ends; unsigned instructions, weight; };
struct access { uint64_t pc, address; unsigned bytes; bool store; };

static struct range run, helpers, layers[MAX_RANGES], ends[MAX_RANGES];
static struct memory memories[MAX_RANGES];
static unsigned layer_count, end_count, memory_count, shown;
static struct call *calls;
static size_t call_count;
static struct access first[MAX_SHOWN];
static uint64_t outside, unknown;
static bool active, complete;
static int current_layer = RUN; /* of the code that ran last */
static size_t current;          /* in calls: who pays for helpers */
static const char *output = "watch.out";

static bool contains(struct range range, uint64_t address) { return address >= range.low && address < range.high; }

static int layer_of(uint64_t pc) {
  for (unsigned i = 0; i < layer_count; ++i)
    if (contains(layers[i], pc))
      return (int)i;
  return contains(run, pc) ? RUN : HELPER;
}

static void start_call(int layer) {
  struct call *grown = realloc(calls, (call_count + 1) * sizeof *calls);
  if (!grown)
    abort();
  calls = grown;
  calls[call_count] = (struct call){layer, 0, 0};
  current = call_count++;
}

/* The last call of a layer: execution came back to it from a helper. */
static void resume(int layer) {
  for (current = call_count - 1; current > 0 && calls[current].layer != layer; --current)
    ;
}

static void on_block(unsigned processor, void *data) {
  const struct block *block = data;
  (void)processor;
  if (!active && !complete && block->layer == RUN && block->entry) {
    active = true;
    start_call(RUN);
  } else if (active && block->ends) {
    active = false;
    complete = true;
  }
  if (!active)
    return;
  if (block->layer != HELPER && block->layer != current_layer) {
    if (block->layer != RUN && block->entry)
      start_call(block->layer);
    else
      resume(block->layer);
    current_layer = block->layer;
  }
  calls[current].raw += block->instructions;
  calls[current].weighted += block->weight;
}

static void on_weighed(unsigned processor, void *data) {
  (void)processor;
  unsigned weight = weigh_executed((uint32_t)(uintptr_t)data);
  if (!active)
    return;
  calls[current].weighted += weight;
  unknown += !weight;
}

static void on_counted_access(unsigned processor, uint32_t access, uint64_t address, void *data) {
  (void)processor, (void)access, (void)address, (void)data;
  if (active)
    calls[current].weighted += 1;
}

static void on_access(unsigned processor, uint32_t access, uint64_t address, void *data) {
  uint64_t pc = (uintptr_t)data;
  bool store = qemu_plugin_mem_is_store(access);
  unsigned bytes = 1u << qemu_plugin_mem_size_shift(access);
  (void)processor;
  if (!active)
    return;
  for (unsigned i = 0; i < memory_count; ++i) {
    struct memory *memory = &memories[i];
    if (address < memory->place.low || address + bytes > memory->place.high || (store && !memory->writable))
      continue;
    memory->loads += !store;
    memory->stores += store;
    if (address < memory->lowest)
      memory->lowest = address;
    if (address + bytes > memory->end)
      memory->end = address + bytes;
    return;
  }
  if (!store && contains(helpers, address) && layer_of(pc) == HELPER)
    return;
  ++outside;
  if (shown < MAX_SHOWN)
    first[shown++] = (struct access){pc, address, bytes, store};
}

static void watch_instruction(struct qemu_plugin_insn *instruction, struct block *block) {
  uint64_t pc = qemu_plugin_insn_vaddr(instruction);
  const uint8_t *bytes = qemu_plugin_insn_data(instruction);
  int weight = weigh(bytes, qemu_plugin_insn_size(instruction));
  if (weight == WEIGHT_BY_ACCESS) {
    qemu_plugin_register_vcpu_mem_cb(instruction, on_counted_access, NO_REGISTERS, READS_AND_WRITES, NULL);
  } else if (weight == WEIGHT_BY_STATE) {
    uint32_t word;
    memcpy(&word, bytes, sizeof word);
    qemu_plugin_register_vcpu_insn_exec_cb(instruction, on_weighed, NO_REGISTERS, (void *)(uintptr_t)word);
  } else {
    block->weight += (unsigned)weight;
  }
  qemu_plugin_register_vcpu_mem_cb(instruction, on_access, NO_REGISTERS, READS_AND_WRITES, (void *)(uintptr_t)pc);
}

static void on_translation(plugin_id id, struct qemu_plugin_tb *code) {
  struct block *block = calloc(1, sizeof *block); /* as long as the code may run: to the end */
  size_t count = qemu_plugin_tb_n_insns(code);
  uint64_t pc = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(code, 0));
  (void)id;
  if (!block)
    abort();
  block->instructions = (unsigned)count;
  block->layer = layer_of(pc);
  block->entry = pc == (block->layer >= 0 ? layers[block->layer].low : run.low);
  for (unsigned i = 0; i < end_count; ++i)
    block->ends |= contains(ends[i], pc);
  /* Before its instructions: callbacks run in the order of their registration. */
  qemu_plugin_register_vcpu_tb_exec_cb(code, on_block, NO_REGISTERS, block);
  for (size_t i = 0; i < count; ++i)
    watch_instruction(qemu_plugin_tb_get_insn(code, i), block);
}

static void write_output(plugin_id id, void *data) {
  FILE *file = fopen(output, "w");
  (void)id, (void)data;
  if (!file)
    return;
  for (size_t i = 0; i < call_count; ++i)
    fprintf(file, "call %d %" PRIu64 " %" PRIu64 "\n", calls[i].layer, calls[i].raw, calls[i].weighted);
  for (unsigned i = 0; i < memory_count; ++i)
    fprintf(file, "memory %u %" PRIu64 " %" PRIu64 " %" PRIx64 " %" PRIx64 "\n", i, memories[i].loads, memories[i].stores,
            memories[i].lowest, memories[i].end);
  fprintf(file, "outside %" PRIu64 "\n", outside);
  for (unsigned i = 0; i < shown; ++i)
    fprintf(file, "access %" PRIx64 " %" PRIx64 " %u %s\n", first[i].pc, first[i].address, first[i].bytes,
            first[i].store ? "store" : "load");
  fprintf(file, "complete %d\nunknown %" PRIu64 "\n", complete, unknown);
  fclose(file);
}

static bool read_line(const char *kind, struct range range) {
  if (!strcmp(kind, "run"))
    run = range;
  else if (!strcmp(kind, "helpers"))
    helpers = range;
  else if (!strcmp(kind, "layer") && layer_count < MAX_RANGES)
    layers[layer_count++] = range;
  else if (!strcmp(kind, "end") && end_count < MAX_RANGES)
    ends[end_count++] = range;
  else if ((!strcmp(kind, "read") || !strcmp(kind, "write")) && memory_count < MAX_RANGES)
    memories[memory_count++] = (struct memory){range, kind[0] == 'w', 0, 0, UINT64_MAX, 0};
  else
    return false;
  return true;
}

static bool read_spec(const char *path) {
  FILE *file = fopen(path, "r");
  char kind[16];
  struct range range;
  bool good = file != NULL;
  while (good && fscanf(file, "%15s %" SCNx64 " %" SCNx64, kind, &range.low, &range.high) == 3)
    good = read_line(kind, range);
  if (file)
    fclose(file);
  return good && run.high;
}

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

__attribute__((visibility("default"))) int qemu_plugin_install(plugin_id id, const void *info, int count, char **arguments) {
  const char *spec = "";
  (void)info;
  for (int i = 0; i < count; ++i) {
    if (!strncmp(arguments[i], "spec=", 5))
      spec = arguments[i] + 5;
    if (!strncmp(arguments[i], "out=", 4))
      output = arguments[i] + 4;
  }
  if (!read_spec(spec)) {
    fprintf(stderr, "watch: cannot read the specification '%s'\n", spec);
    return 1;
  }
  qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
  qemu_plugin_register_atexit_cb(id, write_output, NULL);
  return 0;
}
