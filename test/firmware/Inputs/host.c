/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * Runs the C file of a model named `m`, with one input and one output, on this machine: the example's pattern in, the
 * hash of what comes out. Bytes behind the arena must stay as they were. */
#include "m.h"
#include <stdio.h>

static M_ALIGNED uint8_t arena[M_ARENA_BYTES + 64];

int main(void) {
  const uint32_t inputs = M_INPUT0_ELEMENTS * sizeof *M_INPUT0(arena), outputs = M_OUTPUT0_ELEMENTS * sizeof *M_OUTPUT0(arena);
  uint8_t *input = (uint8_t *)M_INPUT0(arena), *output = (uint8_t *)M_OUTPUT0(arena);
  uint32_t hash = 2166136261u;
  for (uint32_t i = 0; i < 64; ++i)
    arena[M_ARENA_BYTES + i] = (uint8_t)i;
  for (uint32_t i = 0; i < inputs; ++i)
    input[i] = (uint8_t)(37 * i + 139);
  m_run(M_INPUT0(arena), M_OUTPUT0(arena), arena);
  for (uint32_t i = 0; i < outputs; ++i)
    hash = (hash ^ output[i]) * 16777619u;
  for (uint32_t i = 0; i < 64; ++i)
    if (arena[M_ARENA_BYTES + i] != i)
      return puts("the arena's end was overwritten"), 1;
  printf("output0: hash %08x\n", hash);
  return 0;
}
