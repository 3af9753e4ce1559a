// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Normalize/Evaluator.h"
#include "lib/Reference/Interpreter.h"
#include "lib/Transforms/Normalize/Support.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::normalize {
using reference::Tensor;

/// Bytes of a tensor with static shape, saturating; nothing if it is not one or has an encoding.
static std::optional<int64_t> getBytes(Type type) {
  std::optional<reference::NumericFormat> format = reference::NumericFormat::get(getElementTypeOrSelf(type));
  if (!format)
    return std::nullopt;
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return type.isIntOrIndexOrFloat() ? std::optional<int64_t>(format->getBytes()) : std::nullopt;
  if (!tensor.hasStaticShape() || tensor.getEncoding())
    return std::nullopt;
  std::optional<int64_t> elements = reference::countElements(tensor.getShape());
  return elements && *elements <= reference::kMaxElements ? std::optional<int64_t>(*elements * format->getBytes())
                                                          : std::nullopt;
}

/// A constant, or something that stands for one without taking space.
static bool isFree(Operation *op) { return isa<arith::ConstantOp, tensor::EmptyOp, linalg::FillOp>(op); }

bool Evaluator::isKnown(Value value) {
  if (known.contains(value))
    return true;
  Operation *op = value.getDefiningOp();
  if (!op || !isFree(op) || !getBytes(value.getType()))
    return false;
  return llvm::all_of(op->getOperands(), [&](Value operand) { return isKnown(operand); });
}

FailureOr<Tensor> Evaluator::read(Value value) {
  if (auto found = known.find(value); found != known.end())
    return found->second;
  Operation *op = value.getDefiningOp();
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    FailureOr<Tensor> tensor = Tensor::fromAttribute(constant.getValue(), [&] { return constant.emitError(); });
    if (succeeded(tensor))
      known[value] = *tensor;
    return tensor;
  }
  if (isa<tensor::EmptyOp>(op))
    return Tensor::zeros(getElementTypeOrSelf(value.getType()), cast<RankedTensorType>(value.getType()).getShape());
  SmallVector<Tensor> operands;
  for (Value operand : reference::getReadValues(op)) {
    FailureOr<Tensor> tensor = read(operand);
    if (failed(tensor))
      return failure();
    operands.push_back(*tensor);
  }
  FailureOr<SmallVector<Tensor>> results = reference::evaluateOp(op, operands);
  return failed(results) ? FailureOr<Tensor>(failure()) : FailureOr<Tensor>(results->front());
}

bool Evaluator::isAllowed(Operation *op) {
  int64_t read = 0, written = 0;
  for (Value operand : op->getOperands())
    if (!operand.getDefiningOp<tensor::EmptyOp>() && !operand.getDefiningOp<linalg::FillOp>())
      read += getBytes(operand.getType()).value_or(0);
  for (Type type : op->getResultTypes()) {
    std::optional<int64_t> bytes = getBytes(type);
    if (!bytes)
      return false;
    written += *bytes;
  }
  if (written > limits.smallBytes && written / limits.growth > read)
    return false;
  auto structured = dyn_cast<linalg::LinalgOp>(op);
  int64_t points = 1;
  for (int64_t extent : structured ? structured.getStaticLoopRanges() : SmallVector<int64_t>())
    if (llvm::MulOverflow(points, extent, points) || points > limits.maxPoints)
      return false;
  return true;
}

/// Moves the bytes of a tensor; large weights are transposed more often than anything else is evaluated.
static Tensor transposeBytes(const Tensor &source, ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> shape = permute(source.getShape(), permutation);
  SmallVector<int64_t> strides = permute(ArrayRef<int64_t>(source.getStrides()), permutation);
  Tensor result = *Tensor::zeros(source.getElementType(), shape);
  int64_t bytes = source.getFormat().getBytes(), count = result.getNumElements();
  const char *from = source.getBytes().data();
  char *to = result.getMutableBytes().data();
  SmallVector<int64_t> point(shape.size(), 0);
  for (int64_t position = 0, offset = 0; position < count; ++position) {
    std::memcpy(to + position * bytes, from + offset * bytes, bytes);
    for (int64_t dim = shape.size() - 1; dim >= 0; --dim) {
      offset += strides[dim];
      if (++point[dim] < shape[dim])
        break;
      offset -= strides[dim] * shape[dim];
      point[dim] = 0;
    }
  }
  return result;
}

FailureOr<SmallVector<Tensor>> Evaluator::compute(Operation *op, ArrayRef<Tensor> operands) {
  if (auto moved = dyn_cast<linalg::TransposeOp>(op))
    return SmallVector<Tensor>{transposeBytes(operands[0], moved.getPermutation())};
  reference::EvaluateOptions options;
  options.maxOperations = limits.maxPoints;
  return reference::evaluateOp(op, operands, options);
}

LogicalResult Evaluator::visit(Operation *op) {
  if (isFree(op) || op->getNumResults() == 0 || !isEvaluable(op) || !reference::isSupported(op))
    return success();
  SmallVector<Value> values = reference::getReadValues(op);
  if (!llvm::all_of(values, [&](Value value) { return isKnown(value); }) || !isAllowed(op))
    return success();
  SmallVector<Tensor> operands;
  for (Value operand : values) {
    FailureOr<Tensor> value = read(operand);
    if (failed(value))
      return failure();
    operands.push_back(*value);
  }
  FailureOr<SmallVector<Tensor>> results = compute(op, operands);
  if (failed(results))
    return failure();
  for (auto [value, tensor] : llvm::zip(op->getResults(), *results))
    known[value] = std::move(tensor);
  evaluated.insert(op);
  return success();
}

} // namespace mlir::qtensor::normalize
