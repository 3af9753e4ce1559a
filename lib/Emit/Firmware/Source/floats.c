/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * Functions on floats that C has not, or not with the bits of an object: the object's own. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#define HELPER static
#define TARGET_FUNCTION(name) \
  static inline int name(void) { return 1; } /* what a compiler makes of quotients, products and zeros is right everywhere */
#include "angles.c"
#include "halves.c"
#include "roots.c"
#pragma GCC diagnostic pop
Q_INLINE uint32_t q_bits(float x) {
  union {
    float x;
    uint32_t bits;
  } same = {x};
  return same.bits;
}
Q_INLINE float q_float(uint32_t bits) {
  union {
    uint32_t bits;
    float x;
  } same = {bits};
  return same.x;
}
Q_INLINE float q_sine(float x) { return q_float(f32_sine(q_bits(x))); }
Q_INLINE float q_cosine(float x) { return q_float(f32_cosine(q_bits(x))); }
Q_INLINE float q_remainder(float x, float y) { return q_float(f32_remainder(q_bits(x), q_bits(y))); }
/* Floats of 16 bits are carried as their bits. */
Q_INLINE float q_from_f16(uint16_t x) { return q_float(f32_from_f16(x)); }
Q_INLINE uint16_t q_to_f16(float x) { return (uint16_t)f16_from_f32(q_bits(x)); }
