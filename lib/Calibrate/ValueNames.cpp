// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Calibrate/ValueNames.h"
#include "lib/Transforms/Select/Addition.h"
#include "lib/Transforms/Select/Contraction.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace mlir::qtensor;

/// The first name in `location`, or an empty string.
static StringRef firstName(Location location) {
  StringRef result;
  location->walk([&](Location part) {
    auto name = dyn_cast<NameLoc>(part);
    if (name)
      result = name.getName().getValue();
    return name ? WalkResult::interrupt() : WalkResult::advance();
  });
  return result;
}

static std::string baseName(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto function = dyn_cast<FunctionOpInterface>(argument.getOwner()->getParentOp());
    auto name = function ? function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), "qtensor.name") : StringAttr();
    return name ? name.getValue().str() : llvm::formatv("arg{0}", argument.getArgNumber()).str();
  }
  StringRef name = firstName(value.getLoc());
  return name.empty() ? std::string("value") : name.str();
}

llvm::MapVector<Value, std::string> qtensor::nameRoundedInputs(ModuleOp module) {
  llvm::MapVector<Value, std::string> names;
  llvm::StringMap<unsigned> taken;
  auto add = [&](Value value) {
    auto [entry, isNew] = names.try_emplace(value);
    if (!isNew)
      return;
    std::string base = baseName(value);
    unsigned number = ++taken[base];
    entry->second = number == 1 ? base : base + "#" + std::to_string(number);
  };
  module.walk([&](linalg::LinalgOp op) {
    FailureOr<Contraction> contraction = matchContraction(op);
    if (succeeded(contraction) && isWeight(contraction->rhs->get()))
      add(contraction->lhs->get());
  });
  llvm::DenseSet<Value> known;
  for (auto &[value, key] : names)
    known.insert(getUnmoved(value));
  module.walk([&](linalg::LinalgOp op) {
    FailureOr<Addition> addition = matchBetweenLayers(op);
    if (failed(addition))
      return;
    for (OpOperand *input : addition->inputs)
      if (Value value = getUnmoved(input->get()); !getEncoding(value.getType()) && known.insert(value).second)
        add(value);
  });
  // Of what is read in parts the whole too: integer-only networks round it where it is made.
  for (Value value : llvm::to_vector(llvm::make_first_range(names))) {
    Value whole = getWhole(value);
    if (whole != getUnmoved(value) && !getEncoding(whole.getType()) && known.insert(whole).second)
      add(whole);
  }
  return names;
}

std::string qtensor::nameOfResult(FunctionOpInterface main, unsigned index) {
  auto name = main.getResultAttrOfType<StringAttr>(index, "qtensor.name");
  return "result/" + (name ? name.getValue().str() : std::to_string(index));
}
