// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Extents that have to agree, in models whose importer could not say so.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Extents/TensorExtents.h"
#include "lib/Transforms/Plan/CheckLookups.h"
#include "lib/Transforms/Plan/ExtentRules.h"
#include "lib/Transforms/Plan/Passes.h"
#include "lib/Transforms/Plan/States.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Iterators.h"
#include "llvm/Support/Path.h"
#include <set>

namespace mlir::qtensor {
#define GEN_PASS_DEF_CHECKEXTENTS
#include "lib/Transforms/Plan/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

/// Loops inside of more than this many others, and beyond, are checked as if their counters were data.
static constexpr unsigned kMostCorners = 4;

/// The op as an error would name it; of a file only its name, since messages end up in artifacts.
static std::string describe(Operation *op) {
  std::string text = ("'" + op->getName().getStringRef() + "'").str();
  op->getLoc()->walk([&](Location part) {
    if (auto file = dyn_cast<FileLineColLoc>(part)) {
      text += (" at " + llvm::sys::path::filename(file.getFilename()) + ":" + Twine(file.getLine()) + ":" +
               Twine(file.getColumn()))
                  .str();
      return WalkResult::interrupt();
    }
    if (auto name = dyn_cast<NameLoc>(part)) {
      text += " '" + name.getName().str() + "'";
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return text;
}

namespace {
class Checker {
public:
  explicit Checker(func::FuncOp main) : main(main), extents(main, TensorExtents::Loops::Required) {}
  LogicalResult run();

private:
  /// Of a counter: `end` is no value of it.
  struct Ends {
    OpFoldResult first, last, end;
  };

  void findDead();
  void visit(Block &block);
  std::optional<Ends> endsOf(LoopLikeOpInterface loop, unsigned counter);
  void visitCounters(LoopLikeOpInterface loop, unsigned counter);
  void visitBranch(scf::IfOp branch);
  void visitUnder(Value condition, bool holds, Block &block);
  void checkAll(Operation *op);
  bool check(Operation *op, const ExtentRule &rule);
  void emitAtEntry(Operation *op, const ExtentRule &rule, OpFoldResult left, OpFoldResult right);
  bool isStateWrite(Operation *op);
  bool emitInPlace(Operation *op, const ExtentRule &rule, const ExtentSource &known);
  bool boundSize(Operation *op, const ExtentRule &rule, OpFoldResult limit);
  LogicalResult checkBodies();

  func::FuncOp main;
  TensorExtents extents;
  DenseSet<Operation *> dead;
  /// What has to be so for the op that is looked at to run, as far as that follows from extents.
  SmallVector<Value> guards;
  unsigned corners = 0; ///< Loops around it whose counter has one of its two ends.
  std::set<std::tuple<ExtentRule::Kind, void *, std::vector<void *>>> emitted; ///< At the entry.
  std::set<std::pair<Operation *, std::string>> said; ///< In the place of an op, or as an error.
  std::set<std::tuple<void *, void *, bool>> bounds;  ///< Numbers that are data, and what they are at least or at most.
  std::set<OpOperand *> seen, open; ///< Indices in bodies: those of which some rule is no matter of extents alone.
  bool failed = false;
};
} // namespace

/// What nobody uses will be erased; it must not keep a model from running.
void Checker::findDead() {
  main->walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
    if (wouldOpBeTriviallyDead(op) &&
        llvm::all_of(op->getUsers(), [&](Operation *user) { return dead.contains(user); }))
      dead.insert(op);
  });
}

void Checker::visitUnder(Value condition, bool holds, Block &block) {
  extents.setLoc(condition.getLoc());
  Value guard = extents.condition(condition);
  if (guard && !holds) {
    OpBuilder &b = extents.getBuilder();
    guard = arith::XOrIOp::create(b, condition.getLoc(), guard,
                                  arith::ConstantOp::create(b, condition.getLoc(), b.getBoolAttr(true)));
  }
  if (guard)
    guards.push_back(guard);
  visit(block);
  if (guard)
    guards.pop_back();
}

void Checker::visitBranch(scf::IfOp branch) {
  visitUnder(branch.getCondition(), true, *branch.thenBlock());
  if (branch.elseBlock())
    visitUnder(branch.getCondition(), false, *branch.elseBlock());
}

/// The first and the last value of a counter, if both follow from extents and not too many loops are around it.
std::optional<Checker::Ends> Checker::endsOf(LoopLikeOpInterface loop, unsigned counter) {
  auto lower = loop.getLoopLowerBounds(), upper = loop.getLoopUpperBounds(), steps = loop.getLoopSteps();
  if (!lower || !upper || !steps || corners == kMostCorners)
    return std::nullopt;
  DimMath &math = extents.getMath();
  OpFoldResult first = extents.number((*lower)[counter]), end = extents.number((*upper)[counter]);
  OpFoldResult step = extents.number((*steps)[counter]);
  if (!extents.isKnown(first) || !extents.isKnown(end) || DimMath::number(step).value_or(0) <= 0)
    return std::nullopt;
  OpFoldResult rounds = math.floorDiv(math.sub(math.sub(end, math.constant(1)), first), step);
  return Ends{first, math.add(first, math.mul(rounds, step)), end};
}

/// The counters from `counter` on take their first and their last value: what holds of offsets there holds in between,
/// and nothing has to be checked while the loop runs.
void Checker::visitCounters(LoopLikeOpInterface loop, unsigned counter) {
  auto counters = loop.getLoopInductionVars();
  if (!counters || counter == counters->size()) {
    for (Region *region : loop.getLoopRegions())
      visit(region->front());
    return;
  }
  std::optional<Ends> ends = endsOf(loop, counter);
  if (!ends)
    return visitCounters(loop, counter + 1);
  DimMath &math = extents.getMath();
  Location loc = loop.getLoc();
  std::optional<bool> runs = math.less(ends->first, ends->end);
  if (runs == false)
    return;
  if (!runs)
    guards.push_back(arith::CmpIOp::create(extents.getBuilder(), loc, arith::CmpIPredicate::slt,
                                           math.value(ends->first, loc), math.value(ends->end, loc)));
  ++corners;
  for (OpFoldResult value : {ends->first, ends->last}) {
    TensorExtents::Scope scope(extents);
    extents.setNumber((*counters)[counter], value);
    visitCounters(loop, counter + 1);
    if (DimMath::same(ends->first, ends->last))
      break;
  }
  --corners;
  if (!runs)
    guards.pop_back();
}

void Checker::visit(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(block)) {
    if (dead.contains(&op))
      continue;
    extents.visit(&op);
    checkAll(&op);
    if (auto assertion = dyn_cast<cf::AssertOp>(op))
      extents.assume(assertion);
    if (auto branch = dyn_cast<scf::IfOp>(op))
      visitBranch(branch);
    else if (auto loop = dyn_cast<LoopLikeOpInterface>(op))
      visitCounters(loop, 0);
    else if (isa<scf::InParallelOp, scf::ExecuteRegionOp, scf::IndexSwitchOp>(op))
      for (Region &region : op.getRegions())
        for (Block &inner : region)
          visit(inner);
  }
}

void Checker::checkAll(Operation *op) {
  std::optional<TensorExtents::Scope> scope;
  if (op->getNumRegions()) // Counters have no values yet for what is concluded about its body.
    scope.emplace(extents);
  // Where the op has another size then, its other rules start from that.
  while (llvm::any_of(getExtentRules(op), [&](const ExtentRule &rule) { return check(op, rule); })) {
  }
}

/// True if a size that the op takes was replaced.
bool Checker::check(Operation *op, const ExtentRule &rule) {
  auto extent = [&](Value tensor, int64_t dim) { return extents.of(tensor, dim); };
  auto number = [&](OpFoldResult index) { return extents.number(index); };
  ExtentSource source = {extents.getMath(), extent, number};
  OpFoldResult left = rule.left(source), right = rule.right(source);
  DimMath &math = extents.getMath();
  if (rule.lookup)
    seen.insert(rule.lookup);
  std::optional<bool> isMore = math.less(right, left);
  std::optional<bool> holds = math.equal(left, right);
  if (rule.kind == ExtentRule::AtMost && holds != true)
    holds = isMore ? std::optional<bool>(!*isMore) : std::nullopt;
  bool hasData = llvm::any_of(op->getOperands(), [&](Value operand) {
    return operand.getType().isIndex() && !extents.isKnown(extents.number(operand));
  });
  if (holds == true || (rule.isForData && !hasData))
    return false;
  if (holds == false && (guards.empty() || rule.isUnconditional)) {
    if (said.insert({op, rule.broken}).second)
      op->emitOpError() << rule.broken << ", whatever the inputs are; correct the model";
    failed = true;
    return false;
  }
  bool isKnown = extents.isKnown(left) && extents.isKnown(right);
  if (rule.isUnconditional && !isKnown)
    return false; // An error of qtensor-make-entry, unless nothing asks for it by then.
  if (isKnown)
    emitAtEntry(op, rule, left, right);
  else if (rule.lookup)
    open.insert(rule.lookup);
  else if (said.insert({op, rule.broken}).second)
    return emitInPlace(op, rule, source);
  return false;
}

static Value compare(OpBuilder &b, Location loc, DimMath &math, const ExtentRule &rule, OpFoldResult left,
                     OpFoldResult right) {
  auto predicate = rule.kind == ExtentRule::Equal ? arith::CmpIPredicate::eq : arith::CmpIPredicate::sle;
  return arith::CmpIOp::create(b, loc, predicate, math.value(left, loc), math.value(right, loc));
}

/// `number`, or `nearest` if it breaks the rule.
static Value bound(OpBuilder &b, Location loc, const ExtentRule &rule, Value number, Value nearest) {
  if (rule.isFloor)
    return arith::MaxSIOp::create(b, loc, number, nearest);
  return arith::MinSIOp::create(b, loc, number, nearest);
}

/// Before anything is read: qtensor-make-entry moves it to @shapes.
void Checker::emitAtEntry(Operation *op, const ExtentRule &rule, OpFoldResult left, OpFoldResult right) {
  OpBuilder &b = extents.getBuilder();
  DimMath &math = extents.getMath();
  Location loc = op->getLoc();
  std::vector<void *> where;
  ArrayRef<Value> guards = rule.isUnconditional ? ArrayRef<Value>() : ArrayRef<Value>(this->guards);
  for (Value guard : guards)
    where.push_back(guard.getAsOpaquePointer());
  if (!emitted.insert({rule.kind, math.sub(right, left).getOpaqueValue(), where}).second)
    return;
  Value holds = compare(b, loc, math, rule, left, right);
  for (Value guard : guards) {
    Value isOff = arith::XOrIOp::create(b, loc, guard, arith::ConstantOp::create(b, loc, b.getBoolAttr(true)));
    holds = arith::OrIOp::create(b, loc, isOff, holds);
  }
  cf::AssertOp::create(b, loc, holds, describe(op) + ": " + rule.broken);
  if (guards.empty() && rule.kind == ExtentRule::Equal)
    math.assume(left, right);
}

/// Whether qtensor-check-state-writes looks at it: it has a better message.
bool Checker::isStateWrite(Operation *op) {
  return op->getBlock() == &main.front() && isa<tensor::InsertSliceOp, InsertOp>(op) &&
         findState(main, op->getOperand(1));
}

/// Where data decide. The run goes on behind a check that fails: an offset is moved to where nothing else is touched.
/// True if a size was replaced.
bool Checker::emitInPlace(Operation *op, const ExtentRule &rule, const ExtentSource &known) {
  if (rule.number && !rule.isSize && isStateWrite(op))
    return false;
  if (rule.isSize && extents.isKnown(rule.nearest(known)))
    return boundSize(op, rule, rule.nearest(known));
  Operation *anchor = isa<scf::InParallelOp>(op->getParentOp()) ? op->getParentOp() : op;
  Location loc = op->getLoc();
  OpBuilder b(anchor);
  DimMath math(b);
  math.setLoc(loc);
  auto extent = [&](Value tensor, int64_t dim) -> OpFoldResult {
    auto type = cast<RankedTensorType>(tensor.getType());
    if (!type.isDynamicDim(dim))
      return math.constant(type.getDimSize(dim));
    return tensor::DimOp::create(b, loc, tensor, dim).getResult();
  };
  auto number = [&](OpFoldResult index) -> OpFoldResult {
    auto value = dyn_cast<Value>(index);
    if (!value || value.getType().isIndex())
      return index;
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), value).getResult();
  };
  ExtentSource source = {math, extent, number};
  OpFoldResult left = rule.left(source), right = rule.right(source);
  cf::AssertOp::create(b, loc, compare(b, loc, math, rule, left, right), describe(op) + ": " + rule.broken);
  if (rule.number && !rule.isSize)
    rule.number->set(bound(b, loc, rule, rule.number->get(), math.value(rule.nearest(source), loc)));
  return false;
}

/// Right behind a size that is data: all that take it have the same one then.
bool Checker::boundSize(Operation *op, const ExtentRule &rule, OpFoldResult limit) {
  Location loc = op->getLoc();
  Value size = rule.number->get();
  if (!bounds.insert({extents.number(size).getOpaqueValue(), limit.getOpaqueValue(), rule.isFloor}).second)
    return false;
  Value nearest = extents.getMath().value(limit, loc);
  OpBuilder b(op);
  b.setInsertionPointAfterValue(size);
  Value holds = arith::CmpIOp::create(b, loc, rule.isFloor ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sle,
                                      size, nearest);
  cf::AssertOp::create(b, loc, holds, describe(op) + ": " + rule.broken);
  Value bounded = bound(b, loc, rule, size, nearest);
  llvm::SmallPtrSet<Operation *, 2> checks = {holds.getDefiningOp(), bounded.getDefiningOp()};
  size.replaceAllUsesExcept(bounded, checks);
  extents.setNumber(bounded, extents.number(size)); // Whatever was concluded from it holds of this one.
  return true;
}

LogicalResult Checker::run() {
  extents.assumeNames();
  findDead();
  visit(main.front());
  if (extents.getMath().overflowed())
    return main.emitError("extents inside of the model do not fit 64 bits");
  return failure(failed || ::failed(checkBodies()));
}

LogicalResult Checker::checkBodies() {
  SmallVector<linalg::GenericOp> ops;
  main.walk([&](linalg::GenericOp op) {
    if (!dead.contains(op) && op.hasPureTensorSemantics())
      ops.push_back(op);
  });
  auto isSettled = [&](OpOperand *index) { return seen.count(index) && !open.count(index); };
  return failure(
      llvm::any_of(ops, [&](linalg::GenericOp op) { return ::failed(checkLookups(op, describe(op), isSettled)); }));
}

namespace {
struct CheckExtents : mlir::qtensor::impl::CheckExtentsBase<CheckExtents> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal() || function.getName() != "main" || !function.getBody().hasOneBlock())
      return;
    if (failed(normalizeLookups(function)) || failed(Checker(function).run()))
      return signalPassFailure();
  }
};
} // namespace
