/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * What test programs know of the emulated machine: text for the debugger, and a counter of instructions. */
#pragma once
#include <stdint.h>

long board_call(long operation, const void *block);

static void put_text(const char *text) { board_call(0x04, text); }

_Noreturn void board_exit(int status) {
  long block[2] = {0x20026, status};
  for (;;)
    board_call(0x20, block);
}

_Noreturn void board_fail(const char *what) {
  put_text(what);
  put_text("\n");
  board_exit(99);
}

/* Under -icount shift=0 the counter is exact. */
static uint64_t machine_before;
static uint64_t machine_count(void) {
  uint32_t high, low, again;
  do
    __asm__ volatile("csrr %0, minstreth\n csrr %1, minstret\n csrr %2, minstreth" : "=r"(high), "=r"(low), "=r"(again));
  while (high != again);
  return (uint64_t)high << 32 | low;
}
static __attribute__((unused)) void count_begin(void) { machine_before = machine_count(); }
static __attribute__((unused)) uint64_t count_end(void) { return machine_count() - machine_before; }

/* The compiler may call these for loops over bytes. */
void *memset(void *to, int byte, __SIZE_TYPE__ count) {
  for (char *at = to; count--;)
    *at++ = (char)byte;
  return to;
}
void *memcpy(void *to, const void *from, __SIZE_TYPE__ count) {
  char *at = to;
  for (const char *f = from; count--;)
    *at++ = *f++;
  return to;
}
