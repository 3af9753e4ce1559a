// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Calibrate/Calibrate.h"
#include "dialects/Calib/IR/Calib.h"
#include "lib/Calibrate/Passes.h"
#include "lib/Reference/Interpreter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_RUNCALIBRATION
#include "lib/Calibrate/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

FailureOr<Statistics> qtensor::calibrate(ModuleOp module, ModelRunner &runner, ArrayRef<Sample> samples) {
  OwningOpRef<ModuleOp> observed = module.clone();
  insertObservers(*observed);
  Statistics statistics;
  statistics.modelHash = hashModel(module);
  auto observe = [&](StringRef key, ArrayRef<float> values) { statistics[key].add(values); };
  if (failed(runner.run(*observed, samples, observe)))
    return failure();
  return statistics;
}

namespace {
struct RunCalibration : mlir::qtensor::impl::RunCalibrationBase<RunCalibration> {
  using RunCalibrationBase::RunCalibrationBase;

  void runOnOperation() override {
    FailureOr<std::vector<Sample>> inputs = evaluateSamples();
    if (failed(inputs))
      return signalPassFailure();
    FailureOr<Statistics> result = calibrate(getOperation(), *createReferenceRunner(), *inputs);
    if (failed(result) || failed(result->save(&getContext(), output)))
      signalPassFailure();
  }

private:
  /// The results of the sample function, in groups of as many as @main has arguments.
  FailureOr<std::vector<Sample>> evaluateSamples() {
    auto main = getOperation().lookupSymbol<func::FuncOp>("main");
    auto function = getOperation().lookupSymbol<func::FuncOp>(samples);
    if (!main || !function || function.getNumArguments() || !main.getNumArguments() ||
        function.getNumResults() % main.getNumArguments())
      return getOperation().emitError() << "calib-run needs @main with arguments, and @" << samples
                                        << " without arguments that returns inputs for it";
    auto values = reference::evaluate(function, {});
    if (failed(values))
      return failure();
    std::vector<Sample> result;
    for (auto [index, value] : llvm::enumerate(*values)) {
      if (index % main.getNumArguments() == 0)
        result.emplace_back();
      ArrayRef<char> bytes = value.getBytes();
      result.back().push_back({RankedTensorType::get(value.getShape(), value.getElementType()),
                               std::vector<char>(bytes.begin(), bytes.end())});
    }
    return result;
  }
};
} // namespace
