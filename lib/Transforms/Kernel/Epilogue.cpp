// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The epilogue of a contraction, cloned onto the vectors that a kernel is about to store.
#include "lib/Transforms/Kernel/ContractLowering.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::qtensor;

static VectorType vectorLike(Value sums, Type element) {
  return VectorType::get(cast<VectorType>(sums.getType()).getShape(), element);
}

bool qtensor::canVectorizeEpilogue(ContractOp op, std::string &reason) {
  Region &region = op.getEpilogue();
  for (Operation &inner : region.front().without_terminator()) {
    bool elementwise = OpTrait::hasElementwiseMappableTraits(&inner) && inner.getNumResults() == 1;
    if (!elementwise && !isa<arith::ConstantOp>(inner)) {
      reason = ("the epilogue has " + inner.getName().getStringRef() + ", which is not elementwise").str();
      return false;
    }
  }
  WalkResult captured = region.walk([&](Operation *inner) {
    for (Value operand : inner->getOperands())
      if (!region.isAncestor(operand.getParentRegion()) && !matchPattern(operand, m_Constant()))
        return WalkResult::interrupt();
    return WalkResult::advance();
  });
  if (captured.wasInterrupted())
    reason = "the epilogue uses a value from outside";
  return !captured.wasInterrupted();
}

void qtensor::printEpilogue(ContractOp op, llvm::raw_ostream &os) {
  // Values by number: their printed names depend on what surrounds the region.
  Block &body = op.getEpilogue().front();
  DenseMap<Value, size_t> numbers;
  for (BlockArgument argument : body.getArguments())
    numbers.try_emplace(argument, numbers.size());
  for (Operation &inner : body) {
    os << inner.getName() << inner.getAttrDictionary();
    for (Value operand : inner.getOperands()) {
      Attribute value;
      if (auto known = numbers.find(operand); known != numbers.end())
        os << " %" << known->second;
      else if (matchPattern(operand, m_Constant(&value)))
        os << ' ' << value;
    }
    for (Value result : inner.getResults()) {
      os << ':' << result.getType();
      numbers.try_emplace(result, numbers.size());
    }
    os << '\n';
  }
}

static Value splatConstant(ImplicitLocOpBuilder &b, Value sums, TypedAttr value) {
  return arith::ConstantOp::create(b, DenseElementsAttr::get(vectorLike(sums, value.getType()), Attribute(value)));
}

Value qtensor::cloneEpilogue(ImplicitLocOpBuilder &b, ContractOp op, Value sums, ValueRange elements) {
  Block &body = op.getEpilogue().front();
  IRMapping mapping;
  mapping.map(body.getArgument(0), sums);
  mapping.map(body.getArguments().drop_front(), elements);
  auto mapped = [&](Value operand) {
    TypedAttr value;
    if (!mapping.contains(operand) && matchPattern(operand, m_Constant(&value)))
      mapping.map(operand, splatConstant(b, sums, value));
    return mapping.lookup(operand);
  };
  for (Operation &inner : body.without_terminator()) {
    if (isa<arith::ConstantOp>(inner))
      continue; // splat where it is used
    SmallVector<Value> operands = llvm::map_to_vector(inner.getOperands(), mapped);
    OperationState state(inner.getLoc(), inner.getName(), operands, {vectorLike(sums, inner.getResult(0).getType())},
                         inner.getAttrs());
    mapping.map(inner.getResult(0), b.create(state)->getResult(0));
  }
  return mapped(body.getTerminator()->getOperand(0));
}

Value qtensor::loadEpilogueVector(ImplicitLocOpBuilder &b, Value buffer, ValueRange index, Value mask, Value sums) {
  VectorType type = vectorLike(sums, cast<MemRefType>(buffer.getType()).getElementType());
  if (!mask)
    return vector::LoadOp::create(b, type, buffer, index);
  Value none = arith::ConstantOp::create(b, b.getZeroAttr(type));
  return vector::MaskedLoadOp::create(b, type, buffer, index, mask, none);
}

Value qtensor::broadcastEpilogueElement(ImplicitLocOpBuilder &b, Value buffer, Value index, Value sums) {
  Value at = index ? index : arith::ConstantIndexOp::create(b, 0).getResult();
  Value element = memref::LoadOp::create(b, buffer, ValueRange{at});
  return vector::BroadcastOp::create(b, vectorLike(sums, element.getType()), element);
}

Value qtensor::cloneEpilogueOnScalars(ImplicitLocOpBuilder &b, Region &region, Value sum, ValueRange elements) {
  Block &body = region.front();
  IRMapping mapping;
  mapping.map(body.getArgument(0), sum);
  mapping.map(body.getArguments().drop_front(), elements);
  for (Operation &inner : body.without_terminator())
    b.clone(inner, mapping);
  return mapping.lookupOrDefault(body.getTerminator()->getOperand(0));
}
