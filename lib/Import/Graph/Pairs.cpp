// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/Graph/Pairs.h"

using namespace mlir;
using namespace mlir::qtensor::graph;

PairLoops mlir::qtensor::graph::pairLoops(Emit &e, const Val &x, int64_t axis) {
  PairLoops loops;
  SmallVector<AffineExpr> exprs;
  for (int64_t i = 0; i < x.rank(); ++i)
    exprs.push_back(e.b.getAffineDimExpr(i));
  loops.write = AffineMap::get(x.rank() + 1, 0, exprs, e.b.getContext());
  exprs[axis] = e.b.getAffineDimExpr(x.rank());
  loops.read = AffineMap::get(x.rank() + 1, 0, exprs, e.b.getContext());
  loops.iterators.assign(x.rank(), utils::IteratorType::parallel);
  loops.iterators.push_back(utils::IteratorType::reduction);
  return loops;
}

Val mlir::qtensor::graph::cumulativeSum(Emit &e, const Val &x, int64_t axis, bool exclusive, bool reverse) {
  PairLoops loops = pairLoops(e, x, axis);
  Value out = e.generic(e.tensor(x), e.filled(x.dims, x.elem, 0), {loops.read, loops.write}, loops.iterators,
                        [&](Scalar &s, ValueRange in) {
                          Value here = s.index(axis), other = s.index(x.rank());
                          Value low = reverse ? here : other, high = reverse ? other : here;
                          Value counts = exclusive ? s.lt(low, high) : s.le(low, high);
                          return s.add(in[1], s.select(counts, in[0], s.like(in[0], 0)));
                        });
  return e.wrap(out, x.elem, x.dims);
}

Val mlir::qtensor::graph::ranks(Emit &e, const Val &x, int64_t axis, bool largest) {
  PairLoops loops = pairLoops(e, x, axis);
  bool noSign = isUnsigned(x.elem);
  Value out = e.generic({e.tensor(x), e.tensor(x)}, e.filled(x.dims, Elem::I64, 0),
                        {loops.write, loops.read, loops.write}, loops.iterators, [&](Scalar &s, ValueRange in) {
                          Value before = largest ? s.lt(in[0], in[1], noSign) : s.lt(in[1], in[0], noSign);
                          Value tie = s.logicalAnd(s.eq(in[0], in[1]), s.lt(s.index(x.rank()), s.index(axis)));
                          Value counts = s.logicalOr(before, tie);
                          return s.add(in[2], s.select(counts, s.like(in[2], 1), s.like(in[2], 0)));
                        });
  return e.wrap(out, Elem::I64, x.dims);
}

/// What `value` makes of the elements whose rank is below `k`.
static Val select(Emit &e, const Val &x, const Val &order, int64_t axis, int64_t k, Elem elem,
                  llvm::function_ref<Value(Scalar &, Value)> value) {
  Dims dims = x.dims;
  dims[axis] = e.math.constant(k);
  PairLoops loops = pairLoops(e, x, axis);
  Value out = e.generic({e.tensor(x), e.tensor(order)}, e.filled(dims, elem, 0), {loops.read, loops.read, loops.write},
                        loops.iterators, [&](Scalar &s, ValueRange in) {
                          Value here = s.make<arith::IndexCastOp>(s.b.getI64Type(), s.index(axis));
                          return s.select(s.eq(in[1], here), value(s, in[0]), in[2]);
                        });
  return e.wrap(out, elem, dims);
}

Val mlir::qtensor::graph::firstElements(Emit &e, const Val &x, const Val &order, int64_t axis, int64_t k) {
  return select(e, x, order, axis, k, x.elem, [](Scalar &, Value element) { return element; });
}

Val mlir::qtensor::graph::firstPositions(Emit &e, const Val &x, const Val &order, int64_t axis, int64_t k, Elem elem) {
  return select(e, x, order, axis, k, elem,
                [&](Scalar &s, Value) -> Value { return s.make<arith::IndexCastOp>(e.type(elem), s.index(x.rank())); });
}
