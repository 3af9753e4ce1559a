// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops of 24 independent copies of one instruction, for the instructions that a quantized product is made of.
#pragma once
#include <cstddef>

namespace limits {

using Loop = void (*)(long iterations);

/// One instruction. `operations`: what one of them computes (0: only instructions are counted).
struct Instruction {
  const char *name;
  Loop loop;
  double operations;
  const char *unit;
};

constexpr int kCopies = 24;

#define LIMITS_REPEAT24(X)                                                                                             \
  X(0)                                                                                                                 \
  X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20) X(21) \
      X(22) X(23)
#define LIMITS_CLEAR(n) "vpxord %%zmm" #n ", %%zmm" #n ", %%zmm" #n "\n"

/// Registers of zeros: no loop is slowed down by denormal numbers.
inline void clearRegisters() {
  asm volatile(LIMITS_REPEAT24(LIMITS_CLEAR) LIMITS_CLEAR(24) LIMITS_CLEAR(25) LIMITS_CLEAR(26) LIMITS_CLEAR(27)
                   LIMITS_CLEAR(28) LIMITS_CLEAR(29) LIMITS_CLEAR(30) LIMITS_CLEAR(31)::
                       : "memory");
}

// LINE(n) is the text of one instruction with destination n; %0 is the address of 4 KiB of zeros.
#define LIMITS_LOOP(name, LINE)                                                                                        \
  __attribute__((noinline)) inline void name(long iterations) {                                                        \
    alignas(64) static char memory[4096];                                                                              \
    clearRegisters();                                                                                                  \
    for (long i = 0; i < iterations; ++i)                                                                              \
      asm volatile(LIMITS_REPEAT24(LINE)::"r"(memory) : "memory");                                                     \
  }

#define LINE(n) "vpdpbusd %%zmm28, %%zmm29, %%zmm" #n "\n"
LIMITS_LOOP(dotBytes512, LINE)
#undef LINE
#define LINE(n) "vpdpbusd 4*" #n "(%0)%{1to16%}, %%zmm29, %%zmm" #n "\n"
LIMITS_LOOP(dotBytesBroadcast, LINE)
#undef LINE
#define LINE(n) "vpdpbusd %%ymm28, %%ymm29, %%ymm" #n "\n"
LIMITS_LOOP(dotBytes256, LINE)
#undef LINE
#define LINE(n) "vpdpwssd %%zmm28, %%zmm29, %%zmm" #n "\n"
LIMITS_LOOP(dotWords512, LINE)
#undef LINE
#define LINE(n) "vpmaddubsw %%zmm28, %%zmm29, %%zmm" #n "\n"
LIMITS_LOOP(multiplyAddBytes512, LINE)
#undef LINE
#define LINE(n) "vpmaddubsw %%ymm28, %%ymm29, %%ymm" #n "\n"
LIMITS_LOOP(multiplyAddBytes256, LINE)
#undef LINE
#define LINE(n) "vfmadd231ps %%zmm28, %%zmm29, %%zmm" #n "\n"
LIMITS_LOOP(fma512, LINE)
#undef LINE
#define LINE(n) "vfmadd231ps 4*" #n "(%0)%{1to16%}, %%zmm29, %%zmm" #n "\n"
LIMITS_LOOP(fmaBroadcast, LINE)
#undef LINE
#define LINE(n) "vfmadd231ps %%ymm28, %%ymm29, %%ymm" #n "\n"
LIMITS_LOOP(fma256, LINE)
#undef LINE
#define LINE(n) "vpshufb %%zmm28, %%zmm29, %%zmm" #n "\n"
LIMITS_LOOP(shuffleBytes, LINE)
#undef LINE
#define LINE(n) "vpermb %%zmm28, %%zmm29, %%zmm" #n "\n"
LIMITS_LOOP(permuteBytes, LINE)
#undef LINE
#define LINE(n) "vpandd %%zmm28, %%zmm29, %%zmm" #n "\n"
LIMITS_LOOP(bitAnd, LINE)
#undef LINE
#define LINE(n) "vpsrlw $4, %%zmm29, %%zmm" #n "\n"
LIMITS_LOOP(shiftRight, LINE)
#undef LINE
#define LINE(n) "vcvtdq2ps %%zmm29, %%zmm" #n "\n"
LIMITS_LOOP(convertToFloat, LINE)
#undef LINE
#define LINE(n) "vcvtph2ps %%ymm29, %%zmm" #n "\n"
LIMITS_LOOP(convertHalf, LINE)
#undef LINE
#define LINE(n) "vpmovzxbw %%ymm29, %%zmm" #n "\n"
LIMITS_LOOP(widenBytes, LINE)
#undef LINE

inline constexpr Instruction kInstructions[] = {{"vpdpbusd zmm (u8 x s8)", dotBytes512, 128, "int8"},
                                                {"vpdpbusd zmm, m32{1to16}", dotBytesBroadcast, 128, "int8"},
                                                {"vpdpbusd ymm", dotBytes256, 64, "int8"},
                                                {"vpdpwssd zmm", dotWords512, 64, "int16"},
                                                {"vpmaddubsw zmm", multiplyAddBytes512, 64, "int8->16"},
                                                {"vpmaddubsw ymm", multiplyAddBytes256, 32, "int8->16"},
                                                {"vfmadd231ps zmm", fma512, 32, "fp32"},
                                                {"vfmadd231ps zmm, m32{1to16}", fmaBroadcast, 32, "fp32"},
                                                {"vfmadd231ps ymm", fma256, 16, "fp32"},
                                                {"vpshufb zmm", shuffleBytes, 0, ""},
                                                {"vpermb zmm", permuteBytes, 0, ""},
                                                {"vpandd zmm", bitAnd, 0, ""},
                                                {"vpsrlw $4 zmm", shiftRight, 0, ""},
                                                {"vcvtdq2ps zmm", convertToFloat, 0, ""},
                                                {"vcvtph2ps zmm, ymm", convertHalf, 0, ""},
                                                {"vpmovzxbw zmm, ymm", widenBytes, 0, ""}};

/// 16 dependent multiplications of three cycles (a chain of additions is folded at rename by recent cores).
constexpr int kChainCycles = 48;
__attribute__((noinline)) inline void dependentChain(long iterations) {
#define STEP "imul %%rax, %%rax\n"
#define STEP4 STEP STEP STEP STEP
  asm volatile("mov $3, %%eax\n1: " STEP4 STEP4 STEP4 STEP4 "dec %0\n jnz 1b\n" : "+r"(iterations)::"rax", "cc");
#undef STEP4
#undef STEP
}

} // namespace limits
