// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rounds what contractions with an encoded weight multiply it with.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Calibrate/Statistics.h"
#include "lib/Calibrate/ValueNames.h"
#include "lib/Quantize/Passes.h"
#include "lib/Quantize/Plan.h"
#include "lib/Quantize/SourceNames.h"
#include "lib/Quantize/StaticRange.h"
#include "lib/Quantize/WeightLayout.h"
#include "qtensor/Format.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_QUANTIZEACTIVATIONS
#include "lib/Quantize/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

static constexpr StringLiteral kNone = "none";

namespace {
struct QuantizeActivations : mlir::qtensor::impl::QuantizeActivationsBase<QuantizeActivations> {
  using QuantizeActivationsBase::QuantizeActivationsBase;

  void runOnOperation() override;

private:
  LogicalResult quantize(Contraction contraction, StringRef spelling);
  /// The encoding that `spelling` means for the lhs of `contraction`.
  FailureOr<FormatChoice> choose(Contraction contraction, StringRef spelling);

  Statistics ranges;
  llvm::MapVector<Value, std::string> keys;
  llvm::DenseMap<std::pair<Value, Type>, Value> made;
};
} // namespace

FailureOr<FormatChoice> QuantizeActivations::choose(Contraction contraction, StringRef spelling) {
  Value value = contraction.lhs->get();
  Operation *op = contraction.op;
  unsigned rank = cast<RankedTensorType>(value.getType()).getRank();
  SideLayout layout = getActivationLayout(contraction);
  auto emitError = [&] { return op->emitError(); };
  if (!isStaticSpelling(spelling))
    return parseFormatSpelling(&getContext(), spelling, rank, layout.axes, emitError);
  std::string key = keys.lookup(value);
  return chooseStaticFormat(&getContext(), spelling, rank, layout.axes, ranges.lookup(key), key, emitError);
}

LogicalResult QuantizeActivations::quantize(Contraction contraction, StringRef spelling) {
  Value value = contraction.lhs->get();
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getEncoding())
    return success();
  FailureOr<FormatChoice> choice = choose(contraction, spelling);
  if (failed(choice))
    return failure();
  BlockAttr encoding =
      spreadActivationBlocks(cast<BlockAttr>(choice->encoding), getActivationLayout(contraction).axes, type.getShape());
  auto encoded = RankedTensorType::get(type.getShape(), type.getElementType(), encoding);
  Value &quantized = made[{value, encoded}];
  if (!quantized) {
    OpBuilder builder(&getContext());
    builder.setInsertionPointAfterValue(value);
    bool named = !choice->encoder.empty() && choice->encoder != "absmax";
    quantized = QuantizeOp::create(builder, value.getLoc(), encoded, value, ValueRange(), ValueRange(),
                                   named ? builder.getStringAttr(choice->encoder) : StringAttr());
  }
  contraction.lhs->set(quantized);
  return success();
}

void QuantizeActivations::runOnOperation() {
  FailureOr<Plan> rules = Plan::load(&getContext(), planFile);
  FailureOr<Statistics> loaded = Statistics::load(&getContext(), statistics);
  if (failed(rules) || failed(loaded))
    return signalPassFailure();
  ranges = std::move(*loaded);
  keys = nameContractionInputs(getOperation());
  SmallVector<std::pair<Contraction, std::string>> work;
  getOperation().walk([&](linalg::LinalgOp op) {
    FailureOr<Contraction> contraction = matchContraction(op);
    if (failed(contraction) || !getEncoding(contraction->rhs->get().getType()))
      return;
    SmallVector<StringRef> names = getLayerNames(op, contraction->rhs->get());
    std::string spelling = rules->lookup(names, PlanKey::Activations).value_or(activations);
    if (spelling != kNone)
      work.push_back({*contraction, spelling});
  });
  for (auto &[contraction, spelling] : work)
    if (failed(quantize(contraction, spelling)))
      return signalPassFailure();
  rules->warnUnmatched({PlanKey::Activations});
}
