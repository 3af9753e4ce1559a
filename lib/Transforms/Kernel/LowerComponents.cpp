// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Everything of qtensor that is left on buffers: contractions, and the encoding and decoding of components.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Kernel/AttentionKernel.h"
#include "lib/Transforms/Kernel/ContractLowering.h"
#include "lib/Transforms/Kernel/EncodeLowering.h"
#include "lib/Transforms/Kernel/EncodedOperand.h"
#include "lib/Transforms/Kernel/MachineOptions.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_LOWERCOMPONENTS
#include "lib/Transforms/Kernel/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

/// A parallel loop over all elements of a buffer.
static void forEachElement(ImplicitLocOpBuilder &b, Value buffer, function_ref<void(ValueRange)> body) {
  SmallVector<Value> zeros, ends, ones;
  for (int64_t d = 0, rank = cast<MemRefType>(buffer.getType()).getRank(); d < rank; ++d) {
    zeros.push_back(arith::ConstantIndexOp::create(b, 0));
    ends.push_back(b.createOrFold<memref::DimOp>(buffer, d));
    ones.push_back(arith::ConstantIndexOp::create(b, 1));
  }
  if (zeros.empty())
    return body({});
  // The fastest dimension stays a plain loop, which vectorizes.
  Value zero = zeros.pop_back_val(), end = ends.pop_back_val(), one = ones.pop_back_val();
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Value> index;
  if (!zeros.empty()) {
    auto outer = scf::ParallelOp::create(b, zeros, ends, ones);
    b.setInsertionPointToStart(outer.getBody());
    llvm::append_range(index, outer.getInductionVars());
  }
  auto inner = scf::ForOp::create(b, zero, end, one);
  b.setInsertionPointToStart(inner.getBody());
  index.push_back(inner.getInductionVar());
  body(index);
}

static void lowerDecode(DecodeOp op) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  EncodedOperand operand(op.getComponents(), op.getEncoding());
  forEachElement(b, op.getOutput(), [&](ValueRange index) {
    Value value = operand.loadReal(b, index);
    Type element = cast<MemRefType>(op.getOutput().getType()).getElementType();
    if (!element.isF32())
      value = arith::TruncFOp::create(b, element, value);
    memref::StoreOp::create(b, value, op.getOutput(), index);
  });
  op.erase();
}

static void lowerEpilogue(EpilogueOp op) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  forEachElement(b, op.getOutput(), [&](ValueRange index) {
    Value sum = memref::LoadOp::create(b, op.getAccumulator(), index);
    SmallVector<Value> elements;
    for (auto [value, attr] : llvm::zip_equal(op.getExtra(), op.getExtraMaps())) {
      SmallVector<Value> at;
      for (AffineExpr expr : cast<AffineMapAttr>(attr).getValue().getResults())
        at.push_back(affine::expandAffineExpr(b, b.getLoc(), expr, index, {}));
      elements.push_back(memref::LoadOp::create(b, value, at));
    }
    memref::StoreOp::create(b, cloneEpilogueOnScalars(b, op.getBody(), sum, elements), op.getOutput(), index);
  });
  op.erase();
}

namespace {
struct LowerComponentsPass : mlir::qtensor::impl::LowerComponentsBase<LowerComponentsPass> {
  using LowerComponentsBase::LowerComponentsBase;

  void runOnOperation() override {
    auto machines = readMachines(getOptions(), [&] { return getOperation().emitError(); });
    if (failed(machines))
      return signalPassFailure();
    KernelNames names;
    WalkResult result = getOperation().walk([&](Operation *op) {
      return failed(lower(op, *machines, names)) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  /// The options as they are on the command line.
  LowerComponentsOptions getOptions() const {
    LowerComponentsOptions options;
    options.lanes = lanes;
    options.registers = registers;
    options.pairSums = pairSums;
    options.pinned = pinned;
    options.level = level;
    options.streamAhead.assign(streamAhead.begin(), streamAhead.end());
    options.tileCounts.assign(tileCounts.begin(), tileCounts.end());
    options.tileRows.assign(tileRows.begin(), tileRows.end());
    options.tileColumns.assign(tileColumns.begin(), tileColumns.end());
    options.coreCounts.assign(coreCounts.begin(), coreCounts.end());
    options.cores.assign(cores.begin(), cores.end());
    options.coreNames.assign(coreNames.begin(), coreNames.end());
    return options;
  }

  static LogicalResult lower(Operation *op, ArrayRef<TileMachine> machines, KernelNames &names) {
    if (!isa<ContractOp, EncodeOp, DecodeOp, EpilogueOp, AttentionOp>(op))
      return success();
    if (op->getNumResults() != 0)
      return op->emitOpError("is on tensors; bufferize first");
    return TypeSwitch<Operation *, LogicalResult>(op)
        .Case([&](ContractOp contract) {
          std::string reason;
          if (!contract.getRhsLayout())
            return succeeded(lowerVectorContract(contract, machines.front().lanes, reason)) ? success()
                                                                                   : lowerGenericContract(contract);
          if (succeeded(lowerPackedContract(contract, machines, names, reason)))
            return success();
          return LogicalResult(contract.emitOpError("has a packed weight but no kernel: ") << reason);
        })
        .Case([&](AttentionOp attention) {
          return lowerAttention(attention, machines, [&](StringRef key) { return names.get(key); });
        })
        .Case([](EncodeOp encode) { return lowerEncode(encode); })
        .Case([](DecodeOp decode) { return lowerDecode(decode), success(); })
        .Case([](EpilogueOp epilogue) { return lowerEpilogue(epilogue), success(); });
  }
};
} // namespace
