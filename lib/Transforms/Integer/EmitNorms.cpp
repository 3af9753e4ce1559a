// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a row has once, as the inverse root of its squares' sum or the logarithm of its exponentials' sum, is computed in loops
// over rows, in the steps of lib/Reference/IntegerNorms.
#include "lib/Transforms/Integer/EmitNorms.h"
#include "lib/Reference/IntegerNorms.h"
#include "lib/Transforms/Integer/EmitFixedPoint16.h"
#include "lib/Transforms/Integer/EmitLayer.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <limits>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;
using namespace mlir::qtensor::reference;
using arith::CmpIPredicate;

static constexpr int64_t kMin = std::numeric_limits<int32_t>::min(), kMax = std::numeric_limits<int32_t>::max();
static Value saturate(Wide w, Value value) { return w.clamp(value, kMin, kMax); }
static Value wrap(Wide w, Value value) { return w.extend(arith::TruncIOp::create(w.b, w.b.getI32Type(), value)); }

static Value emitLogOfSum(Wide w, Value sum) {
  auto multiply = [&](Value x, Value y) { return w.doublingHighMultiply(x, y); };
  auto number = [&](int32_t value) { return w.constant(value); };
  Value zeros = emitHeadroom(w, sum).first;
  Value zerosBelow = w.sub(emitHeadroom(w, multiply(sum, number(kRootOfHalf))).first, w.constant(1));
  Value above = multiply(saturate(w, w.left(sum, w.sub(zeros, w.constant(1)))), number(kRootOfHalf));
  Value r = w.least(saturate(w, w.left(above, w.constant(1))), saturate(w, w.left(sum, zerosBelow)));
  auto power = [&](Value bits, int64_t part) {
    return w.add(w.left(w.sub(w.constant(12), bits), w.constant(25)), w.constant(part * (1 << 23)));
  };
  Value most = w.most(power(zeros, 1), power(zerosBelow, -1)), root = number(kFourthRootOfHalf);
  Value p = w.right(w.add(w.add(r, root), w.constant(1)), w.constant(1)), q = w.left(w.sub(r, root), w.constant(1));
  Value square = multiply(q, q);
  Value numerator = w.add(multiply(q, r), multiply(multiply(q, square), number(kLogNumerator)));
  Value inner = w.add(w.add(number(kLogOffset), q), multiply(number(kLogDenominator), square));
  Value denominator = w.add(multiply(p, inner), multiply(number(kLogFactor), q));
  Value line = multiply(divideByPowerOfTwo(w, numerator, w.constant(6)), emitOneOverOnePlus(w, denominator));
  return saturate(w, w.left(w.add(multiply(saturate(w, most), number(kLogOf2)), line), w.constant(1)));
}

namespace {
class NormEmitter : public LayerEmitter {
public:
  using LayerEmitter::LayerEmitter;
  void unitRows();
  void logSoftmax();

private:
  Value table(ArrayRef<int32_t> entries) {
    auto type = RankedTensorType::get({int64_t(entries.size())}, b.getI32Type());
    return arith::ConstantOp::create(b, DenseElementsAttr::get(type, entries));
  }
  Value lookup(Wide w, Value table, Value position) {
    Value index = arith::IndexCastOp::create(w.b, w.b.getIndexType(), position);
    return w.extend(tensor::ExtractOp::create(w.b, table, index));
  }
  Value ofRow(Wide w, Value values) { return w.extend(numberOfRow(w, values)); }
};
} // namespace

void NormEmitter::unitRows() {
  readCodes();
  Value x = inRows(codes[0], false);
  SmallVector<int64_t> shape(cast<RankedTensorType>(x.getType()).getShape()), perRow{shape[0], 1};
  Type i32 = b.getI32Type();
  FixedMode mode = call.singleRounding() ? FixedMode::Single : FixedMode::Double;
  auto real = [&](Wide w, Value code) { return w.sub(code, w.constant(call.inputs[0].zero)); };
  Value sums = reduce(x, i32, 0, [&](Wide w, Value code, Value sum) {
    return w.add(sum, w.mul(real(w, code), real(w, code)));
  });
  Value multipliers = elements(perRow, sums, i32, [](Wide w, ValueRange in) { return emitInverseRoot(w, w.extend(in[0])).first; });
  Value shifts = elements(perRow, sums, i32, [](Wide w, ValueRange in) {
    return w.add(emitInverseRoot(w, w.extend(in[0])).second, w.constant(kUnitShift));
  });
  Value result = elements(shape, x, b.getI8Type(), [&](Wide w, ValueRange in) {
    Value mapped = mapFixed(w, real(w, w.extend(in[0])), numberOfRow(w, multipliers), numberOfRow(w, shifts), mode);
    return w.clamp(mapped, call.output.low, call.output.high);
  });
  replace(inRows(result, true));
}

void NormEmitter::logSoftmax() {
  readCodes();
  Value x = inRows(codes[0], false);
  SmallVector<int64_t> shape(cast<RankedTensorType>(x.getType()).getShape()), perRow{shape[0], 1};
  Type i32 = b.getI32Type();
  LogSoftmaxScale by = *logSoftmaxScale(call);
  Value exponentials = table(softmaxTerms(call)), differences = table(by.differences);
  Value tops = reduce(x, i32, -128, [](Wide w, Value code, Value top) { return w.most(code, top); });
  Value terms = elements(shape, x, i32, [&](Wide w, ValueRange in) {
    Value term = lookup(w, exponentials, w.sub(ofRow(w, tops), w.extend(in[0])));
    return divideByPowerOfTwo(w, term, w.constant(12));
  });
  Value sums = reduce(terms, i32, 0, [](Wide w, Value term, Value sum) { return w.add(term, sum); });
  Value logs = elements(perRow, sums, i32, [](Wide w, ValueRange in) { return emitLogOfSum(w, w.extend(in[0])); });
  Value least = elements(perRow, logs, i32, [&](Wide w, ValueRange in) {
    return w.most(w.constant(by.least - 1), scale(w, w.add(w.extend(in[0]), w.constant(kMin)), by.back));
  });
  Value result = elements(shape, x, b.getI8Type(), [&](Wide w, ValueRange in) {
    Value difference = w.sub(ofRow(w, tops), w.extend(in[0]));
    Value moved = wrap(w, w.sub(lookup(w, differences, difference), ofRow(w, logs)));
    Value code = w.clamp(w.add(divideByPowerOfTwo(w, moved, w.constant(22)), w.constant(call.output.zero)), -128, 127);
    Value counts = w.compare(CmpIPredicate::sgt, w.sub(w.constant(0), difference), ofRow(w, least));
    return w.select(counts, code, w.constant(-128));
  });
  replace(inRows(result, true));
}

void integer::emitUnitRows(AsOp op, const RuleCall &call) { NormEmitter(op, call).unitRows(); }
void integer::emitLogSoftmax(AsOp op, const RuleCall &call) { NormEmitter(op, call).logSoftmax(); }
