// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// XXH64 with seed 0, from its published description: fast on every processor and easy to check against other tools.
#include "lib/Runtime/qtrt.h"
#include <string.h>

static const uint64_t P1 = 0x9E3779B185EBCA87u, P2 = 0xC2B2AE3D27D4EB4Fu, P3 = 0x165667B19E3779F9u,
                      P4 = 0x85EBCA77C2B2AE63u, P5 = 0x27D4EB2F165667C5u;

static uint64_t rotate(uint64_t x, int n) { return (x << n) | (x >> (64 - n)); }

static uint64_t read64(const uint8_t *p) {
  uint64_t x;
  memcpy(&x, p, 8);
  return x;
}

static uint64_t read32(const uint8_t *p) {
  uint32_t x;
  memcpy(&x, p, 4);
  return x;
}

static uint64_t mix(uint64_t lane, uint64_t input) { return rotate(lane + input * P2, 31) * P1; }

static uint64_t finish(uint64_t h, const uint8_t *p, const uint8_t *end) {
  for (; end - p >= 8; p += 8)
    h = rotate(h ^ mix(0, read64(p)), 27) * P1 + P4;
  if (end - p >= 4) {
    h = rotate(h ^ (read32(p) * P1), 23) * P2 + P3;
    p += 4;
  }
  for (; p < end; ++p)
    h = rotate(h ^ (*p * P5), 11) * P1;
  h = (h ^ (h >> 33)) * P2;
  h = (h ^ (h >> 29)) * P3;
  return h ^ (h >> 32);
}

uint64_t qtrt_hash(const void *bytes, size_t size) {
  const uint8_t *p = bytes, *end = p + size;
  uint64_t h = P5;
  if (size >= 32) {
    uint64_t lanes[4] = {P1 + P2, P2, 0, 0 - P1};
    for (; end - p >= 32; p += 32)
      for (int i = 0; i < 4; ++i)
        lanes[i] = mix(lanes[i], read64(p + 8 * i));
    h = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
    for (int i = 0; i < 4; ++i)
      h = (h ^ mix(0, lanes[i])) * P1 + P4;
  }
  return finish(h + size, p, end);
}
