// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// bitnet.cpp's I2_S kernels: ternary weights in two bits, four codes a byte from blocks of 128, activations in int8 per
// row, which are quantized inside the timed call as the project does it. Its file with the kernels is compiled beside
// this one.
#include "contender.h"
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <vector>

// Sums of codes 0, 1 and 2 against int8: of `count` rows of weights with one of activations, or the other way round.
// Strides of weights and activations in elements, of sums in floats.
void ggml_vec_dot_i2_i8_s_1xN(int K, float *sums, size_t stride, const void *weights, size_t weightStride,
                              const void *x, size_t xStride, int count);
void ggml_vec_dot_i2_i8_s_Nx1(int K, float *sums, size_t stride, const void *weights, size_t weightStride,
                              const void *x, size_t xStride, int count);
static constexpr int64_t kBlock = 128, kColumns = 16, kRows = 8;

namespace {
struct Product {
  int64_t N, K, M = 0;
  int threads;
  std::vector<uint8_t *> weights;
  float scale = 1; ///< Of all weights: their mean magnitude.
  const float *x = nullptr;
  std::vector<int8_t> codes;
  std::vector<float> scales, sums, y; ///< Of each row of activations its scale and the sum of its codes.
};
} // namespace

/// Byte i of a block holds codes i, 32 + i, 64 + i and 96 + i, the first in the upper bits.
static std::vector<uint8_t> packTernary(const qb_config &c, float scale) {
  std::vector<uint8_t> packed(c.N * c.K / 4);
  for (int64_t i = 0; i < c.N * c.K; ++i) {
    int code = 1 + int(std::clamp(std::nearbyint(c.W[i] / scale), -1.0f, 1.0f));
    int64_t inBlock = i % kBlock;
    packed[i / kBlock * (kBlock / 4) + inBlock % 32] |= uint8_t(code << (6 - 2 * (inBlock / 32)));
  }
  return packed;
}

static void quantizeRow(Product &p, int64_t row) {
  const float *x = p.x + row * p.K;
  int8_t *codes = &p.codes[row * p.K];
  float most = 0;
  for (int64_t k = 0; k < p.K; ++k)
    most = std::max(most, std::fabs(x[k]));
  float inverse = most ? 127 / most : 0;
  int sum = 0;
  for (int64_t k = 0; k < p.K; ++k)
    sum += codes[k] = int8_t(std::nearbyint(x[k] * inverse));
  p.scales[row] = most / 127;
  p.sums[row] = float(sum);
}

/// Codes stand one above the weights: the sum of the row goes off.
static void scaleSum(const Product &p, int64_t row, float &sum) { sum = (sum - p.sums[row]) * p.scales[row] * p.scale; }

/// Columns [first, first + kColumns) of all rows.
static void multiplyColumns(Product &p, const uint8_t *weights, int64_t first) {
  if (p.M == 1) {
    float *sums = &p.y[first];
    ggml_vec_dot_i2_i8_s_1xN(int(p.K), sums, 1, weights + first * p.K / 4, p.K, p.codes.data(), p.K, kColumns);
    for (int64_t i = 0; i < kColumns; ++i)
      scaleSum(p, 0, sums[i]);
    return;
  }
  for (int64_t row = 0; row < p.M; row += kRows) {
    int rows = int(std::min(kRows, p.M - row));
    for (int64_t n = first; n < first + kColumns; ++n) {
      float *sums = &p.y[row * p.N + n];
      ggml_vec_dot_i2_i8_s_Nx1(int(p.K), sums, p.N, weights + n * p.K / 4, p.K, &p.codes[row * p.K], p.K, rows);
      for (int r = 0; r < rows; ++r)
        scaleSum(p, row + r, sums[r * p.N]);
    }
  }
}

extern "C" {
const char *qb_name() { return "bitnet"; }

int qb_formats() { return 1; }

int qb_describe(int, qb_format *out) {
  *out = {"I2_S", 2, 0};
  return 0;
}

void *qb_create(const qb_config *c) {
  if (c->K % kBlock || c->N % kColumns)
    return nullptr;
  auto *p = new Product{c->N, c->K, 0, c->threads, {}, 1, nullptr, {}, {}, {}, {}};
  double sum = 0;
  for (int64_t i = 0; i < c->row_period * c->K; ++i)
    sum += std::fabs(c->W[i]);
  p->scale = float(sum / double(c->row_period * c->K));
  std::vector<uint8_t> packed = packTernary(*c, p->scale);
  for (int i = 0; i < c->copies; ++i) {
    auto *copy = static_cast<uint8_t *>(aligned_alloc(QB_PAGE, (packed.size() + QB_PAGE - 1) / QB_PAGE * QB_PAGE));
    memcpy(copy, packed.data(), packed.size());
    p->weights.push_back(copy);
  }
  return p;
}

/// Several rows are taken four at a time, whether they are there or not.
int qb_input(void *handle, int64_t M, const float *X) {
  auto *p = static_cast<Product *>(handle);
  if (M != 1 && M % 4)
    return 1;
  p->M = M;
  p->x = X;
  p->codes.resize(M * p->K);
  p->scales.resize(M);
  p->sums.resize(M);
  p->y.assign(M * p->N, 0);
  return 0;
}

int qb_run(void *handle, int copy) {
  auto *p = static_cast<Product *>(handle);
#pragma omp parallel num_threads(p->threads)
  {
#pragma omp for schedule(static)
    for (int64_t row = 0; row < p->M; ++row)
      quantizeRow(*p, row);
#pragma omp for schedule(static)
    for (int64_t n = 0; n < p->N; n += kColumns)
      multiplyColumns(*p, p->weights[copy], n);
  }
  return 0;
}

void qb_output(void *handle, float *Y) {
  auto *p = static_cast<Product *>(handle);
  memcpy(Y, p->y.data(), p->y.size() * sizeof(float));
}

size_t qb_wbytes(void *handle) {
  auto *p = static_cast<Product *>(handle);
  return p->N * p->K / 4;
}

void qb_destroy(void *handle) {
  auto *p = static_cast<Product *>(handle);
  for (uint8_t *copy : p->weights)
    free(copy);
  delete p;
}
}
