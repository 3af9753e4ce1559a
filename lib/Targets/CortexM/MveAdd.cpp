// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums of two tensors, four elements at a time. What a code brings to the sum is one of 256 numbers: a table, read by a
// gather. Of the input with the larger scale it is mostly a plain shift, and its zero point moves to the other's table.
//
// Constants: 256 words for each input that needs a table, by the code as an unsigned byte.
#include "lib/Targets/CortexM/Mve.h"
#include "lib/Targets/CortexM/MveKernels.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::cortexm;
using namespace mlir::qtensor::firmware;

namespace {
/// How the terms of both inputs come about.
struct Terms {
  explicit Terms(const AddLayer &layer);

  int64_t shift[2] = {-1, -1}; ///< Of the code, where that is all; -1: a table.
  int64_t constant = 0;        ///< What the zero points of shifted inputs bring.
  int64_t tables() const { return (shift[0] < 0) + (shift[1] < 0); }
  /// Where the constant is added: to the first table, or apart.
  int64_t tableConstant(unsigned input) const { return input == (shift[0] < 0 ? 0u : 1u) ? constant : 0; }
};

struct MveAdd : AddKernel {
  StringRef getName() const override { return "mve.add"; }
  bool accepts(const AddLayer &layer, const AddConstants &) const override {
    return layer.bits == 8 && layer.map.mode != FixedMode::X16;
  }
  std::vector<char> pack(const AddLayer &layer, const AddConstants &) const override;
  void emit(KernelBuilder &k, const AddLayer &layer, const LayerPointers &at) const override;
};
} // namespace

/// +1, or -1 for what is subtracted.
static int64_t signOf(const AddLayer &layer, unsigned input) { return input == 1 && layer.subtract ? -1 : 1; }

Terms::Terms(const AddLayer &layer) {
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

std::vector<char> MveAdd::pack(const AddLayer &layer, const AddConstants &) const {
  Terms terms(layer);
  std::vector<char> bytes;
  for (unsigned input : {0u, 1u})
    for (int64_t i = 0; i < 256 && terms.shift[input] < 0; ++i)
      appendNumber<int32_t>(bytes,
                            int32_t(signOf(layer, input) * layer.term(input, int8_t(i)) + terms.tableConstant(input)));
  return bytes;
}

/// The codes of the first `count` of four elements from `i` on.
static void emitFour(Mve &m, const AddLayer &layer, const Terms &terms, const LayerPointers &at, Value i,
                     int64_t count) {
  KernelBuilder &k = m.k;
  Value sum;
  for (unsigned input : {0u, 1u}) {
    Value from = k.at(input ? at.second : at.input, i), term;
    bool subtract = false;
    if (terms.shift[input] < 0) {
      Value table = k.at(at.constants, input && terms.shift[0] < 0 ? 1024 : 0);
      term = m.gatherWords(table, m.loadBytesAsWords(from, count));
    } else {
      term = k.left(m.loadCodesAsWords(from, count), terms.shift[input]);
      subtract = input == 1 && layer.subtract;
    }
    sum = !sum ? term : subtract ? k.sub(sum, term) : k.add(sum, term);
  }
  if (terms.tables() == 0)
    sum = k.add(sum, terms.constant);
  MveScale scale = MveScale::of(int32_t(layer.multipliers[2]), int32_t(layer.shifts[2]), layer.map.mode);
  Value codes = m.finish(m.mapSums(sum, scale, layer.map), layer.map), to = k.at(at.output, i);
  if (count == 4)
    m.storeCodes(codes, to);
  else
    m.storeCodes(codes, to, k.number(count));
}

void MveAdd::emit(KernelBuilder &k, const AddLayer &layer, const LayerPointers &at) const {
  Mve m(k);
  Terms terms(layer);
  int64_t whole = layer.count / 4 * 4;
  k.loop(0, whole, 4, [&](Value i) { emitFour(m, layer, terms, at, i, 4); });
  if (layer.count > whole)
    emitFour(m, layer, terms, at, k.number(whole), layer.count - whole);
}

void cortexm::addMveAdd(LayerKernels &kernels) {
  static const MveAdd add;
  kernels.add.push_back(&add);
}
