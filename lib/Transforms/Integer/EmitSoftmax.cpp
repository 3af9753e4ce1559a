// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Softmax of codes of 8 bits.
#include "lib/Transforms/Integer/RuleEmitter.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;
using reference::CodeTensor;
using utils::IteratorType;

/// Terms of the sum are a table over the difference to the row's largest code; the reciprocal of the sum is arithmetic.
LogicalResult RuleEmitter::emitSoftmax() {
  const CodeTensor &x = call.inputs[0];
  CodeTensor &out = call.output;
  std::vector<int32_t> terms = reference::softmaxTerms(call);
  Type i32 = b.getI32Type();
  Value table = constant(SmallVector<int64_t>(terms.begin(), terms.end()), i32, {int64_t(terms.size())});
  Value input = codes(0);
  SmallVector<int64_t> rows(x.shape);
  rows.pop_back();
  SmallVector<AffineExpr> lead;
  for (int64_t i = 0; i + 1 < rank(); ++i)
    lead.push_back(b.getAffineDimExpr(unsigned(i)));
  AffineMap perRow = AffineMap::get(unsigned(rank()), 0, lead, b.getContext());
  SmallVector<IteratorType> reduce(rank() - 1, IteratorType::parallel);
  reduce.push_back(IteratorType::reduction);
  auto filled = [&](int64_t value) {
    Value empty = tensor::EmptyOp::create(b, rows, i32);
    return linalg::FillOp::create(b, arith::ConstantIntOp::create(b, value, 32).getResult(), empty).getResult(0);
  };
  auto wide = [&](Wide w, Value code) -> Value {
    return x.low < 0 ? arith::ExtSIOp::create(w.b, i32, code).getResult()
                     : arith::ExtUIOp::create(w.b, i32, code).getResult();
  };
  auto termOf = [&](Wide w, Value code, Value top) -> Value {
    Value difference = arith::SubIOp::create(w.b, top, wide(w, code));
    return tensor::ExtractOp::create(w.b, table,
                                     arith::IndexCastOp::create(w.b, w.b.getIndexType(), difference).getResult());
  };
  Value tops = generic({input}, filled(x.low), {identity(), perRow}, reduce, [&](Wide w, ValueRange in) -> Value {
    return arith::MaxSIOp::create(w.b, in[1], wide(w, in[0]));
  });
  Value sums =
      generic({input, tops}, filled(0), {identity(), perRow, perRow}, reduce, [&](Wide w, ValueRange in) -> Value {
        Value term = divideByPowerOfTwo(w, w.extend(termOf(w, in[0], in[1])), w.constant(12));
        return arith::AddIOp::create(w.b, in[2], arith::TruncIOp::create(w.b, i32, term).getResult());
      });
  // The reciprocal of a row's sum, and by how much the products with it are shifted.
  auto overRows = [&](Body body) {
    AffineMap map = AffineMap::getMultiDimIdentityMap(unsigned(rank() - 1), b.getContext());
    SmallVector<IteratorType> parallel(rank() - 1, IteratorType::parallel);
    return generic({sums}, tensor::EmptyOp::create(b, rows, i32), {map, map}, parallel, body);
  };
  Value inverses = overRows([&](Wide w, ValueRange in) -> Value {
    auto [zeros, shifted] = emitHeadroom(w, w.extend(in[0]));
    Value inverse = emitOneOverOnePlus(w, w.sub(shifted, w.constant(int64_t(1) << 31)));
    return arith::TruncIOp::create(w.b, i32, inverse);
  });
  Value shifts = overRows([&](Wide w, ValueRange in) -> Value {
    Value amount = w.sub(w.constant(12 + 31 - int64_t(out.bits)), emitHeadroom(w, w.extend(in[0])).first);
    return arith::TruncIOp::create(w.b, i32, amount);
  });
  SmallVector<Value> inputs{input, tops, inverses, shifts};
  SmallVector<AffineMap> maps{identity(), perRow, perRow, perRow};
  finish(inputs, maps, out.low, out.high, [&](Wide w, ValueRange in) {
    Value product = w.doublingHighMultiply(w.extend(in[2]), w.extend(termOf(w, in[0], in[1])));
    return w.add(divideByPowerOfTwo(w, product, w.extend(in[3])), w.constant(out.low));
  });
  return success();
}
