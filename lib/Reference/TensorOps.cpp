// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tensor ops on elements and shapes.
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "lib/Reference/EncodedRules.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cstring>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::reference;

static NumericFormat indexFormat(Operation *op) { return *NumericFormat::get(IndexType::get(op->getContext())); }

/// Static extents of `type` with the dynamic ones filled in order.
static SmallVector<int64_t> fillShape(RankedTensorType type, ArrayRef<int64_t> dynamic) {
  SmallVector<int64_t> shape;
  for (int64_t extent : type.getShape()) {
    if (ShapedType::isDynamic(extent)) {
      extent = dynamic.front();
      dynamic = dynamic.drop_front();
    }
    shape.push_back(extent);
  }
  return shape;
}

static FailureOr<int64_t> getPosition(Operation *op, const Tensor &tensor, ArrayRef<int64_t> indices) {
  int64_t position = 0;
  for (auto [index, extent] : llvm::zip_equal(indices, tensor.getShape())) {
    if (index < 0 || index >= extent)
      return op->emitOpError("reference: index [") << indices << "] is outside of shape [" << tensor.getShape() << "]";
    position = position * extent + index;
  }
  return position;
}

static LogicalResult setReshaped(Operation *op, Evaluation &evaluation, const Tensor &source, ArrayRef<int64_t> shape) {
  std::optional<int64_t> count = countElements(shape);
  if (!count || *count != source.getNumElements())
    return op->emitOpError("reference: shape [") << source.getShape() << "] cannot become [" << shape << "]";
  if (getBlockEncoding(op->getResult(0).getType()))
    return setEncodedReshape(op, evaluation, source, shape);
  evaluation.set(op->getResult(0), source.reshaped(shape));
  return success();
}

static LogicalResult evaluateEmpty(tensor::EmptyOp op, Evaluation &evaluation) {
  SmallVector<int64_t> shape = fillShape(op.getType(), evaluation.getIndices(op.getDynamicSizes()));
  if (getBlockEncoding(op.getType()))
    return setEncodedEmpty(op, evaluation, shape);
  FailureOr<Tensor> result = evaluation.allocate(op, op.getType().getElementType(), shape);
  if (failed(result))
    return failure();
  evaluation.set(op.getResult(), std::move(*result));
  return success();
}

static LogicalResult evaluateSplat(tensor::SplatOp op, Evaluation &evaluation) {
  SmallVector<int64_t> shape = fillShape(op.getType(), evaluation.getIndices(op.getDynamicSizes()));
  FailureOr<Tensor> result = evaluation.allocate(op, op.getType().getElementType(), shape);
  if (failed(result))
    return failure();
  uint64_t bits = evaluation.get(op.getInput()).getBits(0);
  for (int64_t position = 0, count = result->getNumElements(); position < count; ++position)
    result->setBits(position, bits);
  evaluation.set(op.getResult(), std::move(*result));
  return success();
}

static LogicalResult evaluateFromElements(tensor::FromElementsOp op, Evaluation &evaluation) {
  FailureOr<Tensor> result = evaluation.allocate(op, op.getType().getElementType(), op.getType().getShape());
  if (failed(result))
    return failure();
  for (auto [position, element] : llvm::enumerate(op.getElements()))
    result->setBits(position, evaluation.get(element).getBits(0));
  evaluation.set(op.getResult(), std::move(*result));
  return success();
}

static LogicalResult evaluateExtract(tensor::ExtractOp op, Evaluation &evaluation) {
  const Tensor &source = evaluation.get(op.getTensor());
  FailureOr<int64_t> position = getPosition(op, source, evaluation.getIndices(op.getIndices()));
  if (failed(position))
    return failure();
  evaluation.set(op.getResult(), Tensor::integer(source.getFormat(), int64_t(source.getBits(*position))));
  return success();
}

static LogicalResult evaluateInsert(tensor::InsertOp op, Evaluation &evaluation) {
  Tensor result = evaluation.take(op.getDestMutable());
  FailureOr<int64_t> position = getPosition(op, result, evaluation.getIndices(op.getIndices()));
  if (failed(position))
    return failure();
  result.setBits(*position, evaluation.get(op.getScalar()).getBits(0));
  evaluation.set(op.getResult(), std::move(result));
  return success();
}

static LogicalResult evaluateDim(tensor::DimOp op, Evaluation &evaluation) {
  const Tensor &source = evaluation.get(op.getSource());
  int64_t dim = evaluation.getIndex(op.getIndex());
  if (dim < 0 || dim >= source.getRank())
    return op.emitOpError("reference: dimension ") << dim << " of a tensor of rank " << source.getRank();
  evaluation.set(op.getResult(), Tensor::integer(indexFormat(op), source.getShape()[dim]));
  return success();
}

static LogicalResult evaluateRank(tensor::RankOp op, Evaluation &evaluation) {
  evaluation.set(op.getResult(), Tensor::integer(indexFormat(op), evaluation.get(op.getTensor()).getRank()));
  return success();
}

static LogicalResult evaluateCast(tensor::CastOp op, Evaluation &evaluation) {
  evaluation.set(op.getResult(), evaluation.get(op.getSource()));
  return success();
}

static LogicalResult evaluateBitcast(tensor::BitcastOp op, Evaluation &evaluation) {
  std::optional<NumericFormat> format = NumericFormat::get(getElementTypeOrSelf(op.getType()));
  if (!format)
    return op.emitOpError("reference: the result type is not supported");
  evaluation.set(op.getResult(), evaluation.get(op.getSource()).bitcast(*format));
  return success();
}

static LogicalResult evaluateReshape(tensor::ReshapeOp op, Evaluation &evaluation) {
  const Tensor &shape = evaluation.get(op.getShape());
  SmallVector<int64_t> extents;
  for (int64_t dim = 0; dim < shape.getNumElements(); ++dim)
    extents.push_back(shape.getInteger(dim));
  return setReshaped(op, evaluation, evaluation.get(op.getSource()), extents);
}

static LogicalResult evaluateExpand(tensor::ExpandShapeOp op, Evaluation &evaluation) {
  return setReshaped(op, evaluation, evaluation.get(op.getSrc()), evaluation.getIndices(op.getMixedOutputShape()));
}

static LogicalResult evaluateCollapse(tensor::CollapseShapeOp op, Evaluation &evaluation) {
  const Tensor &source = evaluation.get(op.getSrc());
  SmallVector<int64_t> shape;
  for (const ReassociationIndices &group : op.getReassociationIndices()) {
    shape.push_back(1);
    for (int64_t dim : group)
      shape.back() *= source.getShape()[dim];
  }
  return setReshaped(op, evaluation, source, shape);
}

//===----------------------------------------------------------------------===//
// gather and scatter
//===----------------------------------------------------------------------===//

/// Calls `move(indexed position, slice position)` for every element of every slice that the rows of `coordinates` name
/// in a tensor of shape `shape`; slice positions count through all slices in order.
static LogicalResult forEachSliceElement(Operation *op, const Tensor &indexed, const Tensor &coordinates,
                                         ArrayRef<int64_t> dims, function_ref<void(int64_t, int64_t)> move) {
  ArrayRef<int64_t> shape = indexed.getShape();
  int64_t depth = dims.size(), rows = depth ? coordinates.getNumElements() / depth : 0, slice = 0;
  SmallVector<int64_t> free; // dimensions that a slice spans
  for (int64_t dim = 0; dim < indexed.getRank(); ++dim)
    if (!llvm::is_contained(dims, dim))
      free.push_back(dim);
  int64_t sliceSize = 1;
  for (int64_t dim : free)
    sliceSize *= shape[dim];
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t element = 0; element < sliceSize; ++element) {
      SmallVector<int64_t> index(shape.size(), 0);
      for (auto [place, dim] : llvm::enumerate(dims))
        index[dim] = coordinates.getInteger(row * depth + place);
      int64_t rest = element;
      for (int64_t dim : llvm::reverse(free)) {
        index[dim] = rest % shape[dim];
        rest /= shape[dim];
      }
      FailureOr<int64_t> position = getPosition(op, indexed, index);
      if (failed(position))
        return failure();
      move(*position, slice++);
    }
  return success();
}

static LogicalResult evaluateGather(tensor::GatherOp op, Evaluation &evaluation) {
  const Tensor &source = evaluation.get(op.getSource()), &coordinates = evaluation.get(op.getIndices());
  ArrayRef<int64_t> dims = op.getGatherDims(), batch = coordinates.getShape().drop_back();
  SmallVector<int64_t> shape(batch);
  bool keepsUnits = op.getResultType().getRank() == int64_t(batch.size()) + source.getRank();
  for (int64_t dim = 0; dim < source.getRank(); ++dim)
    if (!llvm::is_contained(dims, dim))
      shape.push_back(source.getShape()[dim]);
    else if (keepsUnits)
      shape.push_back(1);
  FailureOr<Tensor> result = evaluation.allocate(op, source.getElementType(), shape);
  if (failed(result) || failed(forEachSliceElement(op, source, coordinates, dims, [&](int64_t from, int64_t to) {
        result->setBits(to, source.getBits(from));
      })))
    return failure();
  evaluation.set(op.getResult(), std::move(*result));
  return success();
}

static LogicalResult evaluateScatter(tensor::ScatterOp op, Evaluation &evaluation) {
  const Tensor &source = evaluation.get(op.getSource()), &coordinates = evaluation.get(op.getIndices());
  Tensor result = evaluation.get(op.getDest());
  int64_t available = source.getNumElements();
  bool enough = true;
  if (failed(forEachSliceElement(op, result, coordinates, op.getScatterDims(), [&](int64_t to, int64_t from) {
        enough = enough && from < available;
        if (enough)
          result.setBits(to, source.getBits(from));
      })))
    return failure();
  if (!enough)
    return op.emitOpError("reference: the source has fewer elements than the indices name");
  evaluation.set(op.getResult(), std::move(result));
  return success();
}

void mlir::qtensor::reference::addTensorRules(RuleTable &table) {
  addRule<tensor::EmptyOp, evaluateEmpty>(table);
  addRule<tensor::SplatOp, evaluateSplat>(table);
  addRule<tensor::FromElementsOp, evaluateFromElements>(table);
  addRule<tensor::ExtractOp, evaluateExtract>(table);
  addRule<tensor::InsertOp, evaluateInsert>(table);
  addRule<tensor::DimOp, evaluateDim>(table);
  addRule<tensor::RankOp, evaluateRank>(table);
  addRule<tensor::CastOp, evaluateCast>(table);
  addRule<tensor::BitcastOp, evaluateBitcast>(table);
  addRule<tensor::ReshapeOp, evaluateReshape>(table);
  addRule<tensor::ExpandShapeOp, evaluateExpand>(table);
  addRule<tensor::CollapseShapeOp, evaluateCollapse>(table);
  addRule<tensor::GatherOp, evaluateGather>(table);
  addRule<tensor::ScatterOp, evaluateScatter>(table);
}
