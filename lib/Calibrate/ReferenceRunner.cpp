// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs an observed model with the reference interpreter.
#include "dialects/Calib/IR/Calib.h"
#include "lib/Calibrate/Calibrate.h"
#include "lib/Reference/Interpreter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace mlir::qtensor;

static std::vector<float> toFloats(const reference::Tensor &tensor) {
  std::vector<float> values(tensor.getNumElements());
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = tensor.getNumber(i);
  return values;
}

static FailureOr<reference::Tensor> toTensor(ModuleOp module, const TensorData &data) {
  FailureOr<reference::Tensor> tensor = reference::Tensor::zeros(data.type.getElementType(), data.type.getShape());
  if (failed(tensor) || tensor->getBytes().size() != data.bytes.size())
    return module.emitError() << "a sample has " << data.bytes.size() << " bytes, which is wrong for " << data.type;
  if (!data.bytes.empty())
    llvm::copy(data.bytes, tensor->getMutableBytes().begin());
  return tensor;
}

namespace {
class ReferenceRunner : public ModelRunner {
public:
  LogicalResult run(ModuleOp module, ArrayRef<Sample> samples, Observer observe) override {
    Keys keys = takeObservers(module);
    return success(
        llvm::all_of(samples, [&](const Sample &sample) { return succeeded(runOne(module, sample, keys, observe)); }));
  }

private:
  using Keys = llvm::DenseMap<Value, StringAttr>;

  LogicalResult runOne(ModuleOp module, ArrayRef<TensorData> inputs, const Keys &keys, Observer observe) {
    auto main = module.lookupSymbol<func::FuncOp>("main");
    if (!main || main.getNumArguments() != inputs.size())
      return module.emitError() << "calibration needs a function @main with " << inputs.size() << " inputs";
    SmallVector<reference::Tensor> arguments;
    for (const TensorData &input : inputs) {
      FailureOr<reference::Tensor> tensor = toTensor(module, input);
      if (failed(tensor))
        return failure();
      arguments.push_back(*tensor);
    }
    for (auto [argument, tensor] : llvm::zip_equal(main.getArguments(), arguments))
      if (StringAttr key = keys.lookup(argument))
        observe(key, toFloats(tensor));
    reference::EvaluateOptions options;
    options.observer = [&](Operation *op, ArrayRef<reference::Tensor> results) {
      for (auto [result, tensor] : llvm::zip_equal(op->getResults(), results))
        if (StringAttr key = keys.lookup(result))
          observe(key, toFloats(tensor));
    };
    return success(succeeded(reference::evaluate(main, arguments, options)));
  }

  /// The interpreter shows every op's results, so the observers themselves are not run.
  Keys takeObservers(ModuleOp module) {
    Keys keys;
    SmallVector<calib::ObserveOp> observers;
    module.walk([&](calib::ObserveOp op) { observers.push_back(op); });
    for (calib::ObserveOp op : observers) {
      keys[op.getSource()] = op.getKeyAttr();
      op.erase();
    }
    return keys;
  }
};
} // namespace

std::unique_ptr<ModelRunner> qtensor::createReferenceRunner() { return std::make_unique<ReferenceRunner>(); }
