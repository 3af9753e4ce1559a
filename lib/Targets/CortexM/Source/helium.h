/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * Helium: the processor's instructions, or the same results in plain C. A predicate has a bit for each byte. Lanes that an
 * instruction leaves as they were, where nobody asks for them, are 0 here. */
typedef uint8_t q_u8x4 __attribute__((vector_size(4)));
typedef uint8_t q_u8x8 __attribute__((vector_size(8)));
typedef uint8_t q_u8x16 __attribute__((vector_size(16)));
typedef uint16_t q_u16x8 __attribute__((vector_size(16)));
typedef uint32_t q_u32x4 __attribute__((vector_size(16)));
Q_INLINE q_u8x4 q_load_first_s8x4(const uint8_t *from, uint16_t first, q_u8x4 behind) {
  for (int i = 0; i < 4; ++i)
    if (first >> (4 * i) & 1)
      behind[i] = from[i];
  return behind;
}
#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1)
#include <arm_mve.h>
Q_INLINE q_u32x4 q_load_s8_s32(const uint8_t *from) { return (q_u32x4)vldrbq_s32((const int8_t *)from); }
Q_INLINE q_u32x4 q_load_u8_u32(const uint8_t *from) { return (q_u32x4)vldrbq_u32(from); }
Q_INLINE q_u16x8 q_load_s8_s16(const uint8_t *from) { return (q_u16x8)vldrbq_s16((const int8_t *)from); }
Q_INLINE void q_store_s32_s8(q_u32x4 x, uint8_t *to) { vstrbq_s32((int8_t *)to, (int32x4_t)x); }
Q_INLINE void q_store_s16_s8(q_u16x8 x, uint8_t *to) { vstrbq_s16((int8_t *)to, (int16x8_t)x); }
Q_INLINE void q_store_s32_s16(q_u32x4 x, uint8_t *to) { vstrhq_s32((int16_t *)(void *)to, (int32x4_t)x); }
Q_INLINE q_u16x8 q_load_first_s8_s16(const uint8_t *from, uint16_t first) {
  return (q_u16x8)vldrbq_z_s16((const int8_t *)from, first);
}
Q_INLINE q_u8x16 q_load_first_s8x16(const uint8_t *from, uint16_t first, q_u8x16 behind) {
  return (q_u8x16)vpselq_s8(vldrbq_z_s8((const int8_t *)from, first), (int8x16_t)behind, first);
}
Q_INLINE q_u16x8 q_load_first_s16x8(const uint8_t *from, uint16_t first, q_u16x8 behind) {
  return (q_u16x8)vpselq_s16(vldrhq_z_s16((const int16_t *)(const void *)from, first), (int16x8_t)behind, first);
}
Q_INLINE void q_store_first_s8(q_u8x16 x, uint8_t *to, uint16_t first) { vstrbq_p_s8((int8_t *)to, (int8x16_t)x, first); }
Q_INLINE void q_store_first_s16(q_u16x8 x, uint8_t *to, uint16_t first) {
  vstrhq_p_s16((int16_t *)(void *)to, (int16x8_t)x, first);
}
Q_INLINE void q_store_first_s32_s16(q_u32x4 x, uint8_t *to, uint16_t first) {
  vstrhq_p_s32((int16_t *)(void *)to, (int32x4_t)x, first);
}
Q_INLINE void q_store_first_s16_s8(q_u16x8 x, uint8_t *to, uint16_t first) {
  vstrbq_p_s16((int8_t *)to, (int16x8_t)x, first);
}
Q_INLINE void q_store_first_s32_s8(q_u32x4 x, uint8_t *to, uint16_t first) {
  vstrbq_p_s32((int8_t *)to, (int32x4_t)x, first);
}
Q_INLINE q_u32x4 q_gather_s32(const uint8_t *table, q_u32x4 index) {
  return (q_u32x4)vldrwq_gather_shifted_offset_s32((const int32_t *)(const void *)table, (uint32x4_t)index);
}
Q_INLINE void q_scatter_s8(uint8_t *to, q_u8x16 offsets, q_u8x16 x) {
  vstrbq_scatter_offset_s8((int8_t *)to, (uint8x16_t)offsets, (int8x16_t)x);
}
Q_INLINE void q_scatter_first_s8(uint8_t *to, q_u8x16 offsets, q_u8x16 x, uint16_t first) {
  vstrbq_scatter_offset_p_s8((int8_t *)to, (uint8x16_t)offsets, (int8x16_t)x, first);
}
Q_INLINE uint16_t q_first8(uint32_t count) { return vctp8q(count); }
Q_INLINE uint16_t q_first16(uint32_t count) { return vctp16q(count); }
Q_INLINE uint16_t q_first32(uint32_t count) { return vctp32q(count); }
Q_INLINE q_u32x4 q_dup_u32(uint32_t x) { return (q_u32x4)vdupq_n_u32(x); }
Q_INLINE uint32_t q_vmladava_s8(uint32_t sum, q_u8x16 x, q_u8x16 y) {
  return (uint32_t)vmladavaq_s8((int32_t)sum, (int8x16_t)x, (int8x16_t)y);
}
Q_INLINE uint32_t q_vmladava_s16(uint32_t sum, q_u16x8 x, q_u16x8 y) {
  return (uint32_t)vmladavaq_s16((int32_t)sum, (int16x8_t)x, (int16x8_t)y);
}
Q_INLINE q_u32x4 q_vmullb_s16(q_u16x8 x, q_u16x8 y) { return (q_u32x4)vmullbq_int_s16((int16x8_t)x, (int16x8_t)y); }
Q_INLINE q_u32x4 q_vmullt_s16(q_u16x8 x, q_u16x8 y) { return (q_u32x4)vmulltq_int_s16((int16x8_t)x, (int16x8_t)y); }
Q_INLINE uint32_t q_vaddv_s32(q_u32x4 x) { return (uint32_t)vaddvq_s32((int32x4_t)x); }
Q_INLINE uint32_t q_vaddv_s8(q_u8x16 x) { return (uint32_t)vaddvq_s8((int8x16_t)x); }
Q_INLINE uint32_t q_vaddv_first_s32(q_u32x4 x, uint16_t first) { return (uint32_t)vaddvq_p_s32((int32x4_t)x, first); }
Q_INLINE uint32_t q_vmaxv_s8(uint32_t code, q_u8x16 x) { return (uint32_t)vmaxvq_s8((int8_t)code, (int8x16_t)x); }
Q_INLINE q_u16x8 q_vmulh_u16(q_u16x8 x, q_u16x8 y) { return (q_u16x8)vmulhq_u16((uint16x8_t)x, (uint16x8_t)y); }
Q_INLINE q_u32x4 q_vqdmulh_s32(q_u32x4 x, q_u32x4 y) { return (q_u32x4)vqdmulhq_s32((int32x4_t)x, (int32x4_t)y); }
Q_INLINE q_u32x4 q_vqrdmulh_s32(q_u32x4 x, q_u32x4 y) { return (q_u32x4)vqrdmulhq_s32((int32x4_t)x, (int32x4_t)y); }
Q_INLINE q_u32x4 q_vqshl_s32(q_u32x4 x, q_u32x4 bits) { return (q_u32x4)vqshlq_s32((int32x4_t)x, (int32x4_t)bits); }
Q_INLINE q_u32x4 q_vrshl_s32(q_u32x4 x, q_u32x4 bits) { return (q_u32x4)vrshlq_s32((int32x4_t)x, (int32x4_t)bits); }
Q_INLINE q_u32x4 q_vrshl_n_s32(q_u32x4 x, uint32_t bits) { return (q_u32x4)vrshlq_n_s32((int32x4_t)x, (int32_t)bits); }
#define q_vrshr_n_s32(x, bits) (q_u32x4) vrshrq_n_s32((int32x4_t)(x), (bits))
#define q_vqshl_n_s32(x, bits) (q_u32x4) vqshlq_n_s32((int32x4_t)(x), (bits))
Q_INLINE q_u32x4 q_vqadd_s32(q_u32x4 x, q_u32x4 y) { return (q_u32x4)vqaddq_s32((int32x4_t)x, (int32x4_t)y); }
Q_INLINE q_u16x8 q_vqadd_s16(q_u16x8 x, q_u16x8 y) { return (q_u16x8)vqaddq_s16((int16x8_t)x, (int16x8_t)y); }
Q_INLINE q_u16x8 q_vqmovnb_s32(q_u32x4 x) { return (q_u16x8)vqmovnbq_s32(vuninitializedq_s16(), (int32x4_t)x); }
Q_INLINE q_u8x16 q_vqmovnb_s16(q_u16x8 x) { return (q_u8x16)vqmovnbq_s16(vuninitializedq_s8(), (int16x8_t)x); }
Q_INLINE q_u16x8 q_vqmovnt_s32(q_u16x8 low, q_u32x4 x) { return (q_u16x8)vqmovntq_s32((int16x8_t)low, (int32x4_t)x); }
Q_INLINE q_u32x4 q_vmovlb_s16(q_u16x8 x) { return (q_u32x4)vmovlbq_s16((int16x8_t)x); }
Q_INLINE q_u32x4 q_vmovlt_s16(q_u16x8 x) { return (q_u32x4)vmovltq_s16((int16x8_t)x); }
#else
#define Q_LANES(count, ...) for (int i = 0; i < (count); ++i) __VA_ARGS__
Q_INLINE int64_t q_clamp(int64_t x, int bits) {
  int64_t most = (INT64_C(1) << (bits - 1)) - 1;
  return x > most ? most : x < -most - 1 ? -most - 1 : x;
}
Q_INLINE int64_t q_lane(uint32_t x) { return (int32_t)x; }
/* x * 2^bits: ties up if it rounds, saturated if it does not. */
Q_INLINE uint32_t q_shift(uint32_t x, int bits, int rounds) {
  int64_t wide = q_lane(x);
  if (bits >= 0)
    return bits > 31 ? (rounds || wide == 0 ? 0 : wide < 0 ? 0x80000000u : 0x7FFFFFFFu)
                     : rounds ? x << bits : (uint32_t)q_clamp(wide * (INT64_C(1) << bits), 32);
  if (bits < -32)
    return rounds || wide >= 0 ? 0 : 0xFFFFFFFFu;
  return (uint32_t)((wide + (rounds ? INT64_C(1) << (-bits - 1) : 0)) >> -bits);
}
Q_INLINE q_u32x4 q_load_s8_s32(const uint8_t *from) {
  q_u32x4 made;
  Q_LANES(4, made[i] = (uint32_t)(int8_t)from[i];)
  return made;
}
Q_INLINE q_u32x4 q_load_u8_u32(const uint8_t *from) {
  q_u32x4 made;
  Q_LANES(4, made[i] = from[i];)
  return made;
}
Q_INLINE q_u16x8 q_load_s8_s16(const uint8_t *from) {
  q_u16x8 made;
  Q_LANES(8, made[i] = (uint16_t)(int8_t)from[i];)
  return made;
}
Q_INLINE void q_store_s32_s8(q_u32x4 x, uint8_t *to) { Q_LANES(4, to[i] = (uint8_t)x[i];) }
Q_INLINE void q_store_s16_s8(q_u16x8 x, uint8_t *to) { Q_LANES(8, to[i] = (uint8_t)x[i];) }
Q_INLINE void q_store_half(uint32_t x, uint8_t *to) {
  to[0] = (uint8_t)x;
  to[1] = (uint8_t)(x >> 8);
}
Q_INLINE void q_store_s32_s16(q_u32x4 x, uint8_t *to) { Q_LANES(4, q_store_half(x[i], to + 2 * i);) }
Q_INLINE q_u16x8 q_load_first_s8_s16(const uint8_t *from, uint16_t first) {
  q_u16x8 codes = {0};
  for (int i = 0; i < 8; ++i)
    if (first >> (2 * i) & 1)
      codes[i] = (uint16_t)(int8_t)from[i];
  return codes;
}
Q_INLINE q_u8x16 q_load_first_s8x16(const uint8_t *from, uint16_t first, q_u8x16 behind) {
  Q_LANES(16, if (first >> i & 1) behind[i] = from[i];)
  return behind;
}
Q_INLINE q_u16x8 q_load_first_s16x8(const uint8_t *from, uint16_t first, q_u16x8 behind) {
  Q_LANES(8, if (first >> (2 * i) & 1) behind[i] = (uint16_t)(from[2 * i] | from[2 * i + 1] << 8);)
  return behind;
}
Q_INLINE void q_store_first_s16(q_u16x8 x, uint8_t *to, uint16_t first) {
  Q_LANES(8, if (first >> (2 * i) & 1) q_store_half(x[i], to + 2 * i);)
}
Q_INLINE void q_store_first_s32_s16(q_u32x4 x, uint8_t *to, uint16_t first) {
  Q_LANES(4, if (first >> (4 * i) & 1) q_store_half(x[i], to + 2 * i);)
}
Q_INLINE void q_store_first_s8(q_u8x16 x, uint8_t *to, uint16_t first) {
  Q_LANES(16, if (first >> i & 1) to[i] = x[i];)
}
Q_INLINE void q_store_first_s16_s8(q_u16x8 x, uint8_t *to, uint16_t first) {
  Q_LANES(8, if (first >> (2 * i) & 1) to[i] = (uint8_t)x[i];)
}
Q_INLINE void q_store_first_s32_s8(q_u32x4 x, uint8_t *to, uint16_t first) {
  Q_LANES(4, if (first >> (4 * i) & 1) to[i] = (uint8_t)x[i];)
}
Q_INLINE q_u32x4 q_gather_s32(const uint8_t *table, q_u32x4 index) {
  q_u32x4 made;
  Q_LANES(4, __builtin_memcpy((uint8_t *)&made + 4 * i, table + 4 * (uint64_t)index[i], 4);)
  return made;
}
Q_INLINE void q_scatter_s8(uint8_t *to, q_u8x16 offsets, q_u8x16 x) { Q_LANES(16, to[offsets[i]] = x[i];) }
Q_INLINE void q_scatter_first_s8(uint8_t *to, q_u8x16 offsets, q_u8x16 x, uint16_t first) {
  Q_LANES(16, if (first >> i & 1) to[offsets[i]] = x[i];)
}
Q_INLINE uint16_t q_first8(uint32_t count) { return (uint16_t)(count >= 16 ? 0xFFFFu : (1u << count) - 1); }
Q_INLINE uint16_t q_first16(uint32_t count) { return q_first8(count >= 8 ? 16 : 2 * count); }
Q_INLINE uint16_t q_first32(uint32_t count) { return q_first8(count >= 4 ? 16 : 4 * count); }
Q_INLINE q_u32x4 q_dup_u32(uint32_t x) { return (q_u32x4){x, x, x, x}; }
Q_INLINE uint32_t q_vmladava_s8(uint32_t sum, q_u8x16 x, q_u8x16 y) {
  Q_LANES(16, sum += (uint32_t)((int8_t)x[i] * (int8_t)y[i]);)
  return sum;
}
Q_INLINE uint32_t q_vmladava_s16(uint32_t sum, q_u16x8 x, q_u16x8 y) {
  Q_LANES(8, sum += (uint32_t)((int16_t)x[i] * (int16_t)y[i]);)
  return sum;
}
Q_INLINE q_u32x4 q_vmullb_s16(q_u16x8 x, q_u16x8 y) {
  q_u32x4 made;
  Q_LANES(4, made[i] = (uint32_t)((int16_t)x[2 * i] * (int16_t)y[2 * i]);)
  return made;
}
Q_INLINE q_u32x4 q_vmullt_s16(q_u16x8 x, q_u16x8 y) {
  q_u32x4 made;
  Q_LANES(4, made[i] = (uint32_t)((int16_t)x[2 * i + 1] * (int16_t)y[2 * i + 1]);)
  return made;
}
Q_INLINE uint32_t q_vaddv_s32(q_u32x4 x) { return x[0] + x[1] + x[2] + x[3]; }
Q_INLINE uint32_t q_vaddv_s8(q_u8x16 x) {
  int32_t sum = 0;
  Q_LANES(16, sum += (int8_t)x[i];)
  return (uint32_t)sum;
}
Q_INLINE uint32_t q_vaddv_first_s32(q_u32x4 x, uint16_t first) {
  uint32_t sum = 0;
  Q_LANES(4, if (first >> (4 * i) & 1) sum += x[i];)
  return sum;
}
Q_INLINE uint32_t q_vmaxv_s8(uint32_t code, q_u8x16 x) {
  int8_t most = (int8_t)(uint8_t)code;
  Q_LANES(16, most = (int8_t)x[i] > most ? (int8_t)x[i] : most;)
  return (uint32_t)most;
}
Q_INLINE q_u32x4 q_vqdmulh_s32(q_u32x4 x, q_u32x4 y) {
  Q_LANES(4, x[i] = x[i] == 0x80000000u && y[i] == x[i] ? 0x7FFFFFFFu : (uint32_t)(q_lane(x[i]) * q_lane(y[i]) >> 31);)
  return x;
}
Q_INLINE q_u16x8 q_vmulh_u16(q_u16x8 x, q_u16x8 y) {
  Q_LANES(8, x[i] = (uint16_t)((uint32_t)x[i] * y[i] >> 16);)
  return x;
}
Q_INLINE q_u32x4 q_vqrdmulh_s32(q_u32x4 x, q_u32x4 y) {
  Q_LANES(4, x[i] = (uint32_t)q_clamp((q_lane(x[i]) * q_lane(y[i]) + (INT64_C(1) << 30)) >> 31, 32);)
  return x;
}
Q_INLINE q_u32x4 q_vqshl_s32(q_u32x4 x, q_u32x4 bits) {
  Q_LANES(4, x[i] = q_shift(x[i], (int8_t)(uint8_t)bits[i], 0);)
  return x;
}
Q_INLINE q_u32x4 q_vrshl_s32(q_u32x4 x, q_u32x4 bits) {
  Q_LANES(4, x[i] = q_shift(x[i], (int8_t)(uint8_t)bits[i], 1);)
  return x;
}
Q_INLINE q_u32x4 q_vqshl_n_s32(q_u32x4 x, uint32_t bits) { return q_vqshl_s32(x, q_dup_u32(bits)); }
Q_INLINE q_u32x4 q_vrshl_n_s32(q_u32x4 x, uint32_t bits) { return q_vrshl_s32(x, q_dup_u32(bits)); }
Q_INLINE q_u32x4 q_vrshr_n_s32(q_u32x4 x, uint32_t bits) { return q_vrshl_n_s32(x, 0u - bits); }
Q_INLINE q_u32x4 q_vqadd_s32(q_u32x4 x, q_u32x4 y) {
  Q_LANES(4, x[i] = (uint32_t)q_clamp(q_lane(x[i]) + q_lane(y[i]), 32);)
  return x;
}
Q_INLINE q_u16x8 q_vqadd_s16(q_u16x8 x, q_u16x8 y) {
  Q_LANES(8, x[i] = (uint16_t)q_clamp((int16_t)x[i] + (int16_t)y[i], 16);)
  return x;
}
Q_INLINE q_u16x8 q_vqmovnb_s32(q_u32x4 x) {
  q_u16x8 made = {0};
  Q_LANES(4, made[2 * i] = (uint16_t)q_clamp(q_lane(x[i]), 16);)
  return made;
}
Q_INLINE q_u8x16 q_vqmovnb_s16(q_u16x8 x) {
  q_u8x16 made = {0};
  Q_LANES(8, made[2 * i] = (uint8_t)q_clamp((int16_t)x[i], 8);)
  return made;
}
Q_INLINE q_u16x8 q_vqmovnt_s32(q_u16x8 low, q_u32x4 x) {
  Q_LANES(4, low[2 * i + 1] = (uint16_t)q_clamp(q_lane(x[i]), 16);)
  return low;
}
Q_INLINE q_u32x4 q_vmovlb_s16(q_u16x8 x) {
  return (q_u32x4){(uint32_t)(int16_t)x[0], (uint32_t)(int16_t)x[2], (uint32_t)(int16_t)x[4], (uint32_t)(int16_t)x[6]};
}
Q_INLINE q_u32x4 q_vmovlt_s16(q_u16x8 x) {
  return (q_u32x4){(uint32_t)(int16_t)x[1], (uint32_t)(int16_t)x[3], (uint32_t)(int16_t)x[5], (uint32_t)(int16_t)x[7]};
}
#endif
