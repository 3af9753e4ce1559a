// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions in groups of channels: a loop over the groups around the code of one. A group is a convolution that
// reads and writes parts of pixels; all groups have the same shape, so they share the code, and only addresses move on.
//
// Constants: { i32 the bytes of a group's constants; 12 bytes of nothing; those of each group }.
#include "lib/Transforms/Firmware/GroupedConv.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

namespace {
class GroupedConv : public ConvKernel {
public:
  explicit GroupedConv(const ConvKernel &inner) : name("grouped." + inner.getName().str()), inner(inner) {}

  StringRef getName() const override { return name; }
  bool takesChannelGroups() const override { return true; }
  bool accepts(const ConvLayer &layer, const ConvConstants &constants) const override {
    for (int64_t group = 0; group < layer.channelGroups; ++group)
      if (!canCompute(inner, layer.ofGroup(), constants.ofGroup(layer, group)))
        return false;
    return true;
  }
  std::vector<char> pack(const ConvLayer &layer, const ConvConstants &constants) const override;
  int64_t getScratchBytes(const ConvLayer &layer) const override { return inner.getScratchBytes(layer.ofGroup()); }
  void emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const override;

private:
  static constexpr int64_t kAlignment = 16;

  const std::string name;
  const ConvKernel &inner;
};
} // namespace

std::vector<char> GroupedConv::pack(const ConvLayer &layer, const ConvConstants &constants) const {
  std::vector<std::vector<char>> groups;
  size_t longest = 0;
  for (int64_t group = 0; group < layer.channelGroups; ++group) {
    groups.push_back(inner.pack(layer.ofGroup(), constants.ofGroup(layer, group)));
    longest = std::max(longest, size_t(llvm::alignTo(groups.back().size(), kAlignment)));
  }
  std::vector<char> bytes;
  appendNumber(bytes, int32_t(longest));
  bytes.resize(kAlignment);
  for (std::vector<char> &group : groups) {
    group.resize(longest);
    bytes.insert(bytes.end(), group.begin(), group.end());
  }
  return bytes;
}

void GroupedConv::emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const {
  ConvLayer part = layer.ofGroup();
  int64_t codeBytes = layer.inputBits / 8;
  Value step = k.load32(at.constants);
  k.loop(0, layer.channelGroups, 1, {at.input, k.at(at.constants, kAlignment), at.output},
         [&](Value, ValueRange carried) {
           inner.emit(k, part, {carried[0], Value(), carried[1], at.scratch, carried[2]});
           return SmallVector<Value>{k.at(carried[0], part.in.channels * codeBytes), k.at(carried[1], step),
                                     k.at(carried[2], part.out.channels * codeBytes)};
         });
}

void firmware::addGroupedConv(LayerKernels &kernels) {
  std::vector<const ConvKernel *> inner = kernels.conv;
  for (const ConvKernel *kernel : inner) {
    if (!kernel->takesParts())
      continue;
    kernels.made.push_back(std::make_shared<GroupedConv>(*kernel));
    kernels.conv.push_back(kernels.made.back().get());
  }
}
