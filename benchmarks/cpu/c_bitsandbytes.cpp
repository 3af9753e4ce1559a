// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// bitsandbytes' CPU library: products of nf4 and fp4 weights in blocks of 64, activations, scales and outputs in bf16.
// Their conversion from and to f32 is not timed, so its rows are a part of the job. CMake says where the library lies.
#include "contender.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <omp.h>
#include <vector>

using Multiply = void (*)(int64_t M, int64_t N, int64_t K, const uint16_t *x, const uint8_t *weights,
                          const uint16_t *scales, uint16_t *y, int64_t block, int64_t xStride, int64_t yStride);
using Decode = void (*)(const uint8_t *codes, const float *scales, float *out, long long block, long long rows,
                        long long columns);
static constexpr int kBlock = 64;

namespace {
struct Format {
  const char *name, *multiply, *decode;
};

struct Product {
  int format = 0, threads = 1;
  int64_t N = 0, K = 0, M = 0;
  std::vector<uint8_t *> weights;
  std::vector<uint16_t *> scales;
  std::vector<uint16_t> x, y;
};
} // namespace

static const Format formats[] = {
    {"nf4 64 bf16", "gemv_4bit_inference_cpu_nf4_bf16", "cdequantize_blockwise_cpu_nf4_fp32"},
    {"fp4 64 bf16", "gemv_4bit_inference_cpu_fp4_bf16", "cdequantize_blockwise_cpu_fp4_fp32"}};
static Multiply multiply[2];
static float table[2][16];

/// To the nearest, ties to even; the data has no NaN.
static uint16_t toBFloat(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return uint16_t((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static float fromBFloat(uint16_t x) {
  uint32_t bits = uint32_t(x) << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

template <typename T> static T *copyToPages(const std::vector<T> &values) {
  size_t size = values.size() * sizeof(T);
  auto *copy = static_cast<T *>(aligned_alloc(QB_PAGE, (size + QB_PAGE - 1) / QB_PAGE * QB_PAGE));
  memcpy(copy, values.data(), size);
  return copy;
}

/// The library itself tells what its codes mean.
static void readTable(Decode decode, float (&values)[16]) {
  uint8_t codes[kBlock];
  float scales[2] = {1, 1}, decoded[2 * kBlock];
  for (int i = 0; i < kBlock; ++i)
    codes[i] = uint8_t(i % 16 << 4);
  decode(codes, scales, decoded, kBlock, 1, 2 * kBlock);
  for (int i = 0; i < 16; ++i)
    values[i] = decoded[2 * i];
}

static float encodeBlock(const float *w, const float (&values)[16], uint8_t *codes) {
  float most = 0;
  for (int i = 0; i < kBlock; ++i)
    most = std::max(most, std::fabs(w[i]));
  for (int i = 0; i < kBlock; ++i) {
    float x = most ? w[i] / most : 0;
    codes[i] = uint8_t(
        std::min_element(values, values + 16, [x](float a, float b) { return std::fabs(a - x) < std::fabs(b - x); }) -
        values);
  }
  return most;
}

/// Rows in panels of 32; the two codes of a row's pair of columns are neighbours, and the halves of a panel share
/// bytes.
static std::vector<uint8_t> packPanels(const std::vector<uint8_t> &codes, int64_t N, int64_t K) {
  std::vector<uint8_t> packed(N * K / 2);
  for (int64_t panel = 0; panel < N / 32; ++panel)
    for (int64_t pair = 0; pair < K / 2; ++pair)
      for (int j = 0; j < 32; ++j) {
        auto codeAt = [&](int i) { return codes[(panel * 32 + i / 2) * K + pair * 2 + i % 2]; };
        packed[(panel * (K / 2) + pair) * 32 + j] = uint8_t(codeAt(j) | codeAt(32 + j) << 4);
      }
  return packed;
}

extern "C" {
const char *qb_name() { return "bitsandbytes"; }

int qb_formats() {
  void *library = dlopen(QB_BITSANDBYTES, RTLD_NOW | RTLD_LOCAL);
  for (int f = 0; f < 2; ++f) {
    multiply[f] = library ? reinterpret_cast<Multiply>(dlsym(library, formats[f].multiply)) : nullptr;
    auto decode = library ? reinterpret_cast<Decode>(dlsym(library, formats[f].decode)) : nullptr;
    if (!multiply[f] || !decode) {
      fprintf(stderr, "bitsandbytes: %s has no products of 4-bit weights\n", QB_BITSANDBYTES);
      return 0;
    }
    readTable(decode, table[f]);
  }
  return 2;
}

int qb_describe(int f, qb_format *out) {
  *out = {formats[f].name, 4.25, QB_PREQUANT | QB_RAWOUT};
  return 0;
}

void *qb_create(const qb_config *c) {
  if (c->N % 32 || c->K % (2 * kBlock))
    return nullptr;
  std::vector<uint8_t> codes(c->N * c->K);
  std::vector<uint16_t> scales(c->N * c->K / kBlock);
  for (int64_t n = 0; n < c->N; ++n)
    for (int64_t b = 0; b < c->K / kBlock; ++b) {
      int64_t at = n * c->K + b * kBlock, earlier = at - c->row_period * c->K;
      if (n < c->row_period)
        scales[b * c->N + n] = toBFloat(encodeBlock(c->W + at, table[c->fmt], &codes[at]));
      else
        scales[b * c->N + n] = scales[b * c->N + n - c->row_period], memcpy(&codes[at], &codes[earlier], kBlock);
    }
  std::vector<uint8_t> packed = packPanels(codes, c->N, c->K);
  auto *p = new Product{c->fmt, c->threads, c->N, c->K, 0, {}, {}, {}, {}};
  for (int i = 0; i < c->copies; ++i) {
    p->weights.push_back(copyToPages(packed));
    p->scales.push_back(copyToPages(scales));
  }
  return p;
}

int qb_input(void *handle, int64_t M, const float *X) {
  auto *p = static_cast<Product *>(handle);
  omp_set_num_threads(p->threads);
  p->M = M;
  p->x.resize(M * p->K);
  std::transform(X, X + M * p->K, p->x.begin(), toBFloat);
  p->y.assign(M * p->N, 0);
  return 0;
}

int qb_run(void *handle, int copy) {
  auto *p = static_cast<Product *>(handle);
  multiply[p->format](p->M, p->N, p->K, p->x.data(), p->weights[copy], p->scales[copy], p->y.data(), kBlock, p->K,
                      p->N);
  return 0;
}

void qb_output(void *handle, float *Y) {
  auto *p = static_cast<Product *>(handle);
  std::transform(p->y.begin(), p->y.end(), Y, fromBFloat);
}

size_t qb_wbytes(void *handle) {
  auto *p = static_cast<Product *>(handle);
  return p->N * p->K / 2 + p->N * p->K / kBlock * sizeof(uint16_t);
}

void qb_destroy(void *handle) {
  auto *p = static_cast<Product *>(handle);
  for (uint8_t *copy : p->weights)
    free(copy);
  for (uint16_t *copy : p->scales)
    free(copy);
  delete p;
}
}
