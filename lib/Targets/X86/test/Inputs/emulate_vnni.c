// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Preloaded into a program: executes the VEX form of vpdpbusd for a processor that lacks AVX-VNNI. The processor refuses
// the instruction, this computes what the manual says it does, and the program goes on behind it. So the very bytes of
// that level run here; everything else in them is done by the processor.
//
//   VEX.{128,256}.66.0F38.W0 50 /r   vpdpbusd a, b, c/m   a[i] += sum over 4 of u8(b[4i + j]) * s8(c[4i + j])
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

// Where the kernel keeps the upper halves of ymm registers, and which parts of the state it has, in a signal's frame.
enum { UPPER_HALVES = 576, STATE_PARTS = 512, AVX_STATE = 4 };

static long executed;

static uint8_t *half(ucontext_t *context, int reg, int upper) {
  uint8_t *state = (uint8_t *)context->uc_mcontext.fpregs;
  return upper ? state + UPPER_HALVES + 16 * reg : (uint8_t *)&context->uc_mcontext.fpregs->_xmm[reg];
}

static int64_t general(const ucontext_t *context, int reg) {
  static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  return context->uc_mcontext.gregs[order[reg]];
}

static int64_t take(const uint8_t **at, int bytes) {
  int8_t small;
  int32_t word = 0;
  memcpy(bytes == 1 ? (void *)&small : (void *)&word, *at, bytes);
  *at += bytes;
  return bytes == 1 ? small : word;
}

/// The address that a ModRM byte with memory stands for; `at` is behind that byte and moves behind the address.
static const uint8_t *address(const ucontext_t *context, int modrm, int x, int b, const uint8_t **at) {
  int mode = modrm >> 6, base = modrm & 7, relative = mode == 0 && base == 5;
  int64_t sum = 0;
  if (base == 4) {
    int sib = *(*at)++, index = (sib >> 3 & 7) | x << 3;
    base = sib & 7;
    if (index != 4)
      sum += general(context, index) << (sib >> 6);
    if (base == 5 && mode == 0)
      return (const uint8_t *)(sum + take(at, 4));
  }
  if (!relative)
    sum += general(context, base | b << 3);
  if (mode == 1)
    sum += take(at, 1);
  else if (mode == 2 || relative)
    sum += take(at, 4);
  return relative ? *at + sum : (const uint8_t *)sum;
}

static int emulate(ucontext_t *context) {
  const uint8_t *at = (const uint8_t *)context->uc_mcontext.gregs[REG_RIP];
  // Three bytes of VEX: register bits, map 0F38, and W = 0, prefix 66.
  if (at[0] != 0xC4 || (at[1] & 0x1F) != 2 || (at[2] & 0x83) != 1 || at[3] != 0x50)
    return 0;
  int r = !(at[1] & 0x80), x = !(at[1] & 0x40), b = !(at[1] & 0x20), wide = at[2] >> 2 & 1, modrm = at[4];
  int to = (modrm >> 3 & 7) | r << 3, first = ~at[2] >> 3 & 15, isRegister = modrm >> 6 == 3;
  at += 5;
  const uint8_t *memory = isRegister ? NULL : address(context, modrm, x, b, &at);
  for (int upper = 0; upper <= wide; ++upper) {
    uint8_t u[16];
    int8_t s[16];
    int32_t sums[4];
    memcpy(u, half(context, first, upper), sizeof u);
    memcpy(s, isRegister ? half(context, (modrm & 7) | b << 3, upper) : memory + 16 * upper, sizeof s);
    memcpy(sums, half(context, to, upper), sizeof sums);
    for (int i = 0; i < 16; ++i)
      sums[i / 4] += u[i] * s[i];
    memcpy(half(context, to, upper), sums, sizeof sums);
  }
  if (!wide)
    memset(half(context, to, 1), 0, 16);
  uint64_t parts;
  uint8_t *header = (uint8_t *)context->uc_mcontext.fpregs + STATE_PARTS;
  memcpy(&parts, header, sizeof parts);
  parts |= AVX_STATE;
  memcpy(header, &parts, sizeof parts);
  context->uc_mcontext.gregs[REG_RIP] = (int64_t)at;
  ++executed;
  return 1;
}

static void handle(int number, siginfo_t *info, void *context) {
  (void)info;
  if (!emulate(context))
    signal(number, SIG_DFL); // it happens again, and ends the program
}

typedef int set_action(int, const struct sigaction *, struct sigaction *);

static int set(int number, const struct sigaction *action, struct sigaction *old) {
  set_action *next;
  void *symbol = dlsym(RTLD_NEXT, "sigaction");
  memcpy(&next, &symbol, sizeof next);
  return next(number, action, old);
}

/// The program's own handlers must not take the place of this one.
int sigaction(int number, const struct sigaction *action, struct sigaction *old) {
  return set(number, number == SIGILL ? NULL : action, old);
}

__attribute__((constructor)) static void install(void) {
  struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_NODEFER};
  set(SIGILL, &action, NULL);
}

__attribute__((destructor)) static void report(void) { fprintf(stderr, "emulated vpdpbusd: %ld\n", executed); }
