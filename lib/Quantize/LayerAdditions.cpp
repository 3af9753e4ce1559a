// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quantize/LayerAdditions.h"
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Select/Contraction.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
class Finder {
public:
  /// True if `value` is made by layers alone.
  bool isOfLayers(Value value);
  void setOfLayers(Value value) { ofLayers[value] = true; }
  /// True if something reads `value` rounded.
  bool isRounded(Value value);

  llvm::DenseSet<Value> rounded; ///< What additions that were selected read.

private:
  llvm::DenseMap<Value, bool> ofLayers;
};
} // namespace

bool Finder::isOfLayers(Value value) {
  if (getEncoding(value.getType()) ||
      llvm::any_of(value.getUsers(), [](Operation *user) { return isa<QuantizeOp>(user); }))
    return true;
  Operation *def = value.getDefiningOp();
  if (!def)
    return false;
  auto [known, isNew] = ofLayers.try_emplace(value, false);
  if (!isNew)
    return known->second;
  bool result = false;
  if (Value moved = getMoved(def)) {
    result = isOfLayers(moved);
  } else if (auto insert = dyn_cast<tensor::InsertSliceOp>(def)) {
    result = isOfLayers(insert.getSource()) &&
             (insert.getDest().getDefiningOp<tensor::EmptyOp>() || isOfLayers(insert.getDest()));
  } else if (isa<DequantizeOp>(def)) {
    result = isOfLayers(def->getOperand(0));
  } else if (FailureOr<Contraction> contraction = matchContraction(def); succeeded(contraction)) {
    result = getEncoding(contraction->lhs->get().getType()) && getEncoding(contraction->rhs->get().getType());
  } else if (auto op = dyn_cast<linalg::LinalgOp>(def); op && isPlainArithmetic(op)) {
    result = llvm::all_of(op.getDpsInputs(), [&](Value input) {
      return isWeight(input) || input.getDefiningOp<tensor::EmptyOp>() || isOfLayers(input);
    });
  }
  return ofLayers[value] = result;
}

bool Finder::isRounded(Value value) {
  if (rounded.contains(value))
    return true;
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    if (isa<QuantizeOp>(user))
      return true;
    if (isa<tensor::ExtractOp>(user) && isa<linalg::GenericOp>(user->getParentOp()))
      user = user->getParentOp();
    auto op = dyn_cast<linalg::LinalgOp>(user);
    bool passes = getMoved(user) || isa<tensor::InsertSliceOp>(user) ||
                  (op && isPlainArithmetic(op) && failed(matchContraction(user)) && failed(matchBetweenLayers(user)));
    return passes && llvm::any_of(user->getResults(), [&](Value result) { return isRounded(result); });
  });
}

SmallVector<Addition> qtensor::findLayerAdditions(ModuleOp module, llvm::function_ref<bool(const Addition &)> selects) {
  Finder finder;
  SmallVector<Addition> candidates, found;
  module.walk([&](linalg::LinalgOp op) {
    FailureOr<Addition> addition = matchBetweenLayers(op);
    if (succeeded(addition) &&
        llvm::all_of(addition->inputs, [&](OpOperand *input) { return finder.isOfLayers(input->get()); })) {
      candidates.push_back(*addition);
      finder.setOfLayers(addition->op->getResult(0));
    }
  });
  for (Addition &addition : llvm::reverse(candidates)) {
    if (!finder.isRounded(addition.op->getResult(0)) || !selects(addition))
      continue;
    for (OpOperand *input : addition.inputs)
      finder.rounded.insert(getUnmoved(input->get()));
    found.push_back(addition);
  }
  std::reverse(found.begin(), found.end());
  return found;
}
