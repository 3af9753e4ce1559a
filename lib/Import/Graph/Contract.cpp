// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Matrix products and softmax. Two matrices become linalg.matmul, two stacks linalg.batch_matmul, anything else a
// contraction that broadcasts through its indexing maps.
#include "lib/Import/Graph/Contract.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::qtensor::graph {

void requireInner(Emit &e, OpFoldResult left, OpFoldResult right) {
  e.requireEqual(left, right, "the inner extents of its operands differ");
}

Val contractGeneric(Emit &e, const Val &a, const Val &b, Elem elem, bool rows) {
  using utils::IteratorType;
  requireInner(e, a.dims.back(), rows ? b.dims.back() : b.dims[b.rank() - 2]);
  // Loops: batch dims, m, n, k. Batch extents of 1 are read at 0.
  Val batches[] = {a, b};
  for (Val &x : batches)
    x.dims.pop_back_n(2);
  Dims out = *e.broadcastDims(batches);
  for (const Val &x : batches)
    e.requireBroadcast(x.dims, out);
  int64_t outer = static_cast<int64_t>(out.size()), loops = outer + 3;
  auto map = [&](const Val &x, AffineExpr row, AffineExpr column) {
    SmallVector<AffineExpr> exprs;
    for (auto [i, dim] : llvm::enumerate(ArrayRef(x.dims).drop_back(2))) {
      int64_t target = outer - (x.rank() - 2) + static_cast<int64_t>(i);
      bool repeats = DimMath::number(dim) == 1 && DimMath::number(out[target]) != 1;
      exprs.push_back(repeats ? e.b.getAffineConstantExpr(0) : e.b.getAffineDimExpr(target));
    }
    exprs.append({row, column});
    return AffineMap::get(loops, 0, exprs, e.b.getContext());
  };
  AffineExpr m = e.b.getAffineDimExpr(outer), n = e.b.getAffineDimExpr(outer + 1), k = e.b.getAffineDimExpr(outer + 2);
  AffineMap maps[] = {map(a, m, k), rows ? map(b, n, k) : map(b, k, n), AffineMap()};
  out.append({a.dims[a.rank() - 2], rows ? b.dims[b.rank() - 2] : b.dims.back()});
  SmallVector<AffineExpr> result;
  for (int64_t i = 0; i < outer + 2; ++i)
    result.push_back(e.b.getAffineDimExpr(i));
  maps[2] = AffineMap::get(loops, 0, result, e.b.getContext());
  SmallVector<IteratorType> iterators(loops - 1, IteratorType::parallel);
  iterators.push_back(IteratorType::reduction);
  Value made =
      e.generic({e.tensor(a), e.tensor(b)}, e.filled(out, elem, 0), maps, iterators, [&](Scalar &s, ValueRange in) {
        Type type = in[2].getType();
        Value x = s.widen(in[0], type, isUnsigned(a.elem));
        return s.add(in[2], s.mul(x, s.widen(in[1], type, isUnsigned(b.elem))));
      });
  return e.wrap(made, elem, out);
}

Val contract(Emit &e, const Val &a, const Val &b, Elem elem) {
  requireInner(e, a.dims.back(), b.dims[b.rank() - 2]);
  bool mixed = isUnsigned(a.elem) || isUnsigned(b.elem); // named ops sign-extend both
  if (!mixed && a.rank() == 2 && b.rank() == 2) {
    Dims out = {a.dims[0], b.dims[1]};
    Value init = e.filled(out, elem, 0);
    auto made = linalg::MatmulOp::create(e.b, e.loc, init.getType(), ValueRange{e.tensor(a), e.tensor(b)}, init);
    return e.wrap(made.getResult(0), elem, out);
  }
  if (!mixed && a.rank() == 3 && b.rank() == 3 && DimMath::same(a.dims[0], b.dims[0])) {
    Dims out = {a.dims[0], a.dims[1], b.dims[2]};
    Value init = e.filled(out, elem, 0);
    auto made = linalg::BatchMatmulOp::create(e.b, e.loc, init.getType(), ValueRange{e.tensor(a), e.tensor(b)}, init);
    return e.wrap(made.getResult(0), elem, out);
  }
  return contractGeneric(e, a, b, elem, /*rows=*/false);
}

Val contractRows(Emit &e, const Val &a, const Val &rows) {
  requireInner(e, a.dims.back(), rows.dims.back());
  int64_t rank = a.rank(), loops = rank + 1; // .., m, n, k
  SmallVector<AffineExpr> left, out;
  for (int64_t i = 0; i < rank - 1; ++i)
    left.push_back(e.b.getAffineDimExpr(i));
  out = left;
  AffineExpr n = e.b.getAffineDimExpr(rank - 1), k = e.b.getAffineDimExpr(rank);
  left.push_back(k);
  out.push_back(n);
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(loops, 0, exprs, e.b.getContext()); };
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  Dims dims(a.dims.begin(), a.dims.end() - 1);
  dims.push_back(rows.dims[0]);
  Value made =
      e.generic({e.tensor(a), e.tensor(rows)}, e.filled(dims, Elem::F32, 0), {map(left), map({n, k}), map(out)},
                iterators, [](Scalar &s, ValueRange in) { return s.add(in[2], s.mul(in[0], in[1])); });
  return e.wrap(made, Elem::F32, dims);
}

Elem accumulatorOf(Elem elem) { return isFloat(elem) && bitWidth(elem) < 32 ? Elem::F32 : elem; }

Val softmax(Emit &e, const Val &x, ArrayRef<int64_t> axes) {
  Elem wide = accumulatorOf(x.elem);
  Val top = e.maximum(x, axes, /*keep=*/true);
  Val shifted[] = {x, top};
  Val terms = e.map(shifted, wide, [&](Scalar &s, ValueRange in) {
    Type type = e.type(wide);
    return s.exp(s.sub(s.widen(in[0], type), s.widen(in[1], type)));
  });
  Val parts[] = {terms, e.sum(terms, axes, /*keep=*/true)};
  return e.map(parts, x.elem, [&](Scalar &s, ValueRange in) { return s.cast(s.div(in[0], in[1]), wide, x.elem); });
}

} // namespace mlir::qtensor::graph
