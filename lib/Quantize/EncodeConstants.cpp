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
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (isa<EncodeOp, QuantizeOp>(op))
        ops.push_back(op);
    });
    for (Operation *op : ops)
      if (failed(evaluate(op)))
        return signalPassFailure();
  }

private:
  LogicalResult evaluate(Operation *op) {
    if (isOpTriviallyDead(op)) {
      op->erase();
      return success();
    }
    FailureOr<std::optional<LateWeight>> weight = LateWeight::match(op);
    if (failed(weight) || !*weight || !isOfKnownShape(op))
      return weight;
    NearestCodes nearest;
    FailureOr<std::vector<ComponentBytes>> components =
        (*weight)->encodeRows(0, (*weight)->getShape().front(), /*parallel=*/true, nearest);
    if (failed(components))
      return failure();
    OpBuilder builder(op);
    SmallVector<Value> values = makeComponents(builder, op->getLoc(), **weight, *components);
    if (isa<QuantizeOp>(op))
      values = {AssembleOp::create(builder, op->getLoc(), op->getResult(0).getType(), values)};
    op->replaceAllUsesWith(values);
    op->erase();
    return success();
  }

  static bool isOfKnownShape(Operation *op) {
    return llvm::all_of(op->getResultTypes(), [](Type type) { return cast<ShapedType>(type).hasStaticShape(); });
  }

  static SmallVector<Value> makeComponents(OpBuilder &builder, Location loc, const LateWeight &weight,
                                           std::vector<ComponentBytes> &components) {
    SmallVector<Component> types;
    weight.getEncoding().getComponents(weight.getShape(), builder.getContext(), types);
    SmallVector<StringRef> names = getSourceNames(loc);
    std::string name = names.empty() ? std::string("weight") : names.front().str();
    SmallVector<Value> values;
    for (auto [type, bytes] : llvm::zip_equal(types, components))
      values.push_back(makeConstant(builder, loc, type.type, std::move(bytes), name + "." + type.name));
    return values;
  }
};
} // namespace
