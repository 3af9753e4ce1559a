// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Extents/TensorExtents.h"
#include "dialects/QTensor/IR/QTensorOps.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::qtensor;

TensorExtents::TensorExtents(func::FuncOp function, Loops loops)
    : function(function), loops(loops), recorder(*this), b(OpBuilder::atBlockBegin(&function.front(), &recorder)),
      math(b), loc(function.getLoc()) {
  math.setLoc(loc);
  for (BlockArgument argument : function.getArguments()) // Whoever asks first, these are the same ever after.
    if (auto type = dyn_cast<RankedTensorType>(argument.getType()))
      for (int64_t dim : llvm::seq<int64_t>(0, type.getRank()))
        of(argument, dim);
}

TensorExtents::~TensorExtents() {
  for (Operation *op : llvm::reverse(written))
    if (op->use_empty())
      op->erase();
}

void TensorExtents::setLoc(Location location) {
  loc = location;
  math.setLoc(location);
}

void TensorExtents::Recorder::notifyOperationInserted(Operation *op, OpBuilder::InsertPoint) {
  if (!isMemoryEffectFree(op))
    return; // Others stay whether they are used or not.
  extents.written.push_back(op);
  if (extents.b.getInsertionPoint() == std::next(op->getIterator()))
    extents.atFront.insert(op);
}

bool TensorExtents::isKnown(OpFoldResult extent) {
  auto value = dyn_cast<Value>(extent);
  if (!value)
    return true;
  if (auto argument = dyn_cast<BlockArgument>(value))
    return argument.getOwner() == &function.front();
  auto found = known.find(value);
  if (found != known.end())
    return found->second;
  Operation *op = value.getDefiningOp();
  bool isFromExtents =
      atFront.contains(op) && llvm::all_of(op->getOperands(), [&](Value operand) { return isKnown(operand); });
  return known[value] = isFromExtents;
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

OpFoldResult TensorExtents::of(Value tensor, int64_t dim) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if (!type.isDynamicDim(dim))
    return math.constant(type.getDimSize(dim));
  if (auto found = extents.find({tensor, dim}); found != extents.end())
    return found->second;
  OpFoldResult extent = compute(tensor, dim);
  extents.insert({{tensor, dim}, extent});
  return extent;
}

void TensorExtents::visit(Operation *op) {
  setLoc(op->getLoc());
  for (Value result : op->getResults()) {
    if (auto type = dyn_cast<RankedTensorType>(result.getType()))
      for (int64_t dim : llvm::seq<int64_t>(0, type.getRank()))
        of(result, dim);
    if (result.getType().isIntOrIndex() && !result.getType().isInteger(1))
      number(result);
  }
}

OpFoldResult TensorExtents::compute(Value tensor, int64_t dim) {
  if (auto argument = dyn_cast<BlockArgument>(tensor))
    return ofArgument(argument, dim);
  return ofResult(cast<OpResult>(tensor), dim);
}

OpFoldResult TensorExtents::unknown(Value tensor, int64_t dim) {
  OpBuilder at(b.getContext(), &recorder);
  at.setInsertionPointAfterValue(tensor);
  return tensor::DimOp::create(at, loc, tensor, dim).getResult();
}

OpFoldResult TensorExtents::ofArgument(BlockArgument tensor, int64_t dim) {
  Operation *parent = tensor.getOwner()->getParentOp();
  if (parent == function)
    return tensor::DimOp::create(b, loc, tensor, dim).getResult();
  if (auto forall = dyn_cast<scf::ForallOp>(parent))
    return of(forall.getTiedOpOperand(tensor)->get(), dim);
  if (isa<scf::ForOp, scf::WhileOp>(parent))
    enter(parent);
  if (auto loop = dyn_cast<scf::WhileOp>(parent); loop && tensor.getOwner() == loop.getAfterBody())
    if (OpFoldResult passed = of(loop.getConditionOp().getArgs()[tensor.getArgNumber()], dim); isKnown(passed))
      return passed;
  if (auto found = extents.find({tensor, dim}); found != extents.end())
    return found->second;
  return unknown(tensor, dim);
}

OpFoldResult TensorExtents::either(Value first, Value second, OpResult result, int64_t dim) {
  OpFoldResult extent = of(first, dim);
  return isKnown(extent) && math.equal(extent, of(second, dim)) == true ? extent : unknown(result, dim);
}

OpFoldResult TensorExtents::ofResult(OpResult tensor, int64_t dim) {
  Operation *op = tensor.getOwner();
  unsigned number = tensor.getResultNumber();
  if (isa<scf::ForOp, scf::WhileOp>(op))
    enter(op);
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    Value init = loop.getInitArgs()[number];
    // Of a loop that leaves it alone.
    return math.equal(of(loop.getRegionIterArgs()[number], dim), of(init, dim)) == true ? of(init, dim)
                                                                                        : unknown(tensor, dim);
  }
  if (auto loop = dyn_cast<scf::WhileOp>(op)) {
    OpFoldResult passed = of(loop.getConditionOp().getArgs()[number], dim);
    return isKnown(passed) ? passed : unknown(tensor, dim);
  }
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return either(branch.thenYield().getOperand(number), branch.elseYield().getOperand(number), tensor, dim);
  if (auto select = dyn_cast<arith::SelectOp>(op))
    return either(select.getTrueValue(), select.getFalseValue(), tensor, dim);
  if (auto forall = dyn_cast<scf::ForallOp>(op))
    return of(forall.getTiedOpOperand(tensor)->get(), dim);
  if (auto destination = dyn_cast<DestinationStyleOpInterface>(op))
    return of(destination.getTiedOpOperand(tensor)->get(), dim);
  if (isa<QuantizeOp, DequantizeOp, AssembleOp, RequantizeOp>(op)) // codes come first
    return of(op->getOperand(0), dim);
  if (auto insert = dyn_cast<InsertOp>(op))
    return of(insert.getDest(), dim);
  if (auto component = dyn_cast<ComponentOp>(op); component && component.getName() == "codes")
    return of(component.getSource(), dim);
  if (isa<tensor::CastOp>(op) && isa<RankedTensorType>(op->getOperand(0).getType()))
    return of(op->getOperand(0), dim);
  if (auto reshape = dyn_cast<tensor::ReshapeOp>(op))
    if (auto shape = reshape.getShape().getDefiningOp<tensor::FromElementsOp>())
      return this->number(OpFoldResult(shape.getElements()[dim]));
  if (OpTrait::hasElementwiseMappableTraits(op))
    for (Value operand : op->getOperands())
      if (isa<RankedTensorType>(operand.getType()))
        return of(operand, dim);
  return reify(tensor, dim);
}

OpFoldResult TensorExtents::reify(OpResult tensor, int64_t dim) {
  auto shaped = dyn_cast<ReifyRankedShapedTypeOpInterface>(tensor.getOwner());
  if (!shaped)
    return unknown(tensor, dim);
  OpBuilder at(shaped, &recorder); // What it writes goes with all that nobody uses.
  ReifiedRankedShapedTypeDims shapes;
  if (failed(shaped.reifyResultShapes(at, shapes)) || shapes.size() <= tensor.getResultNumber() ||
      shapes[tensor.getResultNumber()].size() <= size_t(dim))
    return unknown(tensor, dim);
  return number(shapes[tensor.getResultNumber()][dim]);
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

SmallVector<CarriedTensor> qtensor::getCarriedTensors(Operation *loop) {
  SmallVector<CarriedTensor> carried;
  auto add = [&](ValueRange inits, ValueRange arguments, ValueRange yielded) {
    for (auto [init, argument, next] : llvm::zip_equal(inits, arguments, yielded))
      if (isa<RankedTensorType>(argument.getType()))
        carried.push_back({init, argument, next});
  };
  if (auto counted = dyn_cast<scf::ForOp>(loop))
    add(counted.getInitArgs(), counted.getRegionIterArgs(), counted.getYieldedValues());
  else if (auto open = dyn_cast<scf::WhileOp>(loop))
    add(open.getInits(), open.getBeforeArguments(), open.getYieldOp().getOperands());
  return carried;
}

void TensorExtents::enter(Operation *loop) {
  if (entered.insert(loop))
    enter(loop, getCarriedTensors(loop));
}

TensorExtents::Scope::Scope(TensorExtents &extents)
    : extents(extents), extentCount(extents.extents.size()), numberCount(extents.numbers.size()),
      enteredCount(extents.entered.size()) {}

void TensorExtents::Scope::restore() {
  while (extents.extents.size() > extentCount)
    extents.extents.pop_back();
  while (extents.numbers.size() > numberCount)
    extents.numbers.pop_back();
  while (extents.entered.size() > enteredCount)
    extents.entered.pop_back();
  extents.copies.clear();
}

/// By induction: an extent that an iteration yields as it was given is that of the first. Whatever was concluded from
/// an extent that turns out to change is forgotten.
void TensorExtents::enter(Operation *loop, ArrayRef<CarriedTensor> carried) {
  using Extent = std::pair<const CarriedTensor *, int64_t>;
  SmallVector<Extent> stay;
  for (const CarriedTensor &tensor : carried)
    for (auto [dim, extent] : llvm::enumerate(cast<RankedTensorType>(tensor.argument.getType()).getShape()))
      if (ShapedType::isDynamic(extent)) {
        of(tensor.init, dim);
        stay.push_back({&tensor, dim});
      }
  auto stays = [&](Extent extent) {
    OpFoldResult before = of(extent.first->init, extent.second), after = of(extent.first->yielded, extent.second);
    std::optional<bool> isEqual = math.equal(before, after);
    // What never shrinks, or never grows, is not meant to stay.
    bool mayBeMeant = math.less(before, after) != false && math.less(after, before) != false;
    return isEqual.value_or(loops == Loops::Required && isKnown(before) && isKnown(after) && mayBeMeant);
  };
  for (bool again = true; again;) {
    Scope scope(*this);
    auto assume = [&] {
      for (auto [tensor, dim] : stay)
        extents.insert({{tensor->argument, dim}, of(tensor->init, dim)});
    };
    assume();
    SmallVector<Extent> kept, change;
    for (Extent extent : stay)
      (stays(extent) ? kept : change).push_back(extent);
    stay = std::move(kept);
    scope.restore(); // What is concluded inside of the loop may depend on its counter too.
    for (auto [tensor, dim] : change)
      extents.insert({{tensor->argument, dim}, unknown(tensor->argument, dim)});
    again = !change.empty();
    if (!again)
      assume();
    scope.keep();
  }
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

OpFoldResult TensorExtents::number(OpFoldResult value) {
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return math.constant(*constant);
  auto number = cast<Value>(value);
  if (auto found = numbers.find(number); found != numbers.end())
    return found->second;
  OpFoldResult result = evaluate(number);
  numbers.insert({number, result});
  return result;
}

OpFoldResult TensorExtents::unknown(Value number) {
  if (number.getType().isIndex())
    return number;
  OpBuilder at(b.getContext(), &recorder);
  at.setInsertionPointAfterValue(number);
  return arith::IndexCastOp::create(at, loc, b.getIndexType(), number).getResult();
}

OpFoldResult TensorExtents::evaluate(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || (atFront.contains(op) && isKnown(value)))
    return unknown(value);
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    auto type = dyn_cast<RankedTensorType>(dim.getSource().getType());
    std::optional<int64_t> axis = dim.getConstantIndex();
    return type && axis && *axis >= 0 && *axis < type.getRank() ? of(dim.getSource(), *axis) : unknown(value);
  }
  if (op->getNumResults() == 1)
    if (std::optional<OpFoldResult> result = arithmetic(op))
      return *result;
  Value copied = copy(value);
  if (!copied)
    return unknown(value);
  if (copied.getType().isIndex())
    return copied;
  return unique(arith::IndexCastOp::create(b, loc, b.getIndexType(), copied));
}

std::optional<OpFoldResult> TensorExtents::arithmetic(Operation *op) {
  auto at = [&](unsigned operand) { return number(op->getOperand(operand)); };
  auto divisor = [&] { return DimMath::number(at(1)).value_or(0); };
  using Result = std::optional<OpFoldResult>;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case<arith::AddIOp>([&](auto) { return Result(math.add(at(0), at(1))); })
      .Case<arith::SubIOp>([&](auto) { return Result(math.sub(at(0), at(1))); })
      .Case<arith::MulIOp>([&](auto) { return Result(math.mul(at(0), at(1))); })
      .Case<arith::MinSIOp>([&](auto) { return Result(math.min(at(0), at(1))); })
      .Case<arith::MaxSIOp>([&](auto) { return Result(math.max(at(0), at(1))); })
      .Case<arith::FloorDivSIOp>(
          [&](auto) { return divisor() > 0 ? Result(math.floorDiv(at(0), at(1))) : math.exactDiv(at(0), at(1)); })
      .Case<arith::CeilDivSIOp>(
          [&](auto) { return divisor() > 0 ? Result(math.ceilDiv(at(0), at(1))) : math.exactDiv(at(0), at(1)); })
      .Case<arith::DivSIOp>(
          [&](auto) { return divisor() > 0 ? Result(math.truncDiv(at(0), at(1))) : math.exactDiv(at(0), at(1)); })
      .Case<arith::IndexCastOp, arith::ExtSIOp>([&](auto) { return Result(at(0)); })
      .Case<arith::SelectOp>([&](auto) {
        OpFoldResult first = at(1);
        return math.equal(first, at(2)) == true ? Result(first) : Result();
      })
      .Case<affine::AffineApplyOp>([&](affine::AffineApplyOp apply) {
        AffineMap map = apply.getAffineMap();
        return this->apply(map.getResult(0), map.getNumDims(), apply.getMapOperands());
      })
      .Case<affine::AffineMinOp, affine::AffineMaxOp>([&](auto extreme) {
        Result result;
        for (AffineExpr expr : extreme.getMap().getResults()) {
          Result next = apply(expr, extreme.getMap().getNumDims(), extreme.getOperands());
          if (!next)
            return Result();
          bool isMin = isa<affine::AffineMinOp>(op);
          result = !result ? next : isMin ? math.min(*result, *next) : math.max(*result, *next);
        }
        return result;
      })
      .Default([](Operation *) { return Result(); });
}

std::optional<OpFoldResult> TensorExtents::apply(AffineExpr expr, unsigned dims, ValueRange operands) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return math.constant(constant.getValue());
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return number(operands[dim.getPosition()]);
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return number(operands[dims + symbol.getPosition()]);
  auto binary = cast<AffineBinaryOpExpr>(expr);
  auto left = apply(binary.getLHS(), dims, operands), right = apply(binary.getRHS(), dims, operands);
  if (!left || !right)
    return std::nullopt;
  if (expr.getKind() == AffineExprKind::Add)
    return math.add(*left, *right);
  if (expr.getKind() == AffineExprKind::Mul)
    return math.mul(*left, *right);
  if (DimMath::number(*right).value_or(0) <= 0)
    return expr.getKind() == AffineExprKind::Mod ? std::nullopt : math.exactDiv(*left, *right);
  if (expr.getKind() == AffineExprKind::FloorDiv)
    return math.floorDiv(*left, *right);
  if (expr.getKind() == AffineExprKind::CeilDiv)
    return math.ceilDiv(*left, *right);
  return math.sub(*left, math.mul(math.floorDiv(*left, *right), *right));
}

/// The same op that was written before, if there is one: `op`, which is new, goes in the end.
Value TensorExtents::unique(Operation *op) {
  llvm::hash_code hash =
      OperationEquivalence::computeHash(op, OperationEquivalence::directHashValue,
                                        OperationEquivalence::ignoreHashValue, OperationEquivalence::IgnoreLocations);
  for (auto [at, end] = copied.equal_range(hash); at != end; ++at)
    if (OperationEquivalence::isEquivalentTo(op, at->second, OperationEquivalence::IgnoreLocations))
      return at->second->getResult(0);
  copied.insert({hash, op});
  return op->getResult(0);
}

/// `value`, of its own type, at the beginning of the function; null if it depends on more than extents.
Value TensorExtents::atEntry(Value value) {
  if (!value.getType().isIntOrIndex())
    return {};
  if (value.getType().isInteger(1))
    return copy(value);
  OpFoldResult result = number(value);
  if (!isKnown(result))
    return {};
  Value index = dyn_cast<Value>(result);
  if (!index)
    index = unique(math.value(result, loc).getDefiningOp());
  return value.getType().isIndex() ? index : unique(arith::IndexCastOp::create(b, loc, value.getType(), index));
}

/// A scalar op, written once more at the beginning of the function, where it is computed whatever branches are taken.
Value TensorExtents::copy(Value value) {
  if (auto found = copies.find(value); found != copies.end())
    return found->second;
  Operation *op = value.getDefiningOp();
  if (!op || op->getNumRegions() || op->getNumResults() != 1 || !value.getType().isIntOrIndex() ||
      !isMemoryEffectFree(op) || !isSpeculatable(op))
    return {};
  IRMapping map;
  for (Value operand : op->getOperands()) {
    Value copied = atEntry(operand);
    if (!copied)
      return {};
    map.map(operand, copied);
  }
  return copies[value] = unique(b.clone(*op, map));
}

Value TensorExtents::condition(Value value) { return copy(value); }

//===----------------------------------------------------------------------===//
// What is given
//===----------------------------------------------------------------------===//

void TensorExtents::assumeNames() {
  std::map<StringRef, OpFoldResult> named;
  for (BlockArgument argument : function.getArguments()) {
    auto names = function.getArgAttrOfType<ArrayAttr>(argument.getArgNumber(), "qtensor.dims");
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!names || !type)
      continue;
    for (auto [dim, name] : llvm::enumerate(names.getAsValueRange<StringAttr>()))
      if (!name.empty() && dim < size_t(type.getRank()) && type.isDynamicDim(dim))
        if (auto [first, isNew] = named.try_emplace(name, of(argument, dim)); !isNew)
          math.assume(first->second, of(argument, dim));
  }
}

void TensorExtents::assume(cf::AssertOp assertion) {
  if (assertion->getParentOp() == function)
    assumeHolds(assertion.getArg());
}

void TensorExtents::assumeHolds(Value condition) {
  if (auto both = condition.getDefiningOp<arith::AndIOp>()) {
    assumeHolds(both.getLhs());
    assumeHolds(both.getRhs());
  }
  auto compare = condition.getDefiningOp<arith::CmpIOp>();
  if (!compare || compare.getPredicate() != arith::CmpIPredicate::eq || compare.getLhs().getType().isInteger(1) ||
      !compare.getLhs().getType().isIntOrIndex())
    return;
  OpFoldResult left = number(compare.getLhs()), right = number(compare.getRhs());
  if (isKnown(left) && isKnown(right))
    math.assume(left, right);
}
