// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ONNX Runtime's CPU provider: models of one node, made in memory. MatMul in f32, MatMulNBits (4 and 8 bits in groups),
// and DynamicQuantizeMatMul (8 bits per channel). CMake says where the library lies.
#include "contender.h"
#include "onnx/onnx.pb.h"
#include "onnxruntime_c_api.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <sched.h>
#include <string>
#include <vector>

namespace {
enum class Operator { MatMul, MatMulNBits, DynamicQuantizeMatMul };

struct Format {
  const char *name;
  Operator op;
  double bits;
  int codeBits, group, accuracy; ///< MatMulNBits: 4 is arithmetic on 8-bit activations, 1 on floats.
};

struct Product {
  int64_t N = 0, K = 0, M = 0;
  size_t weightBytes = 0;
  std::vector<OrtSession *> sessions;
  OrtMemoryInfo *memory = nullptr;
  OrtValue *x = nullptr, *y = nullptr;
  std::vector<float> result;
};

/// A model of one node from X to Y that grows by its constants.
struct OneNode {
  onnx::ModelProto model;
  onnx::NodeProto *node;
  size_t bytes = 0; ///< Of all constants.

  OneNode(const char *name, bool contributed, int64_t N, int64_t K);
  void addConstant(const char *name, std::vector<int64_t> shape, onnx::TensorProto::DataType type, const void *data,
                   size_t size);
  void addAttribute(const char *name, int64_t value);
};
} // namespace

static const Format formats[] = {{"MatMul f32", Operator::MatMul, 32, 0, 0, 0},
                                 {"NBits4 32", Operator::MatMulNBits, 5, 4, 32, 4},
                                 {"NBits4 32 f32", Operator::MatMulNBits, 5, 4, 32, 1},
                                 {"NBits4 128", Operator::MatMulNBits, 4.25, 4, 128, 4},
                                 {"NBits8 32", Operator::MatMulNBits, 9, 8, 32, 4},
                                 {"DynQuant u8s8", Operator::DynamicQuantizeMatMul, 8, 0, 0, 0}};
static const OrtApi *api;
static OrtEnv *environment;
static int environmentThreads;

static bool failed(OrtStatus *status) {
  if (!status)
    return false;
  fprintf(stderr, "onnxruntime: %s\n", api->GetErrorMessage(status));
  api->ReleaseStatus(status);
  return true;
}

static void addInfo(onnx::ValueInfoProto *info, const char *name, int64_t columns) {
  info->set_name(name);
  onnx::TypeProto::Tensor *type = info->mutable_type()->mutable_tensor_type();
  type->set_elem_type(onnx::TensorProto::FLOAT);
  type->mutable_shape()->add_dim()->set_dim_param("M");
  type->mutable_shape()->add_dim()->set_dim_value(columns);
}

OneNode::OneNode(const char *name, bool contributed, int64_t N, int64_t K) {
  model.set_ir_version(8);
  for (auto [domain, version] : {std::pair("", 17), std::pair("com.microsoft", 1)}) {
    onnx::OperatorSetIdProto *set = model.add_opset_import();
    set->set_domain(domain);
    set->set_version(version);
  }
  onnx::GraphProto *graph = model.mutable_graph();
  graph->set_name("race");
  addInfo(graph->add_input(), "X", K);
  addInfo(graph->add_output(), "Y", N);
  node = graph->add_node();
  node->set_op_type(name);
  if (contributed)
    node->set_domain("com.microsoft");
  node->add_input("X");
  node->add_output("Y");
}

void OneNode::addConstant(const char *name, std::vector<int64_t> shape, onnx::TensorProto::DataType type,
                          const void *data, size_t size) {
  onnx::TensorProto *tensor = model.mutable_graph()->add_initializer();
  for (int64_t extent : shape)
    tensor->add_dims(extent);
  tensor->set_data_type(type);
  tensor->set_name(name);
  tensor->set_raw_data(data, size);
  node->add_input(name);
  bytes += size;
}

void OneNode::addAttribute(const char *name, int64_t value) {
  onnx::AttributeProto *attribute = node->add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INT);
  attribute->set_i(value);
}

static OneNode makeMatMul(const qb_config &c) {
  OneNode made("MatMul", false, c.N, c.K);
  std::vector<float> transposed(c.N * c.K);
  for (int64_t n = 0; n < c.N; ++n)
    for (int64_t k = 0; k < c.K; ++k)
      transposed[k * c.N + n] = c.W[n * c.K + k];
  made.addConstant("W", {c.K, c.N}, onnx::TensorProto::FLOAT, transposed.data(), transposed.size() * sizeof(float));
  return made;
}

/// Codes of one group around half of their range; the number of largest magnitude takes the lowest code.
static float quantizeGroup(const float *w, const Format &format, uint8_t *codes) {
  int middle = 1 << (format.codeBits - 1);
  float most = *std::max_element(w, w + format.group, [](float a, float b) { return std::fabs(a) < std::fabs(b); });
  float scale = most / -middle;
  for (int i = 0; i < format.group; ++i) {
    int code = scale ? int(std::nearbyint(w[i] / scale)) + middle : middle;
    int bit = i * format.codeBits;
    codes[bit / 8] |= std::clamp(code, 0, 2 * middle - 1) << bit % 8;
  }
  return scale;
}

static OneNode makeMatMulNBits(const qb_config &c, const Format &format) {
  int64_t groups = c.K / format.group, size = format.group * format.codeBits / 8;
  std::vector<uint8_t> codes(c.N * groups * size);
  std::vector<float> scales(c.N * groups);
  for (int64_t g = 0; g < c.row_period * groups; ++g)
    scales[g] = quantizeGroup(c.W + g * format.group, format, &codes[g * size]);
  for (int64_t g = c.row_period * groups; g < c.N * groups; ++g) {
    scales[g] = scales[g - c.row_period * groups];
    memcpy(&codes[g * size], &codes[(g - c.row_period * groups) * size], size);
  }
  OneNode made("MatMulNBits", true, c.N, c.K);
  made.addConstant("W", {c.N, groups, size}, onnx::TensorProto::UINT8, codes.data(), codes.size());
  made.addConstant("S", {c.N * groups}, onnx::TensorProto::FLOAT, scales.data(), scales.size() * sizeof(float));
  made.addAttribute("K", c.K);
  made.addAttribute("N", c.N);
  made.addAttribute("bits", format.codeBits);
  made.addAttribute("block_size", format.group);
  made.addAttribute("accuracy_level", format.accuracy);
  return made;
}

static OneNode makeDynamicQuantizeMatMul(const qb_config &c) {
  std::vector<int8_t> codes(c.N * c.K);
  std::vector<float> scales(c.N);
  for (int64_t n = 0; n < c.N; ++n) {
    const float *w = c.W + n * c.K;
    float most = 0;
    for (int64_t k = 0; k < c.K; ++k)
      most = std::max(most, std::fabs(w[k]));
    scales[n] = most ? most / 127 : 1;
    for (int64_t k = 0; k < c.K; ++k)
      codes[k * c.N + n] = int8_t(std::nearbyint(w[k] / scales[n]));
  }
  OneNode made("DynamicQuantizeMatMul", true, c.N, c.K);
  made.addConstant("W", {c.K, c.N}, onnx::TensorProto::INT8, codes.data(), codes.size());
  made.addConstant("S", {c.N}, onnx::TensorProto::FLOAT, scales.data(), scales.size() * sizeof(float));
  return made;
}

/// One pool of threads for all sessions. It inherits the processors of the thread that makes it, which OpenMP may have
/// bound to one.
static bool makeEnvironment(int threads) {
  if (environment)
    return environmentThreads == threads;
  cpu_set_t own, pool;
  sched_getaffinity(0, sizeof own, &own);
  CPU_ZERO(&pool);
  for (int i = 0; i < threads; ++i)
    CPU_SET(i, &pool);
  if (threads > 1)
    sched_setaffinity(0, sizeof pool, &pool);
  OrtThreadingOptions *options;
  bool good = !failed(api->CreateThreadingOptions(&options)) &&
              !failed(api->SetGlobalIntraOpNumThreads(options, threads)) &&
              !failed(api->SetGlobalInterOpNumThreads(options, 1)) && !failed(api->SetGlobalSpinControl(options, 1)) &&
              !failed(api->CreateEnvWithGlobalThreadPools(ORT_LOGGING_LEVEL_ERROR, "race", options, &environment));
  sched_setaffinity(0, sizeof own, &own);
  environmentThreads = threads;
  return good;
}

static bool makeSessions(Product &p, const std::string &bytes, int copies) {
  OrtSessionOptions *options;
  if (failed(api->CreateSessionOptions(&options)))
    return false;
  bool good = !failed(api->DisablePerSessionThreads(options)) && !failed(api->DisableCpuMemArena(options)) &&
              !failed(api->CreateCpuMemoryInfo(OrtDeviceAllocator, OrtMemTypeDefault, &p.memory));
  for (int i = 0; good && i < copies; ++i) {
    OrtSession *session = nullptr;
    good = !failed(api->CreateSessionFromArray(environment, bytes.data(), bytes.size(), options, &session));
    if (good)
      p.sessions.push_back(session);
  }
  api->ReleaseSessionOptions(options);
  return good;
}

static void releaseTensors(Product &p) {
  for (OrtValue **value : {&p.x, &p.y}) {
    if (*value)
      api->ReleaseValue(*value);
    *value = nullptr;
  }
}

extern "C" {
const char *qb_name() { return "onnxruntime"; }

int qb_formats() {
  void *library = dlopen(QB_ONNXRUNTIME, RTLD_NOW | RTLD_LOCAL);
  auto base = library ? reinterpret_cast<const OrtApiBase *(*)()>(dlsym(library, "OrtGetApiBase")) : nullptr;
  api = base ? base()->GetApi(ORT_API_VERSION) : nullptr;
  if (!api)
    fprintf(stderr, "onnxruntime: %s does not serve version %d of its interface\n", QB_ONNXRUNTIME, ORT_API_VERSION);
  return api ? sizeof formats / sizeof *formats : 0;
}

int qb_describe(int f, qb_format *out) {
  *out = {formats[f].name, formats[f].bits, 0};
  return 0;
}

void qb_destroy(void *handle) {
  auto *p = static_cast<Product *>(handle);
  releaseTensors(*p);
  for (OrtSession *session : p->sessions)
    api->ReleaseSession(session);
  if (p->memory)
    api->ReleaseMemoryInfo(p->memory);
  delete p;
}

void *qb_create(const qb_config *c) {
  const Format &format = formats[c->fmt];
  if (!makeEnvironment(c->threads) || (format.group && c->K % format.group))
    return nullptr;
  OneNode made = format.op == Operator::MatMul        ? makeMatMul(*c)
                 : format.op == Operator::MatMulNBits ? makeMatMulNBits(*c, format)
                                                      : makeDynamicQuantizeMatMul(*c);
  auto *p = new Product;
  p->N = c->N;
  p->K = c->K;
  p->weightBytes = made.bytes;
  if (makeSessions(*p, made.model.SerializeAsString(), c->copies))
    return p;
  qb_destroy(p);
  return nullptr;
}

int qb_input(void *handle, int64_t M, const float *X) {
  auto *p = static_cast<Product *>(handle);
  releaseTensors(*p);
  p->M = M;
  p->result.assign(M * p->N, 0);
  int64_t xShape[] = {M, p->K}, yShape[] = {M, p->N};
  auto make = [&](float *data, const int64_t(&shape)[2], OrtValue **value) {
    return !failed(api->CreateTensorWithDataAsOrtValue(p->memory, data, shape[0] * shape[1] * sizeof(float), shape, 2,
                                                       ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, value));
  };
  return !make(const_cast<float *>(X), xShape, &p->x) || !make(p->result.data(), yShape, &p->y);
}

int qb_run(void *handle, int copy) {
  auto *p = static_cast<Product *>(handle);
  const char *inputs[] = {"X"}, *outputs[] = {"Y"};
  const OrtValue *x = p->x;
  return failed(api->Run(p->sessions[copy], nullptr, inputs, &x, 1, outputs, 1, &p->y));
}

void qb_output(void *handle, float *Y) {
  auto *p = static_cast<Product *>(handle);
  memcpy(Y, p->result.data(), p->result.size() * sizeof(float));
}

size_t qb_wbytes(void *handle) { return static_cast<Product *>(handle)->weightBytes; }
}
