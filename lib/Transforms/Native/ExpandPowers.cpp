// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Powers and angles of two f32 in f64, for processors without a C library. Series of 40 bits and more: what is rounded
// to f32 then is off by little more than half of the last place.
#include "lib/Transforms/Native/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <cmath>

namespace mlir::qtensor {
#define GEN_PASS_DEF_EXPANDPOWERS
#include "lib/Transforms/Native/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using Predicate = arith::CmpFPredicate;

namespace {
/// Arithmetic on f64 at one place.
struct PowerBuilder {
  ImplicitLocOpBuilder b;

  Value real(double value) { return arith::ConstantOp::create(b, b.getF64FloatAttr(value)); }
  Value code(int64_t value) { return arith::ConstantIntOp::create(b, value, 64); }
  Value wide(Value x) { return arith::ExtFOp::create(b, b.getF64Type(), x); }
  Value narrow(Value x) { return arith::TruncFOp::create(b, b.getF32Type(), x); }
  Value bits(Value x) { return arith::BitcastOp::create(b, b.getI64Type(), x); }
  Value number(Value x) { return arith::BitcastOp::create(b, b.getF64Type(), x); }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, x, y); }
  Value both(Value x, Value y) { return arith::AndIOp::create(b, x, y); }
  Value either(Value x, Value y) { return arith::OrIOp::create(b, x, y); }
  Value negated(Value condition) {
    return arith::XOrIOp::create(b, condition, arith::ConstantIntOp::create(b, 1, 1).getResult());
  }
  Value select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, condition, x, y); }
  Value compare(Predicate predicate, Value x, Value y) { return arith::CmpFOp::create(b, predicate, x, y); }
  Value is(Value x, double value) { return compare(Predicate::OEQ, x, real(value)); }
  Value magnitude(Value x) { return number(both(bits(x), code(0x7fffffffffffffff))); }
  Value isNegative(Value x) { return arith::CmpIOp::create(b, arith::CmpIPredicate::slt, bits(x), code(0)); }
  Value flipped(Value x) {
    return number(arith::XOrIOp::create(b, bits(x), code(std::numeric_limits<int64_t>::min())));
  }

  /// The sum of terms[i] * x^i.
  Value series(Value x, ArrayRef<double> terms);
  Value logarithm(Value x);
  Value exponential(Value x);
  Value sign(Value power, Value x, Value y);
  Value power(Value x, Value y);
  Value angle(Value y, Value x);
};
} // namespace

Value PowerBuilder::series(Value x, ArrayRef<double> terms) {
  Value sum = real(terms.back());
  for (double term : llvm::reverse(terms.drop_back()))
    sum = add(mul(sum, x), real(term));
  return sum;
}

/// To base 2, of a positive normal number: the exponent, and 2 artanh((m - 1) / (m + 1)) for m in [sqrt(1/2), sqrt(2)].
Value PowerBuilder::logarithm(Value x) {
  constexpr int64_t kOne = int64_t(1023) << 52, kFraction = (int64_t(1) << 52) - 1;
  Value m = number(either(both(bits(x), code(kFraction)), code(kOne))),
        large = compare(Predicate::OGT, m, real(M_SQRT2));
  Value exponent = arith::SubIOp::create(b, arith::ShRUIOp::create(b, bits(x), code(52)), code(1023));
  exponent = arith::AddIOp::create(b, exponent, arith::ExtUIOp::create(b, b.getI64Type(), large).getResult());
  m = select(large, mul(m, real(0.5)), m);
  Value f = div(sub(m, real(1)), add(m, real(1)));
  SmallVector<double> terms;
  for (int i = 0; i < 9; ++i)
    terms.push_back(2 * M_LOG2E / (2 * i + 1));
  Value whole =
      arith::SIToFPOp::create(b, b.getF64Type(), arith::TruncIOp::create(b, b.getI32Type(), exponent).getResult());
  return add(whole, mul(f, series(mul(f, f), terms)));
}

/// 2^x for |x| <= 160: a whole number is an exponent, the rest of at most 1/2 a Taylor series.
Value PowerBuilder::exponential(Value x) {
  Value raised = arith::FPToSIOp::create(b, b.getI32Type(), add(x, real(256.5)));
  Value whole = arith::SubIOp::create(b, raised, arith::ConstantIntOp::create(b, 256, 32).getResult());
  Value rest = sub(x, arith::SIToFPOp::create(b, b.getF64Type(), whole).getResult());
  SmallVector<double> terms{1};
  for (int i = 1; i < 13; ++i)
    terms.push_back(terms.back() * M_LN2 / i);
  Value exponent = arith::AddIOp::create(b, arith::ExtSIOp::create(b, b.getI64Type(), whole), code(1023));
  return mul(series(rest, terms), number(arith::ShLIOp::create(b, exponent, code(52))));
}

/// The power of |x| with the sign that an odd y leaves; no number where x is negative and y not whole.
Value PowerBuilder::sign(Value power, Value x, Value y) {
  // From 2^24 on every f32 is whole and even.
  Value few = compare(Predicate::OLT, magnitude(y), real(0x1p24));
  Value whole = arith::FPToSIOp::create(b, b.getI32Type(), select(few, y, real(0)));
  Value isWhole = compare(Predicate::OEQ, arith::SIToFPOp::create(b, b.getF64Type(), whole), y);
  Value isOdd = arith::TruncIOp::create(b, b.getI1Type(), whole), negative = isNegative(x);
  power = select(both(negative, both(isWhole, isOdd)), flipped(power), power);
  Value base = magnitude(x),
        isFinite = both(compare(Predicate::OGT, base, real(0)), compare(Predicate::OLT, base, real(INFINITY)));
  return select(both(both(negative, isFinite), both(few, negated(isWhole))), real(NAN), power);
}

Value PowerBuilder::power(Value x, Value y) {
  Value base = magnitude(x), none = is(base, 0), endless = is(base, INFINITY), isBorder = either(none, endless);
  Value exponent = mul(y, logarithm(select(isBorder, real(1), base)));
  exponent = select(compare(Predicate::OLT, exponent, real(160)), exponent, real(160));
  exponent = select(compare(Predicate::OGT, exponent, real(-160)), exponent, real(-160));
  Value grows = select(none, compare(Predicate::OLT, y, real(0)), compare(Predicate::OGT, y, real(0)));
  Value made = select(isBorder, select(grows, real(INFINITY), real(0)), exponential(exponent));
  made = sign(select(is(base, 1), real(1), made), x, y);
  made = select(compare(Predicate::UNO, x, y), real(NAN), made);
  return select(either(is(x, 1), is(y, 0)), real(1), made);
}

/// The arc tangent of the smaller magnitude over the larger one, by a series up to tan(pi / 8), brought into its
/// octant.
Value PowerBuilder::angle(Value y, Value x) {
  Value high = magnitude(y), wideSide = magnitude(x), steep = compare(Predicate::OGT, high, wideSide);
  Value large = select(steep, high, wideSide), small = select(steep, wideSide, high);
  Value same = compare(Predicate::OEQ, small, large), ratio = select(same, real(1), div(small, large));
  ratio = select(is(large, 0), real(0), ratio);
  Value far = compare(Predicate::OGT, ratio, real(M_SQRT2 - 1));
  Value u = select(far, div(sub(ratio, real(1)), add(ratio, real(1))), ratio);
  SmallVector<double> terms;
  for (int i = 0; i < 14; ++i)
    terms.push_back((i % 2 ? -1.0 : 1.0) / (2 * i + 1));
  Value arc = add(mul(u, series(mul(u, u), terms)), select(far, real(M_PI_4), real(0)));
  arc = select(steep, sub(real(M_PI_2), arc), arc);
  arc = select(isNegative(x), sub(real(M_PI), arc), arc);
  arc = select(isNegative(y), flipped(arc), arc);
  return select(compare(Predicate::UNO, x, y), real(NAN), arc);
}

namespace {
struct ExpandPowers : mlir::qtensor::impl::ExpandPowersBase<ExpandPowers> {
  void runOnOperation() override {
    getOperation()->walk([](Operation *op) {
      if (!isa<math::PowFOp, math::Atan2Op>(op) || !op->getResult(0).getType().isF32())
        return;
      PowerBuilder builder{ImplicitLocOpBuilder(op->getLoc(), op)};
      Value x = builder.wide(op->getOperand(0)), y = builder.wide(op->getOperand(1));
      Value made = isa<math::PowFOp>(op) ? builder.power(x, y) : builder.angle(x, y);
      op->getResult(0).replaceAllUsesWith(builder.narrow(made));
      op->erase();
    });
  }
};
} // namespace
