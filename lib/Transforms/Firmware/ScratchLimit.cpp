// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/ScratchLimit.h"
#include "lib/Transforms/Plan/Passes.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

ScratchLimit::ScratchLimit(func::FuncOp function, Preference preference, int64_t arenaBytes, bool interface)
    : preference(preference), arenaBytes(arenaBytes), tensors(function, interface) {
  for (auto [position, op] : llvm::enumerate(function.front()))
    steps[&op] = TensorBuffers::stepOf(position);
}

bool ScratchLimit::allows(qnn::LayerOpInterface op, const LayerMemory &memory) const {
  if (preference != Preference::Both || memory.scratchBytes == 0)
    return preference != Preference::Memory || memory.scratchBytes == 0;
  auto place = steps.find(op);
  if (place == steps.end() || op->getNumResults() != 1)
    return true;
  unsigned step = place->second;
  std::vector<ArenaBuffer> buffers(tensors.getBuffers());
  unsigned scratch = buffers.size();
  buffers.push_back({memory.scratchBytes, step, step});
  std::optional<unsigned> input = tensors.find(op.getLayerInputs()[0]), output = tensors.find(op->getResult(0));
  std::vector<ArenaOverlap> overlaps;
  if (input && buffers[*input].end == step) {
    if (memory.scratch)
      overlaps.push_back({scratch, *input, memory.scratch->distance, memory.scratch->multiple});
    if (memory.output && output && buffers[*output].begin == step)
      overlaps.push_back({*output, *input, memory.output->distance, memory.output->multiple});
  }
  return boundOfStep(buffers, kFirmwareAlignment, overlaps, step) <= arenaBytes;
}
