// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rounds what contractions with an encoded weight multiply it with, and what is added up between them.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Calibrate/Statistics.h"
#include "lib/Calibrate/ValueNames.h"
#include "lib/Quantize/LayerAdditions.h"
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
  LogicalResult quantizeAdditions(Plan &rules);
  /// The static encoding that `spelling` means for `value`, read by `op`: one for all that are the same but for
  /// movement.
  FailureOr<FormatChoice> chooseStatic(Value value, ArrayRef<int64_t> axes, StringRef spelling, Operation *op);
  void round(OpOperand &operand, const FormatChoice &choice, BlockAttr encoding);
  /// Behind what moves a value: of integer-only networks the tensor that is rounded where it is made, all parts alike.
  Value getSource(Value value) const { return rounding.empty() ? getUnmoved(value) : getWhole(value); }

  Statistics ranges;
  llvm::MapVector<Value, std::string> keys;
  llvm::DenseMap<Value, std::string> sources; ///< Keys of values behind what moves them.
  llvm::DenseMap<std::pair<Value, Type>, Value> made;
  llvm::DenseMap<Value, llvm::StringMap<FormatChoice>> chosen; ///< For the values behind what moves them.
};
} // namespace

FailureOr<FormatChoice> QuantizeActivations::chooseStatic(Value value, ArrayRef<int64_t> axes, StringRef spelling,
                                                          Operation *op) {
  unsigned rank = cast<RankedTensorType>(value.getType()).getRank();
  Value source = getSource(value);
  auto [known, isNew] = chosen[source].try_emplace(spelling);
  if (!isNew) {
    FormatChoice choice = known->second;
    choice.encoding = coverTensor(cast<BlockAttr>(choice.encoding), rank);
    return choice;
  }
  std::string key = sources.lookup(source);
  FailureOr<FormatChoice> choice =
      chooseStaticFormat(&getContext(), spelling, rank, axes, ranges.lookup(key), key, [&] { return op->emitError(); });
  if (succeeded(choice))
    known->second = *choice;
  return choice;
}

/// Makes `operand` read its value as it is rounded to `encoding`.
void QuantizeActivations::round(OpOperand &operand, const FormatChoice &choice, BlockAttr encoding) {
  Value value = operand.get();
  auto type = cast<RankedTensorType>(value.getType());
  auto encoded = RankedTensorType::get(type.getShape(), type.getElementType(), encoding);
  Value &quantized = made[{value, encoded}];
  if (!quantized) {
    OpBuilder builder(&getContext());
    builder.setInsertionPointAfterValue(value);
    bool named = !choice.encoder.empty() && choice.encoder != "absmax";
    quantized = QuantizeOp::create(builder, value.getLoc(), encoded, value, ValueRange(), ValueRange(),
                                   named ? builder.getStringAttr(choice.encoder) : StringAttr());
  }
  operand.set(quantized);
}

LogicalResult QuantizeActivations::quantize(Contraction contraction, StringRef spelling) {
  Value value = contraction.lhs->get();
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getEncoding())
    return success();
  Operation *op = contraction.op;
  SideLayout layout = getActivationLayout(contraction);
  FailureOr<FormatChoice> choice =
      isStaticSpelling(spelling)
          ? chooseStatic(value, layout.axes, spelling, op)
          : parseFormatSpelling(&getContext(), spelling, type.getRank(), layout.axes, [&] { return op->emitError(); });
  if (failed(choice))
    return failure();
  round(*contraction.lhs, *choice,
        spreadActivationBlocks(cast<BlockAttr>(choice->encoding), layout.axes, type.getShape()));
  return success();
}

/// What is added up between layers is rounded as the inputs of layers are.
LogicalResult QuantizeActivations::quantizeAdditions(Plan &rules) {
  auto spellingOf = [&](const Addition &addition) {
    return rules.decide(getLayerNames(addition.op, Value()), PlanKey::Activations, activations);
  };
  for (const Addition &addition : findLayerAdditions(
           getOperation(), [&](const Addition &candidate) { return isStaticSpelling(spellingOf(candidate)); }))
    for (OpOperand *input : addition.inputs) {
      auto type = cast<RankedTensorType>(input->get().getType());
      if (type.getEncoding())
        continue;
      FailureOr<FormatChoice> choice = chooseStatic(input->get(), {}, spellingOf(addition), addition.op);
      if (failed(choice))
        return failure();
      round(*input, *choice, cast<BlockAttr>(choice->encoding));
    }
  return success();
}

void QuantizeActivations::runOnOperation() {
  FailureOr<Plan> rules = Plan::load(&getContext(), planFile);
  FailureOr<Statistics> loaded = Statistics::load(&getContext(), statistics);
  if (failed(rules) || failed(loaded))
    return signalPassFailure();
  ranges = std::move(*loaded);
  keys = nameRoundedInputs(getOperation());
  for (auto &[value, key] : keys)
    if (Value source = getSource(value); source == getUnmoved(value))
      sources.try_emplace(source, key);
  SmallVector<std::pair<Contraction, std::string>> work;
  getOperation().walk([&](linalg::LinalgOp op) {
    FailureOr<Contraction> contraction = matchContraction(op);
    if (failed(contraction) || !getEncoding(contraction->rhs->get().getType()))
      return;
    SmallVector<StringRef> names = getLayerNames(op, contraction->rhs->get());
    std::string spelling = rules->decide(names, PlanKey::Activations, activations);
    if (spelling != kNone)
      work.push_back({*contraction, spelling});
  });
  for (auto &[contraction, spelling] : work)
    if (failed(quantize(contraction, spelling)))
      return signalPassFailure();
  if (!rounding.empty() && failed(quantizeAdditions(*rules)))
    return signalPassFailure();
  rules->warnUnmatched({PlanKey::Activations});
  rules->warnUnused(getOperation().getLoc(), PlanKey::Activations, activations,
                    "no layer has an encoded weight that it could be multiplied with");
}
