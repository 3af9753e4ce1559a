// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Pipelines/VerifyPasses.h"
#include "lib/Transforms/Contracts/Contracts.h"
#include "mlir/Pass/PassInstrumentation.h"
#include <mutex>

using namespace mlir;
using namespace mlir::qtensor;

/// Passes whose work is to place, compute or lower roundings; the tests of each check which.
static constexpr StringLiteral kPlacers[] = {
    "qtensor-fold-decodes",   "qtensor-quantize-weights", "qtensor-quantize-activations", "qtensor-evaluate-constants",
    "qtensor-from-quant",     "qtensor-to-quant",         "qtensor-lower-components",     "qtensor-lower-requantize",
    "qtensor-pack-contracts", "qtensor-form-layers",      "qtensor-quantize-interface",   "qtensor-encode-constants",
    "qtensor-lower-rules",    "qtensor-quantize-states",  "qtensor-select-attention",     "qtensor-hoist-quantize",
    "qtensor-integer-only"};

namespace {
/// What was so before a pass.
struct Before {
  HeldClauses held;
  Roundings roundings;
};

class ContractInstrumentation : public PassInstrumentation {
public:
  ContractInstrumentation(std::optional<Phase> phase, std::shared_ptr<std::atomic<bool>> broken)
      : phase(phase), broken(std::move(broken)) {}

  void runBeforePass(Pass *pass, Operation *op) override {
    if (isAdaptor(pass))
      return;
    Before state = {findHeldClauses(op, phase), countRoundings(op)};
    std::lock_guard<std::mutex> lock(mutex);
    before[{pass, op}] = state;
  }

  void runAfterPass(Pass *pass, Operation *op) override {
    if (std::optional<Before> state = take(pass, op))
      check(pass, op, *state);
  }

  void runAfterPassFailed(Pass *pass, Operation *op) override { (void)take(pass, op); }

private:
  /// The passes that run pipelines on nested ops: their passes are checked one by one.
  static bool isAdaptor(Pass *pass) { return pass->getArgument().empty(); }

  std::optional<Before> take(Pass *pass, Operation *op) {
    std::lock_guard<std::mutex> lock(mutex);
    auto it = before.find({pass, op});
    if (it == before.end())
      return std::nullopt;
    Before state = it->second;
    before.erase(it);
    return state;
  }

  void check(Pass *pass, Operation *op, const Before &state) {
    bool places = llvm::is_contained(kPlacers, pass->getArgument());
    if (failed(verifyHeldClauses(op, phase, state.held, pass->getArgument())) ||
        (!places && failed(verifyRoundings(op, state.roundings, pass->getArgument()))))
      *broken = true;
  }

  std::optional<Phase> phase;
  std::shared_ptr<std::atomic<bool>> broken;
  std::mutex mutex; // Passes on nested ops run in parallel.
  DenseMap<std::pair<Pass *, Operation *>, Before> before;
};
} // namespace

void mlir::qtensor::verifyAroundPasses(PassManager &pm, std::optional<Phase> phase,
                                       std::shared_ptr<std::atomic<bool>> broken) {
  pm.addInstrumentation(std::make_unique<ContractInstrumentation>(phase, std::move(broken)));
}
