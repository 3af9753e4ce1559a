// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/Firmware/EmitC.h"
#include "lib/Emit/Firmware/CExpressions.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// One function: every value a variable, every block a label.
class FunctionEmitter {
public:
  FunctionEmitter(LLVM::LLVMFuncOp function, const FirmwareRecord &target)
      : function(function), expressions(target, [this](Value value) { return nameOf(value); }) {}

  LogicalResult run();
  std::string getPrototype(bool isEntry);
  std::string getBody() const { return body; }
  const CExpressions &getExpressions() const { return expressions; }

private:
  std::string nameOf(Value value) {
    return "v" + std::to_string(numbers.try_emplace(value, unsigned(numbers.size())).first->second);
  }
  LogicalResult emit(Operation &op);
  LogicalResult emitPinned(LLVM::InlineAsmOp op);
  void jump(Block *to, ValueRange values);
  LogicalResult declare(Value value);
  void line(const Twine &text) { body += ("  " + text + "\n").str(); }

  LLVM::LLVMFuncOp function;
  DenseMap<Value, unsigned> numbers;
  DenseMap<Block *, unsigned> labels;
  std::string body;
  CExpressions expressions;
};
} // namespace

std::string FunctionEmitter::getPrototype(bool isEntry) {
  std::string text = isEntry ? "" : "static __attribute__((noinline)) ";
  Type result = function.getFunctionType().getReturnType();
  text += isa<LLVM::LLVMVoidType>(result) ? "void " : CExpressions::typeOf(result);
  text += function.getSymName().str() + "(";
  llvm::interleave(
      function.getArguments(), [&](BlockArgument argument) { text += CExpressions::typeOf(argument.getType()) + nameOf(argument); },
      [&] { text += ", "; });
  return text + (function.getNumArguments() ? ")" : "void)");
}

LogicalResult FunctionEmitter::declare(Value value) {
  std::string type = CExpressions::typeOf(value.getType());
  if (type.empty())
    return emitError(value.getLoc()) << "a value of type " << value.getType() << " has no portable C; emit objects for this target";
  line(type + nameOf(value) + ";");
  return success();
}

/// Values of block arguments change together: through copies, since one may be another's source.
void FunctionEmitter::jump(Block *to, ValueRange values) {
  std::string text = "{ ";
  for (auto [i, value] : llvm::enumerate(values))
    text += CExpressions::typeOf(value.getType()) + "t" + std::to_string(i) + " = " + nameOf(value) + "; ";
  for (auto [i, argument] : llvm::enumerate(to->getArguments()))
    text += nameOf(argument) + " = t" + std::to_string(i) + "; ";
  line(text + "goto b" + Twine(labels.lookup(to)) + "; }");
}

/// An empty assembly that keeps values in registers: its results are its operands.
LogicalResult FunctionEmitter::emitPinned(LLVM::InlineAsmOp op) {
  std::string outputs;
  SmallVector<Value> results;
  if (op.getNumResults() && !isa<LLVM::LLVMStructType>(op.getResult(0).getType()))
    results.push_back(op.getResult(0));
  else
    results.resize(op.getOperands().size());
  for (Operation *user : op->getUsers())
    if (auto extract = dyn_cast<LLVM::ExtractValueOp>(user))
      results[extract.getPosition().front()] = extract.getResult();
  for (auto [i, operand] : llvm::enumerate(op.getOperands())) {
    if (!results[i])
      continue;
    line(nameOf(results[i]) + " = " + nameOf(operand) + ";");
    outputs += (outputs.empty() ? "" : ", ") + ("\"+r\"(" + nameOf(results[i]) + ")");
  }
  line("__asm__ volatile(\"\" : " + outputs + ");");
  return success();
}

LogicalResult FunctionEmitter::emit(Operation &op) {
  if (auto pinned = dyn_cast<LLVM::InlineAsmOp>(op); pinned && pinned.getAsmString().empty())
    return emitPinned(pinned);
  if (auto extract = dyn_cast<LLVM::ExtractValueOp>(op); extract && extract.getContainer().getDefiningOp<LLVM::InlineAsmOp>())
    return success();
  if (auto to = dyn_cast<LLVM::BrOp>(op))
    return jump(to.getDest(), to.getDestOperands()), success();
  if (auto to = dyn_cast<LLVM::CondBrOp>(op)) {
    line("if (" + nameOf(to.getCondition()) + ")");
    jump(to.getTrueDest(), to.getTrueDestOperands());
    jump(to.getFalseDest(), to.getFalseDestOperands());
    return success();
  }
  if (auto ret = dyn_cast<LLVM::ReturnOp>(op)) {
    line(ret.getNumOperands() ? "return " + nameOf(ret.getOperand(0)) + ";" : std::string("return;"));
    return success();
  }
  if (isa<LLVM::UnreachableOp>(op))
    return line("__builtin_unreachable();"), success();
  if (auto store = dyn_cast<LLVM::StoreOp>(op)) {
    std::string place = expressions.access(store.getAddr(), store.getValue().getType(), store.getAlignment().value_or(0), false);
    if (place.empty())
      return op.emitError("a store of this type has no portable C");
    return line(place + " = " + nameOf(store.getValue()) + ";"), success();
  }
  if (auto call = dyn_cast<LLVM::CallOp>(op); call && call.getCallee()) {
    std::string text = call.getNumResults() ? nameOf(call.getResult()) + " = " : "";
    text += call.getCallee()->str() + "(";
    llvm::interleave(call.getArgOperands(), [&](Value value) { text += nameOf(value); }, [&] { text += ", "; });
    return line(text + ");"), success();
  }
  std::string expression = op.getNumResults() == 1 ? expressions.spell(op) : "";
  if (expression.empty())
    return op.emitError() << "'" << op.getName() << "' has no portable C; emit objects for this target";
  return line(nameOf(op.getResult(0)) + " = " + expression + ";"), success();
}

LogicalResult FunctionEmitter::run() {
  for (auto [i, block] : llvm::enumerate(function.getBody()))
    labels[&block] = i;
  for (Block &block : function.getBody()) {
    if (!block.isEntryBlock())
      for (BlockArgument argument : block.getArguments())
        if (failed(declare(argument)))
          return failure();
    for (Operation &op : block)
      for (Value result : op.getResults())
        if (!isa<LLVM::LLVMStructType>(result.getType()) && failed(declare(result)))
          return failure();
  }
  for (Block &block : function.getBody()) {
    if (!block.isEntryBlock())
      body += "b" + std::to_string(labels.lookup(&block)) + ":;\n";
    for (Operation &op : block)
      if (failed(emit(op)))
        return failure();
  }
  return success();
}

static void writeBytes(StringRef bytes, llvm::raw_ostream &os) {
  for (auto [i, byte] : llvm::enumerate(bytes))
    os << (i % 32 == 0 ? "\n  " : "") << unsigned(uint8_t(byte)) << ",";
}

/// Constants as bytes, whatever their elements are.
static LogicalResult writeGlobal(LLVM::GlobalOp global, StringRef weights, llvm::raw_ostream &os) {
  StringRef bytes = weights;
  if (Attribute value = global.getValueOrNull()) {
    auto dense = dyn_cast<DenseElementsAttr>(value);
    if (!dense || dense.getElementType().isInteger(1))
      return global.emitError("a constant that is no array of numbers has no portable C");
    ArrayRef<char> raw = dense.getRawData();
    std::string all;
    for (int64_t i = 0, copies = dense.isSplat() ? dense.getNumElements() : 1; i < copies; ++i)
      all.append(raw.begin(), raw.end());
    os << "static const uint8_t " << global.getSymName() << "[" << all.size() << "] __attribute__((aligned("
       << global.getAlignment().value_or(16) << "))) = {";
    writeBytes(all, os);
  } else {
    os << "static const uint8_t " << global.getSymName() << "[" << bytes.size() << "] __attribute__((aligned(16), section(\".rodata."
       << global.getSymName() << "\"))) = {";
    writeBytes(bytes, os);
  }
  os << "\n};\n";
  return success();
}

LogicalResult mlir::qtensor::emitC(ModuleOp module, const FirmwareRecord &target, StringRef entry, StringRef weights,
                                   llvm::raw_ostream &os) {
  std::map<std::string, std::string> types;
  std::set<std::string> headers;
  std::string prototypes, bodies;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
    FunctionEmitter emitter(function, target);
    bool isEntry = function.getSymName() == entry;
    if (function.isExternal()) {
      prototypes += "extern " + emitter.getPrototype(true) + ";\n";
      continue;
    }
    std::string prototype = emitter.getPrototype(isEntry);
    if (failed(emitter.run()))
      return failure();
    prototypes += prototype + ";\n";
    bodies += "\n" + prototype + " {\n" + emitter.getBody() + "}\n";
    types.insert(emitter.getExpressions().getTypes().begin(), emitter.getExpressions().getTypes().end());
    headers.insert(emitter.getExpressions().getHeaders().begin(), emitter.getExpressions().getHeaders().end());
  }
  os << "/* Generated by QTensor. Do not edit. Compile with -ffp-contract=off. */\n#include <stdint.h>\n";
  for (const std::string &header : headers)
    os << "#include <" << header << ">\n";
  os << "\n";
  for (auto &[name, text] : types)
    os << text << "\n";
  os << "\n";
  for (auto global : module.getOps<LLVM::GlobalOp>())
    if (failed(writeGlobal(global, weights, os)))
      return failure();
  os << "\n" << prototypes << bodies;
  return success();
}
