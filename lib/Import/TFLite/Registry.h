// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which TFLite operators can be imported. The families in Ops/ fill it; the coverage table is printed from it.
#pragma once
#include "lib/Import/TFLite/Node.h"

namespace mlir::qtensor::tflite {

using Handler = LogicalResult (*)(const Node &);

struct OpEntry {
  const char *name;
  int minInputs, maxInputs; ///< kAny: any number.
  Handler handler; ///< Null: the importer itself does it, with all variables of the model in sight.
  const char *notes = ""; ///< Types and restrictions, for the coverage table.
};
constexpr int kAny = 1 << 20;

class Registry {
public:
  /// All families, built once.
  static const Registry &get();

  void add(std::initializer_list<OpEntry> entries);
  void addCustom(const char *name, OpEntry entry);
  /// The entry of an operator, or null.
  const OpEntry *find(const Operator &op) const;
  /// A markdown table, sorted by name.
  void printTable(raw_ostream &os) const;

private:
  std::map<int32_t, OpEntry> entries;
  std::map<std::string, OpEntry> customs; ///< By name.
};

// The families, each in a file of its own below Ops/.
void registerBlocks(Registry &registry);
void registerCells(Registry &registry);
void registerConvolutions(Registry &registry);
void registerDetection(Registry &registry);
void registerElementwise(Registry &registry);
void registerFills(Registry &registry);
void registerFilters(Registry &registry);
void registerFourier(Registry &registry);
void registerLogic(Registry &registry);
void registerMoves(Registry &registry);
void registerPicks(Registry &registry);
void registerPools(Registry &registry);
void registerProducts(Registry &registry);
void registerRecurrent(Registry &registry);
void registerReductions(Registry &registry);
void registerResizes(Registry &registry);
void registerScatter(Registry &registry);
void registerSlices(Registry &registry);
void registerSort(Registry &registry);
void registerSuppression(Registry &registry);
void registerVolumes(Registry &registry);

} // namespace mlir::qtensor::tflite
