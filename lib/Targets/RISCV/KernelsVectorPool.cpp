// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pooling of vectors of channels.
#include "lib/Targets/RISCV/Kernels.h"
#include "lib/Targets/RISCV/Vectors.h"
#include "lib/Transforms/Firmware/WindowPool.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;
using namespace mlir::qtensor::riscv;

namespace {
class VectorPool : public WindowPool {
public:
  StringRef getName() const override { return "rvv.pool"; }

private:
  /// Sums of 16 bits take twice the registers.
  static Vectors vectors(KernelBuilder &k) { return Vectors(k, 1); }
  bool acceptsChannels(const PoolLayer &) const override { return true; }
  bool acceptsMean(const PoolLayer &layer) const override {
    ConvConstants map;
    map.multiplier = {layer.mean->multiplier};
    map.shift = {layer.mean->shift};
    // Strips of a channel or two are faster without vectors.
    return layer.in.channels >= 4 && takesMap(layer.mean->map, map);
  }
  unsigned sumBits() const override { return 16; }
  void forStrips(KernelBuilder &k, const PoolLayer &layer, Body body) const override {
    vectors(k).strips(layer.in.channels, body);
  }
  SmallVector<Value> begin(KernelBuilder &k, const PoolLayer &layer, Value from, Value start,
                           Value vl) const override {
    Vectors v = vectors(k);
    Value codes = v.load(from, 8, vl);
    return {layer.max ? codes : v.apply("vadd", v.extend(codes, 16, vl), k.truncate(start, k.i16()), vl)};
  }
  SmallVector<Value> combine(KernelBuilder &k, const PoolLayer &layer, ValueRange state, Value from,
                             Value vl) const override {
    Vectors v = vectors(k);
    Value codes = v.load(from, 8, vl);
    return {v.apply(layer.max ? "vmax" : "vwadd.w", state[0], codes, vl)};
  }
  void storeLargest(KernelBuilder &k, const PoolLayer &layer, ValueRange state, Value to, Value vl) const override {
    Vectors v = vectors(k);
    v.store(v.clampCodes(state[0], layer.low, layer.high, vl), to, vl);
  }
  void storeAverage(KernelBuilder &k, const PoolLayer &layer, ValueRange state, const MapValues &map, Value to,
                    Value vl) const override {
    Vectors v = vectors(k);
    auto half = [&](Value word) { return k.truncate(word, k.i16()); };
    Value sum = state[0];
    if (map.mayBeEven) {
      Value sign = v.apply("vsra", v.apply("vsub", sum, half(map.start), vl), k.number(15), vl);
      sum = v.apply("vadd", sum, v.apply("vand", sign, half(map.even), vl), vl);
    }
    Value high = v.apply("vmulhu", sum, half(map.multiplier), vl);
    Value code = v.apply("vnsrl", 8, high, map.shift, vl);
    code = v.apply("vxor", code, k.number(-128, k.i8()), vl);
    v.store(v.clampCodes(code, layer.low, layer.high, vl), to, vl);
  }
  void storeMean(KernelBuilder &k, const PoolLayer &layer, ValueRange state, const MapValues &map, Value to,
                 Value vl) const override {
    Vectors v = vectors(k);
    const MeanMap &mean = *layer.mean;
    Value sums = v.extend(state[0], 32, vl);
    if (map.bias)
      sums = v.apply("vadd", sums, map.bias, vl);
    if (map.factor)
      sums = v.apply("vmul", sums, map.factor, vl);
    Value shift = k.number(std::clamp(-mean.shift, 1, 31));
    v.store(v.mapSums(sums, k.number(mean.multiplier), shift, mean.map, vl), to, vl);
  }
};
} // namespace

void riscv::addVectorPool(LayerKernels &kernels) {
  static const VectorPool pool;
  kernels.pool.push_back(&pool);
}
