// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What ops need of extents.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Extents/TensorExtents.h"
#include "lib/Transforms/Plan/ExtentTerms.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::rules;

//===----------------------------------------------------------------------===//
// Slices and reshapes
//===----------------------------------------------------------------------===//

/// The slice of `op` along one dimension of operand `whole` lies inside.
static void addSliceRules(Rules &rules, OffsetSizeAndStrideOpInterface op, OpOperand &whole, int64_t dim) {
  OpFoldResult place = op.getMixedOffsets()[dim], count = op.getMixedSizes()[dim], step = op.getMixedStrides()[dim];
  ExtentTerm offset = numberOf(place), size = numberOf(count), stride = numberOf(step);
  ExtentTerm extent = extentOf(whole.get(), dim);
  ExtentTerm latest = [=](const ExtentSource &source) { // The last offset with room for the slice.
    DimMath &math = source.math;
    OpFoldResult beside = math.mul(math.sub(size(source), math.constant(1)), stride(source));
    return math.sub(math.sub(extent(source), beside), math.constant(1));
  };
  ExtentTerm room = [=](const ExtentSource &source) { return source.math.sub(extent(source), offset(source)); };
  std::string slice = "its slice of " + name(whole.getOperandNumber(), dim);
  auto require = [&](ExtentTerm left, ExtentTerm right, StringRef broken, OpOperand *number = nullptr,
                     ExtentTerm nearest = nullptr) -> ExtentRule & {
    rules.push_back({ExtentRule::AtMost, left, right, slice + broken.str(), number, number ? nearest : nullptr});
    return rules.back();
  };
  OpOperand *offsetOperand = nullptr, *sizeOperand = nullptr;
  if (op.isDynamicOffset(dim))
    offsetOperand = &op->getOpOperand(op.getIndexOfDynamicOffset(dim));
  if (op.isDynamicSize(dim))
    sizeOperand = &op->getOpOperand(op.getIndexOfDynamicSize(dim));
  if (!getConstantIntValue(step))
    require(constant(1), stride, " has a stride that is not positive");
  if (sizeOperand) {
    ExtentRule &rule = require(constant(0), size, " has a negative size", sizeOperand, constant(0));
    rule.isSize = rule.isFloor = true;
  }
  if (sizeOperand && getConstantIntValue(step) == 1) {
    ExtentTerm largest = offsetOperand ? extent : room;
    ExtentRule &rule = require(size, largest, " is larger than that", sizeOperand, largest);
    rule.isSize = rule.isForData = true;
  } else if (offsetOperand) {
    require(constant(0), latest, " is larger than that").isForData = true;
  }
  if (offsetOperand)
    require(constant(0), offset, " begins in front of it", offsetOperand, constant(0)).isFloor = true;
  bool isWritten = getConstantIntValue(place) && getConstantIntValue(count) && getConstantIntValue(step);
  if (!isWritten || isOpen(whole.get(), dim))
    require(offset, latest, " goes past its end", offsetOperand, latest);
}

/// The slice of `op` lies inside of operand `whole`; the extents of `part` (may be null), where they are not dropped,
/// are its sizes.
static void addSliceRules(Rules &rules, OffsetSizeAndStrideOpInterface op, OpOperand &whole, OpOperand *part,
                          const llvm::SmallBitVector &dropped) {
  int64_t next = 0;
  for (auto [dim, size] : llvm::enumerate(op.getMixedSizes())) {
    addSliceRules(rules, op, whole, dim);
    if (!part || dropped.test(dim))
      continue;
    if (isOpen(part->get(), next) || !getConstantIntValue(size))
      rules.push_back({ExtentRule::Equal, extentOf(part->get(), next), numberOf(size),
                       name(part->getOperandNumber(), next) + " is not the size of the slice that it fills"});
    ++next;
  }
}

/// A dimension of the result that the type knows is what it is computed from.
static void requireResult(Rules &rules, Value result, int64_t dim, ExtentTerm computed, bool isComputedOpen) {
  if (!isOpen(result, dim) && isComputedOpen)
    rules.push_back({ExtentRule::Equal, std::move(computed), extentOf(result, dim),
                     ("dimension " + Twine(dim) + " of its result is not " +
                      Twine(cast<RankedTensorType>(result.getType()).getDimSize(dim)))
                         .str()});
}

static void addConcatRules(Rules &rules, tensor::ConcatOp op) {
  int64_t axis = op.getDim();
  OpOperand &first = op->getOpOperand(0);
  for (OpOperand &operand : op->getOpOperands().drop_front())
    for (int64_t dim : llvm::seq<int64_t>(0, op.getResultType().getRank()))
      if (dim != axis)
        requireSame(rules, operand, dim, first, dim);
  for (int64_t dim : llvm::seq<int64_t>(0, op.getResultType().getRank()))
    if (dim != axis)
      requireResult(rules, op.getResult(), dim, extentOf(first.get(), dim), isOpen(first.get(), dim));
  auto sum = [inputs = SmallVector<Value>(op.getInputs()), axis](const ExtentSource &source) {
    OpFoldResult sum = source.math.constant(0);
    for (Value input : inputs)
      sum = source.math.add(sum, source.extent(input, axis));
    return sum;
  };
  bool isAnyOpen = llvm::any_of(op.getInputs(), [&](Value input) { return isOpen(input, axis); });
  requireResult(rules, op.getResult(), axis, sum, isAnyOpen);
}

static void addPadRules(Rules &rules, tensor::PadOp op) {
  for (auto [dim, low, high] : llvm::enumerate(op.getMixedLowPad(), op.getMixedHighPad())) {
    for (OpFoldResult pad : {low, high})
      if (!getConstantIntValue(pad))
        rules.push_back({ExtentRule::AtMost, constant(0), numberOf(pad),
                         ("the padding of dimension " + Twine(dim) + " is negative").str()});
    int64_t axis = dim;
    auto sum = [source = op.getSource(), axis, low = numberOf(low), high = numberOf(high)](const ExtentSource &at) {
      return at.math.add(at.math.add(low(at), high(at)), at.extent(source, axis));
    };
    requireResult(rules, op.getResult(), axis, sum,
                  isOpen(op.getSource(), axis) || !getConstantIntValue(low) || !getConstantIntValue(high));
  }
}

static ExtentTerm product(ArrayRef<ExtentTerm> factors) {
  return [factors = SmallVector<ExtentTerm>(factors)](const ExtentSource &source) {
    return source.math.product(llvm::map_to_vector(factors, [&](const ExtentTerm &term) { return term(source); }));
  };
}

static void addExpandRules(Rules &rules, tensor::ExpandShapeOp op) {
  SmallVector<OpFoldResult> extents = op.getMixedOutputShape();
  for (auto [dim, group] : llvm::enumerate(op.getReassociationIndices())) {
    SmallVector<ExtentTerm> factors;
    for (int64_t index : group)
      factors.push_back(numberOf(extents[index]));
    auto isAnyOpen = [&](int64_t index) { return !getConstantIntValue(extents[index]); };
    if (llvm::count_if(group, isAnyOpen) > 1) // Negative numbers may have the right product.
      for (int64_t index : llvm::make_filter_range(group, isAnyOpen))
        rules.push_back({ExtentRule::AtMost, constant(0), numberOf(extents[index]),
                         ("dimension " + Twine(index) + " of its result is negative").str()});
    if (llvm::any_of(group, isAnyOpen) || isOpen(op.getSrc(), dim))
      rules.push_back({ExtentRule::Equal, product(factors), extentOf(op.getSrc(), dim),
                       ("what it makes of dimension " + Twine(dim) + " has another number of elements").str()});
  }
}

static void addReshapeRules(Rules &rules, tensor::ReshapeOp op) {
  auto elements = op.getShape().getDefiningOp<tensor::FromElementsOp>();
  auto type = dyn_cast<RankedTensorType>(op.getSource().getType());
  auto result = dyn_cast<RankedTensorType>(op.getType());
  if (!elements || !type || !result || (type.hasStaticShape() && result.hasStaticShape()))
    return;
  SmallVector<ExtentTerm> extents, factors;
  for (int64_t dim : llvm::seq<int64_t>(0, type.getRank()))
    extents.push_back(extentOf(op.getSource(), dim));
  for (auto [dim, element] : llvm::enumerate(elements.getElements())) {
    factors.push_back(numberOf(element));
    requireResult(rules, op.getResult(), dim, factors.back(), !getConstantIntValue(element));
    rules.push_back({ExtentRule::AtMost, constant(0), factors.back(),
                     ("dimension " + Twine(dim) + " of its result is negative").str()});
  }
  rules.push_back({ExtentRule::Equal, product(factors), product(extents),
                   "the shape has another number of elements than its input"});
}

//===----------------------------------------------------------------------===//
// All
//===----------------------------------------------------------------------===//

/// An index of tensor.extract or tensor.insert is one of the dimension.
static void addIndexRules(Rules &rules, OpOperand &tensor, OperandRange indices) {
  for (auto [dim, index] : llvm::enumerate(indices)) {
    ExtentTerm at = numberOf(OpFoldResult(index));
    std::string text = "its index into " + name(tensor.getOperandNumber(), dim);
    if (getConstantIntValue(index) && !isOpen(tensor.get(), dim))
      continue;
    ExtentTerm extent = extentOf(tensor.get(), dim), last = [=](const ExtentSource &source) {
      return source.math.sub(extent(source), source.math.constant(1));
    };
    rules.push_back({ExtentRule::AtMost, constant(1), extent, text + " is one of none"});
    rules.back().isForData = true;
    OpOperand *number = &tensor.getOwner()->getOpOperand(tensor.getOperandNumber() + 1 + dim);
    rules.push_back(
        {ExtentRule::AtMost, constant(0), at, text + " is negative", number, constant(0), /*isFloor=*/true});
    rules.push_back({ExtentRule::AtMost, at, last, text + " is past the last element", number, last});
  }
}

static void addCastRules(Rules &rules, tensor::CastOp op) {
  auto source = dyn_cast<RankedTensorType>(op.getSource().getType());
  if (source && isa<RankedTensorType>(op.getType()))
    for (int64_t dim : llvm::seq<int64_t>(0, source.getRank()))
      requireResult(rules, op.getResult(), dim, extentOf(op.getSource(), dim), source.isDynamicDim(dim));
}

/// One memory holds a tensor that a loop carries.
static void addCarryRules(Rules &rules, Operation *loop) {
  for (const CarriedTensor &tensor : getCarriedTensors(loop))
    for (int64_t dim : llvm::seq<int64_t>(0, cast<RankedTensorType>(tensor.argument.getType()).getRank())) {
      if (!isOpen(tensor.argument, dim))
        continue;
      rules.push_back({ExtentRule::Equal, extentOf(tensor.yielded, dim), extentOf(tensor.init, dim),
                       ("dimension " + Twine(dim) + " of a tensor that the loop carries changes").str()});
      rules.back().isUnconditional = true;
    }
}

static void addElementwiseRules(Rules &rules, Operation *op) {
  OpOperand *first = nullptr;
  for (OpOperand &operand : op->getOpOperands())
    if (auto type = dyn_cast<RankedTensorType>(operand.get().getType())) {
      for (int64_t dim : llvm::seq<int64_t>(0, first ? type.getRank() : 0))
        requireSame(rules, operand, dim, *first, dim);
      first = first ? first : &operand;
    }
  // A result that says more than the operands.
  for (Value result : first ? op->getResults() : ResultRange(nullptr, 0))
    if (auto type = dyn_cast<RankedTensorType>(result.getType()))
      for (int64_t dim : llvm::seq<int64_t>(0, type.getRank()))
        requireResult(rules, result, dim, extentOf(first->get(), dim), isOpen(first->get(), dim));
}

SmallVector<ExtentRule> qtensor::getExtentRules(Operation *op) {
  Rules rules;
  if (llvm::any_of(op->getOperandTypes(), llvm::IsaPred<BaseMemRefType, UnrankedTensorType>))
    return rules; // No part of a model.
  llvm::TypeSwitch<Operation *>(op)
      .Case<linalg::LinalgOp>([&](auto loops) {
        addLoopRules(rules, loops.getIndexingMapsArray(), pointers(op->getOpOperands()));
        if (auto generic = dyn_cast<linalg::GenericOp>(op))
          addLookupRules(rules, generic);
      })
      .Case<linalg::SoftmaxOp>([&](auto) {
        AffineMap same = AffineMap::getMultiDimIdentityMap(
            cast<RankedTensorType>(op->getOperand(0).getType()).getRank(), op->getContext());
        addLoopRules(rules, {same, same}, pointers(op->getOpOperands()));
      })
      .Case<tensor::ExtractSliceOp>(
          [&](auto slice) { addSliceRules(rules, slice, slice.getSourceMutable(), nullptr, slice.getDroppedDims()); })
      .Case<tensor::InsertSliceOp, tensor::ParallelInsertSliceOp>([&](auto slice) {
        addSliceRules(rules, slice, slice.getDestMutable(), &slice.getSourceMutable(), slice.getDroppedDims());
      })
      .Case<InsertOp>([&](InsertOp insert) {
        llvm::SmallBitVector none(insert.getSourceType().getRank());
        addSliceRules(rules, insert, insert.getDestMutable(), &insert.getSourceMutable(), none);
      })
      .Case<tensor::ExtractOp>([&](auto read) { addIndexRules(rules, read.getTensorMutable(), read.getIndices()); })
      .Case<tensor::InsertOp>([&](auto write) { addIndexRules(rules, write.getDestMutable(), write.getIndices()); })
      .Case<tensor::ConcatOp>([&](auto concat) { addConcatRules(rules, concat); })
      .Case<tensor::PadOp>([&](auto pad) { addPadRules(rules, pad); })
      .Case<tensor::ExpandShapeOp>([&](auto expand) { addExpandRules(rules, expand); })
      .Case<tensor::ReshapeOp>([&](auto reshape) { addReshapeRules(rules, reshape); })
      .Case<tensor::CastOp>([&](auto cast) { addCastRules(rules, cast); })
      .Case<scf::ForOp, scf::WhileOp>([&](auto) { addCarryRules(rules, op); })
      .Default([&](Operation *) {
        if (OpTrait::hasElementwiseMappableTraits(op))
          addElementwiseRules(rules, op);
        else
          addEncodedRules(rules, op);
      });
  return rules;
}
