// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Targets/RISCV/Vectors.h"
#include "lib/Transforms/Firmware/WindowGroups.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;
using namespace mlir::qtensor::riscv;

/// Fields of vtype, as the intrinsics take them: log2 of the element's bytes and of the group.
static int64_t fieldOfGroup(unsigned group) { return llvm::Log2_32(group); }

VectorType Vectors::type(unsigned bits) {
  return VectorType::get({8 * int64_t(group)}, k.getBuilder().getIntegerType(bits), /*scalableDims=*/{true});
}

unsigned Vectors::bitsOf(Value vector) { return cast<VectorType>(vector.getType()).getElementTypeBitWidth(); }

Value Vectors::none(VectorType type) { return LLVM::PoisonOp::create(k.getBuilder(), type); }

Value Vectors::setLength(Value left) {
  return k.intrinsic("llvm.riscv.vsetvli", k.i32(), {left, k.number(0), k.number(fieldOfGroup(group))});
}

Value Vectors::load(Value pointer, unsigned bits, Value vl) {
  return k.intrinsic("llvm.riscv.vle", type(bits), {none(type(bits)), pointer, vl});
}

void Vectors::store(Value vector, Value pointer, Value vl) { k.intrinsic("llvm.riscv.vse", {vector, pointer, vl}); }

Value Vectors::gather(Value pointer, Value offsets, unsigned bits, Value vl) {
  return k.intrinsic("llvm.riscv.vluxei", type(bits), {none(type(bits)), pointer, offsets, vl});
}

Value Vectors::fill(Value scalar, unsigned bits, Value vl) {
  Value element = k.truncate(scalar, k.getBuilder().getIntegerType(bits));
  return k.intrinsic("llvm.riscv.vmv.v.x", type(bits), {none(type(bits)), element, vl});
}

Value Vectors::apply(StringRef name, Value x, Value y, Value vl) { return apply(name, bitsOf(x), x, y, vl); }

Value Vectors::apply(StringRef name, unsigned bits, Value x, Value y, Value vl) {
  return k.intrinsic(("llvm.riscv." + name).str(), type(bits), {none(type(bits)), x, y, vl});
}

Value Vectors::applyRounded(StringRef name, unsigned bits, Value x, Value y, Rounding rounding, Value vl) {
  return k.intrinsic(("llvm.riscv." + name).str(), type(bits), {none(type(bits)), x, y, k.number(rounding), vl});
}

Value Vectors::extend(Value x, unsigned bits, Value vl) {
  return k.intrinsic("llvm.riscv.vsext", type(bits), {none(type(bits)), x, vl});
}

Value Vectors::multiplyAdd(Value sum, Value x, Value y, Value vl) {
  return k.intrinsic("llvm.riscv.vwmacc", sum.getType(), {sum, x, y, vl, /*tail and mask agnostic*/ k.number(3)});
}

Value Vectors::accumulate(Value sum, Value x, Value y, Value vl) {
  return k.intrinsic("llvm.riscv.vmacc", sum.getType(), {sum, x, y, vl, /*tail and mask agnostic*/ k.number(3)});
}

Value Vectors::reduce(StringRef name, Value x, Value start, Value vl) {
  auto element = cast<VectorType>(x.getType()).getElementType();
  auto one = VectorType::get({64 / int64_t(element.getIntOrFloatBitWidth())}, element, /*scalableDims=*/{true});
  Value first = k.intrinsic("llvm.riscv.vmv.s.x", one, {none(one), k.truncate(start, element), k.number(1)});
  Value reduced = k.intrinsic(("llvm.riscv." + name).str(), one, {none(one), x, first, vl});
  return k.extend(k.intrinsic("llvm.riscv.vmv.x.s", element, {reduced}), k.i32());
}

Value Vectors::clampCodes(Value codes, int64_t low, int64_t high, Value vl) {
  Type type = cast<VectorType>(codes.getType()).getElementType();
  int64_t most = (int64_t(1) << (bitsOf(codes) - 1)) - 1;
  if (low > -most - 1)
    codes = apply("vmax", codes, k.number(low, type), vl);
  if (high < most)
    codes = apply("vmin", codes, k.number(high, type), vl);
  return codes;
}

Value Vectors::mapSums(Value sums, Value multiplier, Value shift, const FinalMap &map, Value vl, unsigned codeBits) {
  bool twice = map.mode == FixedMode::Double;
  Value mapped = applyRounded("vsmul", 32, sums, multiplier, twice ? Nearest : Down, vl);
  // Ties away from zero are ties up of one less where the number is negative. Where all those are clamped, they may
  // stay.
  if (twice && map.low < map.zero)
    mapped = apply("vadd", mapped, apply("vsra", mapped, k.number(31), vl), vl);
  mapped = applyRounded("vssra", 32, mapped, shift, Nearest, vl);
  Value halves = applyRounded("vnclip", 16, mapped, k.number(0), Nearest, vl);
  if (map.zero)
    halves = apply("vsadd", halves, k.number(map.zero, k.i16()), vl);
  if (codeBits == 16)
    return clampCodes(halves, map.low, map.high, vl);
  return clampCodes(applyRounded("vnclip", 8, halves, k.number(0), Nearest, vl), map.low, map.high, vl);
}

void Vectors::strips(int64_t count, llvm::function_ref<void(Value, Value)> body) {
  strips(k.number(count), count, body);
}

void Vectors::strips(Value count, int64_t most, llvm::function_ref<void(Value, Value)> body) {
  strips(count, most, ValueRange(), [&](Value from, Value vl, ValueRange) {
    body(from, vl);
    return SmallVector<Value>();
  });
}

SmallVector<Value> Vectors::strips(Value count, int64_t most, ValueRange start,
                                   llvm::function_ref<SmallVector<Value>(Value, Value, ValueRange)> body) {
  if (most <= getSureLength())
    return body(k.number(0), setLength(count), start);
  ImplicitLocOpBuilder &b = k.getBuilder();
  Value step = k.intrinsic("llvm.riscv.vsetvlimax", k.i32(), {k.number(0), k.number(fieldOfGroup(group))});
  auto loop = scf::ForOp::create(b, k.number(0), count, step, start,
                                 [&](OpBuilder &inner, Location loc, Value from, ValueRange carried) {
                                   OpBuilder::InsertionGuard guard(b);
                                   b.restoreInsertionPoint(inner.saveInsertionPoint());
                                   scf::YieldOp::create(b, body(from, setLength(k.sub(count, from)), carried));
                                 });
  return SmallVector<Value>(loop.getResults());
}

bool riscv::takesMap(const FinalMap &map, const ConvConstants &constants) {
  if (map.mode == FixedMode::X16 || map.zero < -128 || map.zero > 127)
    return false;
  for (size_t i = 0; i < constants.shift.size(); ++i) {
    bool flushed = constants.multiplier[constants.multiplier.size() == 1 ? 0 : i] == 0;
    if (!flushed && (constants.shift[i] > -1 || constants.shift[i] < -31))
      return false;
  }
  return true;
}

bool riscv::takesWords(const ConvLayer &layer, const ConvConstants &constants) {
  NarrowMap narrow(layer, constants);
  return layer.hasWords() && layer.sumBound <= INT32_MAX && takesMap(narrow.layer.map, narrow.constants);
}

/// As many registers as hold so many bytes in every processor; at most eight: one turn of the loop is most of the price
/// of a short copy, and every register that takes no part of it has a price of its own.
static unsigned chooseGroup(int64_t bytes) {
  constexpr unsigned most = 8, sureBytes = 8;
  unsigned group = 1;
  while (group < most && sureBytes * group < bytes)
    group *= 2;
  return group;
}

void riscv::copyBytes(KernelBuilder &k, Value to, Value from, Value count, int64_t most) {
  Vectors v(k, chooseGroup(most));
  v.strips(count, most, [&](Value at, Value vl) { v.store(v.load(k.at(from, at), 8, vl), k.at(to, at), vl); });
}

void riscv::fillBytes(KernelBuilder &k, Value to, int64_t byte, int64_t count) {
  unsigned group = chooseGroup(count);
  Vectors v(k, group);
  Value code = k.number(byte);
  // Or LLVM keeps many registers of bytes for all windows that leave the input, and sums go to the stack.
  if (group > 2)
    code = k.pin(code)[0];
  v.strips(count, [&](Value at, Value vl) { v.store(v.fill(code, 8, vl), k.at(to, at), vl); });
}
