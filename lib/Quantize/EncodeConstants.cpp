// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rounds now what was left to round late and found no better place.
#include "lib/Quantize/LateWeight.h"
#include "lib/Quantize/Passes.h"
#include "lib/Quantize/SourceNames.h"
#include "qtensor/Codec.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_ENCODECONSTANTS
#include "lib/Quantize/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

namespace {
struct EncodeConstants : mlir::qtensor::impl::EncodeConstantsBase<EncodeConstants> {
  void runOnOperation() override {
    SmallVector<EncodeOp> ops;
    getOperation().walk([&](EncodeOp op) { ops.push_back(op); });
    for (EncodeOp op : ops)
      if (failed(evaluate(op)))
        return signalPassFailure();
  }

private:
  LogicalResult evaluate(EncodeOp op) {
    if (op->getNumResults() && op.use_empty()) {
      op.erase();
      return success();
    }
    FailureOr<std::optional<LateWeight>> weight = LateWeight::match(op);
    if (failed(weight) || !*weight)
      return weight;
    NearestCodes nearest;
    FailureOr<std::vector<ComponentBytes>> components =
        (*weight)->encodeRows(0, (*weight)->getShape().front(), /*parallel=*/true, nearest);
    if (failed(components))
      return failure();
    SmallVector<Component> types;
    op.getEncoding().getComponents((*weight)->getShape(), &getContext(), types);
    SmallVector<StringRef> names = getSourceNames(op.getLoc());
    std::string name = names.empty() ? std::string("weight") : names.front().str();
    OpBuilder builder(op);
    for (auto [result, type, bytes] : llvm::zip_equal(op.getResults(), types, *components))
      result.replaceAllUsesWith(makeConstant(builder, op.getLoc(), cast<RankedTensorType>(result.getType()),
                                             std::move(bytes), name + "." + type.name));
    op.erase();
    return success();
  }
};
} // namespace
