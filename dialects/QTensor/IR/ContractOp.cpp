// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Verifiers of the contraction family: contract and epilogue.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::qtensor;

/// Region arguments: the accumulator, then one element per extra operand; it yields one output element.
static LogicalResult verifyEpilogueRegion(Operation *op, StringRef clause, Region &region, Type accumulator,
                                          OperandRange extra, ArrayAttr extraMaps, unsigned outputRank, Type output) {
  Block &body = region.front();
  if (body.getNumArguments() != 1 + extra.size())
    return op->emitOpError() << "clause " << clause << ": the epilogue takes the accumulator and " << extra.size()
                             << " extra elements, got " << body.getNumArguments() << " arguments";
  if (accumulator && body.getArgument(0).getType() != accumulator)
    return op->emitOpError() << "clause " << clause << ": the first argument is the accumulator, " << accumulator;
  if (extraMaps.size() != extra.size())
    return op->emitOpError() << "clause " << clause << ": one map per extra operand";
  for (auto [index, value] : llvm::enumerate(extra)) {
    auto type = cast<ShapedType>(value.getType());
    auto map = dyn_cast<AffineMapAttr>(extraMaps[index]);
    if (!map || map.getValue().getNumDims() != outputRank || map.getValue().getNumResults() != type.getRank() ||
        !map.getValue().isProjectedPermutation(/*allowZeroInResults=*/true))
      return op->emitOpError() << "clause " << clause << ": map of extra operand " << index
                               << " projects the output's " << outputRank << " dimensions onto its " << type.getRank();
    if (body.getArgument(1 + index).getType() != type.getElementType())
      return op->emitOpError() << "clause " << clause << ": argument " << 1 + index << " is " << type.getElementType();
  }
  auto yield = cast<YieldOp>(body.getTerminator());
  if (yield.getValues().size() != 1 || yield.getValues()[0].getType() != output)
    return op->emitOpError() << "clause " << clause << ": the epilogue yields one " << output;
  return success();
}

//===----------------------------------------------------------------------===//
// ContractOp
//===----------------------------------------------------------------------===//

bool ContractOp::hasEmptyEpilogue() {
  Block &body = getEpilogue().front();
  auto yield = cast<YieldOp>(body.getTerminator());
  return yield.getValues().size() == 1 && yield.getValues()[0] == body.getArgument(0);
}

static LogicalResult verifyMaps(ContractOp op) {
  if (op.getIndexingMaps().size() != 3 || !llvm::all_of(op.getIndexingMaps(), llvm::IsaPred<AffineMapAttr>))
    return op.emitOpError() << "clause K1: indexing maps of lhs, rhs and output";
  unsigned dims = op.getIteratorTypes().size();
  for (Attribute iterator : op.getIteratorTypes()) {
    auto name = dyn_cast<StringAttr>(iterator);
    if (!name || (name.getValue() != "parallel" && name.getValue() != "reduction"))
      return op.emitOpError() << "clause K1: iterators are \"parallel\" or \"reduction\"";
  }
  for (AffineMap map : {op.getLhsMap(), op.getRhsMap(), op.getOutputMap()})
    if (map.getNumDims() != dims || map.getNumSymbols())
      return op.emitOpError() << "clause K1: every map is over the " << dims << " iterators";
  AffineMap output = op.getOutputMap();
  if (!output.isProjectedPermutation())
    return op.emitOpError() << "clause K1: the output map is a projected permutation";
  for (AffineExpr expr : output.getResults())
    if (cast<StringAttr>(op.getIteratorTypes()[cast<AffineDimExpr>(expr).getPosition()]).getValue() != "parallel")
      return op.emitOpError() << "clause K1: the output has no reduction dimension";
  return success();
}

/// One plain operand, or as many as the encoding has components (plus the sums).
static LogicalResult verifyOperandGroup(ContractOp op, StringRef side, OperandRange group,
                                        std::optional<BlockAttr> encoding, bool sums, AffineMap map) {
  if (group.empty())
    return op.emitOpError() << "clause K2: " << side << " has no operand";
  auto first = cast<ShapedType>(group.front().getType());
  if (first.getRank() != map.getNumResults())
    return op.emitOpError() << "clause K2: " << side << " has rank " << first.getRank() << ", its map "
                            << map.getNumResults() << " results";
  SmallVector<Component> components;
  if (encoding)
    encoding->getComponents(first.getShape(), op.getContext(), components);
  size_t expected = encoding ? components.size() + sums : 1;
  if (group.size() != expected)
    return op.emitOpError() << "clause K2: " << side << " has " << expected << " operands for its encoding, got "
                            << group.size();
  for (auto [value, component] : llvm::zip(group, components)) {
    auto type = cast<ShapedType>(value.getType());
    if (type.getElementType() != component.type.getElementType() ||
        failed(verifyCompatibleShape(type.getShape(), component.type.getShape())))
      return op.emitOpError() << "clause K2: " << side << " component '" << component.name << "' is "
                              << component.type << ", got " << type;
  }
  return success();
}

LogicalResult ContractOp::verify() {
  if (failed(verifyMaps(*this)) ||
      failed(verifyOperandGroup(*this, "lhs", getLhs(), getLhsEncoding(), getLhsSums(), getLhsMap())))
    return failure();
  if (getRhsLayout()) {
    if (getRhs().size() != 1 || !cast<ShapedType>(getRhs()[0].getType()).getElementType().isInteger(8) ||
        cast<ShapedType>(getRhs()[0].getType()).getRank() != 1)
      return emitOpError() << "clause K3: a packed rhs is one tensor of bytes";
  } else if (failed(verifyOperandGroup(*this, "rhs", getRhs(), getRhsEncoding(), false, getRhsMap()))) {
    return failure();
  }
  if (getStrategy().getKind() == StrategyKind::Integer && (!getLhsEncoding() || !getRhsEncoding()))
    return emitOpError() << "clause K4: the integer strategy needs both sides encoded; use float";
  auto output = cast<ShapedType>(getOutput().getType());
  if (output.getRank() != getOutputMap().getNumResults())
    return emitOpError() << "clause K5: the output has rank " << output.getRank() << ", its map "
                         << getOutputMap().getNumResults() << " results";
  SmallVector<Type> expected;
  if (isa<RankedTensorType>(output))
    expected.push_back(output);
  if (TypeRange(expected) != getOperation()->getResultTypes())
    return emitOpError() << "clause K5: one result of the type of a tensor destination";
  Block &body = getEpilogue().front();
  Type accumulator = body.getNumArguments() ? body.getArgument(0).getType() : Type();
  if (accumulator && !accumulator.isF32() && !accumulator.isInteger(32))
    return emitOpError() << "clause K6: accumulators are f32 or i32, got " << accumulator;
  return verifyEpilogueRegion(*this, "K7", getEpilogue(), {}, getExtra(), getExtraMaps(), output.getRank(),
                              output.getElementType());
}

//===----------------------------------------------------------------------===//
// EpilogueOp
//===----------------------------------------------------------------------===//

LogicalResult EpilogueOp::verify() {
  auto accumulator = cast<ShapedType>(getAccumulator().getType()), output = cast<ShapedType>(getOutput().getType());
  if (failed(verifyCompatibleShape(accumulator.getShape(), output.getShape())))
    return emitOpError() << "clause L1: accumulator and output have the same shape";
  return verifyEpilogueRegion(*this, "L1", getBody(), accumulator.getElementType(), getExtra(), getExtraMaps(),
                              output.getRank(), output.getElementType());
}
