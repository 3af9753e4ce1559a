// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Races the convolutions of MobileNetV2 and ResNet-50, batch 1, against oneDNN's. Inputs arrive with their border. The int8
// rows do the whole job: f32 in and out, activations quantized inside the time, weights with one scale a channel; "bare" is
// oneDNN's without the quantization. The host's environment: QB_COMPILER and QB_MODELS, as for c_qtensor.cpp.
#include "Artifact.h"
#include "lib/Runtime/qtensor_abi.h"
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <random>
#include <unistd.h>
#include <vector>

using namespace dnnl;
using Type = memory::data_type;
using Tag = memory::format_tag;

namespace {
struct Shape {
  const char *network;
  bool depthwise;
  int64_t size, in, out, window, stride; ///< Rows and columns with their border, channels.
  int64_t outSize() const { return (size - window) / stride + 1; }
  int64_t inputs() const { return size * size * in; }
  int64_t outputs() const { return outSize() * outSize() * out; }
  int64_t weights() const { return window * window * (depthwise ? 1 : in) * out; }
  double operations() const { return 2.0 * outSize() * outSize() * weights(); }
  std::string getName() const {
    return std::string(depthwise ? "dw" : "") + std::to_string(window) + "x" + std::to_string(window) + "s" + std::to_string(stride) +
           "-" + std::to_string(size) + "-" + std::to_string(in) + "-" + std::to_string(out);
  }
};

/// One way to compute a convolution. `run` is timed.
struct Runner {
  std::string name;
  std::function<void()> run;
  const float *result;
  std::vector<double> seconds = {};
  double error = 0;
};
} // namespace

static const Shape shapes[] = {
    {"MobileNetV2", false, 225, 3, 32, 3, 2},   {"MobileNetV2", true, 114, 32, 32, 3, 1},  {"MobileNetV2", false, 112, 16, 96, 1, 1},
    {"MobileNetV2", true, 113, 96, 96, 3, 2},   {"MobileNetV2", false, 56, 144, 24, 1, 1}, {"MobileNetV2", true, 58, 144, 144, 3, 1},
    {"MobileNetV2", false, 28, 32, 192, 1, 1},  {"MobileNetV2", true, 16, 384, 384, 3, 1}, {"MobileNetV2", false, 14, 576, 96, 1, 1},
    {"MobileNetV2", true, 9, 960, 960, 3, 1},   {"MobileNetV2", false, 7, 320, 1280, 1, 1}, {"ResNet-50", false, 230, 3, 64, 7, 2},
    {"ResNet-50", false, 56, 64, 256, 1, 1},    {"ResNet-50", false, 58, 64, 64, 3, 1},    {"ResNet-50", false, 28, 512, 128, 1, 1},
    {"ResNet-50", false, 30, 128, 128, 3, 1},   {"ResNet-50", false, 14, 1024, 256, 1, 1}, {"ResNet-50", false, 16, 256, 256, 3, 1},
    {"ResNet-50", false, 7, 2048, 512, 1, 1},   {"ResNet-50", false, 9, 512, 512, 3, 1}};

//===----------------------------------------------------------------------===//
// Ours
//===----------------------------------------------------------------------===//

static bool writeModule(const std::string &path, const Shape &s, const std::vector<float> &w) {
  FILE *file = fopen(path.c_str(), "w");
  if (!file)
    return false;
  auto tensor = [](std::initializer_list<int64_t> shape) {
    std::string text = "tensor<";
    for (int64_t extent : shape)
      text += std::to_string(extent) + "x";
    return text + "f32>";
  };
  std::string x = tensor({1, s.size, s.size, s.in}), y = tensor({1, s.outSize(), s.outSize(), s.out});
  std::string weight = s.depthwise ? tensor({s.window, s.window, s.in}) : tensor({s.window, s.window, s.in, s.out});
  const char *op = s.depthwise ? "depthwise_conv_2d_nhwc_hwc" : "conv_2d_nhwc_hwcf";
  fprintf(file,
          "func.func @main(%%x: %s {qtensor.name = \"x\"}) -> (%s {qtensor.name = \"y\"}) {\n"
          "  %%w = arith.constant dense_resource<w> : %s\n  %%zero = arith.constant 0.0 : f32\n"
          "  %%e = tensor.empty() : %s\n  %%f = linalg.fill ins(%%zero : f32) outs(%%e : %s) -> %s\n"
          "  %%y = linalg.%s {strides = dense<%ld> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}\n"
          "      ins(%%x, %%w : %s, %s) outs(%%f : %s) -> %s\n  return %%y : %s\n}\n"
          "{-# dialect_resources: { builtin: { w: \"0x04000000",
          x.c_str(), y.c_str(), weight.c_str(), y.c_str(), y.c_str(), y.c_str(), op, long(s.stride), x.c_str(), weight.c_str(),
          y.c_str(), y.c_str(), y.c_str());
  for (float value : w) {
    unsigned char bytes[4];
    memcpy(bytes, &value, 4);
    fprintf(file, "%02x%02x%02x%02x", bytes[0], bytes[1], bytes[2], bytes[3]);
  }
  fputs("\" } } #-}\n", file);
  return fclose(file) == 0;
}

/// The sample that static ranges are measured on.
static bool writeSample(const std::string &path, const Shape &s, const std::vector<float> &x) {
  FILE *file = fopen(path.c_str(), "wb");
  if (!file)
    return false;
  std::string size = std::to_string(s.size), head = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, " + size + ", " + size +
                                                    ", " + std::to_string(s.in) + "), }";
  head += std::string(63 - (head.size() + 10) % 64, ' ') + "\n";
  fwrite("\x93NUMPY\1\0", 1, 8, file);
  fputc(head.size() & 255, file);
  fputc(head.size() >> 8, file);
  fwrite(head.data(), 1, head.size(), file);
  fwrite(x.data(), sizeof(float), x.size(), file);
  return fclose(file) == 0;
}

static std::string compile(const Shape &s, bool integer, const std::vector<float> &w, const std::vector<float> &x) {
  std::string compiler = artifact::getPath("QB_COMPILER", "quant-compile");
  std::string folder = artifact::getPath("QB_MODELS", ".") + "/conv-" + s.getName() + (integer ? "-int8" : "-f32");
  if (artifact::modified(folder + "/liblayer.so") > artifact::modified(compiler))
    return folder;
  std::string module = folder + ".mlir", sample = folder + ".npy";
  if (!writeModule(module, s, w) || !writeSample(sample, s, x))
    return "";
  std::string command = "'" + compiler + "' '" + module + "' --name=layer -o '" + folder + "'";
  if (integer)
    command += " --weights=int8/channel --activations=int8/static --calibrate='" + sample + "'";
  bool done = system(command.c_str()) == 0;
  remove(module.c_str());
  remove(sample.c_str());
  return done ? folder : "";
}

static void addOurs(std::vector<Runner> &runners, const Shape &s, bool integer, const std::vector<float> &w,
                    std::vector<float> &x) {
  std::string folder = compile(s, integer, w, x), path = folder + "/layer.weights";
  artifact::Model model;
  if (folder.empty() || !artifact::load(folder + "/liblayer.so", model))
    return;
  qt_weights weights{path.c_str(), nullptr, 0};
  qt_options options{};
  options.threads = 1;
  options.report = [](void *, const char *text) { fprintf(stderr, "qtensor: %s\n", text); };
  artifact::model_handle *handle = nullptr;
  if (model.open(access(path.c_str(), R_OK) ? nullptr : &weights, &options, &handle) != QT_OK)
    return;
  qt_tensor input{x.data(), QT_F32, 4, {1, s.size, s.size, s.in}}, output{};
  size_t bytes = 0;
  if (model.shapes(handle, &input, &output, &bytes) != QT_OK)
    return;
  auto y = std::make_shared<std::vector<float>>(s.outputs());
  output.data = y->data();
  std::shared_ptr<void> scratch(aligned_alloc(64, (bytes + 64) / 64 * 64), free);
  runners.push_back({integer ? "qtensor int8" : "qtensor f32",
                     [=] { model.run(handle, nullptr, &input, &output, scratch.get()); }, y->data()});
  runners.back().run = [run = runners.back().run, y] { run(); };
}

//===----------------------------------------------------------------------===//
// oneDNN
//===----------------------------------------------------------------------===//

static engine &getEngine() {
  static engine cpu(engine::kind::cpu, 0);
  return cpu;
}

/// Weights in the order of oneDNN's goihw (or oihw), as codes of one scale a channel, or as they are.
template <typename T>
static std::vector<T> orderWeights(const Shape &s, const std::vector<float> &w, const std::vector<float> &scales) {
  std::vector<T> result;
  int64_t depth = s.depthwise ? 1 : s.in;
  for (int64_t o = 0; o < s.out; ++o)
    for (int64_t i = 0; i < depth; ++i)
      for (int64_t k = 0; k < s.window * s.window; ++k) {
        float value = w[(k * depth + i) * s.out + o];
        result.push_back(T(scales.empty() ? value : std::nearbyintf(value / scales[o])));
      }
  return result;
}

static std::vector<float> channelScales(const Shape &s, const std::vector<float> &w) {
  std::vector<float> scales(s.out, 1e-30f);
  for (size_t i = 0; i < w.size(); ++i)
    scales[i % s.out] = std::max(scales[i % s.out], std::fabs(w[i]) / 127);
  return scales;
}

static void addOneDnn(std::vector<Runner> &runners, const Shape &s, bool integer, const std::vector<float> &w, std::vector<float> &x) {
  Type a = integer ? Type::s8 : Type::f32;
  memory::dims wide = s.depthwise ? memory::dims{s.out, 1, 1, s.window, s.window} : memory::dims{s.out, s.in, s.window, s.window};
  memory::dims input{1, s.in, s.size, s.size}, output{1, s.out, s.outSize(), s.outSize()}, strides{s.stride, s.stride}, none{0, 0};
  memory::desc source(input, a, Tag::nhwc), target(output, Type::f32, Tag::nhwc);
  primitive_attr attributes;
  std::vector<float> scales = integer ? channelScales(s, w) : std::vector<float>(), factors = scales;
  for (float &factor : factors)
    factor /= 127; // inputs are in [-1, 1]
  if (integer)
    attributes.set_output_scales(1 << 1, factors);
  convolution_forward::desc description(prop_kind::forward_inference, algorithm::convolution_direct, source,
                                        memory::desc(wide, a, Tag::any), target, strides, none, none);
  convolution_forward::primitive_desc chosen(description, attributes, getEngine());
  stream queue(getEngine());
  memory from(source, getEngine()), to(target, getEngine()), weights(chosen.weights_desc(), getEngine());
  Tag order = s.depthwise ? Tag::goihw : Tag::oihw;
  std::vector<int8_t> codes = orderWeights<int8_t>(s, w, scales.empty() ? std::vector<float>(s.out, 1) : scales);
  std::vector<float> plain = orderWeights<float>(s, w, {});
  memory given({wide, a, order}, getEngine(), integer ? static_cast<void *>(codes.data()) : plain.data());
  reorder(given, weights).execute(queue, given, weights);
  memory reals({input, Type::f32, Tag::nhwc}, getEngine(), x.data());
  primitive_attr quantizing;
  if (integer)
    quantizing.set_output_scales(0, {127});
  reorder quantize(reorder::primitive_desc(reals, from, quantizing));
  quantize.execute(queue, reals, from);
  queue.wait();
  convolution_forward convolution(chosen);
  const auto *result = static_cast<const float *>(to.get_data_handle());
  auto bare = [=]() mutable {
    convolution.execute(queue, {{DNNL_ARG_SRC, from}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, to}});
    queue.wait();
  };
  auto whole = [=]() mutable {
    quantize.execute(queue, reals, from);
    bare();
  };
  if (integer)
    runners.push_back({"onednn int8", whole, result});
  runners.push_back({integer ? "onednn int8 bare" : "onednn f32", bare, result});
}

//===----------------------------------------------------------------------===//
// The race
//===----------------------------------------------------------------------===//

static double wallTime() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Relative error in the Frobenius norm.
static double difference(const float *got, const float *exact, int64_t count) {
  double error = 0, norm = 0;
  for (int64_t i = 0; i < count; ++i) {
    error += double(got[i] - exact[i]) * (got[i] - exact[i]);
    norm += double(exact[i]) * exact[i];
  }
  return std::sqrt(error / norm);
}

/// All take turns in bursts; the lower quartile counts, for others use the machine too.
static void measure(std::vector<Runner> &runners, double budget) {
  for (Runner &runner : runners)
    runner.run();
  for (double begin = wallTime(); wallTime() - begin < budget * double(runners.size());)
    for (Runner &runner : runners)
      for (double burst = wallTime(); wallTime() - burst < 0.01;) {
        double start = wallTime();
        runner.run();
        runner.seconds.push_back(wallTime() - start);
      }
}

static double quartile(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  return seconds[seconds.size() / 4];
}

static void race(const Shape &s, double budget) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> w(s.weights()), x(s.inputs());
  std::generate(w.begin(), w.end(), [&] { return uniform(random); });
  std::generate(x.begin(), x.end(), [&] { return uniform(random); });
  std::vector<Runner> runners;
  addOneDnn(runners, s, false, w, x);
  addOurs(runners, s, false, w, x);
  addOneDnn(runners, s, true, w, x);
  addOurs(runners, s, true, w, x);
  measure(runners, budget);
  printf("| %-11s | %-20s |", s.network, s.getName().c_str());
  double f32 = quartile(runners[0].seconds), int8 = 0, own = 0;
  for (Runner &runner : runners) {
    double time = quartile(runner.seconds), error = difference(runner.result, runners[0].result, s.outputs());
    printf(" %8.3f ms %6.1f |", time * 1e3, s.operations() / time / 1e9);
    if (runner.name == "onednn int8")
      int8 = time;
    if (runner.name == "qtensor f32") {
      own = time;
      printf(" %5.2f |", f32 / time);
    }
    if (runner.name == "qtensor int8")
      printf(" %5.2f | %5.2f |", int8 / time, own / time);
    if (error > 0.05)
      printf(" WRONG (%g) |", error);
  }
  printf("\n");
  fflush(stdout);
}

int main(int argc, char **argv) {
  double budget = argc > 1 ? atof(argv[1]) : 0.2;
  printf("| network     | window stride size in out | onednn f32, ms GOP/s | qtensor f32 | x | onednn int8 | onednn int8, bare | "
         "qtensor int8 | x | x own f32 |\n|---|---|---|---|---|---|---|---|---|---|\n");
  for (const Shape &shape : shapes)
    if (argc < 3 || shape.getName().find(argv[2]) == 0)
      race(shape, budget);
}
