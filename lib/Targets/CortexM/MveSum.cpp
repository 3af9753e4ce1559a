// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Targets/CortexM/MveSum.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::cortexm;

/// +1, or -1 for what is subtracted.
static int64_t signOf(const AddLayer &layer, unsigned input) { return input == 1 && layer.subtract ? -1 : 1; }

MveSum::MveSum(const AddLayer &layer) : layer(layer) {
  for (unsigned input : {0u, 1u})
    for (int64_t bits = 0; bits < 24 && shift[input] < 0; ++bits) {
      auto isShift = [&](int64_t code) {
        return layer.term(input, code) == (code - layer.zeros[input]) * (int64_t(1) << bits);
      };
      if (llvm::all_of(llvm::seq<int64_t>(-128, 128), isShift)) {
        shift[input] = bits;
        constant -= signOf(layer, input) * layer.zeros[input] * (int64_t(1) << bits);
      }
    }
}

void MveSum::append(std::vector<char> &bytes) const {
  // The first table has the constant too.
  int64_t rest = constant;
  for (unsigned input : {0u, 1u})
    if (shift[input] < 0) {
      for (int64_t i = 0; i < 256; ++i)
        firmware::appendNumber<int32_t>(bytes, int32_t(signOf(layer, input) * layer.term(input, int8_t(i)) + rest));
      rest = 0;
    }
}

Value MveSum::gather(Mve &m, unsigned input, Value tables, Value index) const {
  return m.gatherWords(m.k.at(tables, input && shift[0] < 0 ? 1024 : 0), index);
}

Value MveSum::loadTerm(Mve &m, unsigned input, Value tables, Value from, int64_t count) const {
  if (shift[input] < 0)
    return gather(m, input, tables, m.loadBytesAsWords(from, count));
  return m.k.left(m.loadCodesAsWords(from, count), shift[input]);
}

Value MveSum::loadTerm(Mve &m, unsigned input, Value tables, Value from, Value count) const {
  Value bytes = m.loadBytesAsWords(from, count);
  if (shift[input] < 0)
    return gather(m, input, tables, bytes);
  return m.k.right(m.k.left(bytes, 24), 24 - shift[input]);
}

Value MveSum::clampToTerm(Mve &m, unsigned input, Value tables, Value codes, const FinalMap &map) const {
  KernelBuilder &k = m.k;
  // Codes in the uppermost byte: a shift that saturates takes no registers for bounds. The largest has ones behind it.
  bool all = map.low == -128 && map.high == 127;
  if (shift[input] < 0) {
    Value above = all ? m.saturatingLeft(codes, 24) : k.left(k.clamp(codes, map.low, map.high), 24);
    return gather(m, input, tables, k.rightUnsigned(above, 24));
  }
  Value code = all ? k.right(m.saturatingLeft(codes, 24), 24) : k.clamp(codes, map.low, map.high);
  return k.left(code, shift[input]);
}

Value MveSum::finish(Mve &m, Value first, Value second) const {
  KernelBuilder &k = m.k;
  // Tables have the sign of what is subtracted.
  Value sum = layer.subtract && shift[1] >= 0 ? k.sub(first, second) : k.add(first, second);
  if (bytes() == 0)
    sum = k.add(sum, constant);
  MveScale scale = MveScale::of(int32_t(layer.multipliers[2]), int32_t(layer.shifts[2]), layer.map.mode);
  return m.finish(m.mapSums(sum, scale, layer.map), layer.map);
}
