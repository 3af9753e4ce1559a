// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which ONNX operators can be imported. The families in Ops/ fill it; the coverage table is printed from it.
#pragma once
#include "lib/Import/ONNX/NodeContext.h"
#include <map>

namespace mlir::qtensor::onnx {

using Handler = LogicalResult (*)(NodeContext &);

struct OpEntry {
  const char *domain; // "" is ai.onnx
  const char *type;
  /// Versions of the domain's operator set whose meaning the handler implements.
  int64_t since, until;
  /// Inputs that must be present, and how many there may be (kAny: any number).
  int minInputs, maxInputs;
  /// Names of the attributes that are understood, separated by blanks; a node with another one is refused.
  const char *attributes;
  Handler handler;
  /// Restrictions, for the coverage table.
  const char *notes = "";
};

constexpr int kAny = 1 << 20;
/// The newest operator set of ai.onnx whose changes were reviewed.
constexpr int64_t kNewest = 28;

class Registry {
public:
  /// All families, built once.
  static const Registry &get();

  void add(std::initializer_list<OpEntry> entries);
  /// The entry for an operator at a version of its domain; null if there is none.
  const OpEntry *find(StringRef domain, StringRef type, int64_t opset) const;
  /// True if some version of the operator is known.
  bool knows(StringRef domain, StringRef type) const;
  /// A markdown table of operators, versions, attributes and restrictions, sorted by name.
  void printTable(raw_ostream &os) const;

private:
  std::map<std::pair<std::string, std::string>, std::vector<OpEntry>> entries;
};

// The families, each in a file of its own below Ops/.
void registerActivation(Registry &registry);
void registerAttention(Registry &registry);
void registerConv(Registry &registry);
void registerConvTranspose(Registry &registry);
void registerEinsum(Registry &registry);
void registerElementwise(Registry &registry);
void registerGather(Registry &registry);
void registerGenerate(Registry &registry);
void registerMatMul(Registry &registry);
void registerMatMulNBits(Registry &registry);
void registerMove(Registry &registry);
void registerNorm(Registry &registry);
void registerPad(Registry &registry);
void registerPool(Registry &registry);
void registerQuantized(Registry &registry);
void registerReduce(Registry &registry);
void registerResize(Registry &registry);
void registerScatter(Registry &registry);
void registerShape(Registry &registry);
void registerSort(Registry &registry);

} // namespace mlir::qtensor::onnx
