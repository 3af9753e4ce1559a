// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/LayerConstants.h"

using namespace mlir;
using namespace mlir::qtensor;

template <typename T> FailureOr<std::vector<T>> firmware::readNumbers(qnn::LayerOpInterface op, Value operand) {
  arith::ConstantOp constant = getConstantSource(operand);
  if (!constant)
    return op->emitOpError("has a weight, bias, multiplier or shift that is not constant; kernels arrange constants "
                           "while compiling"),
           failure();
  auto type = cast<RankedTensorType>(operand.getType());
  std::vector<char> bytes = readBytes(cast<ElementsAttr>(constant.getValue()));
  int64_t width = type.getElementTypeBitWidth() / 8, count = type.getNumElements();
  if (width == 0 || int64_t(bytes.size()) != width * count)
    return op->emitOpError("has a constant of ") << bytes.size() << " bytes for the type " << type, failure();
  std::vector<T> numbers;
  for (int64_t i = 0; i < count; ++i) {
    uint64_t bits = 0;
    std::memcpy(&bits, bytes.data() + i * width, width);
    numbers.push_back(T(llvm::SignExtend64(bits, unsigned(8 * width))));
  }
  return numbers;
}

namespace mlir::qtensor::firmware {
template FailureOr<std::vector<int32_t>> readNumbers(qnn::LayerOpInterface, Value);
template FailureOr<std::vector<int64_t>> readNumbers(qnn::LayerOpInterface, Value);
} // namespace mlir::qtensor::firmware

FailureOr<firmware::ConvConstants> firmware::readConvConstants(qnn::LayerOpInterface op) {
  OperandRange operands = op.getWeightOperands();
  auto weights = readNumbers<int32_t>(op, operands[0]);
  auto bias = readNumbers<int64_t>(op, operands[1]);
  auto multiplier = readNumbers<int32_t>(op, operands[2]), shift = readNumbers<int32_t>(op, operands[3]);
  if (failed(weights) || failed(bias) || failed(multiplier) || failed(shift))
    return failure();
  ConvConstants constants{std::move(*weights), std::move(*bias), std::move(*multiplier), std::move(*shift), {}};
  if (operands.size() > 4) {
    auto factors = readNumbers<int32_t>(op, operands[4]);
    if (failed(factors))
      return failure();
    constants.factors = std::move(*factors);
  }
  return constants;
}

Value firmware::makeNumbers(OpBuilder &b, Location loc, RankedTensorType type, ArrayRef<int64_t> numbers) {
  int64_t width = type.getElementTypeBitWidth() / 8;
  std::vector<char> bytes(numbers.size() * width);
  for (size_t i = 0; i < numbers.size(); ++i)
    std::memcpy(bytes.data() + i * width, &numbers[i], width);
  return makeConstant(b, loc, type, std::move(bytes), "layer");
}
