// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pooling of vectors: maxima of 16 codes, sums of 8 in halves.
#include "lib/Targets/CortexM/Mve.h"
#include "lib/Targets/CortexM/MveKernels.h"
#include "lib/Transforms/Firmware/WindowPool.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;
using namespace mlir::qtensor::cortexm;

namespace {
class MvePool : public WindowPool {
public:
  StringRef getName() const override { return "mve.pool"; }

private:
  static int64_t unitOf(const PoolLayer &layer) { return layer.max && layer.in.channels % 16 == 0 ? 16 : 8; }
  bool acceptsChannels(const PoolLayer &layer) const override { return layer.in.channels % 8 == 0; }
  bool acceptsMean(const PoolLayer &) const override { return true; }
  unsigned sumBits() const override { return 16; }
  void forStrips(KernelBuilder &k, const PoolLayer &layer, Body body) const override {
    k.loop(0, layer.in.channels, unitOf(layer), [&](Value channel) { body(channel, {}); });
  }
  static Value load(Mve &m, const PoolLayer &layer, Value from) {
    return unitOf(layer) == 16 ? m.loadBytes(from) : m.loadCodesAsHalves(from);
  }
  SmallVector<Value> begin(KernelBuilder &k, const PoolLayer &layer, Value from, Value start, Value) const override {
    Mve m(k);
    Value codes = load(m, layer, from);
    return {layer.max ? codes : k.add(codes, m.splat(k.truncate(start, k.i16()), m.halves()))};
  }
  SmallVector<Value> combine(KernelBuilder &k, const PoolLayer &layer, ValueRange state, Value from,
                             Value) const override {
    Mve m(k);
    Value codes = load(m, layer, from);
    return {layer.max ? k.most(state[0], codes) : k.add(state[0], codes)};
  }
  static void storeCodes(Mve &m, const PoolLayer &layer, Value codes, Value to) {
    if (layer.low > -128 || layer.high < 127)
      codes = m.k.clamp(codes, layer.low, layer.high);
    if (cast<VectorType>(codes.getType()).getNumElements() == 16)
      return m.storeBytes(codes, to);
    m.storeCodes(codes, to);
  }
  void storeLargest(KernelBuilder &k, const PoolLayer &layer, ValueRange state, Value to, Value) const override {
    Mve m(k);
    storeCodes(m, layer, state[0], to);
  }
  void storeAverage(KernelBuilder &k, const PoolLayer &layer, ValueRange state, const MapValues &map, Value to,
                    Value) const override {
    Mve m(k);
    Value sum = state[0];
    auto all = [&](Value scalar) { return m.splat(k.truncate(scalar, k.i16()), m.halves()); };
    if (map.mayBeEven)
      sum = k.add(sum, k.both(k.right(k.sub(sum, all(map.start)), 15), all(map.even)));
    Value high = k.intrinsic("llvm.arm.mve.vmulh", m.halves(), {sum, all(map.multiplier), k.number(1)});
    storeCodes(m, layer, k.add(k.rightUnsigned(high, all(map.shift)), -128), to);
  }
  void storeMean(KernelBuilder &k, const PoolLayer &layer, ValueRange state, const MapValues &map, Value to,
                 Value) const override {
    Mve m(k);
    const MeanMap &mean = *layer.mean;
    MveScale scale = MveScale::of(mean.multiplier, mean.shift, mean.map.mode);
    Value mapped[2];
    for (unsigned odd : {0u, 1u}) {
      Value sums = m.widen(state[0], odd);
      if (map.bias)
        sums = k.add(sums, m.splat(map.bias, m.words()));
      if (map.factor)
        sums = k.mul(sums, m.splat(map.factor, m.words()));
      mapped[odd] = m.mapSums(sums, scale, mean.map);
    }
    m.storeCodes(m.finishPair(mapped[0], mapped[1], mean.map), to);
  }
};
} // namespace

void cortexm::addMvePool(LayerKernels &kernels) {
  static const MvePool pool;
  kernels.pool.push_back(&pool);
}
