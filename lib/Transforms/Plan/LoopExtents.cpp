// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Plan/LoopExtents.h"
#include "lib/Extents/TensorExtents.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
class DimOfCarried : public OpRewritePattern<tensor::DimOp> {
public:
  DimOfCarried(MLIRContext *context, const LoopExtents &extents) : OpRewritePattern(context), extents(extents) {}

  LogicalResult matchAndRewrite(tensor::DimOp op, PatternRewriter &rewriter) const override {
    std::optional<int64_t> dim = op.getConstantIndex();
    Value outside = dim ? extents.lookup({op.getSource(), *dim}) : Value();
    if (!outside)
      return rewriter.notifyMatchFailure(op, "not an extent that a loop carries");
    rewriter.replaceOpWithNewOp<tensor::DimOp>(op, outside, *dim);
    return success();
  }

private:
  const LoopExtents &extents;
};

class Finder {
public:
  explicit Finder(func::FuncOp function) : extents(function) {}

  /// Whether `inside`, in the place of `init`, has its open extents; those are remembered.
  bool keeps(Value inside, Value init, LoopExtents &found) {
    for (auto [dim, extent] : llvm::enumerate(cast<RankedTensorType>(inside.getType()).getShape())) {
      if (!ShapedType::isDynamic(extent))
        continue;
      if (extents.getMath().equal(extents.of(inside, dim), extents.of(init, dim)) != true)
        return false;
      found[{inside, static_cast<int64_t>(dim)}] = init;
    }
    return true;
  }

  LogicalResult visit(Operation *loop, LoopExtents &found) {
    SmallVector<std::pair<Value, Value>> places;
    for (const CarriedTensor &tensor : getCarriedTensors(loop))
      places.push_back({tensor.argument, tensor.init});
    if (auto open = dyn_cast<scf::WhileOp>(loop)) {
      for (auto [after, result, init] : llvm::zip(open.getAfterArguments(), open.getResults(), open.getInits()))
        if (after.getType() == init.getType() && isa<RankedTensorType>(init.getType()))
          places.append({{after, init}, {result, init}});
    } else {
      for (auto [result, init] : llvm::zip_equal(loop->getResults(), cast<scf::ForOp>(loop).getInitArgs()))
        if (isa<RankedTensorType>(init.getType()))
          places.push_back({result, init});
    }
    for (auto [inside, init] : places)
      if (!keeps(inside, init, found))
        return loop->emitError("an iteration may change an extent of a tensor that the loop carries (")
               << inside.getType()
               << "); such tensors have one memory, so extents stay what they are at the start: give the "
               << "tensor its largest extents, and slices of it to the iterations";
    return success();
  }

  void assumeChecks(func::FuncOp function) {
    extents.assumeNames();
    for (Operation &op : function.front())
      if (auto assertion = dyn_cast<cf::AssertOp>(op))
        extents.assume(assertion);
      else
        extents.visit(&op);
  }

private:
  TensorExtents extents;
};
} // namespace

FailureOr<LoopExtents> qtensor::findLoopExtents(func::FuncOp function) {
  SmallVector<Operation *> loops;
  function.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (llvm::any_of(getCarriedTensors(op), [](const CarriedTensor &tensor) {
          return !cast<RankedTensorType>(tensor.argument.getType()).hasStaticShape();
        }))
      loops.push_back(op);
  });
  LoopExtents found;
  if (loops.empty())
    return found;
  Finder finder(function);
  finder.assumeChecks(function);
  for (Operation *loop : loops)
    if (failed(finder.visit(loop, found)))
      return failure();
  return found;
}

void qtensor::populateLoopExtentPatterns(RewritePatternSet &patterns, const LoopExtents &extents) {
  patterns.add<DimOfCarried>(patterns.getContext(), extents);
}
