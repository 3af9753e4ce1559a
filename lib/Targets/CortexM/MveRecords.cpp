// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Targets/CortexM/MveRecords.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::cortexm;
using namespace mlir::qtensor::firmware;

static constexpr int64_t kMultipliers = 16, kRights = 32, kLefts = 36;

void MveRecords::append(std::vector<char> &bytes, ArrayRef<int64_t> channels) const {
  SmallVector<MveScale> scales(channels.size());
  for (auto [scale, o] : llvm::zip_equal(scales, channels)) {
    bool exists = o < layer.out.channels;
    if (exists)
      scale = MveScale::of(ofChannel(constants.multiplier, o), ofChannel(constants.shift, o), layer.map.mode);
    appendNumber<int32_t>(bytes, exists ? int32_t(bias[o]) : 0);
  }
  for (const MveScale &scale : scales)
    appendNumber<int32_t>(bytes, scale.multiplier);
  for (const MveScale &scale : scales)
    appendNumber<int8_t>(bytes, int8_t(-scale.right));
  for (const MveScale &scale : scales)
    appendNumber<int8_t>(bytes, scale.left);
}

Value MveRecords::map(Mve &m, const ConvLayer &layer, bool general, Value sums, Value record) {
  KernelBuilder &k = m.k;
  sums = k.add(sums, m.loadWords(record));
  Value lefts = general ? m.loadCodesAsWords(k.at(record, kLefts)) : Value();
  return m.mapSums(sums, m.loadWords(k.at(record, kMultipliers)), m.loadCodesAsWords(k.at(record, kRights)), lefts,
                   layer.map);
}

void MveRecords::finish(Mve &m, const ConvLayer &layer, bool general, Value sums, Value record, Value channel, Value to,
                        int64_t step) {
  store(m, layer, m.finish(map(m, layer, general, sums, record), layer.map), channel, to, step);
}

void MveRecords::store(Mve &m, const ConvLayer &layer, Value codes, Value channel, Value to, int64_t step) {
  KernelBuilder &k = m.k;
  if (layer.out.channels % step == 0 && step == kChannels)
    m.storeCodes(codes, to, layer.inputBits);
  else
    m.storeCodes(codes, to, k.sub(k.number(layer.out.channels), channel), layer.inputBits);
}
