/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * From reset to main on every board with a Cortex-M: vector table, coprocessor access, data, debugger calls. */
#include <stdint.h>
#include "board.h"

extern uint32_t __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[], __stack_top[];
int main(void);

long board_call(long operation, const void *block) {
  register long r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = block;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

/* Armv6-M: only r0 to r7 have all instructions. r4 keeps the stack pointer, which the called function preserves. */
__asm__(".text\n.syntax unified\n.thumb\n.global board_run_on\n.type board_run_on, %function\n.thumb_func\nboard_run_on:\n"
        "  push {r4, r5, r6, lr}\n  mov r4, sp\n  mov r5, r0\n  mov r6, r1\n"
        "  adds r0, r2, #1\n  lsrs r0, r0, #1\n  lsls r0, r0, #3\n  subs r3, r3, r0\n  mov sp, r3\n"
        "1: subs r2, r2, #1\n  bmi 2f\n  lsls r1, r2, #2\n  adds r0, r6, r1\n  ldr r0, [r0, #16]\n  str r0, [r3, r1]\n"
        "  b 1b\n"
        "2: ldr r0, [r6]\n  ldr r1, [r6, #4]\n  ldr r2, [r6, #8]\n  ldr r3, [r6, #12]\n  blx r5\n"
        "  mov sp, r4\n  pop {r4, r5, r6, pc}\n"
        ".size board_run_on, . - board_run_on\n");

static void fault(void) {
  uint32_t exception;
  __asm__ volatile("mrs %0, ipsr" : "=r"(exception));
  board_fail("exception", exception & 0x1ff);
}

void board_reset(void) {
#if __ARM_ARCH >= 7
  *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20; /* CPACR: floating point and vectors, where there are any */
#endif
#if __ARM_ARCH >= 8
  *(volatile uint32_t *)0xE000ED14u |= 1u << 19; /* CCR.LOB: loops without branches, where there are any */
#endif
  __asm__ volatile("dsb\nisb" ::: "memory");
  for (uint32_t *to = __data_start, *from = __data_load; to < __data_end;)
    *to++ = *from++;
  for (uint32_t *to = __bss_start; to < __bss_end;)
    *to++ = 0;
  board_exit(main());
}

__attribute__((section(".vectors"), used)) void (*const vector_table[16])(void) = {
    (void (*)(void))(uintptr_t)__stack_top, board_reset, fault, fault, fault, fault, fault, fault,
    0, 0, 0, fault, fault, 0, fault, fault,
};
