// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ggml's CPU backend through its public API: MUL_MAT(weights, f32 activations) as one graph node.
#include "contender.h"
#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml-cpu.h"
#include "ggml.h"
#include <algorithm>
#include <cstring>
#include <vector>

namespace {
struct Format {
  const char *name;
  ggml_type type;
  double bits;
  bool repacked; ///< Whether the weights live in the backend's interleaved layout.
};

struct Product {
  int threads = 1;
  int64_t N = 0, K = 0, M = 0;
  ggml_context *weightContext = nullptr, *graphContext = nullptr;
  ggml_backend_buffer_t weightBuffer = nullptr;
  std::vector<ggml_tensor *> weights;
  std::vector<ggml_cgraph *> graphs;
  std::vector<ggml_cplan> plans;
  std::vector<uint8_t> work;
  std::vector<float> y;
};
} // namespace

static const Format formats[] = {
    {"Q4_0", GGML_TYPE_Q4_0, 4.5, false},      {"Q4_0 repack", GGML_TYPE_Q4_0, 4.5, true},
    {"Q4_K", GGML_TYPE_Q4_K, 4.5, false},      {"Q4_K repack", GGML_TYPE_Q4_K, 4.5, true},
    {"Q8_0", GGML_TYPE_Q8_0, 8.5, false},      {"Q8_0 repack", GGML_TYPE_Q8_0, 8.5, true},
    {"Q2_K", GGML_TYPE_Q2_K, 2.625, false},    {"Q2_K repack", GGML_TYPE_Q2_K, 2.625, true},
    {"IQ4_NL", GGML_TYPE_IQ4_NL, 4.5, false},  {"IQ4_NL repack", GGML_TYPE_IQ4_NL, 4.5, true},
    {"MXFP4", GGML_TYPE_MXFP4, 4.25, false},   {"MXFP4 repack", GGML_TYPE_MXFP4, 4.25, true},
    {"Q6_K", GGML_TYPE_Q6_K, 6.5625, false},   {"Q3_K", GGML_TYPE_Q3_K, 3.4375, false},
    {"TQ2_0", GGML_TYPE_TQ2_0, 2.0625, false}, {"TQ1_0", GGML_TYPE_TQ1_0, 1.6875, false},
    {"F16", GGML_TYPE_F16, 16, false},         {"BF16", GGML_TYPE_BF16, 16, false},
    {"F32", GGML_TYPE_F32, 32, false}};

static ggml_backend_buffer_type_t findRepackedType() {
  ggml_backend_dev_t device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
  if (!device)
    return nullptr;
  auto getTypes = reinterpret_cast<ggml_backend_dev_get_extra_bufts_t>(
      ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(device), "ggml_backend_dev_get_extra_bufts"));
  if (!getTypes)
    return nullptr;
  for (auto *type = getTypes(device); type && *type; ++type)
    if (!strcmp(ggml_backend_buft_name(*type), "CPU_REPACK"))
      return *type;
  return nullptr;
}

/// Null when the backend has no repacked layout of this type on this machine.
static bool allocateWeights(Product &p, const Format &format) {
  ggml_backend_buffer_type_t type = format.repacked ? findRepackedType() : ggml_backend_cpu_buffer_type();
  if (type)
    p.weightBuffer = ggml_backend_alloc_ctx_tensors_from_buft(p.weightContext, type);
  return p.weightBuffer && (!format.repacked || p.weights[0]->extra);
}

extern "C" {
const char *qb_name() { return "ggml"; }

int qb_formats() {
  ggml_log_set([](ggml_log_level, const char *, void *) {}, nullptr);
  ggml_cpu_init();
  return sizeof formats / sizeof *formats;
}

int qb_describe(int f, qb_format *out) {
  *out = {formats[f].name, formats[f].bits, 0};
  return 0;
}

void qb_destroy(void *handle) {
  auto *p = static_cast<Product *>(handle);
  if (p->graphContext)
    ggml_free(p->graphContext);
  if (p->weightBuffer)
    ggml_backend_buffer_free(p->weightBuffer);
  ggml_free(p->weightContext);
  delete p;
}

void *qb_create(const qb_config *c) {
  const Format &format = formats[c->fmt];
  if (c->K % ggml_blck_size(format.type))
    return nullptr;
  auto *p = new Product;
  p->threads = c->threads;
  p->N = c->N;
  p->K = c->K;
  p->weightContext = ggml_init({ggml_tensor_overhead() * (c->copies + 8), nullptr, true});
  for (int i = 0; i < c->copies; ++i)
    p->weights.push_back(ggml_new_tensor_2d(p->weightContext, format.type, c->K, c->N));
  if (!allocateWeights(*p, format)) {
    qb_destroy(p);
    return nullptr;
  }
  size_t row = ggml_row_size(format.type, c->K);
  std::vector<char> bytes(row * c->N);
  ggml_quantize_init(format.type);
  ggml_quantize_chunk(format.type, c->W, bytes.data(), 0, c->row_period, c->K, nullptr);
  for (int64_t n = c->row_period; n < c->N; n += c->row_period)
    memcpy(&bytes[n * row], bytes.data(), row * c->row_period);
  for (ggml_tensor *weight : p->weights)
    ggml_backend_tensor_set(weight, bytes.data(), 0, bytes.size());
  return p;
}

int qb_input(void *handle, int64_t M, const float *X) {
  auto *p = static_cast<Product *>(handle);
  if (p->graphContext)
    ggml_free(p->graphContext);
  p->graphs.clear();
  p->plans.clear();
  p->M = M;
  p->y.assign(M * p->N, 0);
  size_t count = p->weights.size(), graphSize = ggml_tensor_overhead() + ggml_graph_overhead_custom(8, false);
  p->graphContext = ggml_init({graphSize * count + ggml_tensor_overhead() * (count + 4), nullptr, true});
  ggml_tensor *x = ggml_new_tensor_2d(p->graphContext, GGML_TYPE_F32, p->K, M);
  x->data = const_cast<float *>(X);
  size_t workSize = 0;
  for (ggml_tensor *weight : p->weights) {
    ggml_tensor *y = ggml_mul_mat(p->graphContext, weight, x);
    y->data = p->y.data();
    ggml_cgraph *graph = ggml_new_graph_custom(p->graphContext, 8, false);
    ggml_build_forward_expand(graph, y);
    p->graphs.push_back(graph);
    p->plans.push_back(ggml_graph_plan(graph, p->threads, nullptr));
    workSize = std::max(workSize, p->plans.back().work_size);
  }
  p->work.resize(workSize + 64);
  for (ggml_cplan &plan : p->plans)
    plan.work_data = p->work.data();
  return 0;
}

int qb_run(void *handle, int copy) {
  auto *p = static_cast<Product *>(handle);
  return ggml_graph_compute(p->graphs[copy], &p->plans[copy]) != GGML_STATUS_SUCCESS;
}

void qb_output(void *handle, float *Y) {
  auto *p = static_cast<Product *>(handle);
  memcpy(Y, p->y.data(), p->y.size() * sizeof(float));
}

size_t qb_wbytes(void *handle) { return ggml_nbytes(static_cast<Product *>(handle)->weights[0]); }
}
