// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products of two tensors, one at a time.
#include "lib/Transforms/Firmware/Elements.h"
#include "lib/Transforms/Firmware/ScalarKernels.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

namespace {
class ScalarMul : public MulKernel {
public:
  explicit ScalarMul(bool longMultiply) : longMultiply(longMultiply) {}
  StringRef getName() const override { return "scalar.mul"; }
  bool accepts(const MulLayer &layer, const MulConstants &) const override { return findProductMap(layer).has_value(); }
  std::vector<char> pack(const MulLayer &, const MulConstants &) const override { return {}; }

  void emit(KernelBuilder &k, const MulLayer &layer, const LayerPointers &at) const override {
    FastMap map = *findProductMap(layer);
    // Of a multiplier that it knows LLVM makes a product of 64 bits by three instructions; a high half is one.
    Value multiplier = k.pin(k.number(map.multiplier))[0];
    FastMapValues values{multiplier, k.number(map.rounding), k.number(map.shift)};
    // The map takes twice the product.
    auto load = [&](Value from, int64_t) { return k.left(k.add(k.loadCode(from), -layer.zeros[1]), 1); };
    auto make = [&](Value from, Value factor, Value to, int64_t) {
      Value doubled = k.mul(k.add(k.loadCode(from), -layer.zeros[0]), factor);
      k.storeCode(values.apply(k, doubled, layer.map, longMultiply), to);
    };
    forProducts(k, layer, at, /*lanes=*/1, load, make);
  }

private:
  const bool longMultiply;
};
} // namespace

std::unique_ptr<MulKernel> firmware::makeScalarMul(bool longMultiply) {
  return std::make_unique<ScalarMul>(longMultiply);
}
