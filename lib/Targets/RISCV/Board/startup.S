/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* From reset to main in machine mode: gp, sp, traps, vector state, data; debugger calls. */
  .section .vectors, "ax"
  .globl board_reset
board_reset:
  .option push
  .option norelax
  la   gp, __global_pointer$
  .option pop
  la   sp, __stack_top
  la   t0, trap
  csrw mtvec, t0
  li   t0, 0x6600            /* mstatus.FS and VS: state in use; they read as zero where there is none */
  csrs mstatus, t0
  la   a0, __data_start
  la   a1, __data_end
  la   a2, __data_load
1:
  bgeu a0, a1, 2f
  lw   t0, 0(a2)
  sw   t0, 0(a0)
  addi a0, a0, 4
  addi a2, a2, 4
  j    1b
2:
  la   a0, __bss_start
  la   a1, __bss_end
3:
  bgeu a0, a1, 4f
  sw   x0, 0(a0)
  addi a0, a0, 4
  j    3b
4:
  call main
  call board_exit

  .balign 4
trap:
  la   a0, 5f
  csrr a1, mcause
  call board_fail
5:
  .asciz "trap"

  .text
  .globl board_call
  .type board_call, @function
  .balign 16
  .option push
  .option norvc                /* a debugger looks for these three words, in one page */
board_call:
  slli x0, x0, 0x1f
  ebreak
  srai x0, x0, 7
  ret
  .option pop
  .size board_call, . - board_call

  .globl board_run_on
  .type board_run_on, @function
board_run_on:
  addi sp, sp, -16
  sw   ra, 12(sp)
  sw   s0, 8(sp)
  mv   s0, sp
  mv   t0, a0
  mv   t1, a1
  addi t2, a2, 3               /* rounded up to 16 bytes */
  srli t2, t2, 2
  slli t2, t2, 4
  sub  sp, a3, t2
1:
  beqz a2, 2f
  addi a2, a2, -1
  slli t2, a2, 2
  add  t3, t1, t2
  lw   t3, 32(t3)
  add  t2, sp, t2
  sw   t3, 0(t2)
  j    1b
2:
  lw   a0, 0(t1)
  lw   a1, 4(t1)
  lw   a2, 8(t1)
  lw   a3, 12(t1)
  lw   a4, 16(t1)
  lw   a5, 20(t1)
  lw   a6, 24(t1)
  lw   a7, 28(t1)
  jalr t0
  mv   sp, s0
  lw   s0, 8(sp)
  lw   ra, 12(sp)
  addi sp, sp, 16
  ret
  .size board_run_on, . - board_run_on
