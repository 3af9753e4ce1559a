/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * What a target says of its instructions: how many units of work one stands for. The rule is in lib/Measure/README.md. */
#ifndef QTENSOR_WEIGHT_H
#define QTENSOR_WEIGHT_H
#include <stddef.h>
#include <stdint.h>

enum {
  WEIGHT_BY_ACCESS = -1, /* as many as it makes accesses to memory */
  WEIGHT_BY_STATE = -2,  /* ask weigh_executed() each time it is executed */
};

enum { WEIGHT_DIVISION = 8 };

/* An instruction of `size` bytes: its weight, or one of the above. */
int weigh(const uint8_t *bytes, size_t size);

/* An instruction whose weight depends on what was executed before. Called in the order of execution; 0: not known. */
unsigned weigh_executed(uint32_t instruction);

#endif
