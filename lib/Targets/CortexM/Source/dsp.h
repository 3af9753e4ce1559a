/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * Instructions on pairs of 16-bit numbers: the processor's, or the same results in plain C. */
#if defined(__ARM_FEATURE_DSP) && __ARM_FEATURE_DSP
#include <arm_acle.h>
Q_INLINE uint32_t q_smlad(uint32_t x, uint32_t y, uint32_t sum) {
  return (uint32_t)__smlad((int16x2_t)x, (int16x2_t)y, (int32_t)sum);
}
Q_INLINE uint64_t q_smlald(uint32_t x, uint32_t y, uint64_t sum) {
  return (uint64_t)__smlald((int16x2_t)x, (int16x2_t)y, (int64_t)sum);
}
Q_INLINE uint32_t q_sxtb16(uint32_t x) { return (uint32_t)__sxtb16((int8x4_t)x); }
Q_INLINE uint32_t q_sxtab16(uint32_t x, uint32_t y) { return (uint32_t)__sxtab16((int16x2_t)x, (int8x4_t)y); }
Q_INLINE uint32_t q_largest_s8x4(uint32_t x, uint32_t y) {
  (void)__ssub8((int8x4_t)x, (int8x4_t)y);
  return (uint32_t)__sel((uint8x4_t)x, (uint8x4_t)y);
}
Q_INLINE uint32_t q_qadd(uint32_t x, uint32_t y) { return (uint32_t)__qadd((int32_t)x, (int32_t)y); }
#else
Q_INLINE uint32_t q_smlad(uint32_t x, uint32_t y, uint32_t sum) {
  int32_t low = (int16_t)(uint16_t)x * (int16_t)(uint16_t)y;
  int32_t high = (int16_t)(uint16_t)(x >> 16) * (int16_t)(uint16_t)(y >> 16);
  return sum + (uint32_t)low + (uint32_t)high;
}
Q_INLINE uint64_t q_smlald(uint32_t x, uint32_t y, uint64_t sum) {
  int32_t low = (int16_t)(uint16_t)x * (int16_t)(uint16_t)y;
  int32_t high = (int16_t)(uint16_t)(x >> 16) * (int16_t)(uint16_t)(y >> 16);
  return sum + (uint64_t)(int64_t)low + (uint64_t)(int64_t)high;
}
Q_INLINE uint32_t q_sxtb16(uint32_t x) {
  uint32_t low = (uint32_t)(int8_t)(uint8_t)x, high = (uint32_t)(int8_t)(uint8_t)(x >> 16);
  return (low & 0xFFFFu) | high << 16;
}
Q_INLINE uint32_t q_sxtab16(uint32_t x, uint32_t y) {
  uint32_t wide = q_sxtb16(y);
  return ((x + wide) & 0xFFFFu) | ((x >> 16) + (wide >> 16)) << 16;
}
Q_INLINE uint32_t q_largest_s8x4(uint32_t x, uint32_t y) {
  uint32_t largest = 0;
  for (int i = 0; i < 32; i += 8)
    largest |= ((int8_t)(uint8_t)(x >> i) > (int8_t)(uint8_t)(y >> i) ? x : y) & 0xFFu << i;
  return largest;
}
Q_INLINE uint32_t q_qadd(uint32_t x, uint32_t y) {
  int64_t sum = (int64_t)(int32_t)x + (int32_t)y;
  return (uint32_t)(int32_t)(sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum);
}
#endif
Q_INLINE uint32_t q_uxtb16(uint32_t x) { return x & 0x00FF00FFu; }
