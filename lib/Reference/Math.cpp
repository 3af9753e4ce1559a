// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernels of the math dialect: libm in double, rounded once to the type. Only fma needs more than double has.
#include "lib/Reference/Kernels.h"
#include "llvm/ADT/bit.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor::reference;

static double reciprocalRoot(double a) { return 1.0 / std::sqrt(a); }
static double roundAway(double a) { return std::round(a); }
static double roundEven(double a) { return std::nearbyint(a); }
static bool isNan(double a) { return std::isnan(a); }
static bool isInfinite(double a) { return std::isinf(a); }
static bool isFinite(double a) { return std::isfinite(a); }
static bool isNormal(double a) { return std::isnormal(a); }

static uint64_t absolute(const NumericFormat &f, uint64_t a) { return f.signExtend(a) < 0 ? uint64_t(0) - a : a; }
static uint64_t leadingZeros(const NumericFormat &f, uint64_t a) { return llvm::countl_zero(a) - (64 - f.getWidth()); }
static uint64_t trailingZeros(const NumericFormat &f, uint64_t a) {
  return std::min<uint64_t>(llvm::countr_zero(a), f.getWidth());
}
static uint64_t populationCount(const NumericFormat &, uint64_t a) { return llvm::popcount(a); }

/// An integer power by repeated squaring; a negative exponent gives the truncated reciprocal, as math.ipowi says.
static uint64_t integerPower(const NumericFormat &f, uint64_t a, uint64_t b) {
  int64_t base = f.signExtend(a), exponent = f.signExtend(b);
  if (exponent < 0)
    return base == 1 ? 1 : base == -1 ? (exponent % 2 ? uint64_t(-1) : 1) : 0;
  uint64_t result = 1, factor = a;
  for (; exponent; exponent >>= 1, factor *= factor)
    result *= exponent & 1 ? factor : 1;
  return result;
}

static void fusedMultiplyAddLanes(const Instruction &instruction, Machine &machine, size_t count) {
  Lane *result = machine[instruction.result], *a = machine[instruction.operands[0]];
  Lane *b = machine[instruction.operands[1]], *c = machine[instruction.operands[2]];
  for (size_t lane = 0; lane < count; ++lane)
    result[lane].real = fusedMultiplyAdd(instruction.to, a[lane].real, b[lane].real, c[lane].real);
}
static void realToIntegerPower(const Instruction &instruction, Machine &machine, size_t count) {
  Lane *result = machine[instruction.result], *a = machine[instruction.operands[0]];
  Lane *b = machine[instruction.operands[1]];
  // The exponent has the second operand's width, which the row cannot know: selectMath puts it in `immediate`.
  unsigned shift = 64 - unsigned(instruction.immediate);
  for (size_t lane = 0; lane < count; ++lane) {
    double exponent = double(int64_t(b[lane].bits << shift) >> shift);
    result[lane].real = instruction.to.round(std::pow(a[lane].real, exponent));
  }
}
static void clampReal(const Instruction &instruction, Machine &machine, size_t count) {
  Lane *result = machine[instruction.result], *a = machine[instruction.operands[0]];
  Lane *low = machine[instruction.operands[1]], *high = machine[instruction.operands[2]];
  for (size_t lane = 0; lane < count; ++lane) {
    double value = a[lane].real;
    result[lane].real = std::isnan(value) ? value : std::min(std::max(value, low[lane].real), high[lane].real);
  }
}
static void sineAndCosine(const Instruction &instruction, Machine &machine, size_t count) {
  Lane *sine = machine[instruction.result], *cosine = machine[instruction.secondResult];
  Lane *a = machine[instruction.operands[0]];
  for (size_t lane = 0; lane < count; ++lane) {
    double angle = a[lane].real;
    sine[lane].real = instruction.to.round(std::sin(angle));
    cosine[lane].real = instruction.to.round(std::cos(angle));
  }
}

static void addFunctions(KernelTable &table) {
  table["math.sin"] = unaryRealRow<std::sin>();
  table["math.cos"] = unaryRealRow<std::cos>();
  table["math.tan"] = unaryRealRow<std::tan>();
  table["math.asin"] = unaryRealRow<std::asin>();
  table["math.acos"] = unaryRealRow<std::acos>();
  table["math.atan"] = unaryRealRow<std::atan>();
  table["math.sinh"] = unaryRealRow<std::sinh>();
  table["math.cosh"] = unaryRealRow<std::cosh>();
  table["math.tanh"] = unaryRealRow<std::tanh>();
  table["math.asinh"] = unaryRealRow<std::asinh>();
  table["math.acosh"] = unaryRealRow<std::acosh>();
  table["math.atanh"] = unaryRealRow<std::atanh>();
  table["math.exp"] = unaryRealRow<std::exp>();
  table["math.exp2"] = unaryRealRow<std::exp2>();
  table["math.expm1"] = unaryRealRow<std::expm1>();
  table["math.log"] = unaryRealRow<std::log>();
  table["math.log2"] = unaryRealRow<std::log2>();
  table["math.log10"] = unaryRealRow<std::log10>();
  table["math.log1p"] = unaryRealRow<std::log1p>();
  table["math.sqrt"] = unaryRealRow<std::sqrt>();
  table["math.rsqrt"] = unaryRealRow<reciprocalRoot>();
  table["math.cbrt"] = unaryRealRow<std::cbrt>();
  table["math.erf"] = unaryRealRow<std::erf>();
  table["math.erfc"] = unaryRealRow<std::erfc>();
  table["math.powf"] = binaryRealRow<std::pow>();
  table["math.atan2"] = binaryRealRow<std::atan2>();
  table["math.sincos"] = same(sineAndCosine);
}

static void addExactOps(KernelTable &table) {
  table["math.absf"] = unaryRealRow<std::fabs>();
  table["math.ceil"] = unaryRealRow<std::ceil>();
  table["math.floor"] = unaryRealRow<std::floor>();
  table["math.trunc"] = unaryRealRow<std::trunc>();
  table["math.round"] = unaryRealRow<roundAway>();
  table["math.roundeven"] = unaryRealRow<roundEven>();
  table["math.copysign"] = binaryRealRow<std::copysign>();
  table["math.isnan"] = same(predicateReal<isNan>);
  table["math.isinf"] = same(predicateReal<isInfinite>);
  table["math.isfinite"] = same(predicateReal<isFinite>);
  table["math.isnormal"] = same(predicateReal<isNormal>);
  table["math.absi"] = unaryBitsRow<absolute>();
  table["math.ctlz"] = unaryBitsRow<leadingZeros>();
  table["math.cttz"] = unaryBitsRow<trailingZeros>();
  table["math.ctpop"] = unaryBitsRow<populationCount>();
  table["math.ipowi"] = binaryBitsRow<integerPower>();
  table["math.fpowi"] = same(realToIntegerPower);
  table["math.fma"] = same(fusedMultiplyAddLanes);
  table["math.clampf"] = same(clampReal);
}

bool mlir::qtensor::reference::selectMath(Operation *op, Instruction &instruction) {
  static const KernelTable table = [] {
    KernelTable table;
    addFunctions(table);
    addExactOps(table);
    return table;
  }();
  auto row = table.find(op->getName().getStringRef());
  if (row == table.end())
    return false;
  if (op->getNumOperands() > 1)
    if (auto exponent = NumericFormat::get(getElementTypeOrSelf(op->getOperand(1).getType())))
      instruction.immediate = exponent->getWidth();
  instruction.kernel = row->second.select(instruction.to);
  return true;
}
