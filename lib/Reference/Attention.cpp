// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// qtensor.attention: softmax(scale * q.k^T + mask).v with everything between operands and result in double, whatever
// the strategy is: that is an approximation whose bound the dialect's README states.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Reference/EncodedRules.h"
#include <cmath>
#include <numeric>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::reference;

/// A plain operand, or the values of the components of an encoded one.
static FailureOr<Tensor> readOperand(AttentionOp op, ValueRange operands, std::optional<BlockAttr> encoding,
                                     Evaluation &evaluation) {
  if (!encoding)
    return evaluation.get(operands[0]);
  SmallVector<Tensor> components = llvm::map_to_vector(operands, [&](Value value) { return evaluation.get(value); });
  return decodeTensor(*encoding, components[0].getShape(), Float32Type::get(op.getContext()), components,
                      [&] { return op.emitOpError(); });
}

namespace {
/// A cache whose dimensions may lie in any order.
struct Cache {
  Tensor tensor;
  SmallVector<int64_t> dims, extents, strides; ///< Of batch, head, token and element.

  Cache(Tensor values, ArrayRef<int64_t> order) : tensor(std::move(values)), dims(order) {
    ArrayRef<int64_t> shape = tensor.getShape();
    for (int64_t dim : dims) {
      extents.push_back(shape[dim]);
      strides.push_back(std::accumulate(shape.begin() + dim + 1, shape.end(), int64_t(1), std::multiplies<>()));
    }
  }
  double get(int64_t b, int64_t g, int64_t t, int64_t d) const {
    return tensor.getReal(b * strides[0] + g * strides[1] + t * strides[2] + d * strides[3]);
  }
};
} // namespace

static bool haveExtents(const Tensor &tensor, ArrayRef<int64_t> extents) { return tensor.getShape() == extents; }
static bool haveExtents(const Cache &cache, ArrayRef<int64_t> extents) { return ArrayRef(cache.extents) == extents; }

namespace {
/// The operands and extents of one attention.
struct Attention {
  Tensor query, mask;
  Cache key, value;
  bool masked;
  double scale;
  int64_t batch, heads, groups, rows, keys, depth, width;

  void computeRow(int64_t b, int64_t h, int64_t s, Tensor &output) const;
};
} // namespace

void Attention::computeRow(int64_t b, int64_t h, int64_t s, Tensor &output) const {
  int64_t group = h / (heads / groups), row = (b * heads + h) * rows + s;
  std::vector<double> scores(keys);
  double largest = -HUGE_VAL, total = 0;
  for (int64_t t = 0; t < keys; ++t) {
    for (int64_t d = 0; d < depth; ++d)
      scores[t] += query.getReal(row * depth + d) * key.get(b, group, t, d);
    scores[t] *= scale;
    if (masked)
      scores[t] += mask.getReal((mask.getRank() == 2 ? s : row) * keys + t);
    largest = std::max(largest, scores[t]);
  }
  if (largest == -HUGE_VAL)
    return; // nothing to attend to: zeros
  for (double &score : scores)
    total += score = std::exp(score - largest);
  for (int64_t e = 0; e < width; ++e) {
    double sum = 0;
    for (int64_t t = 0; t < keys; ++t)
      if (scores[t] != 0) // what is hidden is not read
        sum += scores[t] / total * value.get(b, group, t, e);
    output.setReal(row * width + e, sum);
  }
}

static LogicalResult evaluateAttention(AttentionOp op, Evaluation &evaluation) {
  if (op.getKeyPacked() || op.getValuePacked())
    return op.emitOpError("reference: packed codes belong to C4; the reference computes what C3 has");
  FailureOr<Tensor> keyTensor = readOperand(op, op.getKey(), op.getKeyEncoding(), evaluation);
  FailureOr<Tensor> valueTensor = readOperand(op, op.getValue(), op.getValueEncoding(), evaluation);
  if (failed(keyTensor) || failed(valueTensor))
    return failure();
  Cache key(*keyTensor, op.getKeyDims()), value(*valueTensor, op.getValueDims());
  Tensor query = evaluation.get(op.getQuery()), mask = op.getMask() ? evaluation.get(op.getMask()) : Tensor();
  int64_t batch = query.getShape()[0], heads = query.getShape()[1], rows = query.getShape()[2];
  int64_t groups = key.extents[1], keys = key.extents[2], depth = query.getShape()[3], width = value.extents[3];
  bool fits = groups > 0 && heads % groups == 0 && haveExtents(key, {batch, groups, keys, depth}) &&
              haveExtents(value, {batch, groups, keys, width});
  if (op.getMask())
    fits = fits && (haveExtents(mask, {rows, keys}) || haveExtents(mask, {batch, heads, rows, keys}));
  if (!fits || op->getNumResults() != 1)
    return op.emitOpError("reference: the extents of query, key, value and mask do not fit");
  FailureOr<Tensor> output =
      evaluation.allocate(op, cast<ShapedType>(op.getOutput().getType()).getElementType(), {batch, heads, rows, width});
  if (failed(output))
    return failure();
  Attention attention{query,  mask,   key,  value, bool(op.getMask()), op.getScale().convertToDouble(), batch, heads,
                      groups, rows, keys, depth, width};
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t h = 0; h < heads; ++h)
      for (int64_t s = 0; s < rows; ++s)
        attention.computeRow(b, h, s, *output);
  evaluation.set(op.getResult(), std::move(*output));
  return success();
}

void mlir::qtensor::reference::addAttentionRule(RuleTable &table) { addRule<AttentionOp, evaluateAttention>(table); }
