// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One kind of ops whose bodies read tensors.
#include "lib/Transforms/Plan/CheckLookups.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::qtensor;

/// The op of whose body `read` is a part, if it runs once for each element of something.
static Operation *getLoopsAround(tensor::ExtractOp read) {
  Operation *op = read->getParentOp();
  while (op && !isa<linalg::LinalgOp, tensor::GenerateOp, tensor::PadOp>(op))
    op = op->getParentOp();
  return op;
}

/// Whether `read` is in order wherever it stands.
static bool isInside(tensor::ExtractOp read) {
  auto type = cast<RankedTensorType>(read.getTensor().getType());
  return llvm::all_of(llvm::enumerate(read.getIndices()), [&](auto each) {
    std::optional<int64_t> index = getConstantIntValue(each.value());
    return index && *index >= 0 && !type.isDynamicDim(each.index()) && *index < type.getDimSize(each.index());
  });
}

static LogicalResult verify(tensor::ExtractOp read, Operation *loops) {
  StringRef why;
  if (isa<tensor::PadOp>(loops))
    why = "for what is padded with";
  else if (read->getParentOp() != loops)
    why = "in a branch or a loop";
  else if (loops->isAncestor(read.getTensor().getParentRegion()->getParentOp()))
    why = "that it makes itself";
  else
    return success();
  return read.emitOpError("in '")
         << loops->getName() << "' reads a tensor " << why
         << ", where the index is not checked; read it in the body of a linalg.generic itself, with an "
            "index that arith.select makes one of the tensor";
}

static void generalize(RewriterBase &rewriter, tensor::GenerateOp op) {
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(op.getType());
  rewriter.setInsertionPoint(op);
  Value empty = tensor::EmptyOp::create(rewriter, loc, type, op.getDynamicExtents());
  SmallVector<utils::IteratorType> loops(type.getRank(), utils::IteratorType::parallel);
  AffineMap map = rewriter.getMultiDimIdentityMap(type.getRank());
  auto body = [&](OpBuilder &b, Location, ValueRange) {
    IRMapping mapping;
    for (BlockArgument index : op.getBody().getArguments())
      mapping.map(index, linalg::IndexOp::create(b, loc, index.getArgNumber()).getResult());
    for (Operation &inner : op.getBody().front().without_terminator())
      b.clone(inner, mapping);
    Value element = cast<tensor::YieldOp>(op.getBody().front().getTerminator()).getValue();
    linalg::YieldOp::create(b, loc, mapping.lookupOrDefault(element));
  };
  auto generic = linalg::GenericOp::create(rewriter, loc, type, ValueRange(), empty, map, loops, body);
  rewriter.replaceOp(op, generic);
}

LogicalResult qtensor::normalizeLookups(func::FuncOp function) {
  llvm::SetVector<Operation *> ops;
  bool isWrong = false;
  function.walk([&](tensor::ExtractOp read) {
    Operation *loops = getLoopsAround(read);
    if (!loops || isInside(read))
      return;
    isWrong |= failed(verify(read, loops));
    ops.insert(loops);
  });
  if (isWrong)
    return failure();
  IRRewriter rewriter(function.getContext());
  for (Operation *op : ops) {
    rewriter.setInsertionPoint(op);
    if (auto generate = dyn_cast<tensor::GenerateOp>(op))
      generalize(rewriter, generate);
    else if (auto named = dyn_cast<linalg::LinalgOp>(op); named && !isa<linalg::GenericOp>(op))
      if (failed(linalg::generalizeNamedOp(rewriter, named)))
        return op->emitOpError("reads a tensor in its body, where the index is not checked; use a linalg.generic");
  }
  return success();
}
