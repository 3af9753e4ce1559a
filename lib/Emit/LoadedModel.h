// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A compiled model in this process: a shared library that was opened, or objects that were linked in memory. Both are
// called through the functions of the C header.
#pragma once
#include "lib/Runtime/qtensor_abi.h"
#include "qtensor/Artifact.h"
#include <memory>

namespace mlir::qtensor {

/// Name, type and shape of an input or output, from the manifest.
struct LoadedTensor {
  std::string name;
  int32_t dtype;
  std::vector<int64_t> shape; ///< -1: any extent.
};

class LoadedModel {
public:
  /// Opens lib<model>.so; the manifest <model>.json lies beside it.
  static llvm::Expected<std::unique_ptr<LoadedModel>> openLibrary(StringRef path);

  /// Links the objects of an artifact into this process. The artifact may be destroyed afterwards.
  static llvm::Expected<std::unique_ptr<LoadedModel>> link(const Artifact &artifact);

  virtual ~LoadedModel();

  const std::string &getName() const { return name; }
  ArrayRef<LoadedTensor> getInputs() const { return inputs; }
  ArrayRef<LoadedTensor> getOutputs() const { return outputs; }
  /// What to give to open: the file beside the library, or the bytes in memory.
  const qt_weights *getWeights() const { return hasWeights ? &weights : nullptr; }

  using Handle = void;
  qt_status (*open)(const qt_weights *, const qt_options *, Handle **) = nullptr;
  qt_status (*shapes)(const Handle *, const qt_tensor *, qt_tensor *, size_t *) = nullptr;
  qt_status (*run)(const Handle *, void *, const qt_tensor *, const qt_tensor *, void *) = nullptr;
  size_t (*stateSize)(const Handle *) = nullptr;
  qt_status (*stateInit)(const Handle *, void *) = nullptr;
  void (*close)(Handle *) = nullptr;
  const char *(*level)(const Handle *) = nullptr;
  const char *(*errorText)(qt_status) = nullptr;

protected:
  llvm::Error readManifest(StringRef json);
  /// Fills the function pointers; `lookup` returns null for an unknown name.
  llvm::Error bind(llvm::function_ref<void *(StringRef)> lookup);

  std::string name;
  std::vector<LoadedTensor> inputs, outputs;
  qt_weights weights = {};
  bool hasWeights = false;
};

/// Bytes of one element, as the runtime counts them.
int64_t elementBytes(int32_t dtype);

/// Bytes of all elements.
size_t tensorBytes(const qt_tensor &tensor);

/// Memory aligned for any use of a model.
struct AlignedBytes {
  explicit AlignedBytes(size_t size);
  ~AlignedBytes();
  AlignedBytes(AlignedBytes &&other) : data(std::exchange(other.data, nullptr)) {}
  void *data;
};

} // namespace mlir::qtensor
