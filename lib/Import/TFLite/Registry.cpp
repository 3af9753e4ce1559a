// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/TFLite/Registry.h"
#include "llvm/Support/raw_ostream.h"
#include <cassert>

using namespace mlir::qtensor::tflite;

const Registry &Registry::get() {
  static const Registry registry = [] {
    Registry all;
    for (auto family : {registerBlocks,  registerCells,   registerConvolutions, registerDetection, registerElementwise,
                        registerFills,   registerFilters, registerFourier,      registerLogic,     registerMoves,
                        registerPicks,   registerPools,   registerProducts,     registerRecurrent, registerReductions,
                        registerResizes, registerScatter, registerSlices,       registerSort,      registerSuppression,
                        registerVolumes})
      family(all);
    return all;
  }();
  return registry;
}

void Registry::add(std::initializer_list<OpEntry> list) {
  for (const OpEntry &entry : list) {
    int32_t code = operatorCode(entry.name);
    assert(code >= 0 && !entries.count(code) && "an unknown name, or one registered twice");
    entries[code] = entry;
  }
}

void Registry::addCustom(const char *name, OpEntry entry) {
  entry.name = name;
  customs[name] = entry;
}

const OpEntry *Registry::find(const Operator &op) const {
  if (op.code == kCustom) {
    auto found = customs.find(op.custom);
    return found == customs.end() ? nullptr : &found->second;
  }
  auto found = entries.find(op.code);
  return found == entries.end() ? nullptr : &found->second;
}

void Registry::printTable(llvm::raw_ostream &os) const {
  std::map<std::string, const char *> rows;
  for (const auto &[code, entry] : entries)
    rows[entry.name] = entry.notes;
  for (const auto &[name, entry] : customs)
    rows[name] = entry.notes;
  os << "| operator | types and restrictions |\n|---|---|\n";
  for (const auto &[name, notes] : rows)
    os << "| " << name << " | " << notes << " |\n";
}
