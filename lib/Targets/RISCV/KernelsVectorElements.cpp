// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums and products of two tensors, and softmax: vectors of neighbours.
#include "lib/Targets/RISCV/Kernels.h"
#include "lib/Targets/RISCV/Vectors.h"
#include "lib/Transforms/Firmware/Elements.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;
using namespace mlir::qtensor::riscv;

namespace {
class VectorAdd : public AddKernel {
public:
  StringRef getName() const override { return "rvv.add"; }
  bool accepts(const AddLayer &layer, const AddConstants &) const override { return riscv::takesSum(layer); }
  std::vector<char> pack(const AddLayer &, const AddConstants &) const override { return {}; }
  void emit(KernelBuilder &k, const AddLayer &layer, const LayerPointers &at) const override;
};

class VectorMul : public MulKernel {
public:
  StringRef getName() const override { return "rvv.mul"; }
  bool accepts(const MulLayer &layer, const MulConstants &) const override { return findVectorProductMap(layer).has_value(); }
  std::vector<char> pack(const MulLayer &, const MulConstants &) const override { return {}; }
  void emit(KernelBuilder &k, const MulLayer &layer, const LayerPointers &at) const override;
};

class VectorSoftmax : public SoftmaxKernel {
public:
  StringRef getName() const override { return "rvv.softmax"; }
  /// Sums of 256 terms still leave a shift of less than 32.
  bool accepts(const SoftmaxLayer &layer, const SoftmaxConstants &) const override {
    return layer.length > 0 && layer.length <= 256 && layer.low == -128 && layer.high == 127;
  }
  std::vector<char> pack(const SoftmaxLayer &layer, const SoftmaxConstants &constants) const override;
  void emit(KernelBuilder &k, const SoftmaxLayer &layer, const LayerPointers &at) const override;
};
} // namespace

/// The final map takes shifts to the right alone; the maps of inputs none to the left.
bool riscv::takesSum(const AddLayer &layer) {
  if (layer.bits != 8 || layer.map.mode == FixedMode::X16 || layer.leftShift > 22)
    return false;
  for (int64_t zero : {layer.zeros[0], layer.zeros[1], layer.map.zero})
    if (zero < -128 || zero > 127)
      return false;
  auto fits = [&](unsigned i, int64_t most) {
    return layer.multipliers[i] == 0 || (layer.shifts[i] <= most && layer.shifts[i] >= -31);
  };
  // With one rounding the product of a map without shift is rounded, not cut: only that of 1/2 is the same.
  auto input = [&](unsigned i) {
    return fits(i, layer.map.mode == FixedMode::Double || layer.multipliers[i] == (1 << 30) ? 0 : -1);
  };
  return input(0) && input(1) && fits(2, -1);
}

/// code - zero, in 16 bits.
static Value emitDifference(KernelBuilder &k, Vectors &v, Value codes, int64_t zero, Value vl) {
  return zero ? v.apply("vwsub", 16, codes, k.number(zero, k.i8()), vl) : v.extend(codes, 16, vl);
}

/// AddLayer::term of a vector of codes.
static Value emitTerm(KernelBuilder &k, Vectors &v, const AddLayer &layer, unsigned i, Value codes, Value vl) {
  int64_t shift = layer.shifts[i], multiplier = layer.multipliers[i];
  Value difference = v.extend(layer.zeros[i] ? emitDifference(k, v, codes, layer.zeros[i], vl) : codes, 32, vl);
  // 1/2 is a shorter shift: nothing is cut.
  if (multiplier == (1 << 30) && shift == 0 && layer.leftShift > 0)
    return v.apply("vsll", difference, k.number(layer.leftShift - 1), vl);
  Value enlarged = v.apply("vsll", difference, k.number(layer.leftShift), vl);
  bool twice = layer.map.mode == FixedMode::Double;
  Value term =
      v.applyRounded("vsmul", 32, enlarged, k.number(multiplier), twice ? Vectors::Nearest : Vectors::Down, vl);
  if (shift == 0 || multiplier == 0)
    return term;
  if (twice)
    term = v.apply("vadd", term, v.apply("vsra", term, k.number(31), vl), vl);
  return v.applyRounded("vssra", 32, term, k.number(-shift), Vectors::Nearest, vl);
}

Value riscv::emitSum(KernelBuilder &k, Vectors &v, const AddLayer &layer, Value first, Value second, Value vl) {
  Value a = emitTerm(k, v, layer, 0, first, vl), b = emitTerm(k, v, layer, 1, second, vl);
  Value sum = v.apply(layer.subtract ? "vsub" : "vadd", a, b, vl);
  Value shift = k.number(std::max<int64_t>(-layer.shifts[2], 1));
  return v.mapSums(sum, k.number(layer.multipliers[2]), shift, layer.map, vl);
}

void VectorAdd::emit(KernelBuilder &k, const AddLayer &layer, const LayerPointers &at) const {
  Vectors v(k, 1);
  v.strips(layer.count, [&](Value from, Value vl) {
    Value first = v.load(k.at(at.input, from), 8, vl), second = v.load(k.at(at.second, from), 8, vl);
    v.store(emitSum(k, v, layer, first, second, vl), k.at(at.output, from), vl);
  });
}

void VectorMul::emit(KernelBuilder &k, const MulLayer &layer, const LayerPointers &at) const {
  Vectors v(k, 1);
  FastMap map = *findVectorProductMap(layer);
  auto load = [&](Value from, unsigned i, Value vl) {
    return emitDifference(k, v, v.load(from, 8, vl), layer.zeros[i], vl);
  };
  auto make = [&](Value i, Value factors, Value vl) {
    Value product = v.apply("vwmul", 32, load(k.at(at.input, i), 0, vl), factors, vl);
    v.store(v.mapSums(product, k.number(map.multiplier), k.number(map.shift), layer.map, vl), k.at(at.output, i), vl);
  };
  if (layer.rows == 1)
    return v.strips(layer.batch * layer.length,
                    [&](Value from, Value vl) { make(from, load(k.at(at.second, from), 1, vl), vl); });
  k.loop(0, layer.batch, 1, [&](Value n) {
    v.strips(layer.length, [&](Value from, Value vl) {
      Value factors = load(k.at(at.second, k.add(k.mul(n, layer.length), from)), 1, vl);
      k.loop(0, layer.rows, 1, [&](Value row) {
        make(k.add(k.mul(k.add(k.mul(n, layer.rows), row), layer.length), from), factors, vl);
      });
    });
  });
}

std::vector<char> VectorSoftmax::pack(const SoftmaxLayer &, const SoftmaxConstants &constants) const {
  std::vector<char> bytes;
  for (int32_t term : constants.terms)
    appendNumber(bytes, term);
  return bytes;
}

void VectorSoftmax::emit(KernelBuilder &k, const SoftmaxLayer &layer, const LayerPointers &at) const {
  Vectors v(k, 1);
  Value length = k.number(layer.length);
  k.loop(0, layer.rows, 1, [&](Value row) {
    Value codes = k.at(at.input, k.mul(row, layer.length)), to = k.at(at.output, k.mul(row, layer.length));
    auto each = [&](Value start, llvm::function_ref<Value(Value, Value, Value)> body) {
      return v.strips(length, layer.length, start, [&](Value from, Value vl, ValueRange carried) {
        return SmallVector<Value>{body(from, vl, carried[0])};
      })[0];
    };
    Value top = each(k.number(-128), [&](Value from, Value vl, Value most) {
      return v.reduce("vredmax", v.load(k.at(codes, from), 8, vl), most, vl);
    });
    // Distances to the largest code are unsigned bytes; four bytes are a term.
    auto termsOf = [&](Value from, Value vl) {
      Value distance = v.apply("vrsub", v.load(k.at(codes, from), 8, vl), k.truncate(top, k.i8()), vl);
      return v.gather(at.constants, v.apply("vwmulu", 16, distance, k.number(4, k.i8()), vl), 32, vl);
    };
    Value sum = each(k.number(0), [&](Value from, Value vl, Value before) {
      Value rounded = v.applyRounded("vssra", 32, termsOf(from, vl), k.number(12), Vectors::Nearest, vl);
      return v.reduce("vredsum", rounded, before, vl);
    });
    auto reciprocal = k.softmaxReciprocal(sum);
    Value factor = reciprocal.first, shift = reciprocal.second;
    v.strips(length, layer.length, [&](Value from, Value vl) {
      Value code = v.applyRounded("vsmul", 32, termsOf(from, vl), factor, Vectors::Nearest, vl);
      code = v.applyRounded("vssra", 32, code, shift, Vectors::Nearest, vl);
      code = v.applyRounded("vnclip", 16, code, k.number(0), Vectors::Nearest, vl);
      code = v.apply("vadd", code, k.number(-128, k.i16()), vl);
      v.store(v.applyRounded("vnclip", 8, code, k.number(0), Vectors::Nearest, vl), k.at(to, from), vl);
    });
  });
}

void riscv::addVectorElementKernels(LayerKernels &kernels) {
  static const VectorAdd add;
  static const VectorMul mul;
  static const VectorSoftmax softmax;
  kernels.add.push_back(&add);
  kernels.mul.push_back(&mul);
  kernels.softmax.push_back(&softmax);
}
