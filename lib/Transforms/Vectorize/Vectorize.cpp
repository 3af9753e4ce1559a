// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Turns linalg on buffers into register-tiled vector loops, or into plain loops where no vector fits.
#include "lib/Transforms/Vectorize/Passes.h"
#include "lib/Transforms/Vectorize/TileEmitter.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_VECTORIZE
#include "lib/Transforms/Vectorize/Passes.h.inc"

void registerVectorize(DialectRegistry &) { registerQTensorVectorizePasses(); }
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

namespace {
struct Vectorize : mlir::qtensor::impl::VectorizeBase<Vectorize> {
  using VectorizeBase::VectorizeBase;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation()->walk([&](memref::CopyOp copy) {
      rewriter.setInsertionPoint(copy);
      rewriter.replaceOp(copy, linalg::makeMemRefCopyOp(rewriter, copy.getLoc(), copy.getSource(), copy.getTarget()));
    });
    WalkResult walk = getOperation()->walk([&](linalg::LinalgOp op) {
      if (!op.hasPureBufferSemantics()) {
        op.emitError("expected buffers; the vector loops are made after bufferization");
        return WalkResult::interrupt();
      }
      return failed(convert(op, rewriter)) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (walk.wasInterrupted())
      signalPassFailure();
  }

  LogicalResult convert(linalg::LinalgOp op, IRRewriter &rewriter) {
    rewriter.setInsertionPoint(op);
    if (std::optional<LoopPlan> plan = planLoops(op)) {
      TileEmitter(op, *plan, {rows, vectors, parallel && !op->getParentOfType<scf::ParallelOp>()}).emit(rewriter);
    } else if (failed(linalg::linalgOpToLoops(rewriter, op))) {
      return op.emitError("the op cannot be turned into loops");
    }
    rewriter.eraseOp(op);
    return success();
  }
};
} // namespace
