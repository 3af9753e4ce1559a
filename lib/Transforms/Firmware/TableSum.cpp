// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/TableSum.h"
#include "lib/Transforms/Firmware/LayerKernels.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

std::optional<TableSum> TableSum::find(const AddLayer &layer) {
  if (layer.bits != 8 || layer.map.mode == FixedMode::X16)
    return std::nullopt;
  int64_t bound = 0;
  for (unsigned input : {0u, 1u}) {
    int64_t most = 0;
    for (int64_t code = -128; code < 128; ++code)
      most = std::max(most, std::abs(int64_t(layer.term(input, code))));
    bound += most;
  }
  auto map = FastMap::find(layer.map, int32_t(layer.multipliers[2]), int32_t(layer.shifts[2]), bound);
  return map ? std::optional(TableSum(layer, *map)) : std::nullopt;
}

void TableSum::append(std::vector<char> &bytes, bool signedFirst) const {
  for (unsigned input : {0u, 1u})
    for (int64_t i = 0; i < 256; ++i) {
      int64_t code = input == 0 && signedFirst ? i - 128 : int8_t(i);
      appendNumber<int32_t>(bytes, 2 * (input && layer.subtract ? -1 : 1) * layer.term(input, code));
    }
}

Value TableSum::emit(KernelBuilder &k, Value tables, Value first, Value second, bool signedFirst,
                     bool longMultiply) const {
  auto term = [&](Value code, int64_t table) { return k.load32(k.at(k.at(tables, table), k.left(code, 2))); };
  Value sum = k.add(term(first, signedFirst ? 512 : 0), term(second, 1024));
  FastMapValues values{k.number(map.multiplier), k.number(map.rounding), k.number(map.shift)};
  return values.apply(k, sum, layer.map, longMultiply);
}
