// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Square roots of f32 in integers, for processors that have none.
#include "lib/Transforms/Native/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_EXPANDROOTS
#include "lib/Transforms/Native/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;

namespace {
/// Arithmetic on i32 and f32 at one place.
struct RootBuilder {
  ImplicitLocOpBuilder b;

  Value number(int64_t value) { return arith::ConstantIntOp::create(b, value, 32); }
  Value real(float value) { return arith::ConstantOp::create(b, b.getF32FloatAttr(value)); }
  Value left(Value x, int64_t bits) { return arith::ShLIOp::create(b, x, number(bits)); }
  Value right(Value x, int64_t bits) { return arith::ShRUIOp::create(b, x, number(bits)); }
  Value both(Value x, int64_t mask) { return arith::AndIOp::create(b, x, number(mask)); }
  Value either(Value x, Value y) { return arith::OrIOp::create(b, x, y); }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, x, y); }
  Value sub(Value x, Value y) { return arith::SubIOp::create(b, x, y); }
  Value select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, condition, x, y); }
  Value compare(arith::CmpFPredicate predicate, Value x, Value y) { return arith::CmpFOp::create(b, predicate, x, y); }

  Value digits(Value significand);
  Value normalRoot(Value x);
  Value root(Value x);
};
} // namespace

/// The 25 leading bits of the root of a number in [2^23, 2^25) times 2^25, one bit a step.
Value RootBuilder::digits(Value significand) {
  Value rest = number(0), root = number(0);
  for (int64_t step = 0; step < 25; ++step) {
    int64_t shift = 23 - 2 * step;
    Value pair = shift >= 0 ? both(right(significand, shift), 3) : shift == -1 ? left(both(significand, 1), 1) : number(0);
    rest = either(left(rest, 2), pair);
    Value trial = either(left(root, 2), number(1)), fits = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, rest, trial);
    rest = select(fits, sub(rest, trial), rest);
    root = either(left(root, 1), arith::ExtUIOp::create(b, b.getI32Type(), fits).getResult());
  }
  return root;
}

/// The root of a positive normal number: no root lies halfway between two numbers, so a half is rounded up.
Value RootBuilder::normalRoot(Value x) {
  Value bits = arith::BitcastOp::create(b, b.getI32Type(), x);
  Value exponent = sub(right(bits, 23), number(127)), odd = both(exponent, 1);
  Value significand = either(both(bits, 0x7fffff), number(0x800000));
  significand = arith::ShLIOp::create(b, significand, odd);
  Value rounded = right(add(digits(significand), number(1)), 1);
  Value half = arith::ShRSIOp::create(b, exponent, number(1));
  Value result = add(left(add(half, number(126)), 23), rounded);
  return arith::BitcastOp::create(b, b.getF32Type(), result);
}

Value RootBuilder::root(Value x) {
  // Numbers below the normal ones are made normal by 2^24.
  Value small = compare(arith::CmpFPredicate::OLT, x, real(0x1p-126f));
  Value scaled = select(small, arith::MulFOp::create(b, x, real(0x1p24f)), x);
  Value found = normalRoot(scaled);
  found = select(small, arith::MulFOp::create(b, found, real(0x1p-12f)), found);
  Value zero = compare(arith::CmpFPredicate::OEQ, x, real(0)), negative = compare(arith::CmpFPredicate::OLT, x, real(0));
  // Infinity and what is no number stay what they are, as both zeros do.
  Value finite = compare(arith::CmpFPredicate::OLT, x, real(std::numeric_limits<float>::infinity()));
  found = select(finite, found, x);
  found = select(negative, real(std::numeric_limits<float>::quiet_NaN()), found);
  return select(zero, x, found);
}

namespace {
struct ExpandRoots : mlir::qtensor::impl::ExpandRootsBase<ExpandRoots> {
  void runOnOperation() override {
    getOperation()->walk([](Operation *op) {
      if (!isa<math::SqrtOp, math::RsqrtOp>(op) || !op->getResult(0).getType().isF32())
        return;
      RootBuilder builder{ImplicitLocOpBuilder(op->getLoc(), op)};
      Value root = builder.root(op->getOperand(0));
      if (isa<math::RsqrtOp>(op))
        root = arith::DivFOp::create(builder.b, builder.real(1), root);
      op->getResult(0).replaceAllUsesWith(root);
      op->erase();
    });
  }
};
} // namespace
