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
  Value table(const std::array<int16_t, kTable16> &entries);
  Value lookup(Wide w, Value code, Value table);
  Value inRows(Value codes, bool back);
};
} // namespace

Value Softmax16Emitter::table(const std::array<int16_t, kTable16> &entries) {
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

/// Codes as rows [rows, depth], or rows in the shape of the output.
Value Softmax16Emitter::inRows(Value value, bool back) {
  ArrayRef<int64_t> shape = call.output.shape;
  int64_t rank = int64_t(shape.size()), depth = shape.back(), rows = depth ? call.output.count() / depth : 0;
  if (rank == 2)
    return value;
  auto flat = RankedTensorType::get({rows, depth}, b.getI16Type()), full = RankedTensorType::get(shape, b.getI16Type());
  SmallVector<ReassociationIndices> groups(rank == 1 ? 1 : 2);
  for (int64_t axis = 0; axis < (rank == 1 ? 2 : rank); ++axis)
    groups[rank > 1 && axis + 1 == rank].push_back(axis);
  // A vector is one row: its rank grows.
  if (back == (rank > 1))
    return tensor::ExpandShapeOp::create(b, back ? full : flat, value, groups);
  return tensor::CollapseShapeOp::create(b, back ? full : flat, value, groups);
}

void Softmax16Emitter::run() {
  readCodes();
  QuantizedMultiplier by = softmaxScale16(call);
  Value x = inRows(codes[0], false), exps = table(expTable16()), reciprocals = table(reciprocalTable16());
  SmallVector<int64_t> shape(cast<RankedTensorType>(x.getType()).getShape()), perRow{shape[0], 1};
  Type i16 = b.getI16Type(), i32 = b.getI32Type();
  auto ofRow = [&](Wide w, Value values) {
    Value row = linalg::IndexOp::create(w.b, 0), first = arith::ConstantIndexOp::create(w.b, 0);
    return w.extend(tensor::ExtractOp::create(w.b, values, ValueRange{row, first}));
  };
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
