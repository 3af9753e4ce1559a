// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/Firmware/FrameRules.h"
#include "llvm/DebugInfo/DWARF/DWARFDebugFrame.h"

using namespace mlir::qtensor;
using namespace llvm;

namespace {
/// constant + stack * (stack pointer) + lengths * (length of a vector register).
struct Sum {
  int64_t constant = 0, stack = 0, lengths = 0;

  bool isConstant() const { return stack == 0 && lengths == 0; }
};
} // namespace

static Sum add(const Sum &x, const Sum &y) {
  return {x.constant + y.constant, x.stack + y.stack, x.lengths + y.lengths};
}

/// What a register holds with an offset; none: another register.
static std::optional<Sum> valueOf(uint64_t reg, int64_t offset, const ScaledFrames &registers) {
  if (reg == registers.stackPointer)
    return Sum{offset, 1, 0};
  if (reg == registers.vectorLength)
    return Sum{offset, 0, 1};
  return std::nullopt;
}

/// One operation that takes nothing from the stack of the expression; none: it is another one.
static std::optional<Sum> evaluateOperand(const DWARFExpression::Operation &op, const ScaledFrames &registers) {
  unsigned code = op.getCode();
  if (code >= dwarf::DW_OP_breg0 && code <= dwarf::DW_OP_breg31)
    return valueOf(code - dwarf::DW_OP_breg0, int64_t(op.getRawOperand(0)), registers);
  if (code == dwarf::DW_OP_bregx)
    return valueOf(op.getRawOperand(0), int64_t(op.getRawOperand(1)), registers);
  if (code >= dwarf::DW_OP_lit0 && code <= dwarf::DW_OP_lit31)
    return Sum{int64_t(code - dwarf::DW_OP_lit0)};
  if (code == dwarf::DW_OP_consts || code == dwarf::DW_OP_constu)
    return Sum{int64_t(op.getRawOperand(0))};
  return std::nullopt;
}

/// The top two of an expression's stack, combined; none: not a linear sum of the two registers.
static std::optional<Sum> combine(unsigned code, const Sum &x, const Sum &y) {
  if (code == dwarf::DW_OP_plus)
    return add(x, y);
  if (code != dwarf::DW_OP_mul || !(x.isConstant() || y.isConstant()))
    return std::nullopt;
  const Sum &factor = x.isConstant() ? x : y, &of = x.isConstant() ? y : x;
  return Sum{factor.constant * of.constant, factor.constant * of.stack, factor.constant * of.lengths};
}

static std::optional<Sum> evaluate(const DWARFExpression &expression, const ScaledFrames &registers) {
  SmallVector<Sum> stack;
  for (const DWARFExpression::Operation &op : expression) {
    if (op.isError())
      return std::nullopt;
    std::optional<Sum> value = evaluateOperand(op, registers);
    if (!value && op.getCode() == dwarf::DW_OP_plus_uconst && !stack.empty())
      value = add(stack.pop_back_val(), {int64_t(op.getRawOperand(0))});
    if (!value && stack.size() >= 2) {
      Sum y = stack.pop_back_val(), x = stack.pop_back_val();
      value = combine(op.getCode(), x, y);
    }
    if (!value)
      return std::nullopt;
    stack.push_back(*value);
  }
  return stack.size() == 1 ? std::optional(stack.front()) : std::nullopt;
}

/// Where the caller's frame begins.
static std::optional<Sum> evaluate(const dwarf::UnwindLocation &frame, const ScaledFrames &registers) {
  if (frame.getLocation() == dwarf::UnwindLocation::RegPlusOffset)
    return valueOf(frame.getRegister(), frame.getOffset(), registers);
  if (frame.getLocation() == dwarf::UnwindLocation::DWARFExpr)
    return evaluate(*frame.getDWARFExpressionBytes(), registers);
  return std::nullopt;
}

Expected<FrameSize> mlir::qtensor::measureFrame(const dwarf::FDE &rules, const ScaledFrames &registers) {
  auto table = dwarf::createUnwindTable(&rules);
  if (!table)
    return table.takeError();
  FrameSize most;
  for (const dwarf::UnwindRow &row : *table) {
    std::optional<Sum> frame = evaluate(row.getCFAValue(), registers);
    if (!frame || frame->stack != 1 || frame->lengths < 0 || frame->constant < 0)
      return createStringError("its frame does not begin at the stack pointer (section .debug_frame)");
    most = {std::max(most.bytes, uint64_t(frame->constant)), std::max(most.lengths, uint64_t(frame->lengths))};
  }
  return most;
}
