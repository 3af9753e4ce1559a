// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quantize/LateWeight.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "qtensor/Codec.h"

using namespace mlir;
using namespace mlir::qtensor;

FailureOr<std::optional<LateWeight>> LateWeight::match(Operation *op) {
  std::optional<LateWeight> none;
  auto encode = dyn_cast<EncodeOp>(op);
  auto quantize = dyn_cast<QuantizeOp>(op);
  bool own = encode ? encode.getParams().empty() && !encode.getSums()
                    : quantize && quantize.getParams().empty() && quantize.getStatistics().empty();
  auto type = own ? dyn_cast<RankedTensorType>(op->getOperand(0).getType()) : RankedTensorType();
  if (!type || !type.hasStaticShape())
    return none;
  Value value = op->getOperand(0);
  auto transpose = value.getDefiningOp<linalg::TransposeOp>();
  if (transpose)
    value = transpose.getInput();
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  if (!constant)
    return none;
  FailureOr<FloatSource> source = FloatSource::get(constant);
  if (failed(source))
    return failure();
  LateWeight weight(op, *source);
  weight.encoding = encode ? encode.getEncoding() : getBlockEncoding(quantize.getType());
  weight.encoder = (encode ? encode.getEncoder() : quantize.getEncoder()).value_or("absmax");
  weight.shape = llvm::to_vector(type.getShape());
  if (transpose)
    weight.permutation = llvm::to_vector(transpose.getPermutation());
  return std::optional<LateWeight>(std::move(weight));
}

SmallVector<float, 0> LateWeight::readRows(int64_t first, int64_t count) const {
  int64_t length = 1;
  for (int64_t extent : ArrayRef(shape).drop_front())
    length *= extent;
  SmallVector<float, 0> values;
  values.resize_for_overwrite(count * length);
  if (permutation.empty()) {
    source.read(first * length, values);
    return values;
  }
  if (shape.size() == 2) { // Columns of the constant: a piece of each of its rows.
    std::vector<float> piece(count);
    for (int64_t column = 0; column < length; ++column) {
      source.read(column * shape[0] + first, piece);
      for (int64_t row = 0; row < count; ++row)
        values[row * length + column] = piece[row];
    }
    return values;
  }
  SmallVector<int64_t> from(shape.size());
  for (auto [extent, dim] : llvm::zip_equal(shape, permutation))
    from[dim] = extent;
  std::vector<float> all(length * shape.front());
  source.read(0, all);
  all = transpose(ArrayRef(all), from, permutation);
  llvm::copy(ArrayRef(all).slice(first * length, count * length), values.begin());
  return values;
}

FailureOr<std::vector<ComponentBytes>> LateWeight::encodeRows(int64_t first, int64_t count, bool parallel,
                                                              NearestCodes &nearest) const {
  SmallVector<int64_t> rows = shape;
  rows.front() = count;
  EncodeOptions options;
  options.encoder = getEncoder();
  options.parallel = parallel;
  options.nearest = &nearest;
  return encodeTensor(readRows(first, count), rows, getEncoding(), options, [&] { return op->emitError(); });
}
