// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Reference/Program.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;
using namespace mlir::qtensor::reference;

static Lane toLane(const Tensor &scalar) {
  Lane lane;
  if (scalar.getFormat().isFloat())
    lane.real = scalar.getReal(0);
  else
    lane.bits = scalar.getBits(0);
  return lane;
}

/// tensor.extract: the last operands are the indices of `source`.
static void extractLanes(const Instruction &instruction, Machine &machine, size_t count) {
  Lane *result = machine[instruction.result];
  ArrayRef<int64_t> shape = instruction.source.getShape();
  for (size_t lane = 0; lane < count; ++lane) {
    int64_t position = 0;
    for (size_t dim = 0; dim < shape.size(); ++dim) {
      int64_t index = int64_t(machine[instruction.operands[dim]][lane].bits);
      if (index < 0 || index >= shape[dim]) {
        machine.failure = "tensor.extract index is out of bounds";
        return;
      }
      position = position * shape[dim] + index;
    }
    if (instruction.to.isFloat())
      result[lane].real = instruction.source.getReal(position);
    else
      result[lane].bits = instruction.source.getBits(position);
  }
}

namespace {
/// Assigns registers and appends instructions.
class Compiler {
public:
  Compiler(function_ref<const Tensor *(Value)> capture) : capture(capture) {}

  uint32_t define(Value value) { return registers[value] = program.numRegisters++; }
  /// The register of a value; an outside scalar becomes a constant.
  FailureOr<uint32_t> use(Value value);
  LogicalResult compile(Operation *op);
  LogicalResult compileInstruction(Operation *op);
  LogicalResult compileExtract(tensor::ExtractOp op);

  Program program;

private:
  function_ref<const Tensor *(Value)> capture;
  llvm::DenseMap<Value, uint32_t> registers;
};
} // namespace

FailureOr<uint32_t> Compiler::use(Value value) {
  auto known = registers.find(value);
  if (known != registers.end())
    return known->second;
  const Tensor *outside = capture(value);
  if (!outside || outside->getRank() != 0)
    return failure();
  uint32_t reg = define(value);
  program.constants.push_back({reg, toLane(*outside)});
  return reg;
}

LogicalResult Compiler::compileInstruction(Operation *op) {
  Instruction instruction;
  if (op->getNumOperands() == 0 || op->getNumResults() == 0 || op->getNumRegions() != 0)
    return failure();
  std::optional<NumericFormat> from = NumericFormat::get(getElementTypeOrSelf(op->getOperand(0).getType()));
  std::optional<NumericFormat> to = NumericFormat::get(getElementTypeOrSelf(op->getResult(0).getType()));
  if (!from || !to)
    return failure();
  instruction.from = *from;
  instruction.to = *to;
  if (!selectArith(op, instruction) && !selectMath(op, instruction))
    return failure();
  for (Value operand : op->getOperands()) {
    FailureOr<uint32_t> reg = use(operand);
    if (failed(reg))
      return failure();
    instruction.operands.push_back(*reg);
  }
  instruction.result = define(op->getResult(0));
  if (op->getNumResults() > 1)
    instruction.secondResult = define(op->getResult(1));
  program.instructions.push_back(std::move(instruction));
  return success();
}

LogicalResult Compiler::compileExtract(tensor::ExtractOp op) {
  Instruction instruction;
  const Tensor *source = capture(op.getTensor());
  if (!source)
    return failure();
  instruction.kernel = extractLanes;
  instruction.source = *source;
  instruction.from = instruction.to = source->getFormat();
  for (Value index : op.getIndices()) {
    FailureOr<uint32_t> reg = use(index);
    if (failed(reg))
      return failure();
    instruction.operands.push_back(*reg);
  }
  instruction.result = define(op.getResult());
  program.instructions.push_back(std::move(instruction));
  return success();
}

LogicalResult Compiler::compile(Operation *op) {
  if (auto index = dyn_cast<linalg::IndexOp>(op)) {
    program.indices.push_back({define(index.getResult()), int64_t(index.getDim())});
    return success();
  }
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    if (isa<ShapedType>(constant.getType()))
      return failure();
    FailureOr<Tensor> value = Tensor::fromAttribute(constant.getValue(), [&] { return op->emitOpError(); });
    if (failed(value))
      return failure();
    program.constants.push_back({define(constant.getResult()), toLane(*value)});
    return success();
  }
  if (auto extract = dyn_cast<tensor::ExtractOp>(op))
    return compileExtract(extract);
  return compileInstruction(op);
}

FailureOr<Program> mlir::qtensor::reference::compileBlock(Block &block, function_ref<const Tensor *(Value)> capture) {
  Compiler compiler(capture);
  for (BlockArgument argument : block.getArguments())
    compiler.define(argument);
  compiler.program.numArguments = block.getNumArguments();
  for (Operation &op : block.without_terminator())
    if (failed(compiler.compile(&op)))
      return failure();
  for (Value yielded : block.getTerminator()->getOperands()) {
    FailureOr<uint32_t> reg = compiler.use(yielded);
    if (failed(reg))
      return failure();
    compiler.program.results.push_back(*reg);
  }
  return std::move(compiler.program);
}

FailureOr<Program> mlir::qtensor::reference::compileOp(Operation *op) {
  Compiler compiler([](Value) -> const Tensor * { return nullptr; });
  // An operand that appears twice keeps its last register; both hold the same tensor.
  for (Value operand : op->getOperands())
    compiler.define(operand);
  compiler.program.numArguments = op->getNumOperands();
  if (failed(compiler.compileInstruction(op)))
    return failure();
  compiler.program.results.push_back(compiler.program.instructions.back().result);
  if (op->getNumResults() > 1)
    compiler.program.results.push_back(compiler.program.instructions.back().secondResult);
  return std::move(compiler.program);
}
