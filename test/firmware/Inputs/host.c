/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * Runs the C file of a model named `m`, with one input and one output of bytes, on this machine: the example's pattern in, the
 * hash of what comes out. Bytes behind the arena must stay as they were. */
#include "m.h"
#include <stdio.h>

static M_ALIGNED uint8_t arena[M_ARENA_BYTES + 64];

int main(void) {
  int8_t *input = M_INPUT0(arena), *output = M_OUTPUT0(arena);
  uint32_t hash = 2166136261u;
  for (uint32_t i = 0; i < 64; ++i)
    arena[M_ARENA_BYTES + i] = (uint8_t)i;
  for (uint32_t i = 0; i < M_INPUT0_ELEMENTS; ++i)
    input[i] = (int8_t)(uint8_t)(37 * i + 139);
  m_run(input, output, arena);
  for (uint32_t i = 0; i < M_OUTPUT0_ELEMENTS; ++i)
    hash = (hash ^ (uint8_t)output[i]) * 16777619u;
  for (uint32_t i = 0; i < 64; ++i)
    if (arena[M_ARENA_BYTES + i] != i)
      return puts("the arena's end was overwritten"), 1;
  printf("output0: hash %08x\n", hash);
  return 0;
}
