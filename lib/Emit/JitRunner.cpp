// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/JitRunner.h"
#include "dialects/Calib/IR/Calib.h"
#include "lib/Emit/LoadedModel.h"
#include "lib/Pipelines/RunPhases.h"
#include "lib/Transforms/Plan/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/APFloat.h"

using namespace mlir;
using namespace mlir::qtensor;

/// Elements of a float tensor as f32.
static std::vector<float> toFloats(const qt_tensor &tensor) {
  int64_t count = tensorBytes(tensor) / elementBytes(tensor.dtype);
  std::vector<float> values(count);
  const llvm::fltSemantics *half = tensor.dtype == QT_F16 ? &APFloat::IEEEhalf() : &APFloat::BFloat();
  for (int64_t i = 0; i < count; ++i) {
    if (tensor.dtype == QT_F32)
      values[i] = static_cast<const float *>(tensor.data)[i];
    else if (tensor.dtype == QT_F64)
      values[i] = static_cast<float>(static_cast<const double *>(tensor.data)[i]);
    else
      values[i] = APFloat(*half, APInt(16, static_cast<const uint16_t *>(tensor.data)[i])).convertToDouble();
  }
  return values;
}

/// Turns observers of @main into results. Their keys, in order of the new results.
static FailureOr<std::vector<std::string>> observersToResults(func::FuncOp main) {
  std::vector<std::string> keys;
  SmallVector<calib::ObserveOp> observers;
  main.walk([&](calib::ObserveOp op) { observers.push_back(op); });
  Operation *end = main.front().getTerminator();
  SmallVector<Type> results(main.getResultTypes());
  for (calib::ObserveOp op : observers) {
    if (op->getParentOp() != main)
      return op.emitError(
                 "a value inside of control flow cannot be observed in compiled code; keep its contraction out "
                 "of static formats"),
             failure();
    keys.push_back(op.getKey().str());
    end->insertOperands(end->getNumOperands(), op.getSource());
    results.push_back(op.getSource().getType());
    op.erase();
  }
  unsigned before = main.getNumResults();
  main.setType(FunctionType::get(main.getContext(), main.getArgumentTypes(), results));
  for (auto [i, key] : llvm::enumerate(keys))
    main.setResultAttr(before + i, "qtensor.name", StringAttr::get(main.getContext(), "observed/" + key));
  return keys;
}

namespace {
class JitRunner : public ModelRunner {
public:
  JitRunner(const Target &target, std::function<void(StringRef)> progress)
      : target(target), progress(progress ? std::move(progress) : [](StringRef) {}) {}

  ~JitRunner() override {
    if (handle)
      model->close(handle);
  }

  LogicalResult run(ModuleOp module, ArrayRef<Sample> samples, Observer observe) override {
    auto main = module.lookupSymbol<func::FuncOp>("main");
    if (!main)
      return module.emitError("calibration needs a function @main");
    // A sample gives states like any other input.
    for (unsigned i = 0; i < main.getNumArguments(); ++i)
      main.removeArgAttr(i, kStateAttr);
    for (unsigned i = 0; i < main.getNumResults(); ++i)
      main.removeResultAttr(i, StringAttr::get(main.getContext(), kStateAttr));
    FailureOr<std::vector<std::string>> found = observersToResults(main);
    if (failed(found) || failed(compile(module)))
      return failure();
    for (auto [index, sample] : llvm::enumerate(samples)) {
      progress(llvm::formatv("calibrating: sample {0} of {1}", index + 1, samples.size()).str());
      if (failed(runOne(module, sample, *found, observe)))
        return failure();
    }
    return success();
  }

private:
  LogicalResult compile(ModuleOp module) {
    PhaseRun run;
    run.from = Phase::Imported;
    run.progress = progress;
    PipelineOptions pipeline;
    pipeline.target = &target;
    ArtifactOptions options;
    options.model = "observed";
    options.target = &target;
    options.progress = progress;
    if (failed(runPhases(module, run, pipeline)))
      return failure();
    FailureOr<Artifact> artifact = compileArtifact(module, options);
    if (failed(artifact))
      return failure();
    auto linked = LoadedModel::link(*artifact);
    if (!linked)
      return module.emitError() << llvm::toString(linked.takeError());
    model = std::move(*linked);
    qt_options open = {};
    open.report = [](void *user, const char *text) { *static_cast<std::string *>(user) = text; };
    open.report_user = &report;
    return check(module, model->open(model->getWeights(), &open, &handle));
  }

  LogicalResult check(ModuleOp module, qt_status status) {
    if (status == QT_OK)
      return success();
    return module.emitError() << "calibration: " << (report.empty() ? model->errorText(status) : report.c_str());
  }

  LogicalResult runOne(ModuleOp module, const Sample &sample, ArrayRef<std::string> keys, Observer observe) {
    SmallVector<qt_tensor> inputs, outputs(model->getOutputs().size());
    for (auto [info, data] : llvm::zip_equal(model->getInputs(), sample)) {
      auto type = data.type;
      inputs.push_back({const_cast<char *>(data.bytes.data()), info.dtype, static_cast<int32_t>(type.getRank()), {}});
      llvm::copy(type.getShape(), inputs.back().shape);
    }
    size_t scratchBytes = 0;
    if (failed(check(module, model->shapes(handle, inputs.data(), outputs.data(), &scratchBytes))))
      return failure();
    AlignedBytes scratch(scratchBytes);
    std::vector<AlignedBytes> buffers;
    for (qt_tensor &tensor : outputs)
      tensor.data = buffers.emplace_back(tensorBytes(tensor)).data;
    if (failed(check(module, model->run(handle, nullptr, inputs.data(), outputs.data(), scratch.data))))
      return failure();
    for (auto [key, tensor] : llvm::zip_equal(keys, ArrayRef(outputs).take_back(keys.size())))
      observe(key, toFloats(tensor));
    return success();
  }

  const Target &target;
  std::function<void(StringRef)> progress;
  std::unique_ptr<LoadedModel> model;
  LoadedModel::Handle *handle = nullptr;
  std::string report;
};
} // namespace

std::unique_ptr<ModelRunner> qtensor::createJitRunner(const Target &target, std::function<void(StringRef)> progress) {
  return std::make_unique<JitRunner>(target, std::move(progress));
}
