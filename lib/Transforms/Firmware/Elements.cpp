// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/Elements.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

void firmware::forLanes(KernelBuilder &k, int64_t count, int64_t lanes,
                        llvm::function_ref<void(Value i, int64_t lanes)> body) {
  int64_t whole = count / lanes * lanes;
  k.loop(0, whole, lanes, [&](Value i) { body(i, lanes); });
  if (count > whole)
    body(k.number(whole), count - whole);
}

void firmware::forUnrolled(KernelBuilder &k, int64_t count, int64_t unrolled, llvm::function_ref<void(Value i)> one) {
  int64_t whole = count / unrolled * unrolled;
  k.loop(0, whole, unrolled, [&](Value i) {
    for (int64_t j = 0; j < unrolled; ++j)
      one(k.add(i, j));
  });
  k.loop(whole, count, 1, one);
}

void firmware::forProducts(KernelBuilder &k, const MulLayer &layer, const LayerPointers &at, int64_t lanes,
                           LoadFactors load, MakeProducts make) {
  constexpr int64_t unrolled = 4;
  if (layer.rows == 1) {
    auto some = [&](Value i, int64_t count) {
      make(k.at(at.input, i), load(k.at(at.second, i), count), k.at(at.output, i), count);
    };
    int64_t count = layer.batch * layer.length;
    if (lanes > 1)
      return forLanes(k, count, lanes, some);
    return forUnrolled(k, count, unrolled, [&](Value i) { some(i, 1); });
  }
  k.loop(0, layer.batch, 1, [&](Value n) {
    Value image = k.mul(n, layer.rows * layer.length);
    forLanes(k, layer.length, lanes, [&](Value channel, int64_t count) {
      Value factors = load(k.at(at.second, k.add(k.mul(n, layer.length), channel)), count);
      Value first = k.add(image, channel);
      forUnrolled(k, layer.rows, unrolled, [&](Value row) {
        Value i = k.add(first, k.mul(row, layer.length));
        make(k.at(at.input, i), factors, k.at(at.output, i), count);
      });
    });
  });
}

std::optional<FastMap> firmware::findProductMap(const MulLayer &layer) {
  if (layer.bits != 8 || layer.map.mode == FixedMode::X16)
    return std::nullopt;
  for (int64_t zero : {layer.zeros[0], layer.zeros[1], layer.map.zero})
    if (zero < -128 || zero > 127)
      return std::nullopt;
  return FastMap::find(layer.map, layer.multiplier, layer.shift, layer.bound());
}

std::optional<FastMap> firmware::findVectorProductMap(const MulLayer &layer) {
  constexpr int64_t fewest = 4;
  return layer.rows == 1 || layer.length >= fewest ? findProductMap(layer) : std::nullopt;
}
