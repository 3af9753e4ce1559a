// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes vector code whose vectors have no fixed length: RVV 1.0, its part for integers of 32 bits (Zve32x).
#pragma once
#include "lib/Transforms/Firmware/KernelBuilder.h"
#include "lib/Transforms/Firmware/Layer.h"

namespace mlir::qtensor::riscv {

/// Vectors of as many elements as `group` registers (1, 2, 4 or 8) hold bytes; so an i16 takes twice, an i32 four times
/// the registers. Every operation takes a length `vl`, which one of the setLength calls returned.
class Vectors {
public:
  Vectors(firmware::KernelBuilder &k, unsigned group) : k(k), group(group) {}

  VectorType type(unsigned bits);
  unsigned bitsOf(Value vector);
  /// The elements that the smallest registers hold (64 bits each): a length that needs no loop.
  int64_t getSureLength() const { return 8 * group; }
  /// The number of elements that the next turn takes when `left` are left.
  Value setLength(Value left);
  Value setLength(int64_t left) { return setLength(k.number(left)); }

  Value load(Value pointer, unsigned bits, Value vl);
  void store(Value vector, Value pointer, Value vl);
  /// Elements of `bits` at byte offsets (a vector of u16) from an address.
  Value gather(Value pointer, Value offsets, unsigned bits, Value vl);
  Value fill(Value scalar, unsigned bits, Value vl);
  /// An operation on vectors of one type, or of a vector and a scalar: "llvm.riscv.<name>".
  Value apply(StringRef name, Value x, Value y, Value vl);
  /// One whose result has elements of `bits`.
  Value apply(StringRef name, unsigned bits, Value x, Value y, Value vl);
  /// One that rounds as a mode says.
  enum Rounding { Nearest = 0, Down = 2 };
  Value applyRounded(StringRef name, unsigned bits, Value x, Value y, Rounding rounding, Value vl);
  Value extend(Value x, unsigned bits, Value vl);
  /// sum + x * y with elements twice as wide; `x` may be a scalar.
  Value multiplyAdd(Value sum, Value x, Value y, Value vl);
  /// sum + x * y of one width.
  Value accumulate(Value sum, Value x, Value y, Value vl);
  /// An operation over all elements with a start, as an i32: "llvm.riscv.<name>".
  Value reduce(StringRef name, Value x, Value start, Value vl);
  /// Clamps to what is narrower than the codes.
  Value clampCodes(Value codes, int64_t low, int64_t high, Value vl);

  /// Codes of i32 sums, of 8 or 16 bits. Shifts are to the right by 1 to 31 (a multiplier of 0 takes any of them);
  /// `multiplier` and `shift` are vectors or scalars. `takesMap` says which layers have such maps.
  Value mapSums(Value sums, Value multiplier, Value shift, const firmware::FinalMap &map, Value vl,
                unsigned codeBits = 8);

  /// for (from = 0; from < count; from += vl): `body` gets `from` and `vl`. One turn has no loop.
  void strips(int64_t count, llvm::function_ref<void(Value from, Value vl)> body);
  /// The same for a number that is known to be at most `most`.
  void strips(Value count, int64_t most, llvm::function_ref<void(Value from, Value vl)> body);
  SmallVector<Value> strips(Value count, int64_t most, ValueRange start,
                            llvm::function_ref<SmallVector<Value>(Value from, Value vl, ValueRange carried)> body);

private:
  Value none(VectorType type);
  firmware::KernelBuilder &k;
  unsigned group;
};

/// Whether mapSums takes the shifts and multipliers of a layer.
bool takesMap(const firmware::FinalMap &map, const firmware::ConvConstants &constants);

/// Whether a layer has codes of 16 bits and sums of 32 that mapSums takes, with multipliers as NarrowMap has them.
bool takesWords(const firmware::ConvLayer &layer, const firmware::ConvConstants &constants);

/// Whether emitSum takes the maps of a sum, and its codes from vectors of codes.
bool takesSum(const firmware::AddLayer &layer);
Value emitSum(firmware::KernelBuilder &k, Vectors &v, const firmware::AddLayer &layer, Value first, Value second, Value vl);

/// Copies bytes, at most `most` of them.
void copyBytes(firmware::KernelBuilder &k, Value to, Value from, Value count, int64_t most);
/// Writes one byte `count` times.
void fillBytes(firmware::KernelBuilder &k, Value to, int64_t byte, int64_t count);

} // namespace mlir::qtensor::riscv
