// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is computed from constants alone is computed now, by the reference.
#include "lib/Transforms/Normalize/Evaluator.h"
#include "lib/Transforms/Normalize/Passes.h"
#include "lib/Transforms/Normalize/Support.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_EVALUATECONSTANTS
#include "lib/Transforms/Normalize/Passes.h.inc"

using namespace normalize;
using reference::Tensor;

namespace {
/// Larger constants are resources: bytes beside the IR, which nothing prints, hashes or folds.
constexpr size_t kInlineBytes = 1024;

StringRef getSourceName(Location loc) {
  StringRef name = "constant";
  loc->walk([&](Location part) {
    auto named = dyn_cast<NameLoc>(part);
    if (!named)
      return WalkResult::advance();
    name = named.getName();
    return WalkResult::interrupt();
  });
  return name;
}

bool isSplat(const Tensor &tensor) {
  size_t size = tensor.getFormat().getBytes();
  StringRef bytes(tensor.getBytes().data(), tensor.getBytes().size());
  return bytes.drop_front(size) == bytes.drop_back(size);
}

TypedAttr getScalar(const Tensor &tensor) {
  Type type = tensor.getElementType();
  uint64_t bits = tensor.getBits(0);
  if (auto real = dyn_cast<FloatType>(type))
    return FloatAttr::get(type, APFloat(real.getFloatSemantics(), APInt(real.getWidth(), bits)));
  return IntegerAttr::get(type, APInt(tensor.getFormat().getWidth(), bits));
}

TypedAttr getConstant(Type type, const Tensor &tensor, Location loc) {
  auto shaped = dyn_cast<RankedTensorType>(type);
  if (!shaped)
    return getScalar(tensor);
  ArrayRef<char> bytes = tensor.getBytes();
  if (bytes.empty() || isSplat(tensor))
    return bytes.empty() ? DenseElementsAttr::get(shaped, ArrayRef<Attribute>())
                         : DenseElementsAttr::get(shaped, Attribute(getScalar(tensor)));
  if (shaped.getElementType().isInteger(1))
    return DenseElementsAttr::get(shaped, llvm::map_to_vector(bytes, [](char byte) { return byte != 0; }));
  if (bytes.size() <= kInlineBytes)
    return cast<TypedAttr>(Attribute(DenseElementsAttr::getFromRawBuffer(shaped, bytes)));
  AsmResourceBlob blob = HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, /*align=*/64);
  return DenseResourceElementsAttr::get(shaped, getSourceName(loc), std::move(blob));
}

/// The names of the op and of the largest constant it reads, which a plan may call by its name.
Location getConstantLoc(Operation *op) {
  Value largest;
  int64_t most = 1;
  for (Value operand : op->getOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.getType());
    bool isInit = operand.getDefiningOp<tensor::EmptyOp>() || operand.getDefiningOp<linalg::FillOp>();
    if (!type || isInit || type.getNumElements() <= most)
      continue;
    most = type.getNumElements();
    largest = operand;
  }
  return largest ? fuse(largest.getLoc(), op->getLoc()) : op->getLoc();
}

struct EvaluateConstants : impl::EvaluateConstantsBase<EvaluateConstants> {
  using EvaluateConstantsBase::EvaluateConstantsBase;

  void runOnOperation() override {
    EvaluationLimits limits;
    limits.smallBytes = smallBytes;
    limits.growth = growth;
    Evaluator evaluator(limits);
    WalkResult walked = getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (failed(evaluator.visit(op)))
        return WalkResult::interrupt();
      // Payloads compute scalars; only control flow holds tensors.
      return isa<linalg::LinalgOp, tensor::PadOp, tensor::GenerateOp>(op) ? WalkResult::skip() : WalkResult::advance();
    });
    if (walked.wasInterrupted())
      return signalPassFailure();
    replace(evaluator);
  }

private:
  /// Puts constants where other ops read what was evaluated, and removes what nothing reads any more.
  void replace(const Evaluator &evaluator) {
    // An op takes the location of its weights along, so that a chain of evaluated ops ends with their name.
    for (Operation *op : evaluator.getEvaluated())
      op->setLoc(getConstantLoc(op));
    for (Operation *op : evaluator.getEvaluated()) {
      OpBuilder builder(op);
      for (OpResult result : op->getResults()) {
        if (llvm::all_of(result.getUsers(), [&](Operation *user) { return evaluator.isEvaluated(user); }))
          continue;
        TypedAttr value = getConstant(result.getType(), evaluator.get(result), op->getLoc());
        result.replaceAllUsesWith(arith::ConstantOp::create(builder, op->getLoc(), value));
      }
    }
    // A set: an op that reads a value twice must not leave a second entry behind when its producer is gone.
    llvm::SetVector<Operation *> inputs;
    auto remove = [&](Operation *op) {
      for (Value operand : op->getOperands())
        if (Operation *input = operand.getDefiningOp(); input && !evaluator.isEvaluated(input))
          inputs.insert(input);
      op->erase();
    };
    for (Operation *op : llvm::reverse(evaluator.getEvaluated())) {
      remove(op);
      while (!inputs.empty())
        if (Operation *input = inputs.pop_back_val(); isOpTriviallyDead(input))
          remove(input);
    }
  }
};
} // namespace
} // namespace mlir::qtensor
