// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fixed-point arithmetic on elements, as IR. No product here has more than 62 bits, and every shift amount is bounded
// before it is used, so all steps are exact.
#pragma once
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::qtensor::integer {

/// Scalar arithmetic in i64 (comparisons in i1).
class Wide {
public:
  explicit Wide(ImplicitLocOpBuilder &b) : b(b) {}

  Value constant(int64_t value) { return arith::ConstantIntOp::create(b, value, 64); }
  Value extend(Value value) {
    return value.getType().isInteger(64) ? value : arith::ExtSIOp::create(b, b.getI64Type(), value).getResult();
  }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, x, y); }
  Value sub(Value x, Value y) { return arith::SubIOp::create(b, x, y); }
  Value mul(Value x, Value y) { return arith::MulIOp::create(b, x, y); }
  Value both(Value x, Value y) { return arith::AndIOp::create(b, x, y); }
  Value left(Value x, Value bits) { return arith::ShLIOp::create(b, x, bits); }
  Value right(Value x, Value bits) { return arith::ShRSIOp::create(b, x, bits); }
  Value least(Value x, Value y) { return arith::MinSIOp::create(b, x, y); }
  Value most(Value x, Value y) { return arith::MaxSIOp::create(b, x, y); }
  Value clamp(Value x, int64_t low, int64_t high) { return least(most(x, constant(low)), constant(high)); }
  Value select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, condition, x, y); }
  Value compare(arith::CmpIPredicate predicate, Value x, Value y) { return arith::CmpIOp::create(b, predicate, x, y); }
  /// 1 where the condition holds, else 0.
  Value count(Value condition) { return arith::ExtUIOp::create(b, b.getI64Type(), condition); }

  /// The high half of 2xy for 32-bit x and y that are not both -2^31, ties up.
  Value doublingHighMultiply(Value x, Value y) { return right(add(mul(x, y), constant(int64_t(1) << 30)), constant(31)); }

  ImplicitLocOpBuilder &b;
};

/// The exact product with an f32, rounded; what is beyond 2^61 stays beyond any code.
Value mapReal(Wide w, Value accumulator, Value multiplier, RoundingMode rounding);
/// accumulator * multiplier * 2^(shift - 31) with the mode's rounding, saturated to 32 bits. i32 multiplier and shift;
/// the accumulator is an i64 of at most 32 bits, or of at most 48 for `x16`.
Value mapFixed(Wide w, Value accumulator, Value multiplier, Value shift, FixedMode mode);
/// value / 2^bits, ties away from zero; i64 bits, at most 31 (0 beyond).
Value divideByPowerOfTwo(Wide w, Value value, Value bits);
/// 1 / (1 + a) as Q0.31 for a in [0, 1) as Q0.31: three steps of Newton.
Value emitOneOverOnePlus(Wide w, Value a);
/// 1 / (1 + exp(-x)) and tanh(x) as Q0.15 for a = 3 * 2^12 * x, by lines between the entries of `table`, the constant that
/// emitSigmoidTable makes. As reference::logisticByTable and tanhByTable.
Value emitLogisticByTable(Wide w, Value table, Value a);
Value emitTanhByTable(Wide w, Value table, Value a);
Value emitSigmoidTable(ImplicitLocOpBuilder &b);
/// What a table over all codes holds for one of them; of signed codes it starts at the lowest.
Value emitLookUp(Wide w, Value table, Value code, bool isSigned);
/// The number of leading zeros of a positive i32, without an instruction that some processors lack; and the number
/// shifted left by it.
std::pair<Value, Value> emitHeadroom(Wide w, Value sum);

} // namespace mlir::qtensor::integer
