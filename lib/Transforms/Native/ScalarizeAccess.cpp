// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Native/Passes.h"
#include "lib/Transforms/RewriteGreedily.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_SCALARIZEACCESS
#include "lib/Transforms/Native/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

/// The position of lane `i` of an access.
static SmallVector<Value> laneOf(ImplicitLocOpBuilder &b, ValueRange indices, int64_t i) {
  SmallVector<Value> position(indices);
  if (i)
    position.back() = arith::AddIOp::create(b, position.back(), arith::ConstantIndexOp::create(b, i));
  return position;
}

static bool isPlain(MemRefType base, VectorType vector) {
  return vector.getRank() == 1 && !vector.isScalable() && base.getRank() > 0 && base.getElementType() == vector.getElementType();
}

namespace {
struct ScalarizeLoad : OpRewritePattern<vector::LoadOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vector::LoadOp op, PatternRewriter &rewriter) const override {
    if (!isPlain(op.getMemRefType(), op.getVectorType()))
      return failure();
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    SmallVector<Value> lanes;
    for (int64_t i = 0; i < op.getVectorType().getDimSize(0); ++i)
      lanes.push_back(memref::LoadOp::create(b, op.getBase(), laneOf(b, op.getIndices(), i)));
    rewriter.replaceOpWithNewOp<vector::FromElementsOp>(op, op.getVectorType(), lanes);
    return success();
  }
};

struct ScalarizeStore : OpRewritePattern<vector::StoreOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vector::StoreOp op, PatternRewriter &rewriter) const override {
    if (!isPlain(op.getMemRefType(), op.getVectorType()))
      return failure();
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    for (int64_t i = 0; i < op.getVectorType().getDimSize(0); ++i) {
      Value lane = vector::ExtractOp::create(b, op.getValueToStore(), i);
      memref::StoreOp::create(b, lane, op.getBase(), laneOf(b, op.getIndices(), i));
    }
    rewriter.eraseOp(op);
    return success();
  }
};

struct ScalarizeAccess : mlir::qtensor::impl::ScalarizeAccessBase<ScalarizeAccess> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ScalarizeLoad, ScalarizeStore>(&getContext());
    vector::populateVectorMaskedLoadStoreEmulationPatterns(patterns);
    if (failed(rewriteGreedily(*this, getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
