// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Scalar programs: the payload of a structured op, or one elementwise op, compiled once into register instructions that
// each work on a row of lanes. Internal to the reference.
#pragma once
#include "lib/Reference/Tensor.h"
#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"

namespace mlir::qtensor::reference {

/// One scalar in flight: floats as double, integers zero-extended.
union Lane {
  double real;
  uint64_t bits;
};

/// Lanes of one register. A loop nest runs as many points of one parallel dimension at a time.
inline constexpr size_t kLanes = 256;

struct Instruction;

/// The state of one run: registers of kLanes lanes each, and why a lane failed (a static text) if one did.
struct Machine {
  Lane *registers;
  const char *failure = nullptr;

  Lane *operator[](uint32_t reg) { return registers + reg * kLanes; }
};

using Kernel = void (*)(const Instruction &, Machine &, size_t count);

/// `kernel` reads the registers `operands` and writes `result` (and `secondResult` for the ops with two results).
struct Instruction {
  Kernel kernel = nullptr;
  uint32_t result = 0, secondResult = 0;
  SmallVector<uint32_t, 3> operands;
  NumericFormat from, to; // of the first operand and of the first result
  int64_t immediate = 0;  // a predicate
  Tensor source;          // tensor.extract: what is read
};

/// Fills `kernel` and `immediate` of the instruction for an arith or math op; false when the op is of neither dialect
/// or has no scalar meaning here. `from` and `to` are set.
bool selectArith(Operation *op, Instruction &instruction);
bool selectMath(Operation *op, Instruction &instruction);

/// A compiled block or op.
struct Program {
  SmallVector<Instruction> instructions;
  uint32_t numRegisters = 0;
  uint32_t numArguments = 0;                         // registers [0, numArguments)
  SmallVector<std::pair<uint32_t, Lane>> constants;  // registers set once
  SmallVector<std::pair<uint32_t, int64_t>> indices; // registers that hold a loop index
  SmallVector<uint32_t> results;                     // registers of the yielded values
};

/// Compiles a block that ends in a yield. `capture` gives the value of anything defined outside the block. Fails
/// without a diagnostic when the block holds an op that has no instruction (the caller then interprets it point by
/// point).
FailureOr<Program> compileBlock(Block &block, function_ref<const Tensor *(Value)> capture);

/// Compiles one elementwise op whose operands are the arguments.
FailureOr<Program> compileOp(Operation *op);

/// Runs all instructions on `count` lanes.
inline void runProgram(const Program &program, Machine &machine, size_t count) {
  for (const Instruction &instruction : program.instructions)
    instruction.kernel(instruction, machine, count);
}

} // namespace mlir::qtensor::reference
