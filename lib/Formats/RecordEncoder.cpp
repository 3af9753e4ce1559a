// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The list of reference encoders, and running one over a tensor.
#include "qtensor/RecordEncoder.h"
#include "lib/Formats/BlockWalk.h"
#include "lib/Formats/EncodeRecords.h"
#include "lib/Formats/Params.h"
#include <cstring>
#include <mutex>

using namespace mlir;
using namespace mlir::qtensor;

namespace {
struct Encoders {
  std::mutex mutex;
  std::vector<const RecordEncoder *> list; ///< Sorted by name.
};
} // namespace

static Encoders &encoders() {
  static Encoders instance;
  return instance;
}

void mlir::qtensor::registerRecordEncoder(const RecordEncoder &encoder) {
  std::lock_guard<std::mutex> lock(encoders().mutex);
  auto &list = encoders().list;
  auto at = llvm::lower_bound(list, &encoder, [](auto *a, auto *b) { return a->name < b->name; });
  if (at == list.end() || (*at)->name != encoder.name)
    list.insert(at, &encoder);
}

const RecordEncoder *mlir::qtensor::lookupRecordEncoder(StringRef name) {
  for (const RecordEncoder *encoder : encoders().list)
    if (encoder->name == name)
      return encoder;
  return nullptr;
}

ArrayRef<const RecordEncoder *> mlir::qtensor::getRecordEncoders() { return encoders().list; }

//===----------------------------------------------------------------------===//
// Over a tensor
//===----------------------------------------------------------------------===//

namespace {
/// A component, walked in the cells of the records.
struct RecordPart {
  BlockWalk walk;
  int64_t count; ///< Elements of a whole record.
  unsigned bytes;
};
} // namespace

/// How many elements of each component lie in one record, and each component's blocks in the records' grid. Fails where
/// the blocks are not a chain along one axis.
static FailureOr<std::vector<RecordPart>> makeParts(BlockAttr encoding, ArrayRef<int64_t> shape, int64_t recordLength) {
  SmallVector<Component> components;
  SmallVector<CodecAttr> codecs;
  encoding.getComponents(shape, encoding.getContext(), components);
  getComponentCodecs(encoding, codecs);
  int64_t axis = -1;
  for (auto [dim, extent] : llvm::enumerate(encoding.getBlock()))
    if (extent != 1)
      axis = axis < 0 ? int64_t(dim) : -2;
  if (axis < 0)
    return failure();
  // A component of one element per m values has record / m elements in a record.
  SmallVector<int64_t> unit(shape.size(), 1);
  unit[axis] = recordLength;
  SmallVector<Component> ofRecord;
  encoding.getComponents(unit, encoding.getContext(), ofRecord);
  std::vector<RecordPart> parts;
  for (size_t i = 0; i < components.size(); ++i) {
    SmallVector<int64_t> block(shape.size(), 1);
    block[axis] = countElements(ofRecord[i].type.getShape());
    parts.push_back({BlockWalk(components[i].type.getShape(), block), block[axis], getContainerBytes(codecs[i])});
  }
  return parts;
}

/// All elements of a group's cells in order, cell after cell; `fn(cell in the group, place in the cell, element)`.
template <typename Fn>
static void forEachElementOfGroup(const BlockWalk &walk, int64_t group, int64_t cellsPerGroup, Fn fn) {
  std::vector<int64_t> filled(cellsPerGroup);
  walk.forEachRow(group, [&](int64_t row) {
    walk.forEachRun(row, [&](int64_t first, int64_t count, int64_t cell) {
      int64_t local = cell - group * cellsPerGroup;
      for (int64_t i = 0; i < count; ++i)
        fn(local, filled[local]++, first + i);
    });
  });
}

FailureOr<std::vector<ComponentBytes>> mlir::qtensor::encodeRecords(ArrayRef<float> values, ArrayRef<int64_t> shape,
                                                                    BlockAttr encoding, const RecordEncoder &encoder,
                                                                    bool parallel, EmitErrorFn emitError) {
  int64_t length = encoder.counts.front();
  FailureOr<std::vector<RecordPart>> parts = makeParts(encoding, shape, length);
  bool fits = succeeded(parts) && parts->size() == encoder.counts.size();
  for (size_t i = 0; fits && i < parts->size(); ++i)
    fits = (*parts)[i].count == encoder.counts[i] &&
           (*parts)[i].walk.getNumCells() == parts->front().walk.getNumCells();
  if (!fits)
    return emitError() << "encoder '" << encoder.name << "' does not fit the encoding: it makes records of " << length
                       << " values in " << encoder.counts.size() << " components",
           failure();
  std::vector<ComponentBytes> components;
  for (const RecordPart &part : *parts)
    components.emplace_back(part.walk.getNumRows() * part.walk.getRowLength() * part.bytes);
  const BlockWalk &walk = parts->front().walk;
  int64_t cellsPerGroup = walk.getNumGroups() ? walk.getNumCells() / walk.getNumGroups() : 0;
  forEachIndex(walk.getNumGroups(), parallel, [&](int64_t group) {
    std::vector<float> x(cellsPerGroup * length);
    forEachElementOfGroup(walk, group, cellsPerGroup,
                          [&](int64_t cell, int64_t at, int64_t element) { x[cell * length + at] = values[element]; });
    std::vector<std::vector<int32_t>> codes;
    for (const RecordPart &part : *parts)
      codes.emplace_back(cellsPerGroup * part.count);
    for (int64_t cell = 0; cell < cellsPerGroup; ++cell) {
      SmallVector<MutableArrayRef<int32_t>> out;
      for (auto [part, all] : llvm::zip_equal(*parts, codes))
        out.push_back(MutableArrayRef<int32_t>(all).slice(cell * part.count, part.count));
      encoder.encode(ArrayRef<float>(x).slice(cell * length, length), out);
    }
    for (size_t i = 0; i < parts->size(); ++i) {
      const RecordPart &part = (*parts)[i];
      forEachElementOfGroup(part.walk, group, cellsPerGroup, [&](int64_t cell, int64_t at, int64_t element) {
        std::memcpy(components[i].data() + element * part.bytes, &codes[i][cell * part.count + at], part.bytes);
      });
    }
  });
  return components;
}
