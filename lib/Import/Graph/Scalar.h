// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Scalar arithmetic inside the body of an elementwise op: picks the float or integer op by the operand's type.
#pragma once
#include "lib/Import/Graph/Tensor.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"

namespace mlir::qtensor::graph {

class Scalar {
public:
  Scalar(OpBuilder &builder, Location loc) : b(builder), loc(loc) {}
  OpBuilder &b;
  Location loc;

  /// A constant of a float, integer or index type; integers take the value's low bits.
  Value number(Type type, double value);
  Value like(Value x, double value) { return number(x.getType(), value); }

  Value add(Value x, Value y) { return pick<arith::AddFOp, arith::AddIOp>(x, y); }
  Value sub(Value x, Value y) { return pick<arith::SubFOp, arith::SubIOp>(x, y); }
  Value mul(Value x, Value y) { return pick<arith::MulFOp, arith::MulIOp>(x, y); }
  /// Integers divide towards zero.
  Value div(Value x, Value y, bool isUnsigned = false);
  Value neg(Value x) { return isReal(x) ? make<arith::NegFOp>(x) : sub(like(x, 0), x); }
  Value abs(Value x, bool isUnsigned = false);
  /// NaN where either is NaN.
  Value max(Value x, Value y, bool isUnsigned = false);
  Value min(Value x, Value y, bool isUnsigned = false);
  Value clamp(Value x, Value low, Value high) { return min(max(x, low), high); }

  Value lt(Value x, Value y, bool isUnsigned = false);
  Value le(Value x, Value y, bool isUnsigned = false);
  Value eq(Value x, Value y);
  Value isNan(Value x) { return compare(arith::CmpFPredicate::UNO, x, x); }
  Value select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, loc, condition, x, y); }
  Value logicalAnd(Value x, Value y) { return make<arith::AndIOp>(x, y); }
  Value logicalOr(Value x, Value y) { return make<arith::OrIOp>(x, y); }
  Value logicalNot(Value x) { return make<arith::XOrIOp>(x, like(x, 1)); }

  Value exp(Value x) { return make<math::ExpOp>(x); }
  Value log(Value x) { return make<math::LogOp>(x); }
  Value sqrt(Value x) { return make<math::SqrtOp>(x); }
  Value tanh(Value x) { return make<math::TanhOp>(x); }
  Value erf(Value x) { return make<math::ErfOp>(x); }
  Value floor(Value x) { return make<math::FloorOp>(x); }
  Value roundEven(Value x) { return make<math::RoundEvenOp>(x); }
  /// 1 / (1 + exp(-x)).
  Value sigmoid(Value x);
  /// log(1 + exp(x)) without overflow.
  Value softplus(Value x);

  /// Conversion as ONNX's Cast and TFLite's CAST do it: floats to integers truncate, anything to bool is "not zero".
  Value cast(Value x, Elem from, Elem to);
  /// As above, but what is beyond the largest finite number of a float type below 16 bits becomes that number.
  Value castSaturating(Value x, Elem from, Elem to);
  Value widen(Value x, Type type, bool isUnsigned = false);
  Value index(int64_t dim);

  template <typename OpT, typename... Args> Value make(Args &&...args) {
    return OpT::create(b, loc, std::forward<Args>(args)...);
  }
  Value compare(arith::CmpFPredicate predicate, Value x, Value y) { return make<arith::CmpFOp>(predicate, x, y); }
  Value compare(arith::CmpIPredicate predicate, Value x, Value y) { return make<arith::CmpIOp>(predicate, x, y); }
  static bool isReal(Value x) { return isa<FloatType>(x.getType()); }

private:
  template <typename FloatOp, typename IntOp> Value pick(Value x, Value y) {
    return isReal(x) ? make<FloatOp>(x, y) : make<IntOp>(x, y);
  }
};

/// `y`, or 1 where a division of integers by it would stop the process: 0, and -1 of signed ones.
Value safeDivisor(Scalar &s, Value y, bool isUnsigned);
/// Remainder with the sign of the dividend (C's fmod), and with the sign of the divisor (Python's %).
Value remainder(Scalar &s, Value x, Value y, bool isUnsigned);
Value modulo(Scalar &s, Value x, Value y, bool isUnsigned);

} // namespace mlir::qtensor::graph
