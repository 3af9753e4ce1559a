// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernels of the arith dialect. Where MLIR leaves a result undefined the reference defines it: a float outside an
// integer's range saturates and NaN gives zero; a shift by the width or more gives zero or the sign; only an integer
// division by zero or an overflowing signed division is an error.
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "lib/Reference/Kernels.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor::reference;
using Format = NumericFormat;

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

static uint64_t addBits(const Format &, uint64_t a, uint64_t b) { return a + b; }
static uint64_t subtractBits(const Format &, uint64_t a, uint64_t b) { return a - b; }
static uint64_t multiplyBits(const Format &, uint64_t a, uint64_t b) { return a * b; }
static uint64_t andBits(const Format &, uint64_t a, uint64_t b) { return a & b; }
static uint64_t orBits(const Format &, uint64_t a, uint64_t b) { return a | b; }
static uint64_t xorBits(const Format &, uint64_t a, uint64_t b) { return a ^ b; }
static uint64_t shiftLeft(const Format &f, uint64_t a, uint64_t b) { return b < f.getWidth() ? a << b : 0; }
static uint64_t shiftRight(const Format &f, uint64_t a, uint64_t b) { return b < f.getWidth() ? a >> b : 0; }
static uint64_t shiftRightSigned(const Format &f, uint64_t a, uint64_t b) {
  return f.signExtend(a) >> std::min<uint64_t>(b, f.getWidth() - 1);
}
static uint64_t maxSigned(const Format &f, uint64_t a, uint64_t b) { return f.signExtend(a) < f.signExtend(b) ? b : a; }
static uint64_t minSigned(const Format &f, uint64_t a, uint64_t b) { return f.signExtend(b) < f.signExtend(a) ? b : a; }
static uint64_t maxUnsigned(const Format &, uint64_t a, uint64_t b) { return std::max(a, b); }
static uint64_t minUnsigned(const Format &, uint64_t a, uint64_t b) { return std::min(a, b); }
static uint64_t keepBits(const Format &, uint64_t a) { return a; }
static uint64_t extendSigned(const Format &f, uint64_t a) { return f.signExtend(a); }

static int64_t floorDivide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }
static int64_t ceilDivide(int64_t a, int64_t b) { return a / b + (a % b != 0 && (a < 0) == (b < 0)); }
static int64_t truncDivide(int64_t a, int64_t b) { return a / b; }
static int64_t remainder(int64_t a, int64_t b) { return a % b; }
static uint64_t divideUnsigned(uint64_t a, uint64_t b) { return a / b; }
static uint64_t ceilDivideUnsigned(uint64_t a, uint64_t b) { return a / b + (a % b != 0); }
static uint64_t remainderUnsigned(uint64_t a, uint64_t b) { return a % b; }

template <int64_t (*F)(int64_t, int64_t)>
static void signedDivision(const Instruction &instruction, Machine &machine, size_t count) {
  Lane *result = machine[instruction.result], *a = machine[instruction.operands[0]];
  Lane *b = machine[instruction.operands[1]];
  const Format &format = instruction.from;
  int64_t smallest = format.signExtend(uint64_t(1) << (format.getWidth() - 1));
  for (size_t lane = 0; lane < count; ++lane) {
    int64_t dividend = format.signExtend(a[lane].bits), divisor = format.signExtend(b[lane].bits);
    if (divisor == 0 || (divisor == -1 && dividend == smallest)) {
      machine.failure = divisor == 0 ? "integer division by zero" : "signed division overflows";
      return;
    }
    result[lane].bits = uint64_t(F(dividend, divisor)) & format.mask();
  }
}
template <uint64_t (*F)(uint64_t, uint64_t)>
static void unsignedDivision(const Instruction &instruction, Machine &machine, size_t count) {
  Lane *result = machine[instruction.result], *a = machine[instruction.operands[0]];
  Lane *b = machine[instruction.operands[1]];
  for (size_t lane = 0; lane < count; ++lane) {
    if (b[lane].bits == 0) {
      machine.failure = "integer division by zero";
      return;
    }
    result[lane].bits = F(a[lane].bits, b[lane].bits);
  }
}

/// The two halves of a full product, or a sum and its carry.
template <bool IsSigned> static void multiplyExtended(const Instruction &instruction, Machine &machine, size_t count) {
  Lane *low = machine[instruction.result], *high = machine[instruction.secondResult];
  Lane *a = machine[instruction.operands[0]], *b = machine[instruction.operands[1]];
  const Format &format = instruction.from;
  for (size_t lane = 0; lane < count; ++lane) {
    __int128 x = IsSigned ? __int128(format.signExtend(a[lane].bits)) : __int128(a[lane].bits);
    __int128 y = IsSigned ? __int128(format.signExtend(b[lane].bits)) : __int128(b[lane].bits);
    unsigned __int128 product = static_cast<unsigned __int128>(x) * static_cast<unsigned __int128>(y);
    low[lane].bits = uint64_t(product) & format.mask();
    high[lane].bits = uint64_t(product >> format.getWidth()) & format.mask();
  }
}
static void addExtended(const Instruction &instruction, Machine &machine, size_t count) {
  Lane *sum = machine[instruction.result], *carry = machine[instruction.secondResult];
  Lane *a = machine[instruction.operands[0]], *b = machine[instruction.operands[1]];
  for (size_t lane = 0; lane < count; ++lane) {
    uint64_t addend = a[lane].bits, total = (addend + b[lane].bits) & instruction.from.mask();
    sum[lane].bits = total;
    carry[lane].bits = total < addend;
  }
}

// clang-format off
static bool compareBits(arith::CmpIPredicate predicate, const Format &f, uint64_t a, uint64_t b) {
  int64_t x = f.signExtend(a), y = f.signExtend(b);
  switch (predicate) {
  case arith::CmpIPredicate::eq:  return a == b;
  case arith::CmpIPredicate::ne:  return a != b;
  case arith::CmpIPredicate::slt: return x < y;
  case arith::CmpIPredicate::sle: return x <= y;
  case arith::CmpIPredicate::sgt: return x > y;
  case arith::CmpIPredicate::sge: return x >= y;
  case arith::CmpIPredicate::ult: return a < b;
  case arith::CmpIPredicate::ule: return a <= b;
  case arith::CmpIPredicate::ugt: return a > b;
  case arith::CmpIPredicate::uge: return a >= b;
  }
  llvm_unreachable("all predicates are covered");
}
// clang-format on
static void compareIntegers(const Instruction &instruction, Machine &machine, size_t count) {
  Lane *result = machine[instruction.result], *a = machine[instruction.operands[0]];
  Lane *b = machine[instruction.operands[1]];
  auto predicate = static_cast<arith::CmpIPredicate>(instruction.immediate);
  for (size_t lane = 0; lane < count; ++lane)
    result[lane].bits = compareBits(predicate, instruction.from, a[lane].bits, b[lane].bits);
}

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

static double addReal(double a, double b) { return a + b; }
static double subtractReal(double a, double b) { return a - b; }
static double multiplyReal(double a, double b) { return a * b; }
static double divideReal(double a, double b) { return a / b; }
static double remainderReal(double a, double b) { return std::fmod(a, b); }
static double negateReal(double a) { return -a; }
static double keepReal(double a) { return a; }
/// maximum and minimum propagate NaN and order the zeros; maxnum and minnum prefer the number.
static double maximumReal(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return NAN;
  return a > b || (a == b && !std::signbit(a)) ? a : b;
}
static double minimumReal(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return NAN;
  return a < b || (a == b && std::signbit(a)) ? a : b;
}
static double maxNumber(double a, double b) { return std::isnan(a) ? b : std::isnan(b) ? a : maximumReal(a, b); }
static double minNumber(double a, double b) { return std::isnan(a) ? b : std::isnan(b) ? a : minimumReal(a, b); }

// clang-format off
static bool compareReal(arith::CmpFPredicate predicate, double a, double b) {
  using P = arith::CmpFPredicate;
  bool unordered = std::isnan(a) || std::isnan(b);
  switch (predicate) {
  case P::AlwaysFalse: return false;
  case P::OEQ: return a == b;
  case P::OGT: return a > b;
  case P::OGE: return a >= b;
  case P::OLT: return a < b;
  case P::OLE: return a <= b;
  case P::ONE: return !unordered && a != b;
  case P::ORD: return !unordered;
  case P::UEQ: return unordered || a == b;
  case P::UGT: return !(a <= b);
  case P::UGE: return !(a < b);
  case P::ULT: return !(a >= b);
  case P::ULE: return !(a > b);
  case P::UNE: return a != b;
  case P::UNO: return unordered;
  case P::AlwaysTrue: return true;
  }
  llvm_unreachable("all predicates are covered");
}
// clang-format on
static void compareReals(const Instruction &instruction, Machine &machine, size_t count) {
  Lane *result = machine[instruction.result], *a = machine[instruction.operands[0]];
  Lane *b = machine[instruction.operands[1]];
  auto predicate = static_cast<arith::CmpFPredicate>(instruction.immediate);
  for (size_t lane = 0; lane < count; ++lane)
    result[lane].bits = compareReal(predicate, a[lane].real, b[lane].real);
}

//===----------------------------------------------------------------------===//
// Conversions and selection
//===----------------------------------------------------------------------===//

template <bool IsSigned, Rounding R>
static void integerToReal(const Instruction &instruction, Machine &machine, size_t count) {
  Lane *result = machine[instruction.result], *a = machine[instruction.operands[0]];
  const Format &from = instruction.from;
  for (size_t lane = 0; lane < count; ++lane) {
    uint64_t bits = a[lane].bits;
    if constexpr (R == Rounding::Single) // not through double: a 64-bit integer would be rounded twice
      result[lane].real = IsSigned ? float(from.signExtend(bits)) : float(bits);
    else
      result[lane].real = roundAs<R>(instruction.to, IsSigned ? double(from.signExtend(bits)) : double(bits));
  }
}
template <bool IsSigned> static void realToInteger(const Instruction &instruction, Machine &machine, size_t count) {
  Lane *result = machine[instruction.result], *a = machine[instruction.operands[0]];
  int magnitudeBits = int(instruction.to.getWidth()) - (IsSigned ? 1 : 0);
  double limit = std::ldexp(1.0, magnitudeBits); // first value that does not fit
  uint64_t largest = IsSigned ? instruction.to.mask() >> 1 : instruction.to.mask();
  for (size_t lane = 0; lane < count; ++lane) {
    double value = std::trunc(a[lane].real);
    uint64_t bits;
    if (std::isnan(value))
      bits = 0;
    else if (value >= limit)
      bits = largest;
    else if (value <= (IsSigned ? -limit : 0.0))
      bits = IsSigned ? largest + 1 : 0;
    else
      bits = IsSigned ? uint64_t(int64_t(value)) : uint64_t(value);
    result[lane].bits = bits & instruction.to.mask();
  }
}
template <bool IsSigned> static constexpr KernelRow integerToRealRow() {
  return {integerToReal<IsSigned, Rounding::Single>, integerToReal<IsSigned, Rounding::Double>,
          integerToReal<IsSigned, Rounding::Any>};
}

static void bitcastLanes(const Instruction &instruction, Machine &machine, size_t count) {
  Lane *result = machine[instruction.result], *a = machine[instruction.operands[0]];
  const Format &from = instruction.from, &to = instruction.to;
  for (size_t lane = 0; lane < count; ++lane) {
    uint64_t bits = from.isFloat() ? from.encode(a[lane].real) : a[lane].bits;
    if (to.isFloat())
      result[lane].real = to.decode(bits);
    else
      result[lane].bits = bits;
  }
}
static void selectLanes(const Instruction &instruction, Machine &machine, size_t count) {
  Lane *result = machine[instruction.result], *condition = machine[instruction.operands[0]];
  Lane *a = machine[instruction.operands[1]], *b = machine[instruction.operands[2]];
  for (size_t lane = 0; lane < count; ++lane)
    result[lane] = condition[lane].bits ? a[lane] : b[lane];
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

static void addIntegerRows(KernelTable &table) {
  table["arith.addi"] = binaryBitsRow<addBits>();
  table["arith.subi"] = binaryBitsRow<subtractBits>();
  table["arith.muli"] = binaryBitsRow<multiplyBits>();
  table["arith.andi"] = binaryBitsRow<andBits>();
  table["arith.ori"] = binaryBitsRow<orBits>();
  table["arith.xori"] = binaryBitsRow<xorBits>();
  table["arith.shli"] = binaryBitsRow<shiftLeft>();
  table["arith.shrui"] = binaryBitsRow<shiftRight>();
  table["arith.shrsi"] = binaryBitsRow<shiftRightSigned>();
  table["arith.maxsi"] = binaryBitsRow<maxSigned>();
  table["arith.minsi"] = binaryBitsRow<minSigned>();
  table["arith.maxui"] = binaryBitsRow<maxUnsigned>();
  table["arith.minui"] = binaryBitsRow<minUnsigned>();
  table["arith.divsi"] = same(signedDivision<truncDivide>);
  table["arith.floordivsi"] = same(signedDivision<floorDivide>);
  table["arith.ceildivsi"] = same(signedDivision<ceilDivide>);
  table["arith.remsi"] = same(signedDivision<remainder>);
  table["arith.divui"] = same(unsignedDivision<divideUnsigned>);
  table["arith.ceildivui"] = same(unsignedDivision<ceilDivideUnsigned>);
  table["arith.remui"] = same(unsignedDivision<remainderUnsigned>);
  table["arith.mulsi_extended"] = same(multiplyExtended<true>);
  table["arith.mului_extended"] = same(multiplyExtended<false>);
  table["arith.addui_extended"] = same(addExtended);
  table["arith.cmpi"] = same(compareIntegers);
}

static void addRealRows(KernelTable &table) {
  table["arith.addf"] = binaryRealRow<addReal>();
  table["arith.subf"] = binaryRealRow<subtractReal>();
  table["arith.mulf"] = binaryRealRow<multiplyReal>();
  table["arith.divf"] = binaryRealRow<divideReal>();
  table["arith.remf"] = binaryRealRow<remainderReal>();
  table["arith.negf"] = unaryRealRow<negateReal>();
  table["arith.maximumf"] = binaryRealRow<maximumReal>();
  table["arith.minimumf"] = binaryRealRow<minimumReal>();
  table["arith.maxnumf"] = binaryRealRow<maxNumber>();
  table["arith.minnumf"] = binaryRealRow<minNumber>();
  table["arith.cmpf"] = same(compareReals);
}

static void addConversionRows(KernelTable &table) {
  table["arith.extf"] = unaryRealRow<keepReal>();
  table["arith.truncf"] = unaryRealRow<keepReal>();
  table["arith.extui"] = unaryBitsRow<keepBits>();
  table["arith.extsi"] = unaryBitsRow<extendSigned>();
  table["arith.trunci"] = unaryBitsRow<keepBits>();
  table["arith.index_cast"] = unaryBitsRow<extendSigned>();
  table["arith.index_castui"] = unaryBitsRow<keepBits>();
  table["arith.sitofp"] = integerToRealRow<true>();
  table["arith.uitofp"] = integerToRealRow<false>();
  table["arith.fptosi"] = same(realToInteger<true>);
  table["arith.fptoui"] = same(realToInteger<false>);
  table["arith.bitcast"] = same(bitcastLanes);
  table["arith.select"] = same(selectLanes);
}

bool mlir::qtensor::reference::selectArith(Operation *op, Instruction &instruction) {
  static const KernelTable table = [] {
    KernelTable table;
    addIntegerRows(table);
    addRealRows(table);
    addConversionRows(table);
    return table;
  }();
  auto row = table.find(op->getName().getStringRef());
  if (row == table.end())
    return false;
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    instruction.immediate = static_cast<int64_t>(compare.getPredicate());
  if (auto compare = dyn_cast<arith::CmpFOp>(op))
    instruction.immediate = static_cast<int64_t>(compare.getPredicate());
  instruction.kernel = row->second.select(instruction.to);
  return true;
}
