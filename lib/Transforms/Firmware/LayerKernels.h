// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a target brings to compute layers: a list of kernels for each kind, best first.
#pragma once
#include "lib/Transforms/Firmware/KernelBuilder.h"
#include "lib/Transforms/Firmware/Layer.h"
#include "lib/Transforms/Firmware/Overlap.h"
#include <memory>

namespace mlir::qtensor::firmware {

/// Addresses that a kernel works on, as !llvm.ptr. Those of the arena and of constants are multiples of 16; so are inputs and
/// outputs of the model. `constants` and `scratch` are null where the kernel asked for none.
struct LayerPointers {
  Value input, second, constants, scratch, output;
};

/// One way to compute layers of a kind `L` with constants `C`. What a kernel packs and what it emits have one home: its
/// file. Kernels have no state.
template <typename L, typename C>
class LayerKernel {
public:
  virtual ~LayerKernel() = default;
  /// Unique among the kernels of the target, e.g. "dsp.conv.2x2"; IR keeps it.
  virtual StringRef getName() const = 0;
  /// Whether this kernel computes this layer, with the reference's bits.
  virtual bool accepts(const L &layer, const C &constants) const = 0;
  /// Whether it reads factors of groups of weights: the others never see a layer that has some.
  virtual bool takesGroups() const { return false; }
  /// Whether it computes layers with groups of channels; and whether layers on parts of images (Extents::pitch), as
  /// these groups are. The others never see such layers.
  virtual bool takesChannelGroups() const { return false; }
  virtual bool takesParts() const { return false; }
  /// The bytes that emitted code reads at `constants`.
  virtual std::vector<char> pack(const L &layer, const C &constants) const = 0;
  /// Bytes of the kernel's own in the arena, aligned to 16.
  virtual int64_t getScratchBytes(const L &layer) const { return 0; }
  /// Whether it takes means with a final map: the others never see a layer that has one.
  virtual bool takesMean() const { return false; }
  /// Whether the kernel computes the sum behind a layer that has one.
  virtual bool takesSum(const L &layer) const { return false; }
  /// How the output of a layer with a sum may lie over the second input.
  virtual std::optional<Overlap> getSumOverlap(const L &layer) const { return std::nullopt; }
  /// How the output, and how the scratch, may lie over the first input if nobody reads that any more; nothing: not at all.
  virtual std::optional<Overlap> getOutputOverlap(const L &layer) const { return std::nullopt; }
  virtual std::optional<Overlap> getScratchOverlap(const L &layer) const { return std::nullopt; }
  /// A kernel that does the same without scratch, for somewhat more instructions; null: there is none. It stands in the
  /// target's list behind this one.
  virtual const LayerKernel *getFrugalTwin() const { return nullptr; }
  /// Emits the loops of one layer. Nothing outside of the tensors, the constants and the scratch may be read or written.
  virtual void emit(KernelBuilder &k, const L &layer, const LayerPointers &at) const = 0;
};

using ConvKernel = LayerKernel<ConvLayer, ConvConstants>;
using PoolKernel = LayerKernel<PoolLayer, PoolConstants>;
using AddKernel = LayerKernel<AddLayer, AddConstants>;
using MulKernel = LayerKernel<MulLayer, MulConstants>;
using SoftmaxKernel = LayerKernel<SoftmaxLayer, SoftmaxConstants>;

/// The kernels of a target: the first that accepts a layer computes it.
struct LayerKernels {
  std::vector<const ConvKernel *> conv;
  std::vector<const PoolKernel *> pool;
  std::vector<const AddKernel *> add;
  std::vector<const MulKernel *> mul;
  std::vector<const SoftmaxKernel *> softmax;
  std::vector<std::shared_ptr<const ConvKernel>> made; ///< Those of `conv` that were made for this table.
};

/// The table of a target: what `parts` add, in order, and last the kernels that are right on every processor. Those
/// that take parts of images also take convolutions in groups of channels.
LayerKernels makeKernelTable(llvm::ArrayRef<void (*)(LayerKernels &)> parts);

/// Whether a kernel computes a layer. Weights in groups, sums and means are for kernels that know of them.
template <typename L, typename C>
bool canCompute(const LayerKernel<L, C> &kernel, const L &layer, const C &constants) {
  if constexpr (std::is_same_v<L, ConvLayer>)
    if ((layer.groups && !kernel.takesGroups()) || (layer.sum && !kernel.takesSum(layer)) ||
        (layer.channelGroups > 1) != kernel.takesChannelGroups() || (layer.in.pitch && !kernel.takesParts()))
      return false;
  if constexpr (std::is_same_v<L, PoolLayer>)
    if (layer.mean && !kernel.takesMean())
      return false;
  return kernel.accepts(layer, constants);
}

/// The first kernel that computes a layer; null where there is none.
template <typename L, typename C>
const LayerKernel<L, C> *findKernel(ArrayRef<const LayerKernel<L, C> *> kernels, const L &layer, const C &constants) {
  for (const LayerKernel<L, C> *kernel : kernels)
    if (canCompute(*kernel, layer, constants))
      return kernel;
  return nullptr;
}

/// Appends a little-endian number to packed bytes.
template <typename T>
void appendNumber(std::vector<char> &bytes, T value) {
  const char *from = reinterpret_cast<const char *>(&value);
  bytes.insert(bytes.end(), from, from + sizeof(T));
}

} // namespace mlir::qtensor::firmware
