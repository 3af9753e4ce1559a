// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the functions of a compiler's library may rest upon. They are compiled to LLVM's IR when QTensor is built; a target's file of
// names says what its processors have, and what a compiler calls the functions. An object gets those that it calls, so that
// its stack is known to the byte and it links without a library.
#pragma once
#include <stdint.h>

// As C in a model's file they are all its own (Source/floats.c).
#ifndef HELPER
#define HELPER
#define TARGET_FUNCTION(name) int name(void);
#endif

// 1 or 0: the target's.
TARGET_FUNCTION(processor_divides)         // 32 bits by 32 bits
TARGET_FUNCTION(processor_multiplies_long) // 32 by 32 bits to 64
TARGET_FUNCTION(processor_counts_zeros)    // in front of the first bit

// Small processors have few registers: inlined whatever it is worth, and values that are as they are here, of which LLVM derives no other
// one.
#define INLINE static inline __attribute__((always_inline))
#define PIN(x) __asm__("" : "+r"(x))

INLINE int leading_zeros(uint32_t x) {
  if (processor_counts_zeros())
    return __builtin_clz(x);
  int zeros = 0;
  if (x < 1u << 16)
    zeros += 16, x <<= 16;
  if (x < 1u << 24)
    zeros += 8, x <<= 8;
  if (x < 1u << 28)
    zeros += 4, x <<= 4;
  if (x < 1u << 30)
    zeros += 2, x <<= 2;
  return zeros + (x < 1u << 31);
}

// The upper half of a product, and the lower.
INLINE uint32_t long_product(uint32_t a, uint32_t b, uint32_t *low) {
  if (processor_multiplies_long()) {
    uint64_t product = (uint64_t)a * b;
    *low = (uint32_t)product;
    return (uint32_t)(product >> 32);
  }
  uint32_t a0 = a & 0xffff, a1 = a >> 16, b0 = b & 0xffff, b1 = b >> 16;
  uint32_t lowest = a0 * b0, m = a1 * b0 + (lowest >> 16), n = a0 * b1 + (m & 0xffff);
  *low = n << 16 | (lowest & 0xffff);
  return a1 * b1 + (m >> 16) + (n >> 16);
}
