// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/ONNX/Registry.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::qtensor::onnx {

const Registry &Registry::get() {
  static const Registry registry = [] {
    Registry all;
    registerActivation(all);
    registerAttention(all);
    registerConv(all);
    registerConvTranspose(all);
    registerEinsum(all);
    registerElementwise(all);
    registerGather(all);
    registerGenerate(all);
    registerMatMul(all);
    registerMatMulNBits(all);
    registerMove(all);
    registerNorm(all);
    registerPad(all);
    registerPool(all);
    registerQuantized(all);
    registerReduce(all);
    registerResize(all);
    registerScatter(all);
    registerShape(all);
    registerSort(all);
    return all;
  }();
  return registry;
}

void Registry::add(std::initializer_list<OpEntry> list) {
  for (const OpEntry &entry : list)
    entries[{entry.domain, entry.type}].push_back(entry);
}

const OpEntry *Registry::find(StringRef domain, StringRef type, int64_t opset) const {
  auto found = entries.find({domain.str(), type.str()});
  if (found == entries.end())
    return nullptr;
  for (const OpEntry &entry : found->second)
    if (entry.since <= opset && opset <= entry.until)
      return &entry;
  return nullptr;
}

bool Registry::knows(StringRef domain, StringRef type) const { return entries.count({domain.str(), type.str()}); }

void Registry::printTable(raw_ostream &os) const {
  os << "| operator | domain | operator set | attributes | restrictions |\n| --- | --- | --- | --- | --- |\n";
  std::map<std::pair<StringRef, StringRef>, const std::vector<OpEntry> *> byName;
  for (const auto &[key, versions] : entries)
    byName[{key.second, key.first}] = &versions;
  for (const auto &[key, versions] : byName) {
    for (const OpEntry &entry : *versions) {
      os << "| " << entry.type << " | " << (*entry.domain ? entry.domain : "ai.onnx") << " | " << entry.since << "-"
         << entry.until << " | " << entry.attributes << " | " << entry.notes << " |\n";
    }
  }
}

} // namespace mlir::qtensor::onnx
