// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/FixExtents.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::qtensor;

/// @main, or the only public function with a body; null: qtensor-find-entry says what is wrong.
static func::FuncOp findEntry(ModuleOp module) {
  if (auto main = module.lookupSymbol<func::FuncOp>("main"))
    return main.isExternal() ? func::FuncOp() : main;
  func::FuncOp found;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (!function.isPublic() || function.isExternal())
      continue;
    if (found)
      return nullptr;
    found = function;
  }
  return found;
}

/// The keys under which the extent of an argument may be chosen: its own name first.
static SmallVector<std::string, 2> keysOf(func::FuncOp entry, unsigned argument, int64_t axis) {
  SmallVector<std::string, 2> keys;
  auto dims = entry.getArgAttrOfType<ArrayAttr>(argument, "qtensor.dims");
  auto own = dims && size_t(axis) < dims.size() ? dyn_cast<StringAttr>(dims[axis]) : StringAttr();
  if (own && !own.getValue().empty())
    keys.push_back(own.str());
  auto name = entry.getArgAttrOfType<StringAttr>(argument, "qtensor.name");
  keys.push_back((name ? name.str() : "input" + std::to_string(argument)) + ":" + std::to_string(axis));
  return keys;
}

void mlir::qtensor::fixExtents(ModuleOp module, const ChosenExtents &chosen) {
  func::FuncOp entry = findEntry(module);
  if (chosen.empty() || !entry)
    return;
  OpBuilder b = OpBuilder::atBlockBegin(&entry.front());
  for (auto [i, argument] : llvm::enumerate(entry.getArguments())) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (!type || type.hasStaticShape())
      continue;
    SmallVector<int64_t> shape(type.getShape());
    for (auto [axis, extent] : llvm::enumerate(shape)) {
      if (!ShapedType::isDynamic(extent))
        continue;
      for (const std::string &key : keysOf(entry, i, axis))
        if (auto at = chosen.find(key); at != chosen.end() && ShapedType::isDynamic(extent))
          extent = at->second;
    }
    if (shape == type.getShape())
      continue;
    argument.setType(type.clone(shape));
    auto cast = tensor::CastOp::create(b, argument.getLoc(), type, argument);
    argument.replaceAllUsesExcept(cast, cast);
  }
  entry.setType(b.getFunctionType(entry.front().getArgumentTypes(), entry.getResultTypes()));
}

LogicalResult mlir::qtensor::checkExtents(ModuleOp module, const ChosenExtents &chosen, StringRef path) {
  func::FuncOp entry = findEntry(module);
  if (!entry)
    return success();
  std::map<std::string, int64_t> known;
  for (auto [i, type] : llvm::enumerate(entry.getArgumentTypes()))
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      for (auto [axis, extent] : llvm::enumerate(tensor.getShape()))
        for (std::string &key : keysOf(entry, i, axis))
          known.insert({std::move(key), extent});
  for (const auto &[key, number] : chosen) {
    auto at = known.find(key);
    if (at == known.end()) {
      InFlightDiagnostic error = entry.emitError() << "'" << path << "' has no extent '" << key << "' to fix at " << number
                                                   << "; its extents: ";
      llvm::interleaveComma(known, error, [&](const auto &entry) { error << entry.first; });
      return error;
    }
    if (at->second != number)
      return entry.emitError() << "'" << path << "' fixes the extent '" << key << "' at " << at->second << ", not at " << number;
  }
  return success();
}
