// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Targets/CortexM/MveRecords.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::cortexm;
using namespace mlir::qtensor::firmware;

static constexpr int64_t kMultipliers = 16, kRights = 32, kLefts = 36;

void MveRecords::append(std::vector<char> &bytes, int64_t first) const {
  int64_t channels = layer.out.channels;
  MveScale scales[kChannels];
  for (int64_t o = first; o < std::min(first + kChannels, channels); ++o)
    scales[o - first] = MveScale::of(ofChannel(constants.multiplier, o), ofChannel(constants.shift, o), layer.map.mode);
  for (int64_t o = first; o < first + kChannels; ++o)
    appendNumber<int32_t>(bytes, o < channels ? int32_t(bias[o]) : 0);
  for (const MveScale &scale : scales)
    appendNumber<int32_t>(bytes, scale.multiplier);
  for (const MveScale &scale : scales)
    appendNumber<int8_t>(bytes, int8_t(-scale.right));
  for (const MveScale &scale : scales)
    appendNumber<int8_t>(bytes, scale.left);
}

void MveRecords::finish(Mve &m, const ConvLayer &layer, bool general, Value sums, Value record, Value channel, Value to) {
  KernelBuilder &k = m.k;
  sums = k.add(sums, m.loadWords(record));
  Value lefts = general ? m.loadCodesAsWords(k.at(record, kLefts)) : Value();
  Value mapped = m.mapSums(sums, m.loadWords(k.at(record, kMultipliers)), m.loadCodesAsWords(k.at(record, kRights)),
                           lefts, layer.map.mode);
  Value codes = m.finish(mapped, layer.map);
  if (layer.out.channels % kChannels == 0)
    m.storeCodes(codes, to);
  else
    m.storeCodes(codes, to, k.sub(k.number(layer.out.channels), channel));
}
