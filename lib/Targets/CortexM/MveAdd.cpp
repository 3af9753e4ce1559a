// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums of two tensors, four elements at a time.
#include "lib/Targets/CortexM/MveKernels.h"
#include "lib/Targets/CortexM/MveSum.h"
#include "lib/Transforms/Firmware/Elements.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::cortexm;
using namespace mlir::qtensor::firmware;

namespace {
struct MveAdd : AddKernel {
  StringRef getName() const override { return "mve.add"; }
  bool accepts(const AddLayer &layer, const AddConstants &) const override { return MveSum::takes(layer); }
  std::vector<char> pack(const AddLayer &layer, const AddConstants &) const override {
    std::vector<char> bytes;
    MveSum(layer).append(bytes);
    return bytes;
  }
  void emit(KernelBuilder &k, const AddLayer &layer, const LayerPointers &at) const override;
};
} // namespace

/// The codes of the first `count` of four elements from `i` on.
static void emitFour(Mve &m, const MveSum &sum, const LayerPointers &at, Value i, int64_t count) {
  KernelBuilder &k = m.k;
  Value first = sum.loadTerm(m, 0, at.constants, k.at(at.input, i), count),
        second = sum.loadTerm(m, 1, at.constants, k.at(at.second, i), count);
  Value codes = sum.finish(m, first, second), to = k.at(at.output, i);
  if (count == 4)
    m.storeCodes(codes, to);
  else
    m.storeCodes(codes, to, k.number(count));
}

void MveAdd::emit(KernelBuilder &k, const AddLayer &layer, const LayerPointers &at) const {
  Mve m(k);
  MveSum sum(layer);
  firmware::forLanes(k, layer.count, 4, [&](Value i, int64_t count) { emitFour(m, sum, at, i, count); });
}

void cortexm::addMveAdd(LayerKernels &kernels) {
  static const MveAdd add;
  kernels.add.push_back(&add);
}
