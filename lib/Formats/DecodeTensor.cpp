// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Components back to f32.
#include "lib/Formats/BlockWalk.h"
#include "lib/Formats/CodeReader.h"
#include "lib/Formats/Lanes.h"
#include "lib/Formats/Params.h"
#include "qtensor/Codec.h"
#include "qtensor/RecordEncoder.h"
#include <cstring>

using namespace mlir;
using namespace mlir::qtensor;

CodeReader::CodeReader(CodecAttr codec, int64_t count) : codec(codec), bytes(getContainerBytes(codec)) {
  isHalf = codec == CodecAttr::getForFloat(Float16Type::get(codec.getContext()));
  if (isHalf || bytes > 2 || (bytes == 2 && count < int64_t(1) << 15))
    return;
  table.resize(size_t(1) << (8 * bytes));
  for (auto [container, value] : llvm::enumerate(table))
    value = float(decodeCode(codec, uint32_t(container))); // every container, so that no mask is needed later
}

float CodeReader::operator()(const char *codes, int64_t index) const {
  uint32_t container = 0;
  std::memcpy(&container, codes + index * bytes, bytes);
  if (!table.empty())
    return table[container];
  return isHalf ? floatOfHalf(uint16_t(container)) : float(decodeCode(codec, container));
}

void CodeReader::decode(const char *codes, int64_t first, int64_t count, float scale, float zero, float offset,
                        float *out) const {
  if (isHalf && scale == 1 && zero == 0 && offset == 0)
    return floatsOfHalves(ArrayRef(reinterpret_cast<const uint16_t *>(codes) + first, count), out);
  for (int64_t i = 0; i < count; ++i) {
    float code = (*this)(codes, first + i) - zero;
    float value = scale * code;
    out[i] = offset == 0 ? value : value + offset;
  }
}

LogicalResult mlir::qtensor::decodeTensor(ArrayRef<ArrayRef<char>> components, ArrayRef<int64_t> shape,
                                          BlockAttr encoding, MutableArrayRef<float> values, EmitErrorFn emitError) {
  if (shape.size() != encoding.getBlock().size() || int64_t(values.size()) != countElements(shape))
    return emitError() << "a tensor of rank " << shape.size() << " with " << values.size()
                       << " values does not fit the encoding or the shape";
  CodecAttr codec = encoding.getCodec();
  if (components.empty() || components.front().size() != values.size() * getContainerBytes(codec))
    return emitError() << "the codes have " << (components.empty() ? 0 : components.front().size())
                       << " bytes, expected " << values.size() * getContainerBytes(codec);
  SmallVector<int64_t> grid = encoding.getGrid(shape);
  ArrayRef<ArrayRef<char>> rest = components.drop_front();
  FailureOr<ParamValues> scale = loadParam(encoding.getScale(), 1.0f, grid, rest, emitError);
  if (failed(scale))
    return failure();
  FailureOr<ParamValues> zero = loadParam(encoding.getZero(), 0.0f, grid, rest, emitError);
  if (failed(zero))
    return failure();
  FailureOr<ParamValues> offset = loadParam(encoding.getOffset(), 0.0f, grid, rest, emitError);
  if (failed(offset))
    return failure();
  if (!rest.empty())
    return emitError() << "the encoding has " << components.size() - rest.size() << " components, got "
                       << components.size();
  CodeReader reader(codec, int64_t(values.size()));
  BlockWalk walk(shape, encoding.getBlock());
  forEachIndex(walk.getNumRows(), true, [&](int64_t row) {
    walk.forEachRun(row, [&](int64_t first, int64_t count, int64_t cell) {
      reader.decode(components.front().data(), first, count, (*scale)[cell], (*zero)[cell], (*offset)[cell],
                    values.data() + first);
    });
  });
  return success();
}
