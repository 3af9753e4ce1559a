/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * CORE-V: the processor's instructions, for which compilers have no functions, or the same results in plain C. */
#if defined(__riscv_xcvsimd) && defined(__riscv_xcvmac)
Q_INLINE uint32_t q_sdotsp_b(uint32_t x, uint32_t y, uint32_t sum) {
  __asm__ volatile("cv.sdotsp.b %0, %1, %2" : "+r"(sum) : "r"(x), "r"(y));
  return sum;
}
Q_INLINE uint32_t q_mac(uint32_t x, uint32_t y, uint32_t sum) {
  __asm__("cv.mac %0, %1, %2" : "+r"(sum) : "r"(x), "r"(y));
  return sum;
}
#else
Q_INLINE uint32_t q_sdotsp_b(uint32_t x, uint32_t y, uint32_t sum) {
  for (int i = 0; i < 32; i += 8)
    sum += (uint32_t)((int8_t)(uint8_t)(x >> i) * (int8_t)(uint8_t)(y >> i));
  return sum;
}
Q_INLINE uint32_t q_mac(uint32_t x, uint32_t y, uint32_t sum) { return sum + x * y; }
#endif
