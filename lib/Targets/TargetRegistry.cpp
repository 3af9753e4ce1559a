// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The list of targets, filled by the folders beside this file through registerAll().
#include "qtensor/Target.h"
#include "llvm/ADT/STLExtras.h"
#include <mutex>
#include <vector>

using namespace mlir::qtensor;

namespace {
struct Registry {
  std::mutex mutex;
  std::vector<const Target *> targets;
};
} // namespace

static Registry &registry() {
  static Registry instance;
  return instance;
}

void mlir::qtensor::registerTarget(const Target &target) {
  std::lock_guard<std::mutex> lock(registry().mutex);
  auto &targets = registry().targets;
  auto position = llvm::lower_bound(targets, &target, [](const Target *a, const Target *b) { return a->name < b->name; });
  if (position == targets.end() || (*position)->name != target.name)
    targets.insert(position, &target);
}

llvm::ArrayRef<const Target *> mlir::qtensor::getTargets() { return registry().targets; }

const Target *mlir::qtensor::getDefaultTarget() {
  const auto *hosted = llvm::find_if(getTargets(), [](const Target *target) { return !target->firmware; });
  return hosted == getTargets().end() ? nullptr : *hosted;
}

const Target *mlir::qtensor::lookupTarget(llvm::StringRef name) {
  for (const Target *target : registry().targets)
    if (target->name == name)
      return target;
  return nullptr;
}
