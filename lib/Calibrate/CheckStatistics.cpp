// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Statistics belong to one model.
#include "lib/Calibrate/Passes.h"
#include "lib/Calibrate/Statistics.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_CHECKSTATISTICS
#include "lib/Calibrate/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

namespace {
struct CheckStatistics : mlir::qtensor::impl::CheckStatisticsBase<CheckStatistics> {
  using CheckStatisticsBase::CheckStatisticsBase;

  void runOnOperation() override {
    FailureOr<Statistics> loaded = Statistics::load(&getContext(), statistics);
    if (failed(loaded))
      return signalPassFailure();
    if (loaded->modelHash.empty() || loaded->modelHash == hashModel(getOperation()))
      return;
    getOperation().emitError() << "the statistics in '" << statistics << "' belong to another model (hash "
                               << loaded->modelHash << ", this one has " << hashModel(getOperation())
                               << "); calibrate this one";
    signalPassFailure();
  }
};
} // namespace
