// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rule "tflite.softmax" on codes of 16 bits as IR: what a row has once is computed in loops over rows.
#include "lib/Transforms/Integer/EmitSoftmax16.h"
#include "lib/Reference/IntegerSoftmax16.h"
#include "lib/Transforms/Integer/EmitLayer.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;
using namespace mlir::qtensor::reference;

namespace {
class Softmax16Emitter : public LayerEmitter {
public:
  using LayerEmitter::LayerEmitter;
  void run();

private:
  Value table(const Table16 &entries);
  Value lookup(Wide w, Value code, Value table);
};
} // namespace

Value Softmax16Emitter::table(const Table16 &entries) {
  auto type = RankedTensorType::get({int64_t(kTable16)}, b.getI16Type());
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef<int16_t>(entries)));
}

/// The line through the table at a code of 16 bits.
Value Softmax16Emitter::lookup(Wide w, Value code, Value table) {
  auto entry = [&](Value position) {
    Value index = arith::IndexCastOp::create(w.b, w.b.getIndexType(), position);
    return w.extend(tensor::ExtractOp::create(w.b, table, index));
  };
  Value position = w.add(w.right(code, w.constant(7)), w.constant(256)), rest = w.both(code, w.constant(0x7f));
  Value base = entry(position), slope = w.sub(entry(w.add(position, w.constant(1))), base);
  return w.add(base, w.right(w.add(w.mul(slope, rest), w.constant(64)), w.constant(7)));
}

void Softmax16Emitter::run() {
  readCodes();
  QuantizedMultiplier by = softmaxScale16(call);
  const SoftmaxTables &tables = softmaxTables16(call);
  Value x = inRows(codes[0], false), exps = table(tables.exp), reciprocals = table(tables.reciprocal);
  SmallVector<int64_t> shape(cast<RankedTensorType>(x.getType()).getShape()), perRow{shape[0], 1};
  Type i16 = b.getI16Type(), i32 = b.getI32Type();
  auto ofRow = [&](Wide w, Value values) { return w.extend(numberOfRow(w, values)); };
  Value tops = reduce(x, i32, -32768, [](Wide w, Value code, Value top) { return w.most(code, top); });
  Value terms = elements(shape, x, i16, [&](Wide w, ValueRange in) {
    Value scaled = scale(w, w.sub(w.extend(in[0]), ofRow(w, tops)), by);
    return lookup(w, saturate16(w, w.add(scaled, w.constant(32767))), exps);
  });
  Value sums = reduce(terms, i32, 0, [](Wide w, Value term, Value sum) { return w.add(term, sum); });
  Value inverses = elements(perRow, sums, i32, [&](Wide w, ValueRange in) {
    // The sum with its leading bit in place 31, then rounded to 16 fractional bits.
    Value left = emitHeadroom(w, w.extend(in[0])).second;
    Value shifted = w.right(w.add(w.right(left, w.constant(1)), w.constant(1 << 13)), w.constant(14));
    return lookup(w, saturate16(w, w.sub(shifted, w.constant(3 * 32768))), reciprocals);
  });
  Value shifts = elements(perRow, sums, i32, [&](Wide w, ValueRange in) {
    return w.sub(w.constant(31), emitHeadroom(w, w.extend(in[0])).first);
  });
  Value result = elements(shape, terms, i16, [&](Wide w, ValueRange in) {
    Value right = ofRow(w, shifts), half = w.left(w.constant(1), w.sub(right, w.constant(1)));
    Value product = w.mul(w.extend(in[0]), ofRow(w, inverses));
    return w.clamp(w.right(w.add(product, half), right), 0, 32767);
  });
  replace(inRows(result, true));
}

void integer::emitSoftmax16(AsOp op, const RuleCall &call) { Softmax16Emitter(op, call).run(); }
