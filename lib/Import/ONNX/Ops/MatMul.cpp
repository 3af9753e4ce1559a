// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Matrix products. Two matrices become linalg.matmul, two stacks linalg.batch_matmul, anything else a contraction that
// broadcasts through its indexing maps.
#include "lib/Import/ONNX/Ops/Contract.h"
#include "lib/Import/ONNX/Registry.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::qtensor::onnx {

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
  requireInner(e, a.dims[transA ? 0 : 1], b.dims[transB ? 1 : 0]);
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
