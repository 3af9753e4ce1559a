// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a code brings stands in a table: a code has 256 values.
#include "lib/Transforms/Firmware/Elements.h"
#include "lib/Transforms/Firmware/ScalarKernels.h"
#include "lib/Transforms/Firmware/TableSum.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

namespace {

/// Constants: the tables.
class TableAdd : public AddKernel {
public:
  explicit TableAdd(bool longMultiply) : longMultiply(longMultiply) {}
  StringRef getName() const override { return "table.add"; }

  bool accepts(const AddLayer &layer, const AddConstants &) const override { return TableSum::find(layer).has_value(); }

  std::vector<char> pack(const AddLayer &layer, const AddConstants &) const override {
    std::vector<char> bytes;
    TableSum::find(layer)->append(bytes, /*signedFirst=*/false);
    return bytes;
  }

  void emit(KernelBuilder &k, const AddLayer &layer, const LayerPointers &at) const override {
    TableSum sum = *TableSum::find(layer);
    auto one = [&](Value i) {
      auto codeOf = [&](Value from) { return k.extendUnsigned(k.load(k.at(from, i), k.i8()), k.i32()); };
      Value code =
          sum.emit(k, at.constants, codeOf(at.input), codeOf(at.second), /*signedFirst=*/false, longMultiply);
      k.storeCode(code, k.at(at.output, i));
    };
    forUnrolled(k, layer.count, /*unrolled=*/4, one);
  }

private:
  const bool longMultiply;
};

/// Constants: the terms, then the terms as the sum takes them, rounded to Q12.19.
class TableSoftmax : public SoftmaxKernel {
public:
  explicit TableSoftmax(bool longMultiply) : longMultiply(longMultiply) {}
  StringRef getName() const override { return "table.softmax"; }
  bool accepts(const SoftmaxLayer &layer, const SoftmaxConstants &) const override {
    // Longer rows shift by more than 31 bits.
    return layer.low == -128 && layer.high == 127 && layer.length > 0 && layer.length < 512;
  }
  std::vector<char> pack(const SoftmaxLayer &, const SoftmaxConstants &constants) const override {
    std::vector<char> bytes;
    for (int32_t term : constants.terms)
      appendNumber<int32_t>(bytes, term);
    for (int32_t term : constants.terms)
      appendNumber<int32_t>(bytes, int32_t((int64_t(term) + (1 << 11)) >> 12));
    return bytes;
  }
  void emit(KernelBuilder &k, const SoftmaxLayer &layer, const LayerPointers &at) const override {
    k.loop(0, layer.rows, 1, ValueRange{at.input, at.output}, [&](Value, ValueRange row) {
      emitRow(k, layer.length, at.constants, row[0], row[1]);
      return SmallVector<Value>{k.at(row[0], layer.length), k.at(row[1], layer.length)};
    });
  }

private:
  void emitRow(KernelBuilder &k, int64_t length, Value terms, Value from, Value to) const;
  /// Codes are products of the terms with `inverse`, shifted by `bits` more than 31: the function that makes one.
  std::function<Value(Value term)> makeCode(KernelBuilder &k, Value inverse, Value bits) const;
  const bool longMultiply;
};

} // namespace

/// Calls `one` for every index of a row, four in a turn.
static SmallVector<Value> forRow(KernelBuilder &k, int64_t length, ValueRange start,
                                 llvm::function_ref<SmallVector<Value>(Value i, ValueRange carried)> one) {
  constexpr int64_t unrolled = 4;
  int64_t whole = length / unrolled * unrolled;
  SmallVector<Value> state = k.loop(0, whole, unrolled, start, [&](Value i, ValueRange carried) {
    SmallVector<Value> values(carried);
    for (int64_t j = 0; j < unrolled; ++j)
      values = one(k.add(i, j), values);
    return values;
  });
  return k.loop(whole, length, 1, state, one);
}

void TableSoftmax::emitRow(KernelBuilder &k, int64_t length, Value terms, Value from, Value to) const {
  auto list = [](Value value) { return SmallVector<Value>{value}; };
  Value top = forRow(k, length, k.number(-128),
                     [&](Value i, ValueRange most) { return list(k.most(most[0], k.loadCode(k.at(from, i)))); })[0];
  auto termAt = [&](Value i, Value table) {
    Value distance = k.left(k.sub(top, k.loadCode(k.at(from, i))), 2);
    return k.load32(k.at(table, distance));
  };
  Value rounded = k.at(terms, 1024);
  Value sum = forRow(k, length, k.number(0),
                     [&](Value i, ValueRange before) { return list(k.add(before[0], termAt(i, rounded))); })[0];
  auto [inverse, bits] = k.softmaxReciprocal(sum);
  auto codeOf = makeCode(k, inverse, bits);
  forRow(k, length, {}, [&](Value i, ValueRange) {
    Value code = k.least(codeOf(termAt(i, terms)), k.number(255));
    k.storeCode(k.add(code, -128), k.at(to, i));
    return SmallVector<Value>();
  });
}

std::function<Value(Value)> TableSoftmax::makeCode(KernelBuilder &k, Value inverse, Value bits) const {
  if (!longMultiply) {
    Value half = k.left(k.number(1), k.add(bits, -1));
    return [=, &k](Value term) {
      Value low, high = multiplyHalves(k, inverse, term, low);
      Value carry = k.both(k.rightUnsigned(low, 30), k.number(1));
      Value doubled = k.add(k.either(k.left(high, 1), k.rightUnsigned(low, 31)), carry);
      return k.rightUnsigned(k.add(doubled, half), bits);
    };
  }
  // floor((floor((x + 2^30) / 2^31) + 2^(bits - 1)) / 2^bits) = floor((x + 2^30 + 2^(30 + bits)) / 2^(31 + bits)).
  Value wide = k.extend(inverse, k.i64()), shift = k.add(bits, -1);
  Value nudge = k.add(k.left(k.number(1, k.i64()), k.extendUnsigned(k.add(bits, 30), k.i64())), int64_t(1) << 30);
  return [=, &k](Value term) {
    Value product = k.add(k.mul(wide, k.extend(term, k.i64())), nudge);
    return k.rightUnsigned(k.truncate(k.rightUnsigned(product, 32), k.i32()), shift);
  };
}

std::unique_ptr<AddKernel> firmware::makeTableAdd(bool longMultiply) {
  return std::make_unique<TableAdd>(longMultiply);
}
std::unique_ptr<SoftmaxKernel> firmware::makeTableSoftmax(bool longMultiply) {
  return std::make_unique<TableSoftmax>(longMultiply);
}
