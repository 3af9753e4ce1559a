// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Packing and unpacking. Records have their places computed once; whole arrays have them computed element by element.
#include "qtensor/Pack.h"
#include "lib/Formats/BlockWalk.h"
#include "lib/Formats/FieldBits.h"
#include "lib/Formats/Params.h"
#include "qtensor/Codec.h"
#include "llvm/Support/MathExtras.h"
#include <atomic>
#include <cstring>

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// A component and its field.
struct Part {
  FieldBits bits;
  unsigned containerBytes;
  size_t component;
};

struct Plan {
  std::vector<Part> parts;
  int64_t numRecords = 1;
};
} // namespace

static uint32_t loadContainer(const char *bytes, unsigned width) {
  uint32_t value = 0;
  std::memcpy(&value, bytes, width);
  return value;
}

/// The size of the blocked dimension's block, for maps that ask for it.
static int64_t getBlockSize(BlockAttr encoding) {
  for (int64_t extent : encoding.getBlock())
    if (extent != 1)
      return ShapedType::isDynamic(extent) ? 0 : extent;
  return 1;
}

/// The dimension that is blocked, counted from the last; -1 where it is none or several.
static int64_t getBlockedFromEnd(ArrayRef<int64_t> block) {
  auto isBlocked = [](int64_t extent) { return extent != 1; };
  if (llvm::count_if(block, isBlocked) != 1)
    return -1;
  return block.end() - 1 - llvm::find_if(block, isBlocked);
}

/// Flat blocks are counted through the whole tensor: those of an encoding are the same only where rows hold whole ones.
static LogicalResult checkFlat(BlockAttr encoding, ArrayRef<int64_t> shape, EmitErrorFn emitError) {
  int64_t size = encoding.getBlock().back(), row = shape.back();
  if (!ShapedType::isDynamic(size) && size > 0 && row % size != 0 && countElements(shape) != row)
    return emitError() << "blocks of " << size << " cross the rows of " << row
                       << " elements; no encoding says that. Requantize the tensor, or reshape it to one row";
  if (ParamAttr scale = encoding.getScale())
    if (auto nested = dyn_cast<BlockAttr>(scale.getValue()))
      return checkFlat(nested, encoding.getGrid(shape), emitError);
  return success();
}

static FailureOr<Plan> makePlan(FormatAttr format, BlockAttr encoding, ArrayRef<int64_t> shape, EmitErrorFn emitError) {
  LayoutAttr layout = format.getLayout();
  if (!layout)
    return emitError() << "this format has no layout; it cannot be read from or written to foreign bytes", failure();
  if (shape.size() != encoding.getBlock().size() || shape.empty())
    return emitError() << "the encoding has rank " << encoding.getBlock().size() << ", the tensor " << shape.size(),
           failure();
  int64_t blocked = getBlockedFromEnd(format.getEncoding().getBlock());
  if (!format.getFlat() && getBlockedFromEnd(encoding.getBlock()) != blocked)
    return emitError() << "the layout is for blocks along dimension " << int64_t(shape.size()) - 1 - blocked
                       << " of a tensor of rank " << shape.size(),
           failure();
  if (format.getFlat() && failed(checkFlat(encoding, shape, emitError)))
    return failure();
  Plan plan;
  SmallVector<int64_t> extents(shape);
  if (!layout.isWhole()) {
    if (shape.back() % layout.getRecordLength() != 0)
      return emitError() << "rows of " << shape.back() << " are not whole records of " << layout.getRecordLength(),
             failure();
    plan.numRecords = countElements(shape) / layout.getRecordLength();
    extents.assign(shape.size(), 1);
    extents.back() = layout.getRecordLength();
  }
  SmallVector<Component> components;
  encoding.getComponents(extents, encoding.getContext(), components);
  SmallVector<CodecAttr> codecs;
  getComponentCodecs(encoding, codecs);
  for (size_t index = 0; index < components.size(); ++index) {
    const Component &component = components[index];
    const auto *field =
        llvm::find_if(layout.getFields(), [&](FieldAttr f) { return f.getComponent() == component.name; });
    if (field == layout.getFields().end())
      return emitError() << "the layout has no field for component '" << component.name << "'", failure();
    FieldBits bits(*field, codecs[index], component.type.getShape(), getBlockSize(encoding));
    if (failed(bits.verify(emitError)))
      return failure();
    plan.parts.push_back({std::move(bits), getContainerBytes(codecs[index]), index});
  }
  return plan;
}

/// Places of every element of every part of a record, checked against its bytes.
static FailureOr<std::vector<std::vector<SmallVector<BitPlace>>>> placeRecord(const Plan &plan, int64_t recordBytes,
                                                                             EmitErrorFn emitError) {
  std::vector<std::vector<SmallVector<BitPlace>>> places;
  for (const Part &part : plan.parts) {
    auto &ofPart = places.emplace_back(part.bits.getNumElements());
    for (auto [element, ofElement] : llvm::enumerate(ofPart)) {
      part.bits.getPlaces(int64_t(element), ofElement);
      int64_t end = FieldBits::getEnd(ofElement);
      if (end < 0 || end > recordBytes)
        return emitError() << "layout of " << part.bits.getField().getComponent() << ": element " << element
                           << " lies outside the record of " << recordBytes << " bytes",
               failure();
    }
  }
  return places;
}

//===----------------------------------------------------------------------===//
// Unpacking
//===----------------------------------------------------------------------===//

static FailureOr<ArrayRef<char>> findArray(ArrayRef<ForeignView> arrays, StringRef name, EmitErrorFn emitError) {
  for (const ForeignView &array : arrays)
    if (array.name == name)
      return array.bytes;
  return emitError() << "the format needs an array '" << name << "'", failure();
}

static LogicalResult unpackRecords(const Plan &plan, int64_t recordBytes, ArrayRef<char> bytes,
                                   std::vector<ComponentBytes> &components, EmitErrorFn emitError) {
  if (int64_t(bytes.size()) != plan.numRecords * recordBytes)
    return emitError() << plan.numRecords << " records of " << recordBytes << " bytes are "
                       << plan.numRecords * recordBytes << " bytes, got " << bytes.size();
  auto places = placeRecord(plan, recordBytes, emitError);
  if (failed(places))
    return failure();
  for (const Part &part : plan.parts)
    components[part.component].resize(plan.numRecords * part.bits.getNumElements() * part.containerBytes);
  forEachIndex(plan.numRecords, true, [&](int64_t record) {
    const char *from = bytes.data() + record * recordBytes;
    for (auto [part, ofPart] : llvm::zip_equal(plan.parts, *places)) {
      char *to = components[part.component].data() + record * part.bits.getNumElements() * part.containerBytes;
      for (const SmallVector<BitPlace> &ofElement : ofPart) {
        int32_t container = toContainer(part.bits.getCodec(), part.bits.read(ofElement, from));
        std::memcpy(to, &container, part.containerBytes);
        to += part.containerBytes;
      }
    }
  });
  return success();
}

static LogicalResult unpackWhole(const Part &part, ArrayRef<char> bytes, ComponentBytes &component,
                                 EmitErrorFn emitError) {
  constexpr int64_t kChunk = 1 << 16;
  int64_t count = part.bits.getNumElements();
  component.resize(count * part.containerBytes);
  std::atomic<int64_t> outside{-1};
  forEachIndex(llvm::divideCeil(count, kChunk), true, [&](int64_t chunk) {
    SmallVector<BitPlace> places;
    for (int64_t i = chunk * kChunk, end = std::min(count, i + kChunk); i < end; ++i) {
      part.bits.getPlaces(i, places);
      int64_t needed = FieldBits::getEnd(places);
      if (needed < 0 || needed > int64_t(bytes.size())) {
        outside = i;
        return;
      }
      int32_t container = toContainer(part.bits.getCodec(), part.bits.read(places, bytes.data()));
      std::memcpy(component.data() + i * part.containerBytes, &container, part.containerBytes);
    }
  });
  if (outside >= 0)
    return emitError() << "array '" << part.bits.getField().getArray().getValue() << "' has " << bytes.size()
                       << " bytes, too few for all " << count << " elements of component '"
                       << part.bits.getField().getComponent().getValue() << "'";
  return success();
}

FailureOr<std::vector<ComponentBytes>> mlir::qtensor::unpackTensor(FormatAttr format, BlockAttr encoding,
                                                                   ArrayRef<int64_t> shape,
                                                                   ArrayRef<ForeignView> arrays,
                                                                   EmitErrorFn emitError) {
  FailureOr<Plan> plan = makePlan(format, encoding, shape, emitError);
  if (failed(plan))
    return failure();
  std::vector<ComponentBytes> components(plan->parts.size());
  if (!format.getLayout().isWhole()) {
    FailureOr<ArrayRef<char>> bytes = findArray(arrays, "", emitError);
    if (failed(bytes) ||
        failed(unpackRecords(*plan, format.getLayout().getRecordBytes(), *bytes, components, emitError)))
      return failure();
    return components;
  }
  for (const Part &part : plan->parts) {
    FailureOr<ArrayRef<char>> bytes = findArray(arrays, part.bits.getField().getArray().getValue(), emitError);
    if (failed(bytes) || failed(unpackWhole(part, *bytes, components[part.component], emitError)))
      return failure();
  }
  return components;
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

static LogicalResult packRecords(const Plan &plan, int64_t recordBytes, ArrayRef<ArrayRef<char>> components,
                                 std::vector<char> &bytes, EmitErrorFn emitError) {
  auto places = placeRecord(plan, recordBytes, emitError);
  if (failed(places))
    return failure();
  bytes.assign(plan.numRecords * recordBytes, 0);
  forEachIndex(plan.numRecords, true, [&](int64_t record) {
    char *to = bytes.data() + record * recordBytes;
    std::vector<bool> done(recordBytes);
    for (auto [part, ofPart] : llvm::zip_equal(plan.parts, *places)) {
      const char *from = components[part.component].data() + record * part.bits.getNumElements() * part.containerBytes;
      for (const SmallVector<BitPlace> &ofElement : ofPart) {
        part.bits.write(ofElement, loadContainer(from, part.containerBytes), to);
        from += part.containerBytes;
      }
      for (const SmallVector<BitPlace> &ofElement : ofPart)
        FieldBits::finishDigits(ofElement, done, to);
    }
  });
  return success();
}

static LogicalResult packWhole(const Part &part, unsigned word, ArrayRef<char> component, std::vector<char> &bytes,
                               EmitErrorFn emitError) {
  SmallVector<BitPlace> places;
  int64_t count = part.bits.getNumElements(), needed = 0;
  for (int64_t i = 0; i < count; ++i) {
    part.bits.getPlaces(i, places);
    int64_t end = FieldBits::getEnd(places);
    if (end < 0)
      return emitError() << "layout of " << part.bits.getField().getComponent() << ": element " << i
                         << " has a negative address";
    needed = std::max(needed, end);
  }
  bytes.resize(std::max<size_t>(bytes.size(), llvm::alignTo(needed, word / 8)));
  std::vector<bool> done(bytes.size());
  for (int64_t i = 0; i < count; ++i) {
    part.bits.getPlaces(i, places);
    const char *from = component.data() + i * part.containerBytes;
    part.bits.write(places, loadContainer(from, part.containerBytes), bytes.data());
  }
  for (int64_t i = 0; i < count; ++i) {
    part.bits.getPlaces(i, places);
    FieldBits::finishDigits(places, done, bytes.data());
  }
  return success();
}

FailureOr<std::vector<ForeignArray>> mlir::qtensor::packTensor(FormatAttr format, BlockAttr encoding,
                                                               ArrayRef<int64_t> shape,
                                                               ArrayRef<ArrayRef<char>> components,
                                                               EmitErrorFn emitError) {
  FailureOr<Plan> plan = makePlan(format, encoding, shape, emitError);
  if (failed(plan))
    return failure();
  if (components.size() != plan->parts.size())
    return emitError() << "the encoding has " << plan->parts.size() << " components, got " << components.size(),
           failure();
  for (const Part &part : plan->parts) {
    int64_t expected = plan->numRecords * part.bits.getNumElements() * part.containerBytes;
    if (int64_t(components[part.component].size()) != expected)
      return emitError() << "component " << part.component << " has " << components[part.component].size()
                         << " bytes, expected " << expected,
             failure();
  }
  std::vector<ForeignArray> arrays;
  if (!format.getLayout().isWhole()) {
    arrays.push_back({});
    if (failed(packRecords(*plan, format.getLayout().getRecordBytes(), components, arrays.front().bytes, emitError)))
      return failure();
    return arrays;
  }
  for (const Part &part : plan->parts) {
    StringRef name = part.bits.getField().getArray().getValue();
    auto found = llvm::find_if(arrays, [&](const ForeignArray &array) { return array.name == name; });
    if (found == arrays.end())
      found = arrays.insert(arrays.end(), ForeignArray{name.str(), {}});
    if (failed(packWhole(part, format.getLayout().getWord(), components[part.component], found->bytes, emitError)))
      return failure();
  }
  return arrays;
}
