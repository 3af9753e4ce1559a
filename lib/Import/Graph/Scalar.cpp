// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/Graph/Scalar.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Matchers.h"

namespace mlir::qtensor::graph {

Value Scalar::number(Type type, double value) {
  if (isa<FloatType>(type))
    return make<arith::ConstantOp>(b.getFloatAttr(type, value));
  if (type.isIndex())
    return make<arith::ConstantIndexOp>(static_cast<int64_t>(value));
  // Unsigned 64-bit limits are above what int64_t holds; going through uint64_t keeps their bits.
  uint64_t bits = value < 0 ? static_cast<uint64_t>(static_cast<int64_t>(value))
                            : (value >= 0x1p64 ? ~uint64_t(0) : static_cast<uint64_t>(value));
  unsigned width = type.getIntOrFloatBitWidth();
  APInt integer(width, bits, /*isSigned=*/false, /*implicitTrunc=*/true);
  return make<arith::ConstantOp>(b.getIntegerAttr(type, integer));
}

Value safeDivisor(Scalar &s, Value y, bool isUnsigned) {
  if (matchPattern(y, m_Constant()))
    return y;
  Value bad = s.eq(y, s.like(y, 0));
  if (!isUnsigned)
    bad = s.logicalOr(bad, s.eq(y, s.like(y, -1)));
  return s.select(bad, s.like(y, 1), y);
}

Value remainder(Scalar &s, Value x, Value y, bool isUnsigned) {
  if (Scalar::isReal(x))
    return s.make<arith::RemFOp>(x, y);
  Value divisor = safeDivisor(s, y, isUnsigned); // x % -1 is x % 1
  return isUnsigned ? s.make<arith::RemUIOp>(x, divisor) : s.make<arith::RemSIOp>(x, divisor);
}

Value modulo(Scalar &s, Value x, Value y, bool isUnsigned) {
  Value rest = remainder(s, x, y, isUnsigned);
  if (isUnsigned)
    return rest;
  Value zero = s.like(x, 0);
  Value differs = s.make<arith::XOrIOp>(s.lt(rest, zero), s.lt(y, zero));
  Value wrong = s.logicalAnd(s.logicalNot(s.eq(rest, zero)), differs);
  return s.select(wrong, s.add(rest, y), rest);
}

Value Scalar::div(Value x, Value y, bool isUnsigned) {
  if (isReal(x))
    return make<arith::DivFOp>(x, y);
  if (isUnsigned || matchPattern(y, m_Constant()))
    return isUnsigned ? make<arith::DivUIOp>(x, safeDivisor(*this, y, isUnsigned)) : make<arith::DivSIOp>(x, y);
  // The smallest number divided by -1 wraps around instead of stopping the process.
  Value quotient = make<arith::DivSIOp>(x, safeDivisor(*this, y, isUnsigned));
  return select(eq(y, like(y, -1)), neg(x), quotient);
}

Value Scalar::abs(Value x, bool isUnsigned) {
  if (isReal(x))
    return make<math::AbsFOp>(x);
  return isUnsigned ? x : make<math::AbsIOp>(x);
}

Value Scalar::max(Value x, Value y, bool isUnsigned) {
  if (isReal(x))
    return make<arith::MaximumFOp>(x, y);
  return isUnsigned ? make<arith::MaxUIOp>(x, y) : make<arith::MaxSIOp>(x, y);
}

Value Scalar::min(Value x, Value y, bool isUnsigned) {
  if (isReal(x))
    return make<arith::MinimumFOp>(x, y);
  return isUnsigned ? make<arith::MinUIOp>(x, y) : make<arith::MinSIOp>(x, y);
}

Value Scalar::lt(Value x, Value y, bool isUnsigned) {
  if (isReal(x))
    return compare(arith::CmpFPredicate::OLT, x, y);
  return compare(isUnsigned ? arith::CmpIPredicate::ult : arith::CmpIPredicate::slt, x, y);
}

Value Scalar::le(Value x, Value y, bool isUnsigned) {
  if (isReal(x))
    return compare(arith::CmpFPredicate::OLE, x, y);
  return compare(isUnsigned ? arith::CmpIPredicate::ule : arith::CmpIPredicate::sle, x, y);
}

Value Scalar::eq(Value x, Value y) {
  return isReal(x) ? compare(arith::CmpFPredicate::OEQ, x, y) : compare(arith::CmpIPredicate::eq, x, y);
}

Value Scalar::sigmoid(Value x) {
  Value one = like(x, 1);
  return div(one, add(one, exp(neg(x))));
}

Value Scalar::softplus(Value x) { return add(max(x, like(x, 0)), make<math::Log1pOp>(exp(neg(abs(x))))); }

Value Scalar::widen(Value x, Type type, bool isUnsigned) {
  auto from = x.getType();
  if (from == type)
    return x;
  if (isa<FloatType>(type)) {
    if (isa<FloatType>(from))
      return type.getIntOrFloatBitWidth() > from.getIntOrFloatBitWidth() ? make<arith::ExtFOp>(type, x)
                                                                         : make<arith::TruncFOp>(type, x);
    return isUnsigned ? make<arith::UIToFPOp>(type, x) : make<arith::SIToFPOp>(type, x);
  }
  if (type.getIntOrFloatBitWidth() < from.getIntOrFloatBitWidth())
    return make<arith::TruncIOp>(type, x);
  return isUnsigned ? make<arith::ExtUIOp>(type, x) : make<arith::ExtSIOp>(type, x);
}

Value Scalar::cast(Value x, Elem from, Elem to) {
  Type type = elemType(to, b.getContext());
  if (from == to)
    return x;
  if (to == Elem::Bool)
    return isReal(x) ? compare(arith::CmpFPredicate::UNE, x, like(x, 0))
                     : compare(arith::CmpIPredicate::ne, x, like(x, 0));
  bool fromUnsigned = from == Elem::Bool || isUnsigned(from);
  if (isFloat(from) && isFloat(to) && x.getType().getIntOrFloatBitWidth() == type.getIntOrFloatBitWidth())
    return x.getType() == type ? x : make<arith::TruncFOp>(type, make<arith::ExtFOp>(b.getF32Type(), x));
  if (isFloat(from) && !isFloat(to)) {
    // Through 64 bits: what does not fit wraps, as the casts of numpy and ONNX Runtime do.
    Value wide = isUnsigned(to) && bitWidth(to) == 64 ? make<arith::FPToUIOp>(b.getI64Type(), x)
                                                      : make<arith::FPToSIOp>(b.getI64Type(), x);
    return widen(wide, type);
  }
  return widen(x, type, fromUnsigned);
}

Value Scalar::castSaturating(Value x, Elem from, Elem to) {
  auto type = dyn_cast_or_null<FloatType>(elemType(to, b.getContext()));
  if (!type || type.getWidth() >= 16 || from == to)
    return cast(x, from, to);
  Value wide = isReal(x) ? widen(x, b.getF32Type()) : cast(x, from, Elem::F32);
  APFloat largest = APFloat::getLargest(type.getFloatSemantics());
  bool lost = false;
  largest.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
  double limit = largest.convertToDouble();
  Value clamped = clamp(wide, like(wide, -limit), like(wide, limit));
  return make<arith::TruncFOp>(type, clamped);
}

Value Scalar::index(int64_t dim) { return make<linalg::IndexOp>(dim); }

} // namespace mlir::qtensor::graph
