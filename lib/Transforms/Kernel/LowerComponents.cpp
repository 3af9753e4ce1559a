// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Everything of qtensor that is left on buffers: contractions, and the encoding and decoding of components.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Kernel/AttentionKernel.h"
#include "lib/Transforms/Kernel/ContractLowering.h"
#include "lib/Transforms/Kernel/EncodeLowering.h"
#include "lib/Transforms/Kernel/EncodedOperand.h"
#include "lib/Transforms/Kernel/Passes.h"
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
    TileMachine machine;
    if (failed(readMachine(machine)))
      return signalPassFailure();
    KernelNames names;
    WalkResult result = getOperation().walk([&](Operation *op) {
      return failed(lower(op, machine, names)) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  LogicalResult readMachine(TileMachine &machine) {
    machine.level = level;
    machine.lanes = lanes;
    machine.registers = registers;
    machine.pairSums = pairSums;
    machine.pinned = pinned;
    machine.asksAhead = asksAhead;
    if (tileRows.empty() || tileRows.size() != tileColumns.size())
      return getOperation().emitError("tile-rows and tile-columns name as many tiles, and at least one");
    for (auto [rows, columns] : llvm::zip_equal(tileRows, tileColumns)) {
      if (rows < 1 || rows > kMaxTileRows || columns < 1)
        return getOperation().emitError("a tile has 1 to ") << kMaxTileRows << " rows and at least one column";
      machine.tiles.push_back({rows, columns});
    }
    constexpr size_t kRates = 8;
    if (cores.size() % kRates != 0 || llvm::any_of(cores, [](double rate) { return !(rate > 0); }))
      return getOperation().emitError("cores are described by ") << kRates << " positive numbers each";
    for (ArrayRef<double> c(cores); !c.empty(); c = c.drop_front(kRates))
      machine.cores.push_back({"", c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]});
    if (!coreNames.empty() && coreNames.size() != machine.cores.size())
      return getOperation().emitError("core-names names as many cores as are described");
    for (auto [core, name] : llvm::zip(machine.cores, coreNames))
      core.name = name;
    return success();
  }

  static LogicalResult lower(Operation *op, const TileMachine &machine, KernelNames &names) {
    if (!isa<ContractOp, EncodeOp, DecodeOp, EpilogueOp, AttentionOp>(op))
      return success();
    if (op->getNumResults() != 0)
      return op->emitOpError("is on tensors; bufferize first");
    return TypeSwitch<Operation *, LogicalResult>(op)
        .Case([&](ContractOp contract) {
          std::string reason;
          if (!contract.getRhsLayout())
            return succeeded(lowerVectorContract(contract, machine.lanes, reason)) ? success()
                                                                                   : lowerGenericContract(contract);
          if (succeeded(lowerPackedContract(contract, machine, names, reason)))
            return success();
          return LogicalResult(contract.emitOpError("has a packed weight but no kernel: ") << reason);
        })
        .Case([&](AttentionOp attention) {
          return lowerAttention(attention, machine, [&](StringRef key) { return names.get(key); });
        })
        .Case([](EncodeOp encode) { return lowerEncode(encode); })
        .Case([](DecodeOp decode) { return lowerDecode(decode), success(); })
        .Case([](EpilogueOp epilogue) { return lowerEpilogue(epilogue), success(); });
  }
};
} // namespace
