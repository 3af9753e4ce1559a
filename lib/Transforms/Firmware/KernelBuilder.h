// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes the body of a kernel: 32-bit integers, bytes at addresses, loops.
#pragma once
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::qtensor::firmware {

class KernelBuilder {
public:
  KernelBuilder(Location loc, OpBuilder &builder) : b(loc, builder) {}

  ImplicitLocOpBuilder &getBuilder() { return b; }
  Type i8() { return b.getI8Type(); }
  Type i16() { return b.getI16Type(); }
  Type i32() { return b.getI32Type(); }
  Type i64() { return b.getI64Type(); }

  /// Arithmetic on values of one integer type (or vectors of it); shifts by a number in [0, bits).
  Value number(int64_t value) { return number(value, i32()); }
  Value number(int64_t value, Type type);
  Value add(Value x, Value y);
  Value sub(Value x, Value y);
  Value mul(Value x, Value y);
  Value quotient(Value x, Value y); ///< Signed, towards zero.
  Value both(Value x, Value y); ///< Bitwise and.
  Value either(Value x, Value y);
  Value left(Value x, Value bits);
  Value right(Value x, Value bits); ///< Arithmetic.
  Value rightUnsigned(Value x, Value bits);
  Value rightExact(Value x, int64_t bits); ///< Arithmetic, of a multiple of 2^bits.
  Value least(Value x, Value y); ///< Signed.
  Value most(Value x, Value y);
  Value clamp(Value x, int64_t low, int64_t high);
  Value select(Value condition, Value x, Value y);
  Value isLess(Value x, Value y); ///< Signed; i1.
  Value isEqual(Value x, Value y);
  Value isBefore(Value x, Value y); ///< Addresses; i1.
  Value extend(Value x, Type type);         ///< Signed.
  Value extendUnsigned(Value x, Type type);
  Value truncate(Value x, Type type);
  Value add(Value x, int64_t y) { return y ? add(x, number(y, x.getType())) : x; }
  Value mul(Value x, int64_t y) { return mul(x, number(y, x.getType())); }
  Value quotient(Value x, int64_t y) { return y == 1 ? x : quotient(x, number(y, x.getType())); }
  Value left(Value x, int64_t bits) { return bits ? left(x, number(bits, x.getType())) : x; }
  Value right(Value x, int64_t bits) { return bits ? right(x, number(bits, x.getType())) : x; }
  Value rightUnsigned(Value x, int64_t bits) { return bits ? rightUnsigned(x, number(bits, x.getType())) : x; }

  /// An address so many bytes further on.
  Value at(Value pointer, int64_t bytes);
  Value at(Value pointer, Value bytes);
  /// What lies at an address that is a multiple of `alignment` bytes (0: of the type's size).
  Value load(Value pointer, Type type, unsigned alignment = 0);
  void store(Value value, Value pointer, unsigned alignment = 0);
  /// A code of 8 or 16 bits as an i32; the low bits of an i32.
  Value loadCode(Value pointer, unsigned bits = 8);
  void storeCode(Value value, Value pointer, unsigned bits = 8);
  Value load32(Value pointer, unsigned alignment = 4) { return load(pointer, i32(), alignment); }

  /// A word at an address that is a multiple of 4. It is not loaded before, or together with, what is loaded or assembled
  /// before it here.
  Value load32InOrder(Value pointer);
  /// One instruction of assembly with an i32 result, in its order with the others, e.g. ("smlad $0, $1, $2, $3", "=r,r,r,0",
  /// {x, y, sum}). A target's list of intrinsics may know it as a function of C.
  Value assemble(StringRef text, StringRef constraints, ValueRange operands);

  /// A call of an intrinsic of LLVM, e.g. ("llvm.arm.smlad", i32, {x, y, sum}).
  Value intrinsic(StringRef name, Type result, ValueRange operands);
  /// One that returns nothing.
  void intrinsic(StringRef name, ValueRange operands);

  /// The same values, of which the compiler knows nothing any more: it neither reorders the sums that they are part of nor
  /// computes ahead what is added to them. Costs no instruction.
  SmallVector<Value> pin(ValueRange values);

  using Body = llvm::function_ref<SmallVector<Value>(Value i, ValueRange carried)>;
  /// for (i = from; i < to; i += step), i an i32, with values carried from turn to turn; what they are at the end. A
  /// loop of one turn has no branch.
  SmallVector<Value> loop(Value from, Value to, int64_t step, ValueRange start, Body body);
  SmallVector<Value> loop(int64_t from, int64_t to, int64_t step, ValueRange start, Body body);
  /// Without carried values.
  void loop(int64_t from, int64_t to, int64_t step, llvm::function_ref<void(Value i)> body);
  /// Runs `body` at least once, and again while the i1 that it returns holds, with values carried from turn to turn.
  using Turn = llvm::function_ref<Value(ValueRange carried, SmallVector<Value> &next)>;
  SmallVector<Value> repeat(ValueRange start, Turn body);
  /// Runs `body` where an i1 holds.
  void when(Value condition, llvm::function_ref<void()> body);
  /// Its values where the condition holds, else `otherwise`.
  SmallVector<Value> when(Value condition, ValueRange otherwise, llvm::function_ref<SmallVector<Value>()> body);

  /// The final map of an i32 or i64 sum, without zero point and clamps, in 64-bit arithmetic: for any multiplier and shift.
  Value mapExactly(Value sum, Value multiplier, Value shift, FixedMode mode);
  /// floor((x * y + 2^30) / 2^31) of i32 that are not both -2^31.
  Value doublingHighMultiply(Value x, Value y);
  /// The reciprocal, in Q0.31, of a softmax's sum of terms, and by how many bits products with it are shifted (lib/Reference).
  std::pair<Value, Value> softmaxReciprocal(Value sum);

private:
  ImplicitLocOpBuilder b;
};

} // namespace mlir::qtensor::firmware
