// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "RandomEncoding.h"
#include "mlir/IR/BuiltinTypes.h"
#include "qtensor/Codec.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::conformance;

namespace {
/// What a tensor of codes is for; it bounds the values.
enum class Role { Weight, Scale, Zero, Offset };

struct Filler {
  Random &random;
  MLIRContext *context;
  bool extremes;
  std::vector<RandomComponent> components;

  void fill(BlockAttr encoding, ArrayRef<int64_t> shape, Role role);
  void fillCodes(CodecAttr codec, RankedTensorType type, Role role);
  void fillFloats(RankedTensorType type);
};
} // namespace

/// Scales that are codes of their own stay near 1, and no sum overflows.
static bool isOrdinary(double value, Role role) {
  if (!std::isfinite(value))
    return false;
  double magnitude = std::fabs(value);
  if (role == Role::Weight || role == Role::Zero)
    return magnitude <= 0x1p32;
  return magnitude >= 0x1p-6 && magnitude <= 0x1p7;
}

static void append(std::vector<char> &bytes, uint64_t bits, unsigned size) {
  for (unsigned i = 0; i < size; ++i)
    bytes.push_back(char(bits >> (8 * i)));
}

void Filler::fillCodes(CodecAttr codec, RankedTensorType type, Role role) {
  std::vector<uint32_t> codes;
  for (uint64_t code = 0, count = std::min<uint64_t>(codec.getNumCodes(), 65536); code < count; ++code)
    if (isOrdinary(decodeCode(codec, code), role))
      codes.push_back(code);
  bool extreme = extremes && role == Role::Weight;
  if (extreme)
    llvm::stable_sort(codes, [&](uint32_t a, uint32_t b) { return decodeCode(codec, a) < decodeCode(codec, b); });
  RandomComponent component{type, {}};
  unsigned size = type.getElementTypeBitWidth() / 8;
  for (int64_t i = 0; i < type.getNumElements(); ++i) {
    uint32_t code = extreme ? random.pickExtreme(ArrayRef(codes)) : random.pick(ArrayRef(codes));
    append(component.bytes, uint32_t(toContainer(codec, code)), size);
  }
  components.push_back(std::move(component));
}

void Filler::fillFloats(RankedTensorType type) {
  auto element = cast<FloatType>(type.getElementType());
  RandomComponent component{type, {}};
  for (int64_t i = 0; i < type.getNumElements(); ++i) {
    double value = random.oneIn(32) ? 0.0 : std::ldexp(random.real(1, 2), -1 - int(random.below(5)));
    llvm::APFloat rounded(random.oneIn(4) ? -value : value);
    bool lossy;
    rounded.convert(element.getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven, &lossy);
    append(component.bytes, rounded.bitcastToAPInt().getZExtValue(), element.getWidth() / 8);
  }
  components.push_back(std::move(component));
}

void Filler::fill(BlockAttr encoding, ArrayRef<int64_t> shape, Role role) {
  SmallVector<Component> types; // the codes are first, own parameters follow in the order scale, zero, offset
  encoding.getComponents(shape, context, types);
  fillCodes(encoding.getCodec(), types.front().type, role);
  size_t next = 1;
  std::pair<ParamAttr, Role> params[] = {
      {encoding.getScale(), Role::Scale}, {encoding.getZero(), Role::Zero}, {encoding.getOffset(), Role::Offset}};
  for (auto [param, own] : params) {
    if (!param || !param.isData())
      continue;
    RankedTensorType type = types[next].type;
    size_t before = components.size();
    if (auto nested = dyn_cast<BlockAttr>(param.getValue()))
      fill(nested, type.getShape(), own == Role::Zero ? own : Role::Weight);
    else if (auto codec = dyn_cast<CodecAttr>(param.getValue()))
      fillCodes(codec, type, own);
    else
      fillFloats(type);
    next += components.size() - before;
  }
}

std::vector<RandomComponent> conformance::makeComponents(BlockAttr encoding, ArrayRef<int64_t> shape, Random &random,
                                                         bool extremes) {
  Filler filler{random, encoding.getContext(), extremes, {}};
  filler.fill(encoding, shape, Role::Weight);
  return std::move(filler.components);
}

std::vector<char> conformance::makeReals(int64_t count, Random &random) {
  std::vector<char> bytes;
  for (int64_t i = 0; i < count; ++i) {
    float value = random.oneIn(16) ? 0.0f : float(random.real(-2, 2));
    if (random.oneIn(8))
      value = std::round(value * 8) / 8; // ties
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    append(bytes, bits, sizeof bits);
  }
  return bytes;
}

std::vector<char> conformance::makeExtremeReals(int64_t count, Random &random) {
  std::vector<char> bytes;
  for (int64_t i = 0; i < count; ++i)
    append(bytes, llvm::bit_cast<uint32_t>(random.pickExtreme(ArrayRef<float>{-64, 64})), 4);
  return bytes;
}
