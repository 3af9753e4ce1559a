// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Softmax of rows: the exponentials of the distances to the row's largest code come from a table by gathers, twice: for
// the sum, and for the codes.
//
// Constants: the 256 terms.
#include "lib/Targets/CortexM/Mve.h"
#include "lib/Targets/CortexM/MveKernels.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::cortexm;
using namespace mlir::qtensor::firmware;

namespace {
struct MveSoftmax : SoftmaxKernel {
  StringRef getName() const override { return "mve.softmax"; }
  bool accepts(const SoftmaxLayer &layer, const SoftmaxConstants &) const override { return layer.length > 0; }
  std::vector<char> pack(const SoftmaxLayer &, const SoftmaxConstants &constants) const override {
    std::vector<char> bytes;
    for (int32_t term : constants.terms)
      appendNumber<int32_t>(bytes, term);
    return bytes;
  }
  void emit(KernelBuilder &k, const SoftmaxLayer &layer, const LayerPointers &at) const override;
};

/// One row.
struct Row {
  Mve &m;
  int64_t length;
  Value terms, from, to;

  using Body = llvm::function_ref<Value(Value i, int64_t count, Value carried)>;
  Value forEach(int64_t lanes, Value start, Body body) const;
  Value findLargest() const;
  Value term(Value top, Value i, int64_t count) const;
};
} // namespace

/// body(position, valid lanes, value) for vectors of so many lanes; the last one may be short.
Value Row::forEach(int64_t lanes, Value start, Body body) const {
  int64_t whole = length / lanes * lanes;
  Value carried = m.k.loop(0, whole, lanes, start, [&](Value i, ValueRange before) {
    return SmallVector<Value>{body(i, lanes, before[0])};
  })[0];
  return length > whole ? body(m.k.number(whole), length - whole, carried) : carried;
}

Value Row::findLargest() const {
  return forEach(16, m.k.number(-128), [&](Value i, int64_t count, Value before) {
    return m.largest(before, m.loadBytes(m.k.at(from, i), count, /*behind=*/-128));
  });
}

/// Lanes behind the row read a term of no use: that of a code of -128, which no code is below.
Value Row::term(Value top, Value i, int64_t count) const {
  return m.gatherWords(terms, m.k.sub(top, m.loadCodesAsWords(m.k.at(from, i), count, /*behind=*/-128)));
}

static void emitRow(const Row &row, const SoftmaxLayer &layer) {
  Mve &m = row.m;
  KernelBuilder &k = m.k;
  Value top = m.splat(row.findLargest(), m.words());
  Value sum = row.forEach(4, k.number(0), [&](Value i, int64_t count, Value before) {
    return m.addLanes(before, m.roundedRight(row.term(top, i, count), 12), count);
  });
  auto [inverse, bits] = k.softmaxReciprocal(sum);
  Value by = m.splat(inverse, m.words()), down = k.sub(k.number(0), bits);
  row.forEach(4, k.number(0), [&](Value i, int64_t count, Value unused) {
    // No product is negative: ties up are ties away from zero.
    Value codes = m.roundedShift(m.highMultiply(row.term(top, i, count), by), down);
    codes = k.clamp(k.add(codes, layer.low), layer.low, layer.high);
    Value to = k.at(row.to, i);
    if (count == 4)
      m.storeCodes(codes, to);
    else
      m.storeCodes(codes, to, k.number(count));
    return unused;
  });
}

void MveSoftmax::emit(KernelBuilder &k, const SoftmaxLayer &layer, const LayerPointers &at) const {
  Mve m(k);
  k.loop(0, layer.rows, 1, [&](Value i) {
    Value start = k.mul(i, layer.length);
    emitRow({m, layer.length, at.constants, k.at(at.input, start), k.at(at.output, start)}, layer);
  });
}

void cortexm::addMveSoftmax(LayerKernels &kernels) {
  static const MveSoftmax softmax;
  kernels.softmax.push_back(&softmax);
}
