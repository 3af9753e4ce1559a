// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/WeightsFile.h"
#include "lib/Runtime/weights_format.h"
#include "lib/Transforms/Plan/Passes.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Threading.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/xxhash.h"
#include <cstring>

using namespace mlir;
using namespace mlir::qtensor;

static ArrayRef<char> bytesOf(Attribute value) {
  if (auto resource = dyn_cast_or_null<DenseResourceElementsAttr>(value)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    return blob ? blob->getData() : ArrayRef<char>();
  }
  auto dense = dyn_cast_or_null<DenseElementsAttr>(value);
  return dense ? dense.getRawData() : ArrayRef<char>();
}

static LogicalResult readEntry(ModuleOp module, DictionaryAttr attr, int64_t alignment, uint64_t end,
                               WeightEntry &entry) {
  auto value = cast<ElementsAttr>(attr.get("value"));
  entry.name = attr.getAs<StringAttr>("name").str();
  if (auto format = attr.getAs<StringAttr>("format"))
    entry.format = format.str();
  llvm::raw_string_ostream(entry.type) << value.getType();
  entry.offset = attr.getAs<IntegerAttr>("offset").getInt();
  entry.size = attr.getAs<IntegerAttr>("size").getInt();
  entry.bytes = bytesOf(value);
  if (entry.bytes.size() != entry.size)
    return module.emitError() << "weight '" << entry.name << "' has " << entry.bytes.size() << " bytes, its entry says "
                              << entry.size << "; the resource is missing from the file";
  if (entry.offset % alignment || entry.offset < end)
    return module.emitError() << "weight '" << entry.name << "' at offset " << entry.offset
                              << " is not aligned to " << alignment << " bytes or overlaps the one before";
  if (entry.offset - end >= uint64_t(alignment))
    return module.emitError() << "weight '" << entry.name << "' at offset " << entry.offset << " leaves " << entry.offset - end
                              << " bytes behind the one before; alignment takes less than " << alignment;
  return success();
}

/// Header, index and names.
static std::string makePrefix(WeightsFile &weights) {
  std::string index, names;
  for (const WeightEntry &entry : weights.entries) {
    qtw_entry record = {entry.offset, entry.size, entry.hash, uint32_t(names.size()), uint32_t(entry.name.size())};
    index.append(reinterpret_cast<const char *>(&record), sizeof record);
    names += entry.name;
  }
  index += names;
  qtw_header header = {};
  std::memcpy(header.magic, QTW_MAGIC, sizeof header.magic);
  header.version = QTW_VERSION;
  header.entry_count = weights.entries.size();
  header.names_bytes = names.size();
  header.payload_offset = llvm::alignTo(sizeof header + index.size(), QTW_PAYLOAD_ALIGNMENT);
  header.payload_bytes = weights.payloadBytes;
  header.index_hash = header.model_id = llvm::xxHash64(index);
  header.header_hash =
      llvm::xxHash64(StringRef(reinterpret_cast<const char *>(&header), offsetof(qtw_header, header_hash)));
  weights.id = header.model_id;
  weights.payloadOffset = header.payload_offset;
  std::string prefix(reinterpret_cast<const char *>(&header), sizeof header);
  prefix += index;
  prefix.resize(header.payload_offset);
  return prefix;
}

FailureOr<WeightsFile> mlir::qtensor::readWeights(ModuleOp module, int64_t alignment) {
  WeightsFile weights;
  auto table = module->getAttrOfType<ArrayAttr>(kWeightsAttr);
  if (!table)
    return module.emitError() << "the module has no attribute " << kWeightsAttr << "; it is not at phase C5";
  for (auto attr : table.getAsRange<DictionaryAttr>()) {
    if (failed(readEntry(module, attr, alignment, weights.payloadBytes, weights.entries.emplace_back())))
      return failure();
    weights.payloadBytes = weights.entries.back().offset + weights.entries.back().size;
  }
  parallelForEach(module.getContext(), weights.entries, [](WeightEntry &entry) {
    entry.hash = llvm::xxHash64(StringRef(entry.bytes.data(), entry.bytes.size()));
  });
  weights.prefix = makePrefix(weights);
  return weights;
}

void mlir::qtensor::writeWeights(const WeightsFile &weights, llvm::raw_ostream &os) {
  os << weights.prefix;
  uint64_t at = 0;
  for (const WeightEntry &entry : weights.entries) {
    os.write_zeros(entry.offset - at);
    os.write(entry.bytes.data(), entry.bytes.size());
    at = entry.offset + entry.size;
  }
}
