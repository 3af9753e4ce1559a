// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// OpenBLAS in f32: sgemm, and sgemv for M = 1.
#include "contender.h"
#include <cblas.h>
#include <cstdlib>
#include <cstring>
#include <vector>

extern "C" void openblas_set_num_threads(int);

namespace {
struct Blas {
  int64_t N, K, M = 0;
  std::vector<float *> weights;
  const float *x = nullptr;
  std::vector<float> y;
};
} // namespace

extern "C" {
const char *qb_name() { return "openblas"; }

int qb_formats() { return 1; }

int qb_describe(int, qb_format *out) {
  *out = {"f32", 32, 0};
  return 0;
}

void *qb_create(const qb_config *c) {
  openblas_set_num_threads(c->threads);
  auto *blas = new Blas{c->N, c->K, 0, {}, nullptr, {}};
  size_t size = c->N * c->K * sizeof(float);
  for (int i = 0; i < c->copies; ++i) {
    auto *copy = static_cast<float *>(aligned_alloc(QB_PAGE, (size + QB_PAGE - 1) / QB_PAGE * QB_PAGE));
    memcpy(copy, c->W, size);
    blas->weights.push_back(copy);
  }
  return blas;
}

int qb_input(void *handle, int64_t M, const float *X) {
  auto *blas = static_cast<Blas *>(handle);
  blas->M = M;
  blas->x = X;
  blas->y.assign(M * blas->N, 0);
  return 0;
}

int qb_run(void *handle, int copy) {
  auto *b = static_cast<Blas *>(handle);
  if (b->M == 1)
    cblas_sgemv(CblasRowMajor, CblasNoTrans, b->N, b->K, 1, b->weights[copy], b->K, b->x, 1, 0, b->y.data(), 1);
  else
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, b->M, b->N, b->K, 1, b->x, b->K, b->weights[copy], b->K, 0,
                b->y.data(), b->N);
  return 0;
}

void qb_output(void *handle, float *Y) {
  auto *blas = static_cast<Blas *>(handle);
  memcpy(Y, blas->y.data(), blas->y.size() * sizeof(float));
}

size_t qb_wbytes(void *handle) {
  auto *blas = static_cast<Blas *>(handle);
  return blas->N * blas->K * sizeof(float);
}

void qb_destroy(void *handle) {
  auto *blas = static_cast<Blas *>(handle);
  for (float *copy : blas->weights)
    free(copy);
  delete blas;
}
}
