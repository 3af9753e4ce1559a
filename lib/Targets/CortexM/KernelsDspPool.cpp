// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pooling of four codes at a time: maxima by SSUB8 and SEL, sums of two halves by SXTAB16.
#include "lib/Targets/CortexM/Kernels.h"
#include "lib/Transforms/Firmware/WindowPool.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

namespace {
class DspPool : public WindowPool {
public:
  StringRef getName() const override { return "dsp.pool"; }

private:
  /// Words must lie at words; clamps are those of codes.
  bool acceptsChannels(const PoolLayer &layer) const override {
    return layer.in.channels % 4 == 0 && (layer.mean || (layer.low == -128 && layer.high == 127));
  }
  bool acceptsMean(const PoolLayer &) const override { return true; }
  unsigned sumBits() const override { return 16; }
  void forStrips(KernelBuilder &k, const PoolLayer &layer, Body body) const override {
    int64_t words = layer.in.channels % 8 ? 1 : 2;
    k.loop(0, layer.in.channels, 4 * words, [&](Value channel) {
      for (int64_t i = 0; i < words; ++i)
        body(k.add(channel, 4 * i), {});
    });
  }

  /// Sums of bytes 0 and 2, of bytes 1 and 3.
  static SmallVector<Value> addCodes(KernelBuilder &k, Value even, Value odd, Value codes) {
    Value turned = k.either(k.rightUnsigned(codes, 8), k.left(codes, 24));
    return {k.intrinsic("llvm.arm.sxtab16", k.i32(), {even, codes}),
            k.intrinsic("llvm.arm.sxtab16", k.i32(), {odd, turned})};
  }
  SmallVector<Value> begin(KernelBuilder &k, const PoolLayer &layer, Value from, Value start, Value) const override {
    Value codes = k.load32(from);
    if (layer.max)
      return {codes};
    // Only the start of a mean may be negative.
    Value both = k.either(layer.mean ? k.both(start, k.number(0xFFFF)) : start, k.left(start, 16));
    return addCodes(k, both, both, codes);
  }
  SmallVector<Value> combine(KernelBuilder &k, const PoolLayer &layer, ValueRange state, Value from,
                             Value) const override {
    Value codes = k.load32(from);
    if (!layer.max)
      return addCodes(k, state[0], state[1], codes);
    // Each byte's comparison stands in a flag, by which SEL chooses.
    return {k.assemble("ssub8 $0, $1, $2\n\tsel $0, $1, $2", "=&r,r,r", {codes, state[0]})};
  }
  void storeLargest(KernelBuilder &k, const PoolLayer &, ValueRange state, Value to, Value) const override {
    k.store(state[0], to);
  }
  void storeAverage(KernelBuilder &k, const PoolLayer &, ValueRange state, const MapValues &map, Value to,
                    Value) const override {
    Value word;
    for (int64_t byte = 0; byte < 4; ++byte) {
      Value halves = state[byte % 2];
      Value sum = byte < 2 ? k.both(halves, k.number(0xFFFF)) : k.rightUnsigned(halves, 16);
      Value code = k.left(average(k, sum, map), 8 * byte);
      word = byte ? k.either(word, code) : code;
    }
    // Less 128: the highest bit of each byte, without a borrow.
    k.store(arith::XOrIOp::create(k.getBuilder(), word, k.number(0x80808080)), to);
  }
  void storeMean(KernelBuilder &k, const PoolLayer &layer, ValueRange state, const MapValues &map, Value to,
                 Value) const override {
    Value word;
    for (int64_t byte = 0; byte < 4; ++byte) {
      Value halves = state[byte % 2];
      Value sum = k.right(byte < 2 ? k.left(halves, 16) : halves, 16);
      Value code = emitMean(k, layer, sum, map, /*longMultiply=*/true);
      // The last one's sign bits are shifted out.
      code = byte == 3 ? k.left(code, 24) : k.left(k.both(code, k.number(0xFF)), 8 * byte);
      word = byte ? k.either(word, code) : code;
    }
    k.store(word, to);
  }
};
} // namespace

void cortexm::addDspPool(LayerKernels &kernels) {
  static const DspPool pool;
  kernels.pool.push_back(&pool);
}
