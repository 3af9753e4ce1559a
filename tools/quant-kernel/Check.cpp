// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs a kernel on random operands and compares every bit with a plain computation in the canonical order. The plain
// computation reads the unpacked components: neither the packer nor the layout is trusted.
#include "tools/quant-kernel/KernelTool.h"
#include "lib/Transforms/Pack/Pack.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <cstring>
#include <ctime>
#include <random>
#include <vector>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::tool;

namespace {
struct Vector1 {
  void *allocated, *aligned;
  int64_t offset, size, stride;
};
struct Matrix {
  void *allocated, *aligned;
  int64_t offset, sizes[2], strides[2];
};

/// One parameter of the weight: its packed bytes and its values, [n][block].
struct Parameter {
  std::vector<uint8_t> bytes;
  std::vector<float> values;
};

struct Operands {
  std::vector<uint8_t> codes;
  Parameter scale, zero, offset, scaleScale, scaleShift, offsetScale;
  std::vector<uint8_t> packed;
  std::vector<int8_t> xCodes;
  std::vector<float> x, xScales, bias, y;
};
} // namespace

static Vector1 describe(void *data, int64_t size) { return {data, data, 0, size, 1}; }
static Matrix describe(void *data, int64_t rows, int64_t columns) { return {data, data, 0, {rows, columns}, {columns, 1}}; }

/// Random elements of a builtin type: the bytes, and what they mean.
static Parameter randomParameter(Type type, int64_t count, std::mt19937 &random, int64_t maxCode = -1) {
  Parameter parameter;
  if (!type)
    return parameter;
  int64_t bytes = type.getIntOrFloatBitWidth() / 8;
  for (int64_t i = 0; i < count; ++i) {
    uint64_t raw;
    if (type.isInteger(8)) {
      raw = maxCode < 0 ? random() % 256 : random() % (maxCode + 1);
      parameter.values.push_back(maxCode < 0 ? static_cast<int8_t>(raw) : static_cast<int>(raw));
    } else if (isa<Float8E8M0FNUType>(type)) {
      raw = 120 + random() % 10;
      parameter.values.push_back(std::ldexp(1.0f, static_cast<int>(raw) - 127));
    } else {
      llvm::APFloat value(static_cast<float>(static_cast<int>(random() % 2001) - 1000) / 997.0f);
      bool losesInfo;
      value.convert(cast<FloatType>(type).getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
      raw = value.bitcastToAPInt().getZExtValue();
      parameter.values.push_back(static_cast<float>(value.convertToDouble()));
    }
    for (int64_t b = 0; b < bytes; ++b)
      parameter.bytes.push_back(raw >> (8 * b));
  }
  return parameter;
}

static bool makeWeights(const Description &spec, Operands &to, std::vector<float> &codeValues, std::mt19937 &random) {
  const PackedWeight &weight = spec.spec.weight;
  qtile::LayoutAttr layout = weight.layout;
  int64_t parameters = spec.n * layout.getNumBlocks(spec.k), codes = int64_t(1) << layout.getStoredBits();
  if (layout.hasIntegerCodes()) {
    int64_t logical = layout.getRadix() ? layout.getRadix() : int64_t(1) << layout.getCodes().getIntOrFloatBitWidth();
    for (int64_t i = 0; i < spec.n * spec.k; ++i)
      to.codes.push_back(spec.extremes ? logical - 1 : random() % logical);
    codes = logical;
  } else {
    Parameter all = randomParameter(layout.getCodes(), spec.n * spec.k, random, 0);
    to.codes = all.bytes;
    codeValues = all.values;
  }
  int64_t outer = spec.n * layout.getNumGroups(spec.k);
  to.scale = randomParameter(layout.getScale(), parameters, random);
  to.zero = randomParameter(layout.getZero(), parameters, random, codes - 1);
  to.offset = randomParameter(layout.getOffset(), parameters, random);
  to.scaleScale = randomParameter(layout.getScaleScale(), outer, random);
  to.scaleShift = randomParameter(layout.getScaleShift(), outer, random);
  to.offsetScale = randomParameter(layout.getOffsetScale(), outer, random);
  // Exactly as long as the layout says, so that a sanitizer sees a read beyond it.
  to.packed.resize(layout.getBytes(spec.n, spec.k));
  std::string error;
  PackSource source{spec.n, spec.k, to.codes, to.scale.bytes, to.zero.bytes, to.offset.bytes,
                    to.scaleScale.bytes, to.scaleShift.bytes, to.offsetScale.bytes};
  if (succeeded(packWeight(layout, source, to.packed, error)))
    return true;
  llvm::errs() << error << '\n';
  return false;
}

/// A parameter of block `b` of row `n`, worked out where it is nested; `table` is what its bytes stand for, or empty.
static float valueOf(const Description &spec, const Parameter &parameter, ArrayRef<float> table, const Parameter &outer,
                     const Parameter &shift, int64_t n, int64_t b) {
  qtile::LayoutAttr layout = spec.spec.weight.layout;
  float value = parameter.values[n * layout.getNumBlocks(spec.k) + b];
  int64_t group = n * layout.getNumGroups(spec.k) + (layout.getGroup() ? b / layout.getGroup() : 0);
  if (!table.empty())
    value = table[static_cast<uint8_t>(static_cast<int>(value))];
  if (!outer.values.empty())
    value *= outer.values[group];
  return shift.values.empty() ? value : value + shift.values[group];
}

static float scaleOf(const Description &spec, const Operands &o, int64_t n, int64_t b) {
  return valueOf(spec, o.scale, spec.spec.weight.scaleValues, o.scaleScale, o.scaleShift, n, b);
}

static float offsetOf(const Description &spec, const Operands &o, int64_t n, int64_t b) {
  return valueOf(spec, o.offset, {}, o.offsetScale, {}, n, b);
}

static float plainInteger(const Description &spec, const Operands &o, int64_t m, int64_t n) {
  const PackedWeight &w = spec.spec.weight;
  int64_t block = w.layout.getBlock(), blocks = w.layout.getNumBlocks(spec.k);
  float acc = 0;
  for (int64_t b = 0; b < blocks; ++b) {
    int64_t dot = 0, sum = 0, at = n * blocks + b;
    for (int64_t k = b * block; k < std::min(spec.k, (b + 1) * block); ++k) {
      uint8_t code = o.codes[n * spec.k + k];
      int64_t value = (w.bytes.empty() ? code : w.bytes[code]) + (w.upper.empty() ? 0 : 128 * w.upper[code]);
      dot += value * o.xCodes[m * spec.k + k];
      sum += o.xCodes[m * spec.k + k];
    }
    int64_t zero = w.zero + (o.zero.values.empty() ? 0 : static_cast<int64_t>(o.zero.values[at]));
    float sx = o.xScales[m * blocks + b], factor = sx;
    if (!o.scale.values.empty())
      factor = sx * scaleOf(spec, o, n, b);
    else if (w.scale)
      factor = sx * *w.scale;
    acc = std::fma(static_cast<float>(static_cast<int32_t>(dot - zero * sum)), factor, acc);
    if (!o.offset.values.empty()) {
      float shift = sx * offsetOf(spec, o, n, b);
      acc = std::fma(static_cast<float>(static_cast<int32_t>(sum)), shift, acc);
    }
  }
  return acc;
}

static float plainFloat(const Description &spec, const Operands &o, ArrayRef<float> codeValues, int64_t m, int64_t n) {
  const PackedWeight &w = spec.spec.weight;
  int64_t blocks = w.layout.getNumBlocks(spec.k);
  float acc = 0;
  for (int64_t k = 0; k < spec.k; ++k) {
    int64_t at = n * blocks + k / w.layout.getBlock();
    float value;
    if (!codeValues.empty()) {
      value = codeValues[n * spec.k + k];
    } else {
      uint8_t code = o.codes[n * spec.k + k];
      value = w.values.empty() ? static_cast<float>(code - w.zero) : w.values[code];
    }
    if (!o.zero.values.empty())
      value -= o.zero.values[at];
    if (!o.scale.values.empty())
      value *= scaleOf(spec, o, n, k / w.layout.getBlock());
    else if (w.scale)
      value *= *w.scale;
    if (!o.offset.values.empty())
      value += offsetOf(spec, o, n, k / w.layout.getBlock());
    acc = std::fma(o.x[m * spec.k + k], value, acc);
  }
  return acc;
}

namespace {
using SizeFunction = int64_t (*)(int64_t);

/// One call of the kernel on `rows` rows.
struct Call {
  SmallVector<void *> pointers;
  Matrix x, xScales, y;
  Vector1 weights, bias, scratch;
  void *context = nullptr;
};
} // namespace

static void invoke(void *function, Call &c, bool bias) {
  if (bias)
    reinterpret_cast<void (*)(void *, Matrix *, Matrix *, Vector1 *, Vector1 *, Matrix *, Vector1 *)>(function)(
        c.context, &c.x, &c.xScales, &c.weights, &c.bias, &c.y, &c.scratch);
  else
    reinterpret_cast<void (*)(void *, Matrix *, Matrix *, Vector1 *, Matrix *, Vector1 *)>(function)(
        c.context, &c.x, &c.xScales, &c.weights, &c.y, &c.scratch);
}

static int64_t countDifferences(const Description &description, const Operands &o, ArrayRef<float> codeValues, int64_t rows) {
  const Description &spec = description;
  int64_t different = 0;
  // A large kernel is sampled; a small one is compared whole.
  int64_t stride = std::max<int64_t>(1, rows * spec.n * spec.k / 20000000);
  for (int64_t i = 0; i < rows * spec.n; i += stride) {
    int64_t m = i / spec.n, n = i % spec.n;
    float expected = spec.spec.strategy == SumStrategy::Integer ? plainInteger(spec, o, m, n) : plainFloat(spec, o, codeValues, m, n);
    if (description.bias)
      expected += o.bias[n];
    if (std::memcmp(&expected, &o.y[i], sizeof(float)) != 0 && different++ < 3)
      llvm::errs() << llvm::formatv("  row {0} column {1}: {2} instead of {3}\n", m, n, o.y[i], expected);
  }
  return different;
}

/// Processor time of this thread: a machine that is shared with other jobs must not change the result.
static double threadSeconds() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

static double bestSeconds(void *kernel, Call &call, bool bias) {
  double best = 1e30, total = 0;
  while (total < 0.5) {
    double start = threadSeconds();
    invoke(kernel, call, bias);
    double seconds = threadSeconds() - start;
    best = std::min(best, seconds);
    total += seconds;
  }
  return best;
}

bool tool::checkKernel(llvm::orc::LLJIT &jit, const Description &description, ArrayRef<int64_t> rowCounts, bool time) {
  const Description &spec = description;
  const PackedWeight &w = spec.spec.weight;
  auto kernel = jit.lookup("_mlir_ciface_kernel"), size = jit.lookup("_mlir_ciface_scratch_bytes");
  if (!kernel || !size) {
    llvm::errs() << llvm::toString(llvm::joinErrors(kernel.takeError(), size.takeError())) << '\n';
    return false;
  }
  std::mt19937 random(7);
  Operands o;
  std::vector<float> codeValues;
  if (!makeWeights(spec, o, codeValues, random))
    return false;
  int64_t blocks = w.layout.getNumBlocks(spec.k);
  for (int64_t i = 0; i < spec.n; ++i)
    o.bias.push_back(static_cast<float>(i % 13) - 6);
  bool good = true;
  for (int64_t rows : rowCounts) {
    o.xCodes.resize(rows * spec.k);
    o.x.resize(rows * spec.k);
    o.xScales.resize(rows * blocks);
    // Both extremes occur: -128 and 127 against the largest code must not saturate.
    for (auto [i, code] : llvm::enumerate(o.xCodes))
      code = spec.extremes ? (i / spec.k % 2 ? 127 : -128)
             : random() % 4 == 0 ? (random() % 2 ? -128 : 127) : static_cast<int8_t>(random());
    for (float &value : o.x)
      value = static_cast<float>(static_cast<int>(random() % 2001) - 1000) / 500.0f;
    for (float &value : o.xScales)
      value = description.lhsScales ? static_cast<float>(1 + random() % 1000) / 1000.0f : 0.25f;
    std::vector<uint8_t> scratch(size->toPtr<SizeFunction>()(rows) + 64);
    o.y.assign(rows * spec.n, -1);
    Call call;
    call.x = spec.spec.strategy == SumStrategy::Integer ? describe(o.xCodes.data(), rows, spec.k) : describe(o.x.data(), rows, spec.k);
    call.xScales = describe(o.xScales.data(), rows, blocks);
    call.y = describe(o.y.data(), rows, spec.n);
    call.weights = describe(o.packed.data(), o.packed.size());
    call.bias = describe(o.bias.data(), spec.n);
    uintptr_t aligned = (reinterpret_cast<uintptr_t>(scratch.data()) + 63) & ~uintptr_t(63);
    call.scratch = describe(reinterpret_cast<void *>(aligned), scratch.size() - 64);
    invoke(kernel->toPtr<void *>(), call, description.bias);
    int64_t different = countDifferences(description, o, codeValues, rows);
    llvm::outs() << llvm::formatv("M={0}: {1}", rows, different ? "DIFFERENT" : "exact");
    if (time) {
      double seconds = bestSeconds(kernel->toPtr<void *>(), call, description.bias);
      llvm::outs() << llvm::formatv(" {0:f3} ms, {1:f1} GOP/s, {2:f1} GB/s", seconds * 1e3,
                                    2e-9 * rows * spec.n * spec.k / seconds, 1e-9 * o.packed.size() / seconds);
    }
    llvm::outs() << '\n';
    good &= different == 0;
  }
  return good;
}
