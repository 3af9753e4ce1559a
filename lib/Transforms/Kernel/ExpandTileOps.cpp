// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/QTile/IR/QTile.h"
#include "lib/Transforms/Kernel/Passes.h"
#include "lib/Transforms/RewriteGreedily.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_EXPANDTILEOPS
#include "lib/Transforms/Kernel/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;

static Value splat(ImplicitLocOpBuilder &b, Type type, int64_t value) {
  auto element = cast<VectorType>(type).getElementType();
  return arith::ConstantOp::create(b, DenseElementsAttr::get(cast<VectorType>(type), b.getIntegerAttr(element, value)));
}

/// Moves `width` bits at `from` of every byte to `to` and clears the others.
static Value moveBits(ImplicitLocOpBuilder &b, Value value, unsigned from, unsigned to, unsigned width) {
  if (from > to)
    value = arith::ShRUIOp::create(b, value, splat(b, value.getType(), from - to));
  if (to > from)
    value = arith::ShLIOp::create(b, value, splat(b, value.getType(), to - from));
  return width == 8 ? value : arith::AndIOp::create(b, value, splat(b, value.getType(), ((1 << width) - 1) << to)).getResult();
}

namespace {
struct ExpandUnpack : OpRewritePattern<qtile::UnpackOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qtile::UnpackOp op, PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    SmallVector<Value> groups(op.getGroups().size());
    unsigned operand = 0;
    int64_t to = llvm::sum_of(op.getWidths());
    for (int64_t width : op.getWidths()) {
      to -= width;
      for (auto [g, group] : llvm::enumerate(groups)) {
        unsigned perVector = 8 / width, place = op.getAlternate() ? g % 2 * width : to;
        Value bits = moveBits(b, op.getPieces()[operand + g / perVector], g % perVector * width, place, width);
        group = group ? arith::OrIOp::create(b, group, bits).getResult() : bits;
      }
      operand += groups.size() * width / 8;
    }
    rewriter.replaceOp(op, groups);
    return success();
  }
};

/// Sign- or zero-extends element `index` of every group of elements that shares an i32 lane.
static Value laneElement(ImplicitLocOpBuilder &b, Value words, unsigned index, unsigned width, bool isSigned) {
  Type type = words.getType();
  unsigned bits = cast<VectorType>(type).getElementTypeBitWidth();
  Value top = arith::ShLIOp::create(b, words, splat(b, type, bits - width * (index + 1)));
  Value amount = splat(b, type, bits - width);
  return isSigned ? arith::ShRSIOp::create(b, top, amount).getResult() : arith::ShRUIOp::create(b, top, amount).getResult();
}

static Value expandDot(ImplicitLocOpBuilder &b, Value sums, Value lhs, Value rhs, unsigned terms) {
  unsigned width = cast<VectorType>(lhs.getType()).getElementTypeBitWidth();
  Value x = vector::BitCastOp::create(b, sums.getType(), lhs), y = vector::BitCastOp::create(b, sums.getType(), rhs);
  for (unsigned j = 0; j < terms; ++j) {
    Value product = arith::MulIOp::create(b, laneElement(b, x, j, width, /*isSigned=*/width != 8), laneElement(b, y, j, width, true));
    sums = arith::AddIOp::create(b, sums, product);
  }
  return sums;
}

struct ExpandDot4 : OpRewritePattern<qtile::Dot4Op> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qtile::Dot4Op op, PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, expandDot(b, op.getAccumulator(), op.getLhs(), op.getRhs(), 4));
    return success();
  }
};

struct ExpandDot2 : OpRewritePattern<qtile::Dot2Op> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qtile::Dot2Op op, PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    rewriter.replaceOp(op, expandDot(b, op.getAccumulator(), op.getLhs(), op.getRhs(), 2));
    return success();
  }
};

struct ExpandLookup : OpRewritePattern<qtile::LookupOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qtile::LookupOp op, PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto table = cast<DenseElementsAttr>(op.getTable());
    auto type = cast<VectorType>(op.getResult().getType());
    memref::GlobalOp global = findOrCreateTable(op->getParentOfType<ModuleOp>(), table, rewriter);
    Value base = memref::GetGlobalOp::create(b, global.getType(), global.getSymName());
    auto indices = VectorType::get(type.getShape(), b.getI32Type());
    Value codes = op.getCodes();
    if (codes.getType() != indices)
      codes = arith::ExtUIOp::create(b, indices, codes);
    // An index beyond the table has a defined result: the load must stay inside the global.
    codes = arith::AndIOp::create(b, codes, splat(b, indices, table.getNumElements() - 1));
    Value mask = arith::ConstantOp::create(b, DenseElementsAttr::get(VectorType::get(type.getShape(), b.getI1Type()), true));
    Value none = arith::ConstantOp::create(b, b.getZeroAttr(type));
    Value zero = arith::ConstantIndexOp::create(b, 0);
    rewriter.replaceOpWithNewOp<vector::GatherOp>(op, type, base, ValueRange{zero}, codes, mask, none);
    return success();
  }

  static memref::GlobalOp findOrCreateTable(ModuleOp module, DenseElementsAttr table, PatternRewriter &rewriter) {
    unsigned count = 0;
    for (auto global : module.getOps<memref::GlobalOp>()) {
      if (global.getInitialValueAttr() == table)
        return global;
      ++count;
    }
    std::string name;
    do
      name = "qtile_table_" + std::to_string(count++);
    while (module.lookupSymbol(name));
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPointToStart(module.getBody());
    auto type = MemRefType::get(table.getType().getShape(), table.getElementType());
    return memref::GlobalOp::create(rewriter, module.getLoc(), name, rewriter.getStringAttr("private"), type, table,
                                    /*constant=*/true, rewriter.getI64IntegerAttr(64));
  }
};

struct ExpandPin : OpRewritePattern<qtile::PinOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qtile::PinOp op, PatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, op.getValue());
    return success();
  }
};

struct ExpandPrefetch : OpRewritePattern<qtile::PrefetchOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qtile::PrefetchOp op, PatternRewriter &rewriter) const override {
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value zero = arith::ConstantIndexOp::create(b, 0), line = arith::ConstantIndexOp::create(b, qtile::kLineBytes);
    Value bytes = arith::MulIOp::create(b, op.getLines(), line);
    auto loop = scf::ForOp::create(b, zero, bytes, line);
    b.setInsertionPointToStart(loop.getBody());
    Value at = arith::AddIOp::create(b, op.getAt(), loop.getInductionVar());
    // memref.prefetch counts from the memory on.
    uint32_t locality = 4 - op.getLevel();
    memref::PrefetchOp::create(b, op.getMemory(), at, /*isWrite=*/false, locality, /*isDataCache=*/true);
    rewriter.eraseOp(op);
    return success();
  }
};

struct ExpandTileOpsPass : qtensor::impl::ExpandTileOpsBase<ExpandTileOpsPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    qtensor::populateExpandTilePatterns(patterns);
    if (failed(qtensor::rewriteGreedily(*this, getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

void qtensor::populateExpandTilePatterns(RewritePatternSet &patterns) {
  patterns.add<ExpandUnpack, ExpandLookup, ExpandDot4, ExpandDot2, ExpandPin, ExpandPrefetch>(patterns.getContext());
}
