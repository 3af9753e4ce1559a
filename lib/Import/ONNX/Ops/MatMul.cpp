// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Matrix products. Two matrices become linalg.matmul, two stacks linalg.batch_matmul, anything else a contraction that
// broadcasts through its indexing maps.
#include "lib/Import/ONNX/Ops/Contract.h"
#include "lib/Import/ONNX/Registry.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::qtensor::onnx {

Val contractGeneric(Emit &e, const Val &a, const Val &b, Elem elem, bool rows) {
  using utils::IteratorType;
  // Loops: batch dims, m, n, k. Batch extents of 1 are read at 0.
  Val batches[] = {a, b};
  for (Val &x : batches)
    x.dims.pop_back_n(2);
  Dims out = *e.broadcastDims(batches);
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

FailureOr<Val> matmul(NodeContext &n, Val a, Val b, Elem elem) {
  if (a.isScalar() || b.isScalar())
    return n.fail("its inputs must not be scalars");
  bool vectorA = a.rank() == 1, vectorB = b.rank() == 1;
  if (vectorA)
    a = n.e.unsqueeze(a, 0);
  if (vectorB)
    b = n.e.unsqueeze(b, 1);
  auto left = DimMath::number(a.dims.back()), right = DimMath::number(b.dims[b.rank() - 2]);
  if (left && right && *left != *right)
    return n.fail("its inner extents are " + Twine(*left) + " and " + Twine(*right) + ", which must be equal");
  Val batches[] = {a, b};
  for (Val &x : batches)
    x.dims.pop_back_n(2);
  if (failed(n.requireBroadcast(batches)))
    return failure();
  Val out = contract(n.e, a, b, elem);
  if (vectorA)
    out = n.e.squeeze(out, out.rank() - 2);
  if (vectorB)
    out = n.e.squeeze(out, out.rank() - 1);
  return out;
}

namespace {
LogicalResult importMatMul(NodeContext &n) {
  if (failed(n.requireSame(0, 1)))
    return failure();
  Elem elem = n.in(0).elem;
  FailureOr<Val> out = matmul(n, n.in(0), n.in(1), accumulatorOf(elem));
  return failed(out) ? failure() : n.set(0, n.e.cast(*out, elem));
}

/// A 2-D product whose second operand may be read transposed, as weights usually are.
Val gemmProduct(Emit &e, const Val &a, const Val &b, bool transA, bool transB, Elem elem) {
  if (!transA && !transB)
    return contract(e, a, b, elem);
  AffineExpr m = e.b.getAffineDimExpr(0), n = e.b.getAffineDimExpr(1), k = e.b.getAffineDimExpr(2);
  auto map = [&](AffineExpr row, AffineExpr column) { return AffineMap::get(3, 0, {row, column}, e.b.getContext()); };
  Dims out = {a.dims[transA ? 1 : 0], b.dims[transB ? 0 : 1]};
  AffineMap maps[] = {transA ? map(k, m) : map(m, k), transB ? map(n, k) : map(k, n), map(m, n)};
  Value init = e.filled(out, elem, 0);
  SmallVector<Attribute> mapAttrs =
      llvm::map_to_vector(maps, [](AffineMap indexing) -> mlir::Attribute { return AffineMapAttr::get(indexing); });
  auto made = linalg::MatmulOp::create(e.b, e.loc, init.getType(), ValueRange{e.tensor(a), e.tensor(b)}, init);
  made.setIndexingMapsAttr(e.b.getArrayAttr(mapAttrs));
  return e.wrap(made.getResult(0), elem, out);
}

LogicalResult importGemm(NodeContext &n) {
  double alpha = n.attrFloat("alpha", 1), beta = n.attrFloat("beta", 1);
  if (failed(n.requireSame(0, 1)))
    return failure();
  const Val &a = n.in(0);
  Elem wide = accumulatorOf(a.elem);
  FailureOr<Val> product = gemm(n, a, n.in(1), wide);
  if (failed(product) || (n.has(2) && failed(requireAddend(n, *product, 2))))
    return failure();
  const Val &out = *product;
  SmallVector<Val> parts = {out};
  if (n.has(2))
    parts.push_back(n.in(2));
  if (parts.size() == 1 && alpha == 1)
    return n.set(0, n.e.cast(out, a.elem));
  Val sum = n.e.mapTo(out.dims, parts, wide, [&](Scalar &s, ValueRange in) {
    Value result = alpha == 1 ? in[0] : s.mul(in[0], s.like(in[0], alpha));
    if (parts.size() == 1)
      return result;
    Value bias = s.cast(in[1], parts[1].elem, wide);
    return s.add(result, beta == 1 ? bias : s.mul(bias, s.like(bias, beta)));
  });
  return n.set(0, n.e.cast(sum, a.elem));
}
} // namespace

FailureOr<Val> gemm(NodeContext &n, const Val &a, const Val &b, Elem elem) {
  bool transA = n.attrInt("transA", 0), transB = n.attrInt("transB", 0);
  if (a.rank() != 2 || b.rank() != 2)
    return n.fail("its operands must be matrices");
  auto left = DimMath::number(a.dims[transA ? 0 : 1]), right = DimMath::number(b.dims[transB ? 1 : 0]);
  if (left && right && *left != *right)
    return n.fail("its inner extents are " + Twine(*left) + " and " + Twine(*right) + ", which must be equal");
  return gemmProduct(n.e, a, b, transA, transB, elem);
}

LogicalResult requireAddend(NodeContext &n, const Val &product, unsigned i) {
  Val parts[] = {product, n.in(i)};
  std::optional<Dims> dims = n.e.broadcastDims(parts);
  if (!dims || dims->size() != 2 || !llvm::equal(*dims, product.dims, [](OpFoldResult x, OpFoldResult y) {
        return DimMath::numberOrDynamic(x) == DimMath::numberOrDynamic(y);
      }))
    return n.fail("input " + Twine(i) + " does not broadcast to the product");
  return success();
}

void registerMatMul(Registry &r) {
  r.add({
      {"", "MatMul", 1, kNewest, 2, 2, "", importMatMul},
      {"", "Gemm", 1, kNewest, 2, 3, "alpha beta transA transB broadcast", importGemm},
  });
}

} // namespace mlir::qtensor::onnx
