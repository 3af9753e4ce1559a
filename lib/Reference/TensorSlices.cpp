// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tensor ops that move whole regions: slices, concat, pad.
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "lib/Reference/EncodedRules.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cstring>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::reference;

namespace {
/// A strided box of a row-major tensor, in elements.
struct Box {
  int64_t start = 0;
  SmallVector<int64_t> steps;
};
} // namespace

/// The box of `sizes` elements from `offsets` by `strides`, or nothing when it leaves the tensor.
static std::optional<Box> getBox(const Tensor &tensor, ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes,
                                 ArrayRef<int64_t> strides) {
  Box box;
  bool empty = llvm::is_contained(sizes, 0);
  SmallVector<int64_t> tensorStrides = tensor.getStrides();
  for (int64_t dim = 0; dim < tensor.getRank(); ++dim) {
    if (sizes[dim] < 0)
      return std::nullopt;
    int64_t extent = tensor.getShape()[dim], first = offsets[dim], last = first + (sizes[dim] - 1) * strides[dim];
    if (!empty && (std::min(first, last) < 0 || std::max(first, last) >= extent))
      return std::nullopt;
    box.start += first * tensorStrides[dim];
    box.steps.push_back(strides[dim] * tensorStrides[dim]);
  }
  return box;
}

/// Copies a box of `sizes`; byte pointers are those of the boxes' first elements.
static void copyBox(char *to, ArrayRef<int64_t> toSteps, const char *from, ArrayRef<int64_t> fromSteps,
                    ArrayRef<int64_t> sizes, int64_t bytes) {
  if (sizes.empty()) {
    std::memcpy(to, from, bytes);
    return;
  }
  if (sizes.size() == 1 && toSteps[0] == 1 && fromSteps[0] == 1) {
    std::memcpy(to, from, sizes[0] * bytes);
    return;
  }
  for (int64_t index = 0; index < sizes[0]; ++index)
    copyBox(to + index * toSteps[0] * bytes, toSteps.drop_front(), from + index * fromSteps[0] * bytes,
            fromSteps.drop_front(), sizes.drop_front(), bytes);
}

static InFlightDiagnostic emitOutside(Operation *op, ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes,
                                      const Tensor &tensor) {
  return op->emitOpError("reference: the slice at [")
         << offsets << "] of sizes [" << sizes << "] is not inside the tensor of shape [" << tensor.getShape() << "]";
}

static LogicalResult writeBox(Operation *op, Tensor &destination, const Tensor &source, ArrayRef<int64_t> offsets,
                              ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides) {
  std::optional<Box> box = getBox(destination, offsets, sizes, strides);
  if (!box)
    return emitOutside(op, offsets, sizes, destination);
  std::optional<int64_t> count = countElements(sizes);
  if (!count || *count != source.getNumElements())
    return op->emitOpError("reference: the source of shape [")
           << source.getShape() << "] does not fill the sizes [" << sizes << "]";
  if (*count == 0)
    return success();
  int64_t bytes = destination.getFormat().getBytes();
  SmallVector<int64_t> sourceSteps = source.reshaped(sizes).getStrides();
  copyBox(destination.getMutableBytes().data() + box->start * bytes, box->steps, source.getBytes().data(), sourceSteps,
          sizes, bytes);
  return success();
}

LogicalResult mlir::qtensor::reference::insertSlice(Operation *op, const Tensor &source, ArrayRef<OpFoldResult> offsets,
                                                    ArrayRef<OpFoldResult> sizes, ArrayRef<OpFoldResult> strides,
                                                    Evaluation &evaluation, Tensor &destination) {
  return writeBox(op, destination, source, evaluation.getIndices(offsets), evaluation.getIndices(sizes),
                  evaluation.getIndices(strides));
}

static LogicalResult evaluateExtractSlice(tensor::ExtractSliceOp op, Evaluation &evaluation) {
  if (getBlockEncoding(op.getType()))
    return evaluateEncodedSlice(op, evaluation);
  const Tensor &source = evaluation.get(op.getSource());
  SmallVector<int64_t> offsets = evaluation.getIndices(op.getMixedOffsets());
  SmallVector<int64_t> sizes = evaluation.getIndices(op.getMixedSizes());
  std::optional<Box> box = getBox(source, offsets, sizes, evaluation.getIndices(op.getMixedStrides()));
  if (!box)
    return emitOutside(op, offsets, sizes, source);
  FailureOr<Tensor> result = evaluation.allocate(op, source.getElementType(), sizes);
  if (failed(result))
    return failure();
  int64_t bytes = source.getFormat().getBytes();
  if (result->getNumElements())
    copyBox(result->getMutableBytes().data(), result->getStrides(), source.getBytes().data() + box->start * bytes,
            box->steps, sizes, bytes);
  llvm::SmallBitVector dropped = op.getDroppedDims();
  SmallVector<int64_t> shape;
  for (auto [dim, size] : llvm::enumerate(sizes))
    if (!dropped[dim])
      shape.push_back(size);
  evaluation.set(op.getResult(), result->reshaped(shape));
  return success();
}

static LogicalResult evaluateInsertSlice(tensor::InsertSliceOp op, Evaluation &evaluation) {
  Tensor destination = evaluation.take(op.getDestMutable());
  if (failed(insertSlice(op, evaluation.get(op.getSource()), op.getMixedOffsets(), op.getMixedSizes(),
                         op.getMixedStrides(), evaluation, destination)))
    return failure();
  evaluation.set(op.getResult(), std::move(destination));
  return success();
}

static LogicalResult evaluateConcat(tensor::ConcatOp op, Evaluation &evaluation) {
  int64_t dim = op.getDim();
  SmallVector<int64_t> shape(evaluation.get(op.getInputs().front()).getShape());
  shape[dim] = 0;
  for (Value input : op.getInputs())
    shape[dim] += evaluation.get(input).getShape()[dim];
  FailureOr<Tensor> result = evaluation.allocate(op, op.getResultType().getElementType(), shape);
  if (failed(result))
    return failure();
  SmallVector<int64_t> offsets(shape.size(), 0), strides(shape.size(), 1);
  for (Value input : op.getInputs()) {
    const Tensor &source = evaluation.get(input);
    if (failed(writeBox(op, *result, source, offsets, source.getShape(), strides)))
      return failure();
    offsets[dim] += source.getShape()[dim];
  }
  evaluation.set(op.getResult(), std::move(*result));
  return success();
}

/// Fills `result` with the value that the region of a pad or generate op yields at each index.
static LogicalResult fillFromRegion(Operation *op, Block &block, Tensor &result, Evaluation &evaluation) {
  NumericFormat indexFormat = *NumericFormat::get(IndexType::get(op->getContext()));
  SmallVector<int64_t> strides = result.getStrides();
  for (int64_t position = 0, count = result.getNumElements(); position < count; ++position) {
    SmallVector<Tensor> indices;
    for (auto [stride, extent] : llvm::zip_equal(strides, result.getShape()))
      indices.push_back(Tensor::integer(indexFormat, position / stride % extent));
    FailureOr<SmallVector<Tensor>> yielded = evaluation.evaluateBlock(block, indices);
    if (failed(yielded))
      return failure();
    result.setBits(position, yielded->front().getBits(0));
  }
  return success();
}

static LogicalResult evaluatePad(tensor::PadOp op, Evaluation &evaluation) {
  const Tensor &source = evaluation.get(op.getSource());
  SmallVector<int64_t> low = evaluation.getIndices(op.getMixedLowPad());
  SmallVector<int64_t> high = evaluation.getIndices(op.getMixedHighPad());
  SmallVector<int64_t> shape(source.getShape());
  for (int64_t dim = 0; dim < source.getRank(); ++dim)
    shape[dim] += low[dim] + high[dim];
  FailureOr<Tensor> result = evaluation.allocate(op, source.getElementType(), shape);
  if (failed(result))
    return failure();
  if (Value padding = op.getConstantPaddingValue()) {
    // The value may be a constant inside of the region, which has not been evaluated.
    if (!evaluation.lookup(padding) && failed(evaluation.evaluateOp(padding.getDefiningOp())))
      return failure();
    uint64_t bits = evaluation.get(padding).getBits(0);
    char *data = result->getMutableBytes().data();
    for (int64_t position = 0, count = result->getNumElements(); position < count; ++position)
      writeElement(result->getFormat(), data + position * result->getFormat().getBytes(), bits);
  } else if (failed(fillFromRegion(op, op.getRegion().front(), *result, evaluation))) {
    return failure();
  }
  SmallVector<int64_t> strides(shape.size(), 1);
  if (failed(writeBox(op, *result, source, low, source.getShape(), strides)))
    return failure();
  evaluation.set(op.getResult(), std::move(*result));
  return success();
}

static LogicalResult evaluateGenerate(tensor::GenerateOp op, Evaluation &evaluation) {
  SmallVector<int64_t> shape, dynamic = evaluation.getIndices(op.getDynamicExtents());
  auto next = dynamic.begin();
  for (int64_t extent : op.getType().getShape())
    shape.push_back(ShapedType::isDynamic(extent) ? *next++ : extent);
  FailureOr<Tensor> result = evaluation.allocate(op, op.getType().getElementType(), shape);
  if (failed(result) || failed(fillFromRegion(op, op.getBody().front(), *result, evaluation)))
    return failure();
  evaluation.set(op.getResult(), std::move(*result));
  return success();
}

void mlir::qtensor::reference::addTensorSliceRules(RuleTable &table) {
  addRule<tensor::ExtractSliceOp, evaluateExtractSlice>(table);
  addRule<tensor::InsertSliceOp, evaluateInsertSlice>(table);
  addRule<tensor::ConcatOp, evaluateConcat>(table);
  addRule<tensor::PadOp, evaluatePad>(table);
  addRule<tensor::GenerateOp, evaluateGenerate>(table);
}
