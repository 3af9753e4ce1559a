// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lookups of rows of an encoded table gather the components of these rows, and decode what they found.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Select/Components.h"
#include "lib/Transforms/Select/Contraction.h"
#include "lib/Transforms/Select/Passes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_LOOKUPROWS
#include "lib/Transforms/Select/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// A linalg.generic whose elements are table[row, last loop], with the row independent of the last loop.
class Lookup {
public:
  static std::optional<Lookup> match(linalg::GenericOp op);
  /// False if the encoding does not allow it; nothing has changed then.
  bool rewrite(IRRewriter &rewriter);

private:
  Lookup(linalg::GenericOp op, tensor::ExtractOp extract) : op(op), extract(extract) {}
  Value gather(IRRewriter &rewriter, Value component);
  Value spread(IRRewriter &rewriter, Value component, int64_t rank);

  linalg::GenericOp op;
  tensor::ExtractOp extract;
};
} // namespace

std::optional<Lookup> Lookup::match(linalg::GenericOp op) {
  if (!op.hasPureTensorSemantics() || op.getNumResults() != 1 || op.getNumParallelLoops() != op.getNumLoops() ||
      op.getNumLoops() == 0 || !op.getIndexingMapsArray().back().isIdentity())
    return std::nullopt;
  auto extract = op.getBody()->getTerminator()->getOperand(0).getDefiningOp<tensor::ExtractOp>();
  if (!extract || !extract->hasOneUse() || extract.getIndices().size() != 2 ||
      !getBlockEncoding(extract.getTensor().getType()))
    return std::nullopt;
  unsigned last = op.getNumLoops() - 1;
  auto column = extract.getIndices()[1].getDefiningOp<linalg::IndexOp>();
  if (!column || column.getDim() != last || !column->hasOneUse())
    return std::nullopt;
  bool varies = llvm::any_of(op.getIndexingMapsArray(), [&](AffineMap map) {
    return map != op.getIndexingMapsArray().back() && map.isFunctionOfDim(last);
  });
  for (Operation &inner : *op.getBody())
    if (auto index = dyn_cast<linalg::IndexOp>(inner); index && index != column && index.getDim() == last)
      varies = true;
  return varies ? std::nullopt : std::optional(Lookup(op, extract));
}

/// component[row, last loop]
Value Lookup::gather(IRRewriter &rewriter, Value component) {
  auto type = cast<RankedTensorType>(component.getType());
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, op.getLoc(), op.getOutputs()[0]);
  sizes.back() = rewriter.getIndexAttr(type.getDimSize(1));
  Value empty = tensor::EmptyOp::create(rewriter, op.getLoc(), sizes, type.getElementType());
  auto made = linalg::GenericOp::create(
      rewriter, op.getLoc(), empty.getType(), op.getInputs(), empty, op.getIndexingMapsArray(),
      op.getIteratorTypesArray(), [&](OpBuilder &b, Location loc, ValueRange arguments) {
        IRMapping mapping;
        mapping.map(op.getBody()->getArguments().drop_back(), arguments.drop_back());
        for (Operation &inner : op.getBody()->without_terminator())
          if (&inner != extract)
            b.clone(inner, mapping);
        SmallVector<Value> at =
            llvm::map_to_vector(extract.getIndices(), [&](Value index) { return mapping.lookupOrDefault(index); });
        linalg::YieldOp::create(b, loc, tensor::ExtractOp::create(b, loc, component, at).getResult());
      });
  return made.getResult(0);
}

/// What all rows share, in a tensor of `rank`.
Value Lookup::spread(IRRewriter &rewriter, Value component, int64_t rank) {
  auto type = cast<RankedTensorType>(component.getType());
  SmallVector<int64_t> shape(rank - 2, 1);
  llvm::append_range(shape, type.getShape());
  ReassociationIndices leading = llvm::to_vector(llvm::seq<int64_t>(0, rank - 1));
  return tensor::ExpandShapeOp::create(rewriter, op.getLoc(), RankedTensorType::get(shape, type.getElementType()),
                                       component, ArrayRef<ReassociationIndices>{leading, {rank - 1}});
}

bool Lookup::rewrite(IRRewriter &rewriter) {
  Value table = extract.getTensor();
  auto type = cast<RankedTensorType>(table.getType());
  auto result = cast<RankedTensorType>(op.getResult(0).getType());
  FailureOr<BlockAttr> encoding = addLeadingDims(getBlockEncoding(type), result.getRank() - 2);
  bool wholeRows =
      type.hasStaticShape() && result.getRank() >= 2 && result.getDimSize(result.getRank() - 1) == type.getDimSize(1);
  if (failed(encoding) || !wholeRows || result.getElementType() != type.getElementType())
    return false;
  rewriter.setInsertionPoint(op);
  SmallVector<Value> components;
  for (const ComponentGrid &grid : getComponentGrids(type, getBlockEncoding(type))) {
    Value whole = ComponentOp::create(rewriter, op.getLoc(), grid.component.type, table,
                                      rewriter.getStringAttr(grid.component.name));
    components.push_back(grid.block[0] == 1 ? gather(rewriter, whole) : spread(rewriter, whole, result.getRank()));
  }
  Value rows = AssembleOp::create(rewriter, op.getLoc(), result.cloneWithEncoding(*encoding), components);
  auto decoded = DequantizeOp::create(rewriter, op.getLoc(), result, rows);
  decoded->setAttr(kReasonAttr, rewriter.getStringAttr("only the rows that are looked up"));
  rewriter.replaceOp(op, decoded);
  return true;
}

namespace {
struct LookupRows : mlir::qtensor::impl::LookupRowsBase<LookupRows> {
  void runOnOperation() override {
    SmallVector<Lookup> lookups;
    getOperation().walk([&](linalg::GenericOp op) {
      if (std::optional<Lookup> lookup = Lookup::match(op))
        lookups.push_back(*lookup);
    });
    IRRewriter rewriter(&getContext());
    for (Lookup &lookup : lookups)
      (void)lookup.rewrite(rewriter); // what is left is decoded whole, and reported
  }
};
} // namespace
