// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Plan/TensorBuffers.h"
#include "lib/Transforms/Plan/Passes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::qtensor;

/// Bytes of a static tensor of numbers.
static std::optional<int64_t> countBytes(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape() || !tensor.getElementType().isIntOrFloat())
    return std::nullopt;
  return tensor.getNumElements() * llvm::divideCeil(tensor.getElementTypeBitWidth(), 8);
}

/// The operand whose memory a result lies in, if any.
static Value findSource(OpResult result) {
  Operation *op = result.getOwner();
  if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp, tensor::ExtractSliceOp>(op))
    return op->getOperand(0);
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
    return insert.getDest();
  if (auto destination = dyn_cast<DestinationStyleOpInterface>(op))
    return destination.getTiedOpOperand(result)->get();
  if (auto loop = dyn_cast<LoopLikeOpInterface>(op))
    if (OpOperand *init = loop.getTiedLoopInit(result))
      return init->get();
  return {};
}

/// Whether a tensor is in no memory until something is written.
static bool isNowhere(Value value) {
  Operation *op = value.getDefiningOp();
  return op && (isa<tensor::EmptyOp>(op) || op->hasTrait<OpTrait::ConstantLike>());
}

void TensorBuffers::addOp(Operation &op, unsigned step) {
  op.walk([&](Operation *inner) {
    for (Value operand : inner->getOperands())
      if (auto used = indices.find(operand); used != indices.end())
        buffers[used->second].end = step;
  });
  for (OpResult result : op.getResults()) {
    if (isNowhere(result))
      return;
    Value source = findSource(result);
    std::optional<unsigned> index = source ? find(source) : std::nullopt;
    std::optional<int64_t> bytes = countBytes(result.getType());
    if (!index && bytes && (!source || isNowhere(source))) {
      index = buffers.size();
      buffers.push_back({*bytes, step, step});
    }
    if (index)
      indices[result] = *index;
  }
}

TensorBuffers::TensorBuffers(func::FuncOp function, bool interface) {
  for (BlockArgument argument : function.getArguments())
    if (std::optional<int64_t> bytes = countBytes(argument.getType());
        bytes && interface && !function.getArgAttr(argument.getArgNumber(), kStateAttr)) {
      indices[argument] = buffers.size();
      buffers.push_back({*bytes, 0, 0});
    }
  for (auto [position, op] : llvm::enumerate(function.front()))
    addOp(op, stepOf(position));
  if (!interface)
    removeInterface(function);
}

/// A result that is not placed takes no room.
void TensorBuffers::removeInterface(func::FuncOp function) {
  for (Value result : function.front().getTerminator()->getOperands())
    if (std::optional<unsigned> index = find(result))
      buffers[*index].size = 0;
}

std::optional<unsigned> TensorBuffers::find(Value tensor) const {
  auto found = indices.find(tensor);
  return found == indices.end() ? std::nullopt : std::optional(found->second);
}
