// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Compare.h"
#include "lib/Reference/Encoding.h"
#include "lib/Reference/Interpreter.h"
#include "mlir/Parser/Parser.h"
#include "qtensor/Codec.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::conformance;
using reference::Tensor;

/// `[1, 0, 7]`
static std::string formatIndex(ArrayRef<int64_t> shape, int64_t position) {
  std::string text;
  for (int64_t extent : llvm::reverse(shape)) {
    text = std::to_string(position % extent) + (text.empty() ? "" : ", ") + text;
    position /= extent;
  }
  return "[" + text + "]";
}

std::optional<std::string> conformance::findDifference(const Tensor &expected, ArrayRef<char> bytes) {
  if (expected.getBytes().size() != bytes.size())
    return llvm::formatv("has {0} bytes, expected {1}", bytes.size(), expected.getBytes().size()).str();
  for (int64_t i = 0, count = expected.getNumElements(); i < count; ++i) {
    float value;
    memcpy(&value, bytes.data() + i * sizeof value, sizeof value);
    if (memcmp(&value, expected.getBytes().data() + i * sizeof value, sizeof value) == 0)
      continue;
    if (std::isnan(value) && std::isnan(expected.getReal(i)))
      continue;
    return llvm::formatv("{0} is {1:f9}, expected {2:f9}", formatIndex(expected.getShape(), i), value,
                         expected.getReal(i))
        .str();
  }
  return std::nullopt;
}

/// |value| + 2 |offset|: bounds the magnitude of scale * (code - zero) as well as that of the sum with the offset. A
/// codec of two limbs is approximated by the integer strategy: `perUnit` times that error is added.
static FailureOr<Tensor> getMagnitudes(const Tensor &decoded, BlockAttr encoding, double perUnit,
                                       MLIRContext *context) {
  auto report = [&] { return emitError(UnknownLoc::get(context)); };
  Tensor result = decoded.withoutComponents();
  std::optional<reference::Parameters> parameters;
  double codeError = 0;
  if (encoding) {
    FailureOr<reference::Parameters> found =
        reference::Parameters::decode(encoding, decoded.getShape(), decoded.getComponents().drop_front(), report);
    if (failed(found))
      return failure();
    parameters = std::move(*found);
    Embedding embedding = getEmbedding(encoding.getCodec());
    codeError = embedding.limbs == 2 && embedding.bound < 1 ? embedding.bound * perUnit : 0;
  }
  for (int64_t i = 0, count = result.getNumElements(); i < count; ++i) {
    double magnitude = std::fabs(result.getReal(i));
    if (parameters) {
      int64_t block = parameters->getBlock(i);
      magnitude += parameters->offset.present ? 2 * std::fabs(parameters->offset.get(block)) : 0;
      magnitude += (parameters->scale.present ? std::fabs(parameters->scale.get(block)) : 1) * codeError;
    }
    result.setReal(i, magnitude);
  }
  return result;
}

FailureOr<std::vector<double>> conformance::computeBounds(MLIRContext *context, const CellData &data,
                                                          const Observed &observed) {
  double roundings = 3.0 * data.cell.getProducts() + 8;
  double perUnit = data.inputEncoding && !data.cell.forceFloat ? 0x1p24 / roundings : 0;
  FailureOr<Tensor> x = getMagnitudes(observed.input, data.inputEncoding, 0, context);
  FailureOr<Tensor> w = getMagnitudes(observed.weight, data.weightEncoding, perUnit, context);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(writeMagnitudeModule(data), context);
  if (failed(x) || failed(w) || !module)
    return failure();
  auto sums = reference::evaluate(*module->getOps<func::FuncOp>().begin(), {*x, *w});
  if (failed(sums))
    return failure();
  std::vector<double> bounds;
  for (int64_t i = 0, count = sums->front().getNumElements(); i < count; ++i)
    bounds.push_back(roundings * 0x1p-24 * sums->front().getReal(i));
  return bounds;
}

std::optional<std::string> conformance::findOutside(const Tensor &a, const Tensor &b, ArrayRef<double> bounds) {
  if (a.getShape() != b.getShape() || a.getNumElements() != int64_t(bounds.size()))
    return std::string("has another shape");
  for (auto [i, bound] : llvm::enumerate(bounds))
    if (!(std::fabs(a.getReal(i) - b.getReal(i)) <= bound))
      return llvm::formatv("{0} is {1:f9}, before selection {2:f9}, allowed {3:f9}", formatIndex(a.getShape(), i),
                           a.getReal(i), b.getReal(i), bound)
          .str();
  return std::nullopt;
}
