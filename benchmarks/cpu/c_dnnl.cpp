// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// oneDNN's matmul primitives. Weights are packed beforehand in the layout the primitive asks for (format any).
// The int8 formats have one scale per output channel; "+dynq" adds quantization of the activations per token before
// and the f32 rescale after, as passes around the s32 primitive (what an unfused pipeline has to do).
#include "contender.h"
#include <cmath>
#include <cstdio>
#include <cstring>
#include <omp.h>
#include <oneapi/dnnl/dnnl.hpp>
#include <vector>

using namespace dnnl;
using Type = memory::data_type;
using Tag = memory::format_tag;

namespace {
struct Format {
  const char *name;
  Type a, b, c;
  double bits;
  int flags;
  bool quantizes; ///< Whether activations are quantized inside qb_run.
};

struct Product {
  const Format *format;
  int threads, copies;
  int64_t N, K, M = 0;
  std::vector<char> plain;        ///< Weights as [N, K].
  std::vector<float> weightScale; ///< One per row.
  std::vector<int32_t> rowSum;    ///< Of the codes of a row.
  std::vector<memory> weights;
  memory::desc weightLayout;
  matmul primitive;
  memory a, c, scratch;
  std::vector<float> tokenScale, y;
  const float *X = nullptr;
  stream queue;
};
} // namespace

static const Format formats[] = {{"f32", Type::f32, Type::f32, Type::f32, 32, 0, false},
                                 {"bf16->f32", Type::bf16, Type::bf16, Type::f32, 16, QB_PREQUANT, false},
                                 {"u8s8s32", Type::u8, Type::s8, Type::s32, 8, QB_PREQUANT | QB_RAWOUT, false},
                                 {"s8s8s32", Type::s8, Type::s8, Type::s32, 8, QB_PREQUANT | QB_RAWOUT, false},
                                 {"u8s8s32+dynq", Type::u8, Type::s8, Type::s32, 8, 0, true}};

static engine &getEngine() {
  static engine cpu(engine::kind::cpu, 0);
  return cpu;
}

/// Per token, symmetric; stored as u8 with offset 128, or as s8.
static void quantizeActivations(Product &p) {
  int offset = p.format->a == Type::u8 ? 128 : 0, threads = p.threads;
  auto *codes = static_cast<uint8_t *>(p.a.get_data_handle());
  int64_t K = p.K, M = p.M;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int64_t m = 0; m < M; ++m) {
    const float *x = p.X + m * K;
    float largest = 0;
#pragma omp simd reduction(max : largest)
    for (int64_t k = 0; k < K; ++k)
      largest = std::max(largest, std::fabs(x[k]));
    float scale = largest / 127, inverse = largest ? 1 / scale : 0;
    p.tokenScale[m] = scale;
    uint8_t *row = codes + m * K;
#pragma omp simd
    for (int64_t k = 0; k < K; ++k)
      row[k] = uint8_t(int(std::nearbyintf(x[k] * inverse)) + offset);
  }
}

static void rescale(Product &p, float *Y) {
  const auto *sums = static_cast<const int32_t *>(p.c.get_data_handle());
  int64_t N = p.N, M = p.M;
  int offset = p.format->a == Type::u8 ? 128 : 0, threads = p.threads;
#pragma omp parallel for num_threads(threads) schedule(static) collapse(2)
  for (int64_t m = 0; m < M; ++m)
    for (int64_t begin = 0; begin < N; begin += 1024) {
      int64_t end = std::min(N, begin + 1024);
      float scale = p.tokenScale[m];
#pragma omp simd
      for (int64_t n = begin; n < end; ++n)
        Y[m * N + n] = scale * p.weightScale[n] * (sums[m * N + n] - offset * p.rowSum[n]);
    }
}

static void quantizeWeights(Product &p, const float *W) {
  p.plain.resize(p.N * p.K);
  p.weightScale.resize(p.N);
  p.rowSum.resize(p.N);
  for (int64_t n = 0; n < p.N; ++n) {
    const float *row = W + n * p.K;
    float largest = 0;
    for (int64_t k = 0; k < p.K; ++k)
      largest = std::max(largest, std::fabs(row[k]));
    float scale = largest / 127;
    int32_t sum = 0;
    for (int64_t k = 0; k < p.K; ++k) {
      int code = int(std::nearbyintf(row[k] / scale));
      p.plain[n * p.K + k] = char(code);
      sum += code;
    }
    p.weightScale[n] = scale;
    p.rowSum[n] = sum;
  }
}

/// Makes the copies of the weights in the layout that the primitive chose.
static void packWeights(Product &p, const memory::desc &layout) {
  p.weightLayout = layout;
  p.weights.clear();
  memory source({{p.K, p.N}, p.format->b == Type::s8 ? Type::s8 : Type::f32, Tag::ba}, getEngine(), p.plain.data());
  memory first(layout, getEngine());
  reorder(source, first).execute(p.queue, source, first);
  p.queue.wait();
  p.weights.push_back(first);
  for (int i = 1; i < p.copies; ++i) {
    memory copy(layout, getEngine());
    memcpy(copy.get_data_handle(), first.get_data_handle(), layout.get_size());
    p.weights.push_back(copy);
  }
}

static void setInput(Product &p, int64_t M, const float *X) {
  const Format &format = *p.format;
  p.M = M;
  p.X = X;
  p.tokenScale.assign(M, 0);
  p.y.assign(format.quantizes ? M * p.N : 0, 0);
  omp_set_num_threads(p.threads);
  memory::desc a({M, p.K}, format.a, Tag::ab), b({p.K, p.N}, format.b, Tag::any), c({M, p.N}, format.c, Tag::ab);
  primitive_attr attributes;
  attributes.set_scratchpad_mode(scratchpad_mode::user);
  matmul::primitive_desc descriptor(matmul::desc(a, b, c), attributes, getEngine());
  p.primitive = matmul(descriptor);
  p.a = memory(a, getEngine());
  p.c = memory(c, getEngine());
  p.scratch = memory(descriptor.scratchpad_desc(), getEngine());
  if (p.weights.empty() || p.weightLayout != descriptor.weights_desc())
    packWeights(p, descriptor.weights_desc());
  if (format.a == Type::f32)
    memcpy(p.a.get_data_handle(), X, M * p.K * sizeof(float));
  else if (format.a == Type::bf16) {
    memory x({{M, p.K}, Type::f32, Tag::ab}, getEngine(), const_cast<float *>(X));
    reorder(x, p.a).execute(p.queue, x, p.a);
    p.queue.wait();
  } else
    quantizeActivations(p);
}

extern "C" {
const char *qb_name() { return "onednn"; }

int qb_formats() { return sizeof formats / sizeof *formats; }

int qb_describe(int f, qb_format *out) {
  *out = {formats[f].name, formats[f].bits, formats[f].flags};
  return 0;
}

void *qb_create(const qb_config *c) {
  omp_set_num_threads(c->threads);
  auto *p = new Product;
  p->format = &formats[c->fmt];
  p->threads = c->threads;
  p->copies = c->copies;
  p->N = c->N;
  p->K = c->K;
  p->queue = stream(getEngine());
  if (p->format->b == Type::s8)
    quantizeWeights(*p, c->W);
  else {
    p->plain.resize(c->N * c->K * sizeof(float));
    memcpy(p->plain.data(), c->W, p->plain.size());
  }
  return p;
}

int qb_input(void *handle, int64_t M, const float *X) {
  try {
    setInput(*static_cast<Product *>(handle), M, X);
    return 0;
  } catch (const std::exception &e) {
    fprintf(stderr, "onednn: %s\n", e.what());
    return 1;
  }
}

int qb_run(void *handle, int copy) {
  auto *p = static_cast<Product *>(handle);
  if (p->format->quantizes)
    quantizeActivations(*p);
  p->primitive.execute(p->queue, {{DNNL_ARG_SRC, p->a},
                                  {DNNL_ARG_WEIGHTS, p->weights[copy]},
                                  {DNNL_ARG_DST, p->c},
                                  {DNNL_ARG_SCRATCHPAD, p->scratch}});
  p->queue.wait();
  if (p->format->quantizes)
    rescale(*p, p->y.data());
  return 0;
}

void qb_output(void *handle, float *Y) {
  auto *p = static_cast<Product *>(handle);
  if (p->format->quantizes)
    memcpy(Y, p->y.data(), p->y.size() * sizeof(float));
  else if (p->format->c == Type::s32)
    rescale(*p, Y);
  else
    memcpy(Y, p->c.get_data_handle(), p->M * p->N * sizeof(float));
}

size_t qb_wbytes(void *handle) {
  auto *p = static_cast<Product *>(handle);
  return size_t(p->N * p->K * p->format->bits / 8);
}

void qb_destroy(void *handle) { delete static_cast<Product *>(handle); }
}
