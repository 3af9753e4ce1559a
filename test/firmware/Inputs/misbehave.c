/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * The interface of the bundle of ad.tflite, by code that does what WRONG says. */
#include <stdint.h>
#define LAYER(n) __attribute__((noinline)) void ad_layer##n##_fully_connected(void) { __asm__ volatile("" ::: "memory"); }
LAYER(0) LAYER(1) LAYER(2) LAYER(3) LAYER(4)

static const uint8_t constants[16] = {1, 2, 3};
uint8_t variable;

void ad_run(int8_t *input, int8_t *output, uint8_t *arena) {
  volatile uint8_t *at = arena, *state = &variable;
  volatile const uint8_t *from = constants;
  at[ARENA - 1] = from[2];
#if WRONG == 1
  at[ARENA] = 1;
#elif WRONG == 2
  (void)at[-1];
#elif WRONG == 3
  volatile uint8_t deep[STACK + 64];
  __asm__ volatile("" ::"r"(deep) : "memory"); /* all of it is there */
  deep[0] = 1;
#elif WRONG == 4
  *state = 1;
#elif WRONG == 5
  (void)*(volatile uint32_t *)0;
#elif WRONG == 6
  ad_layer1_fully_connected();
  ad_layer0_fully_connected();
#endif
  (void)state, (void)input, (void)output;
}
