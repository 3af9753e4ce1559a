// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Small nodes on constants are evaluated while importing, by the reference: exporters compute scales, axes and shapes
// with arbitrary operators, and the operators that read them need numbers. Large ones are left to normalisation.
#include "lib/Import/Graph/Fold.h"
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "lib/Reference/Interpreter.h"

namespace mlir::qtensor::graph {
namespace {
constexpr int64_t kMaxResultElements = 64;
constexpr int64_t kMaxElements = 4096;

class Evaluator {
public:
  FailureOr<reference::Tensor> evaluate(Value value) {
    if (auto known = values.find(value); known != values.end())
      return known->second;
    Operation *op = value.getDefiningOp();
    // Encodings are kept: a dequantized constant is a weight, not shape arithmetic.
    if (!op || isa_and_nonnull<QTensorDialect>(op->getDialect()) || !reference::isSupported(op) || ++steps > 1000)
      return failure();
    SmallVector<reference::Tensor> operands;
    for (Value operand : reference::getReadValues(op)) {
      FailureOr<reference::Tensor> tensor = evaluate(operand);
      if (failed(tensor))
        return failure();
      operands.push_back(std::move(*tensor));
    }
    reference::EvaluateOptions options;
    options.maxElements = kMaxElements;
    FailureOr<SmallVector<reference::Tensor>> results = reference::evaluateOp(op, operands, options);
    if (failed(results))
      return failure();
    for (auto [result, tensor] : llvm::zip(op->getResults(), *results))
      values[result] = tensor;
    return values[value];
  }

private:
  DenseMap<Value, reference::Tensor> values;
  unsigned steps = 0;
};

std::shared_ptr<TensorData> toConstant(const reference::Tensor &tensor, Elem elem) {
  auto data = std::make_shared<TensorData>();
  unsigned size = std::max(1u, bitWidth(elem) / 8);
  auto bytes = std::make_shared<std::vector<char>>(tensor.getNumElements() * size);
  for (int64_t i = 0; i < tensor.getNumElements(); ++i) {
    uint64_t bits = isSigned(elem) ? static_cast<uint64_t>(tensor.getInteger(i)) : tensor.getBits(i);
    std::memcpy(bytes->data() + i * size, &bits, size);
  }
  data->elem = elem;
  data->dims.assign(tensor.getShape().begin(), tensor.getShape().end());
  data->bytes = ArrayRef<char>(bytes->data(), bytes->size());
  data->owner = bytes;
  return data;
}
} // namespace

bool isSmallConstant(const Val &x) {
  if (x.ints)
    return llvm::all_of(*x.ints, [](OpFoldResult entry) { return DimMath::number(entry).has_value(); });
  return x.constant && x.constant->numElements() <= kMaxElements;
}

std::optional<Val> foldToConstant(Emit &e, const Val &x) {
  if (!x.tensor || x.constant || x.ints)
    return std::nullopt;
  SmallVector<int64_t> shape = DimMath::shape(x.dims);
  int64_t count = 1;
  for (int64_t dim : shape)
    if (ShapedType::isDynamic(dim) || (count *= dim) > kMaxResultElements)
      return std::nullopt;
  ScopedDiagnosticHandler silence(e.b.getContext(), [](Diagnostic &) { return success(); });
  FailureOr<reference::Tensor> value = Evaluator().evaluate(x.tensor);
  if (failed(value) || value->getShape() != ArrayRef<int64_t>(shape))
    return std::nullopt;
  return e.constant(toConstant(*value, x.elem));
}

} // namespace mlir::qtensor::graph
