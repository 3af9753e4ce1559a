// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Kernel/NearestSearch.h"
#include "lib/Transforms/Kernel/EncodedOperand.h"
#include "qtensor/Codec.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::qtensor;

/// The float of an ordinal: ordinals are signed integers in the order of the floats, -0 before +0.
static float fromOrdinal(int32_t ordinal) {
  return llvm::bit_cast<float>(ordinal >= 0 ? ordinal : ordinal ^ 0x7FFFFFFF);
}

static constexpr int32_t kLowest = static_cast<int32_t>(0xFF800000u ^ 0x7FFFFFFFu), kHighest = 0x7F800000;

namespace {
/// The step function of nearest codes: code `codes[i]` from ordinal `starts[i]` on.
struct Steps {
  SmallVector<int32_t> starts, codes;
};
} // namespace

static Steps findSteps(CodecAttr codec) {
  NearestCode nearest(codec);
  auto codeAt = [&](int64_t ordinal) { return nearest(fromOrdinal(static_cast<int32_t>(ordinal))); };
  Steps steps;
  int64_t at = kLowest;
  while (at <= kHighest) {
    uint32_t code = codeAt(at);
    steps.starts.push_back(static_cast<int32_t>(at));
    steps.codes.push_back(toContainer(codec, code));
    // The first ordinal behind the run of this code; codes are monotonic in the value.
    int64_t low = at, high = int64_t(kHighest) + 1;
    while (high - low > 1) {
      int64_t middle = low + (high - low) / 2;
      (codeAt(middle) == code ? low : high) = middle;
    }
    at = high;
  }
  return steps;
}

/// The code of one f32.
static Value searchOne(ImplicitLocOpBuilder &b, DenseElementsAttr starts, DenseElementsAttr codes, int32_t nanCode, Value x) {
  auto i32 = [&](int64_t value) -> Value { return arith::ConstantOp::create(b, b.getI32IntegerAttr(value)); };
  Value bits = arith::BitcastOp::create(b, b.getI32Type(), x);
  Value negative = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, bits, i32(0));
  Value ordinal = arith::SelectOp::create(b, negative, arith::XOrIOp::create(b, bits, i32(0x7FFFFFFF)), bits);
  Value position = i32(0);
  for (int64_t step = starts.getNumElements() / 2; step > 0; step /= 2) {
    Value next = arith::AddIOp::create(b, position, i32(step));
    Value reached = arith::CmpIOp::create(b, arith::CmpIPredicate::sge, ordinal, emitTableLookup(b, starts, next));
    position = arith::SelectOp::create(b, reached, next, position);
  }
  Value isNan = arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, x, x);
  return arith::SelectOp::create(b, isNan, i32(nanCode), emitTableLookup(b, codes, position));
}

Value qtensor::emitNearestCode(ImplicitLocOpBuilder &b, CodecAttr codec, Value x) {
  Steps steps = findSteps(codec);
  int32_t nanCode = toContainer(codec, NearestCode(codec)(std::numeric_limits<float>::quiet_NaN()));
  size_t size = llvm::PowerOf2Ceil(std::max<size_t>(2, steps.starts.size()));
  steps.starts.resize(size, std::numeric_limits<int32_t>::max());
  steps.codes.resize(size, 0);
  auto type = RankedTensorType::get(static_cast<int64_t>(size), b.getI32Type());
  auto starts = DenseElementsAttr::get(type, ArrayRef<int32_t>(steps.starts));
  auto codes = DenseElementsAttr::get(type, ArrayRef<int32_t>(steps.codes));
  auto vectorType = cast<VectorType>(x.getType()).clone(b.getI32Type());
  Value result = arith::ConstantOp::create(b, b.getZeroAttr(vectorType));
  for (int64_t lane = 0; lane < vectorType.getNumElements(); ++lane) {
    Value element = vector::ExtractOp::create(b, x, lane);
    result = vector::InsertOp::create(b, searchOne(b, starts, codes, nanCode, element), result, lane);
  }
  return result;
}
