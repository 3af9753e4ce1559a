// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Compiled.h"
#include "lib/Pipelines/RunPhases.h"

using namespace mlir;
using namespace mlir::qtensor;
using reference::Tensor;

FailureOr<std::unique_ptr<LoadedModel>> qtensor::compileInMemory(ModuleOp module, StringRef level) {
  Target target = *getDefaultTarget();
  const auto *chosen = llvm::find_if(target.levels, [&](const TargetLevel &known) { return known.name == level; });
  if (chosen == target.levels.end())
    return module.emitError() << "target " << target.name << " has no level '" << level << "'";
  target.levels = ArrayRef(chosen, 1); // one level is enough, and compiled in a quarter of the time
  PipelineOptions pipeline;
  pipeline.target = &target;
  if (failed(runPhases(module, PhaseRun(), pipeline)))
    return failure();
  ArtifactOptions options;
  options.model = "model";
  options.target = &target;
  FailureOr<Artifact> artifact = compileArtifact(module, options);
  if (failed(artifact))
    return failure();
  auto model = LoadedModel::link(*artifact);
  if (!model)
    return module.emitError(llvm::toString(model.takeError()));
  return std::move(*model);
}

namespace {
/// 64-byte aligned memory.
struct Buffer {
  explicit Buffer(size_t size) : bytes(size + 63) {}
  char *data() { return reinterpret_cast<char *>(llvm::alignTo(reinterpret_cast<uintptr_t>(bytes.data()), 64)); }
  std::vector<char> bytes;
};
} // namespace

static qt_tensor describe(const LoadedTensor &known, const Tensor &tensor, char *data) {
  qt_tensor result = {data, known.dtype, static_cast<int32_t>(tensor.getRank()), {}};
  llvm::copy(tensor.getShape(), result.shape);
  return result;
}

llvm::Expected<SmallVector<Tensor>> qtensor::runCompiled(LoadedModel &model, ArrayRef<Tensor> inputs,
                                                         ArrayRef<Type> types) {
  std::string report;
  qt_options options = {};
  options.report = [](void *user, const char *text) { *static_cast<std::string *>(user) = text; };
  options.report_user = &report;
  auto fail = [&](StringRef what, qt_status status) {
    return llvm::createStringError(what + ": " + (report.empty() ? model.errorText(status) : report));
  };
  LoadedModel::Handle *opened = nullptr;
  if (qt_status status = model.open(model.getWeights(), &options, &opened))
    return fail("open", status);
  std::unique_ptr<LoadedModel::Handle, void (*)(LoadedModel::Handle *)> handle(opened, model.close);
  std::vector<Buffer> buffers;
  SmallVector<qt_tensor> arguments, outputs(types.size());
  for (auto [known, input] : llvm::zip_equal(model.getInputs(), inputs)) {
    Buffer &buffer = buffers.emplace_back(input.getBytes().size());
    llvm::copy(input.getBytes(), buffer.data());
    arguments.push_back(describe(known, input, buffer.data()));
  }
  size_t scratchBytes = 0;
  if (qt_status status = model.shapes(opened, arguments.data(), outputs.data(), &scratchBytes))
    return fail("shapes", status);
  SmallVector<Tensor> results;
  for (auto [type, output] : llvm::zip_equal(types, outputs)) {
    FailureOr<Tensor> result = Tensor::zeros(type, ArrayRef(output.shape, output.rank));
    if (failed(result))
      return llvm::createStringError("the result has no tensor type");
    output.data = buffers.emplace_back(result->getBytes().size()).data();
    results.push_back(std::move(*result));
  }
  Buffer scratch(scratchBytes);
  if (qt_status status = model.run(opened, nullptr, arguments.data(), outputs.data(), scratch.data()))
    return fail("run", status);
  for (auto [result, output] : llvm::zip_equal(results, outputs))
    std::memcpy(result.getMutableBytes().data(), output.data, result.getBytes().size());
  return results;
}
