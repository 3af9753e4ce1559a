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
