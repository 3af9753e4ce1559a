// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products of two tensors, eight elements at a time: differences in 16 bits, products of even and of odd lanes in 32.
#include "lib/Targets/CortexM/Mve.h"
#include "lib/Targets/CortexM/MveKernels.h"
#include "lib/Transforms/Firmware/Elements.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::cortexm;
using namespace mlir::qtensor::firmware;

namespace {
struct MveMul : MulKernel {
  StringRef getName() const override { return "mve.mul"; }
  bool accepts(const MulLayer &layer, const MulConstants &) const override {
    return findVectorProductMap(layer).has_value();
  }
  std::vector<char> pack(const MulLayer &, const MulConstants &) const override { return {}; }

  void emit(KernelBuilder &k, const MulLayer &layer, const LayerPointers &at) const override {
    Mve m(k);
    FastMap map = *findVectorProductMap(layer);
    MveScale scale{map.multiplier, 0, int8_t(map.shift)};
    auto load = [&](Value from, int64_t count) { return k.add(m.loadCodesAsHalves(from, count), -layer.zeros[1]); };
    auto make = [&](Value from, Value factors, Value to, int64_t count) {
      Value x = k.add(m.loadCodesAsHalves(from, count), -layer.zeros[0]);
      Value even = m.mapSums(m.multiplyWide(x, factors, 0), scale, layer.map);
      Value odd = m.mapSums(m.multiplyWide(x, factors, 1), scale, layer.map);
      m.storeCodes(m.finishPair(even, odd, layer.map), to, count);
    };
    forProducts(k, layer, at, /*lanes=*/8, load, make);
  }
};
} // namespace

void cortexm::addMveMul(LayerKernels &kernels) {
  static const MveMul mul;
  kernels.mul.push_back(&mul);
}
