// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Library.h"
#include <cstdlib>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::conformance;

FailureOr<Library> Library::make(ModuleOp planned, const Target &target) {
  ArtifactOptions options;
  options.model = "cells";
  options.target = &target;
  FailureOr<Artifact> artifact = compileArtifact(planned, options);
  if (failed(artifact))
    return failure();
  auto model = LoadedModel::link(*artifact);
  if (!model)
    return planned.emitError(llvm::toString(model.takeError()));
  Library library;
  library.model = std::move(*model);
  return library;
}

qt_status Library::open(StringRef level, LoadedModel::Handle **handle) {
  std::string name = level.str();
  qt_options options{};
  options.level = name.c_str();
  options.threads = 2;
  return model->open(model->getWeights(), &options, handle);
}

bool Library::supports(StringRef level) {
  LoadedModel::Handle *handle = nullptr;
  qt_status status = open(level, &handle);
  model->close(handle);
  return status != QT_ERROR_LEVEL;
}

static int32_t getDtype(Type type) { return type.isF32() ? QT_F32 : QT_I32; }

namespace {
/// Memory with a pattern before, in and after it: what is not written shows, and so does what is written outside.
class Guarded {
public:
  explicit Guarded(size_t size) : size(size), bytes(kGuard + (size + 63) / 64 * 64 + kGuard + 64, kPattern) {}
  char *data() {
    auto address = reinterpret_cast<uintptr_t>(bytes.data()) + kGuard;
    return reinterpret_cast<char *>((address + 63) / 64 * 64);
  }
  bool isIntact() {
    char *begin = data(), *end = begin + size;
    auto isPattern = [](char c) { return c == kPattern; };
    return std::all_of(bytes.data(), begin, isPattern) && std::all_of(end, bytes.data() + bytes.size(), isPattern);
  }
  std::vector<char> take() { return std::vector<char>(data(), data() + size); }

private:
  static constexpr size_t kGuard = 4096;
  static constexpr char kPattern = char(0xFB);
  size_t size;
  std::vector<char> bytes;
};
} // namespace

llvm::Expected<Results> Library::run(StringRef level, ArrayRef<reference::Tensor> inputs, size_t resultCount) {
  LoadedModel::Handle *opened = nullptr;
  auto fail = [&](StringRef what, qt_status status) {
    return llvm::createStringError(what + " returned status " + std::to_string(status));
  };
  if (qt_status status = open(level, &opened))
    return fail("open", status);
  std::unique_ptr<LoadedModel::Handle, void (*)(LoadedModel::Handle *)> handle(opened, model->close);
  std::vector<qt_tensor> arguments, results(resultCount);
  for (const reference::Tensor &input : inputs) {
    qt_tensor tensor{
        const_cast<char *>(input.getBytes().data()), getDtype(input.getElementType()), int32_t(input.getRank()), {}};
    llvm::copy(input.getShape(), tensor.shape);
    arguments.push_back(tensor);
  }
  size_t scratchBytes = 0;
  if (qt_status status = model->shapes(opened, arguments.data(), results.data(), &scratchBytes))
    return fail("shapes", status);
  std::vector<Guarded> buffers;
  for (const qt_tensor &result : results)
    buffers.emplace_back(llvm::product_of(ArrayRef(result.shape, result.rank)) * sizeof(float));
  for (auto [result, buffer] : llvm::zip_equal(results, buffers))
    result.data = buffer.data();
  Guarded scratch(scratchBytes);
  if (qt_status status = model->run(opened, nullptr, arguments.data(), results.data(), scratch.data()))
    return fail("run", status);
  Results bytes;
  for (auto [index, buffer] : llvm::enumerate(buffers)) {
    if (!buffer.isIntact())
      return llvm::createStringError("writes outside of result " + std::to_string(index));
    bytes.push_back(buffer.take());
  }
  if (!scratch.isIntact())
    return llvm::createStringError("writes outside of the scratch memory");
  return bytes;
}
