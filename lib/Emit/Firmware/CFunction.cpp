// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/Firmware/CFunction.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::qtensor;

std::string CFunction::getPrototype(StringRef name, StringRef linkage) {
  Type result = function.getFunctionType().getReturnType();
  std::string text = linkage.str() + (isa<LLVM::LLVMVoidType>(result) ? "void " : file.types.of(result)) + name.str() + "(";
  if (function.isExternal())
    llvm::interleave(
        function.getFunctionType().getParams(), [&](Type type) { text += StringRef(file.types.of(type)).rtrim(); },
        [&] { text += ", "; });
  else
    llvm::interleave(
        function.getArguments(),
        [&](BlockArgument argument) { text += file.types.of(argument.getType()) + nameOf(argument); },
        [&] { text += ", "; });
  return text + (function.getFunctionType().getNumParams() ? ")" : "void)");
}

//===----------------------------------------------------------------------===//
// What gets a line
//===----------------------------------------------------------------------===//

SmallVector<Value> CFunction::usedBy(Operation *op) {
  if (auto match = matches.find(op); match != matches.end())
    return match->second.captured;
  if (auto made = dyn_cast<LLVM::IntToPtrOp>(op))
    if (Value behind = pointerBehind(made))
      return {behind};
  // Values that are pinned together are used where one of them is taken out.
  if (isa<LLVM::InlineAsmOp>(op) && isa<LLVM::LLVMStructType>(op->getResultTypes().front()))
    return {};
  if (auto extract = dyn_cast<LLVM::ExtractValueOp>(op))
    if (auto pinned = extract.getContainer().getDefiningOp<LLVM::InlineAsmOp>())
      return {pinned.getOperands()[extract.getPosition().front()]};
  if (isa<BranchOpInterface>(op)) // what goes along is used where it arrives
    return isa<LLVM::CondBrOp>(op) ? SmallVector<Value>{op->getOperand(0)} : SmallVector<Value>();
  SmallVector<Value> operands(op->getOperands());
  if (auto select = dyn_cast<LLVM::SelectOp>(op))
    if (LLVM::ICmpOp compared = comparedLanes(select)) {
      operands.front() = compared.getLhs();
      operands.push_back(compared.getRhs());
    }
  return operands;
}

/// What the branches to a block give its argument.
static SmallVector<Value> arrivingAt(BlockArgument argument) {
  SmallVector<Value> values;
  Block *block = argument.getOwner();
  for (auto from = block->pred_begin(); from != block->pred_end(); ++from) {
    auto branch = cast<BranchOpInterface>((*from)->getTerminator());
    values.push_back(branch.getSuccessorOperands(from.getSuccessorIndex())[argument.getArgNumber()]);
  }
  return values;
}

void CFunction::plan() {
  DenseSet<Operation *> folded;
  // From the back: an op is part of the largest expression that takes it.
  for (Block &block : function.getBody())
    for (Operation &op : llvm::reverse(block)) {
      if (folded.contains(&op))
        continue;
      if (std::optional<CMatch> match = matchSpelling(&op, file.c)) {
        folded.insert(match->folded.begin(), match->folded.end());
        matches.try_emplace(&op, std::move(*match));
      }
    }
  SmallVector<Value> open;
  auto add = [&](Operation *op) {
    if (!isLiteral(op) && used.insert(op).second)
      open.append(usedBy(op));
  };
  for (Block &block : function.getBody())
    for (Operation &op : block)
      if (op.hasTrait<OpTrait::IsTerminator>() || op.getNumResults() == 0 || isa<LLVM::CallOp>(op) ||
          (isa<LLVM::InlineAsmOp>(op) && !matches.contains(&op)))
        add(&op);
  while (!open.empty()) {
    Value value = open.pop_back_val();
    if (!read.insert(value).second)
      continue;
    if (Operation *op = value.getDefiningOp())
      add(op);
    else
      open.append(arrivingAt(cast<BlockArgument>(value)));
  }
}

//===----------------------------------------------------------------------===//
// Lines
//===----------------------------------------------------------------------===//

LogicalResult CFunction::declare(Value value) {
  std::string type = file.types.of(value);
  if (type.empty())
    return emitError(value.getLoc()) << "a value of type " << value.getType() << " has no C here; emit objects for this target";
  line(type + nameOf(value) + ";");
  return success();
}

LogicalResult CFunction::declareAll() {
  for (Block &block : function.getBody()) {
    if (!block.isEntryBlock())
      for (BlockArgument argument : block.getArguments())
        if (read.contains(argument) && failed(declare(argument)))
          return failure();
    for (Operation &op : block)
      for (Value result : op.getResults())
        if (used.contains(&op) && !isa<LLVM::LLVMStructType>(result.getType()) && failed(declare(result)))
          return failure();
  }
  for (BlockArgument argument : function.getArguments())
    if (!read.contains(argument))
      line("(void)" + nameOf(argument) + ";");
  return success();
}

/// Values of block arguments change together: through copies, since one may be another's source.
void CFunction::jump(Block *to, ValueRange values) {
  std::string text = "{ ", moves;
  for (auto [i, value, argument] : llvm::enumerate(values, to->getArguments())) {
    if (!read.contains(argument))
      continue;
    std::string copy = "t" + std::to_string(i);
    text += file.types.of(value.getType()) + copy + " = " + expressions.use(value) + "; ";
    moves += nameOf(argument) + " = " + copy + "; ";
  }
  line(text + moves + "goto b" + Twine(labels.lookup(to)) + "; }");
}

/// An empty assembly that keeps values in registers: its results are its operands.
LogicalResult CFunction::emitPinned(LLVM::InlineAsmOp op) {
  if (!op.getAsmString().empty())
    return op.emitError("this assembly has no C here; emit objects for this target");
  std::string outputs;
  SmallVector<Value> results;
  if (op.getNumResults() && !isa<LLVM::LLVMStructType>(op.getResult(0).getType()))
    results.push_back(op.getResult(0));
  else // one for each operand that is used
    results.resize(op.getOperands().size());
  for (Operation *user : op->getUsers())
    if (auto extract = dyn_cast<LLVM::ExtractValueOp>(user); extract && used.contains(extract))
      results[extract.getPosition().front()] = extract.getResult();
  for (auto [i, operand] : llvm::enumerate(op.getOperands())) {
    if (!results[i])
      continue;
    line(nameOf(results[i]) + " = " + expressions.use(operand) + ";");
    outputs += (outputs.empty() ? "" : ", ") + ("\"+r\"(" + nameOf(results[i]) + ")");
  }
  if (!outputs.empty())
    line("Q_PIN(" + outputs + ");");
  return success();
}

LogicalResult CFunction::emitInsert(LLVM::InsertElementOp op) {
  line(nameOf(op.getResult()) + " = " + expressions.use(op.getVector()) + ";");
  line(nameOf(op.getResult()) + "[" + expressions.use(op.getPosition()) + "] = " + expressions.use(op.getValue()) + ";");
  return success();
}

LogicalResult CFunction::emitStore(LLVM::StoreOp op) {
  std::string place = expressions.access(op.getAddr(), op.getValue().getType(), op.getAlignment().value_or(0), false);
  if (place.empty())
    return op.emitError("a store of this type has no C here");
  line(place + " = " + expressions.use(op.getValue()) + ";");
  return success();
}

LogicalResult CFunction::emitSpelled(Operation &op, const CMatch &match) {
  file.libraries.insert(match.library);
  std::string text = spell(match, &op, file.c, [&](Value value, bool isSigned) {
    return isSigned && !isa<VectorType>(value.getType()) ? expressions.useSigned(value) : expressions.use(value);
  });
  line((op.getNumResults() ? nameOf(op.getResult(0)) + " = " : std::string()) + text + ";");
  return success();
}

/// Branches, calls and returns.
LogicalResult CFunction::emitFlow(Operation &op) {
  if (auto to = dyn_cast<LLVM::BrOp>(op)) {
    jump(to.getDest(), to.getDestOperands());
  } else if (auto to = dyn_cast<LLVM::CondBrOp>(op)) {
    line("if (" + expressions.use(to.getCondition()) + ")");
    jump(to.getTrueDest(), to.getTrueDestOperands());
    jump(to.getFalseDest(), to.getFalseDestOperands());
  } else if (auto ret = dyn_cast<LLVM::ReturnOp>(op)) {
    line(ret.getNumOperands() ? "return " + expressions.use(ret.getOperand(0)) + ";" : std::string("return;"));
  } else if (isa<LLVM::UnreachableOp>(op)) {
    line("__builtin_unreachable();");
  } else if (auto call = dyn_cast<LLVM::CallOp>(op); call && call.getCallee()) {
    std::string text = call.getNumResults() ? nameOf(call.getResult()) + " = " : "";
    text += call.getCallee()->str() + "(";
    llvm::interleave(call.getArgOperands(), [&](Value value) { text += expressions.use(value); }, [&] { text += ", "; });
    line(text + ");");
  } else {
    return failure();
  }
  return success();
}

LogicalResult CFunction::emit(Operation &op) {
  if (auto match = matches.find(&op); match != matches.end())
    return emitSpelled(op, match->second);
  if (auto pinned = dyn_cast<LLVM::InlineAsmOp>(op))
    return emitPinned(pinned);
  if (auto extract = dyn_cast<LLVM::ExtractValueOp>(op); extract && extract.getContainer().getDefiningOp<LLVM::InlineAsmOp>())
    return success();
  if (auto insert = dyn_cast<LLVM::InsertElementOp>(op))
    return emitInsert(insert);
  if (auto store = dyn_cast<LLVM::StoreOp>(op))
    return emitStore(store);
  if (succeeded(emitFlow(op)))
    return success();
  std::string expression = op.getNumResults() == 1 ? expressions.spell(op) : "";
  auto vector = op.getNumResults() == 1 ? dyn_cast<VectorType>(op.getResult(0).getType()) : VectorType();
  if (expression.empty() && vector && !vector.isScalable())
    if (std::string one = expressions.spellLane(op); !one.empty())
      return line("for (int i = 0; i < " + Twine(vector.getNumElements()) + "; ++i)"),
             line("  " + nameOf(op.getResult(0)) + "[i] = " + one + ";"), success();
  if (expression.empty())
    return op.emitError() << "'" << op.getName() << "' has no C here; emit objects for this target";
  line(nameOf(op.getResult(0)) + " = " + expression + ";");
  return success();
}

LogicalResult CFunction::run() {
  for (auto [i, block] : llvm::enumerate(function.getBody()))
    labels[&block] = i;
  plan();
  if (failed(declareAll()))
    return failure();
  for (Block &block : function.getBody()) {
    if (!block.isEntryBlock())
      body += "b" + std::to_string(labels.lookup(&block)) + ":;\n";
    for (Operation &op : block)
      if (used.contains(&op) && failed(emit(op)))
        return failure();
  }
  return success();
}
