// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quantize/SourceNames.h"
#include "llvm/ADT/SetVector.h"
#include "mlir/IR/Value.h"

using namespace mlir;
using namespace mlir::qtensor;

SmallVector<StringRef> qtensor::getSourceNames(Location location) {
  llvm::SetVector<StringRef> names;
  location->walk([&](Location part) {
    if (auto name = dyn_cast<NameLoc>(part))
      names.insert(name.getName().getValue());
    return WalkResult::advance();
  });
  return names.takeVector();
}

SmallVector<StringRef> qtensor::getLayerNames(Operation *op, Value weight) {
  SmallVector<StringRef> names = getSourceNames(op->getLoc());
  if (Operation *def = weight ? weight.getDefiningOp() : nullptr)
    for (StringRef name : getSourceNames(def->getLoc()))
      if (!llvm::is_contained(names, name))
        names.push_back(name);
  return names;
}
