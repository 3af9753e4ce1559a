// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Templates that turn a scalar function into a kernel over lanes, once per rounding. Internal to the reference.
#pragma once
#include "lib/Reference/Program.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::qtensor::reference {

/// How a float result is rounded: f32 and f64 in line, anything else through its format.
enum class Rounding { Single, Double, Any };

template <Rounding R> inline double roundAs(const NumericFormat &format, double value) {
  if constexpr (R == Rounding::Single)
    return static_cast<float>(value);
  else if constexpr (R == Rounding::Double)
    return value;
  else
    return format.round(value);
}

/// The kernels of one op for the three roundings. Ops without a float result use the same kernel three times.
struct KernelRow {
  Kernel single, twice, any;
  Kernel select(const NumericFormat &format) const { return format.isF32() ? single : format.isF64() ? twice : any; }
};

template <double (*F)(double), Rounding R>
void unaryReal(const Instruction &instruction, Machine &machine, size_t count) {
  Lane *result = machine[instruction.result], *a = machine[instruction.operands[0]];
  for (size_t lane = 0; lane < count; ++lane)
    result[lane].real = roundAs<R>(instruction.to, F(a[lane].real));
}
template <double (*F)(double, double), Rounding R>
void binaryReal(const Instruction &instruction, Machine &machine, size_t count) {
  Lane *result = machine[instruction.result], *a = machine[instruction.operands[0]];
  Lane *b = machine[instruction.operands[1]];
  for (size_t lane = 0; lane < count; ++lane)
    result[lane].real = roundAs<R>(instruction.to, F(a[lane].real, b[lane].real));
}
/// Integer functions get the operand's format for its width; results are cut to the result's width.
template <uint64_t (*F)(const NumericFormat &, uint64_t)>
void unaryBits(const Instruction &instruction, Machine &machine, size_t count) {
  Lane *result = machine[instruction.result], *a = machine[instruction.operands[0]];
  uint64_t mask = instruction.to.mask();
  for (size_t lane = 0; lane < count; ++lane)
    result[lane].bits = F(instruction.from, a[lane].bits) & mask;
}
template <uint64_t (*F)(const NumericFormat &, uint64_t, uint64_t)>
void binaryBits(const Instruction &instruction, Machine &machine, size_t count) {
  Lane *result = machine[instruction.result], *a = machine[instruction.operands[0]];
  Lane *b = machine[instruction.operands[1]];
  NumericFormat from = instruction.from;
  uint64_t mask = instruction.to.mask();
  for (size_t lane = 0; lane < count; ++lane)
    result[lane].bits = F(from, a[lane].bits, b[lane].bits) & mask;
}
/// Classification of a float: the result is i1.
template <bool (*F)(double)> void predicateReal(const Instruction &instruction, Machine &machine, size_t count) {
  Lane *result = machine[instruction.result], *a = machine[instruction.operands[0]];
  for (size_t lane = 0; lane < count; ++lane)
    result[lane].bits = F(a[lane].real);
}

template <double (*F)(double)> constexpr KernelRow unaryRealRow() {
  return {unaryReal<F, Rounding::Single>, unaryReal<F, Rounding::Double>, unaryReal<F, Rounding::Any>};
}
template <double (*F)(double, double)> constexpr KernelRow binaryRealRow() {
  return {binaryReal<F, Rounding::Single>, binaryReal<F, Rounding::Double>, binaryReal<F, Rounding::Any>};
}
constexpr KernelRow same(Kernel kernel) { return {kernel, kernel, kernel}; }
template <uint64_t (*F)(const NumericFormat &, uint64_t)> constexpr KernelRow unaryBitsRow() {
  return same(unaryBits<F>);
}
template <uint64_t (*F)(const NumericFormat &, uint64_t, uint64_t)> constexpr KernelRow binaryBitsRow() {
  return same(binaryBits<F>);
}

/// Op name to kernels.
using KernelTable = llvm::StringMap<KernelRow>;

} // namespace mlir::qtensor::reference
