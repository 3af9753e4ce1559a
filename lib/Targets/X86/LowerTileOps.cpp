// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/QTile/IR/QTile.h"
#include "lib/Targets/X86/Machine.h"
#include "lib/Targets/X86/Passes.h"
#include "lib/Transforms/RewriteGreedily.h"
#include "llvm/Support/FormatVariadic.h"

namespace mlir::qtensor::x86 {
#define GEN_PASS_DEF_LOWERTILEOPS
#include "lib/Targets/X86/Passes.h.inc"
} // namespace mlir::qtensor::x86

using namespace mlir;
using namespace mlir::qtensor::x86;

static Value call(ImplicitLocOpBuilder &b, Type result, StringRef name, ValueRange arguments) {
  return LLVM::CallIntrinsicOp::create(b, result, b.getStringAttr(name), arguments).getResult(0);
}

static Value splat(ImplicitLocOpBuilder &b, Type type, int64_t value) {
  auto vector = cast<VectorType>(type);
  return arith::ConstantOp::create(b, DenseElementsAttr::get(vector, b.getIntegerAttr(vector.getElementType(), value)));
}

static int64_t bitsOf(Type type) {
  auto vector = cast<VectorType>(type);
  return vector.getNumElements() * vector.getElementTypeBitWidth();
}

/// The name of an intrinsic by register width, or empty.
static StringRef byWidth(int64_t bits, StringRef name256, StringRef name512) {
  return bits == 256 ? name256 : bits == 512 ? name512 : StringRef();
}

static Value multiplyWords(ImplicitLocOpBuilder &b, Type sums, Value x, Value y) {
  return call(b, sums, byWidth(bitsOf(sums), "llvm.x86.avx2.pmadd.wd", "llvm.x86.avx512.pmaddw.d.512"), {x, y});
}

static Value multiplyBytes(ImplicitLocOpBuilder &b, Value u, Value s) {
  auto type = cast<VectorType>(u.getType());
  auto sums = VectorType::get(type.getNumElements() / 2, b.getI16Type());
  return call(b, sums, byWidth(bitsOf(type), "llvm.x86.avx2.pmadd.ub.sw", "llvm.x86.avx512.pmaddubs.w.512"), {u, s});
}

namespace {
struct Row {
  const MachineRow &machine;
  bool hasWidth(Type type) const { return bitsOf(type) == 32 * machine.lanes && machine.lanes >= 8; }
};

struct LowerDot4 : OpRewritePattern<qtile::Dot4Op>, Row {
  LowerDot4(MLIRContext *context, const MachineRow &machine) : OpRewritePattern(context), Row{machine} {}
  LogicalResult matchAndRewrite(qtile::Dot4Op op, PatternRewriter &rewriter) const override {
    if (machine.dot == Dot::Generic || !hasWidth(op.getLhs().getType()))
      return rewriter.notifyMatchFailure(op, "the level has no byte dot product of this width");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Type sums = op.getResult().getType();
    if (machine.dot == Dot::Vnni) {
      StringRef name = byWidth(bitsOf(sums), "llvm.x86.avx512.vpdpbusd.256", "llvm.x86.avx512.vpdpbusd.512");
      rewriter.replaceOp(op, call(b, sums, name, {op.getAccumulator(), op.getLhs(), op.getRhs()}));
      return success();
    }
    Value dot = op.getMax() <= 127 ? throughPairs(b, op) : throughWords(b, op);
    rewriter.replaceOpWithNewOp<arith::AddIOp>(op, op.getAccumulator(), dot);
    return success();
  }

  /// Two products of at most 127 * 128 fit in i16: the saturation of the instruction never happens.
  static Value throughPairs(ImplicitLocOpBuilder &b, qtile::Dot4Op op) {
    Value pairs = multiplyBytes(b, op.getLhs(), op.getRhs());
    return multiplyWords(b, op.getResult().getType(), pairs, splat(b, pairs.getType(), 1));
  }

  /// Even and odd bytes as i16, without a shuffle: u0*s0 + u2*s2 and u1*s1 + u3*s3.
  static Value throughWords(ImplicitLocOpBuilder &b, qtile::Dot4Op op) {
    auto words = VectorType::get(cast<VectorType>(op.getLhs().getType()).getNumElements() / 2, b.getI16Type());
    Value u = vector::BitCastOp::create(b, words, op.getLhs()), s = vector::BitCastOp::create(b, words, op.getRhs());
    Value eight = splat(b, words, 8);
    Value evenU = arith::AndIOp::create(b, u, splat(b, words, 255));
    Value oddU = arith::ShRUIOp::create(b, u, eight);
    Value evenS = arith::ShRSIOp::create(b, arith::ShLIOp::create(b, s, eight), eight);
    Value oddS = arith::ShRSIOp::create(b, s, eight);
    Type sums = op.getResult().getType();
    return arith::AddIOp::create(b, multiplyWords(b, sums, evenU, evenS), multiplyWords(b, sums, oddU, oddS));
  }
};

struct LowerDot2 : OpRewritePattern<qtile::Dot2Op>, Row {
  LowerDot2(MLIRContext *context, const MachineRow &machine) : OpRewritePattern(context), Row{machine} {}
  LogicalResult matchAndRewrite(qtile::Dot2Op op, PatternRewriter &rewriter) const override {
    if (machine.dot == Dot::Generic || !hasWidth(op.getLhs().getType()))
      return rewriter.notifyMatchFailure(op, "the level has no paired multiplication of this width");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Type sums = op.getResult().getType();
    Value products = cast<VectorType>(sums).getElementType().isInteger(16)
                         ? multiplyBytes(b, op.getLhs(), op.getRhs())
                         : multiplyWords(b, sums, op.getLhs(), op.getRhs());
    rewriter.replaceOpWithNewOp<arith::AddIOp>(op, op.getAccumulator(), products);
    return success();
  }
};

/// `count` entries of `table` from `first`, repeated until they fill `type`.
static Value tablePart(ImplicitLocOpBuilder &b, DenseElementsAttr table, int64_t first, int64_t count, VectorType type) {
  SmallVector<Attribute> all = llvm::to_vector(table.getValues<Attribute>()), part;
  for (int64_t i = 0; i < type.getNumElements(); ++i)
    part.push_back(all[(first + i % count) % all.size()]);
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, part));
}

/// Looks each segment of `size` entries up and selects by the codes' high bits.
static Value selectSegments(ImplicitLocOpBuilder &b, Value codes, int64_t entries, int64_t size,
                            function_ref<Value(int64_t first)> lookup) {
  Value result = lookup(0);
  if (entries <= size)
    return result;
  Value segment = arith::ShRUIOp::create(b, codes, splat(b, codes.getType(), llvm::Log2_64(size)));
  for (int64_t i = 1; i * size < entries; ++i) {
    Value here = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, segment, splat(b, codes.getType(), i));
    result = arith::SelectOp::create(b, here, lookup(i * size), result);
  }
  return result;
}

struct LowerLookup : OpRewritePattern<qtile::LookupOp>, Row {
  LowerLookup(MLIRContext *context, const MachineRow &machine) : OpRewritePattern(context), Row{machine} {}
  LogicalResult matchAndRewrite(qtile::LookupOp op, PatternRewriter &rewriter) const override {
    auto type = cast<VectorType>(op.getResult().getType());
    bool isFloat = type.getElementType().isF32();
    if (!hasWidth(type) || (isFloat ? machine.floatTable : machine.shuffleBytes) == 0)
      return rewriter.notifyMatchFailure(op, "the level has no table lookup of this width");
    auto table = cast<DenseElementsAttr>(op.getTable());
    // Beyond four segments a gather is no slower.
    int64_t entries = table.getNumElements(), size = isFloat ? machine.floatTable : machine.byteTable64 && entries > 16 ? 64 : 16;
    if (entries > 4 * size)
      return rewriter.notifyMatchFailure(op, "the table is too large for registers");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value codes = op.getCodes();
    if (!isFloat && machine.byteTable64 && entries <= 64)
      if (Value unmasked = shiftedPiece(b, codes, entries)) {
        codes = unmasked;
        size = 64;
      }
    rewriter.replaceOp(op, selectSegments(b, codes, entries, size, [&](int64_t first) {
                         Value part = tablePart(b, table, first, size, type);
                         return isFloat ? permuteFloats(b, type, part, codes) : permuteBytes(b, type, part, codes, size);
                       }));
    return success();
  }

  /// The vector whose bytes have a code of an unpack in their low bits and other codes above; null when `entries` are not
  /// all its codes. A table that repeats needs no mask where the instruction reads the low bits alone. Bytes of words
  /// move together: a shift of bytes would be a shift and a mask.
  static Value shiftedPiece(ImplicitLocOpBuilder &b, Value codes, int64_t entries) {
    auto unpack = codes.getDefiningOp<qtile::UnpackOp>();
    if (!unpack || unpack.getAlternate() || unpack.getWidths().size() != 1 || entries != 1 << unpack.getWidths()[0])
      return {};
    int64_t width = unpack.getWidths()[0], perVector = 8 / width, group = cast<OpResult>(codes).getResultNumber();
    Value piece = unpack.getPieces()[group / perVector];
    if (group % perVector == 0)
      return piece;
    auto words = VectorType::get(cast<VectorType>(piece.getType()).getNumElements() / 2, b.getI16Type());
    Value amount = splat(b, words, group % perVector * width);
    Value moved = arith::ShRUIOp::create(b, vector::BitCastOp::create(b, words, piece), amount);
    return vector::BitCastOp::create(b, piece.getType(), moved);
  }

  static Value permuteFloats(ImplicitLocOpBuilder &b, VectorType type, Value table, Value codes) {
    return call(b, type, byWidth(bitsOf(type), "llvm.x86.avx2.permps", "llvm.x86.avx512.permvar.sf.512"), {table, codes});
  }

  static Value permuteBytes(ImplicitLocOpBuilder &b, VectorType type, Value table, Value codes, int64_t size) {
    if (size == 64)
      return call(b, type, "llvm.x86.avx512.permvar.qi.512", {table, codes});
    return call(b, type, byWidth(bitsOf(type), "llvm.x86.avx2.pshuf.b", "llvm.x86.avx512.pshuf.b.512"), {table, codes});
  }
};

/// An empty piece of assembly that the compiler must neither remove nor move loads and other such pieces across.
struct LowerPin : OpRewritePattern<qtile::PinOp>, Row {
  LowerPin(MLIRContext *context, const MachineRow &machine) : OpRewritePattern(context), Row{machine} {}
  LogicalResult matchAndRewrite(qtile::PinOp op, PatternRewriter &rewriter) const override {
    if (machine.dot == Dot::Generic || !hasWidth(op.getType()))
      return rewriter.notifyMatchFailure(op, "no vector of a whole register");
    rewriter.replaceOpWithNewOp<LLVM::InlineAsmOp>(
        op, op.getType(), op.getValue(), /*asm_string=*/"", /*constraints=*/"=v,0", /*has_side_effects=*/true,
        /*is_align_stack=*/false, LLVM::tailcallkind::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr());
    return success();
  }
};

/// A loop in one piece of assembly.
struct LowerPrefetch : OpRewritePattern<qtile::PrefetchOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(qtile::PrefetchOp op, PatternRewriter &rewriter) const override {
    if (!op.getMemory().getType().getLayout().isIdentity())
      return rewriter.notifyMatchFailure(op, "an offset that only the run knows");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    Value memory = memref::ExtractAlignedPointerAsIndexOp::create(b, op.getMemory());
    Value from = arith::AddIOp::create(b, memory, op.getAt());
    Value bytes = arith::MulIOp::create(b, op.getLines(), arith::ConstantIndexOp::create(b, qtile::kLineBytes));
    auto word = [&](Value index) { return arith::IndexCastOp::create(b, b.getI64Type(), index); };
    std::string ask =
        llvm::formatv("cmpq $1, $0\n\tjae 2f\n1:\n\tprefetcht{0} ($0)\n\taddq $${1}, $0\n\tcmpq $1, $0\n\tjb 1b\n2:",
                      op.getLevel() - 1, qtile::kLineBytes);
    LLVM::InlineAsmOp::create(b, b.getI64Type(), ValueRange{word(arith::AddIOp::create(b, from, bytes)), word(from)},
                              ask, "=&r,r,0,~{flags}", /*has_side_effects=*/true, /*is_align_stack=*/false,
                              LLVM::tailcallkind::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr());
    rewriter.eraseOp(op);
    return success();
  }
};

/// f16 -> f32 with integer operations and one exact multiplication, for levels where it would be a library call a lane.
struct ExpandHalf : OpRewritePattern<arith::ExtFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::ExtFOp op, PatternRewriter &rewriter) const override {
    auto from = dyn_cast<VectorType>(op.getIn().getType());
    if (!from || !from.getElementType().isF16() || !cast<VectorType>(op.getType()).getElementType().isF32())
      return rewriter.notifyMatchFailure(op, "no vector of f16 to f32");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto i32 = from.clone(b.getI32Type()), f32 = from.clone(b.getF32Type());
    Value bits = arith::ExtUIOp::create(b, i32, arith::BitcastOp::create(b, from.clone(b.getI16Type()), op.getIn()));
    Value magnitude = arith::ShLIOp::create(b, arith::AndIOp::create(b, bits, splat(b, i32, 0x7FFF)), splat(b, i32, 13));
    // Exponent and fraction now sit in their f32 fields, 112 too low; 2^112 corrects it for subnormals as well.
    auto scale = DenseElementsAttr::get(f32, b.getF32FloatAttr(0x1p112f));
    Value scaled = arith::MulFOp::create(b, arith::BitcastOp::create(b, f32, magnitude), arith::ConstantOp::create(b, scale));
    Value special = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, magnitude, splat(b, i32, 0x7C00 << 13));
    Value finite = arith::BitcastOp::create(b, i32, scaled);
    // Infinity stays; a NaN becomes quiet, as the conversion instruction makes it.
    Value quiet = arith::SelectOp::create(b, arith::CmpIOp::create(b, arith::CmpIPredicate::ugt, magnitude, splat(b, i32, 0x7C00 << 13)),
                                          splat(b, i32, 0x7FC00000), splat(b, i32, 0x7F800000));
    Value result = arith::SelectOp::create(b, special, arith::OrIOp::create(b, magnitude, quiet), finite);
    Value sign = arith::ShLIOp::create(b, arith::AndIOp::create(b, bits, splat(b, i32, 0x8000)), splat(b, i32, 16));
    rewriter.replaceOpWithNewOp<arith::BitcastOp>(op, f32, arith::OrIOp::create(b, result, sign));
    return success();
  }
};

struct LowerTileOpsPass : qtensor::x86::impl::LowerTileOpsBase<LowerTileOpsPass> {
  using LowerTileOpsBase::LowerTileOpsBase;
  void runOnOperation() override {
    const MachineRow *row = lookupMachineRow(level);
    if (!row) {
      InFlightDiagnostic diagnostic = getOperation().emitError("unknown level '") << level << "'; the levels are";
      for (const MachineRow &known : getMachineRows())
        diagnostic << " " << known.level;
      return signalPassFailure();
    }
    RewritePatternSet patterns(&getContext());
    patterns.add<LowerDot4, LowerDot2, LowerLookup, LowerPin>(&getContext(), *row);
    patterns.add<LowerPrefetch>(&getContext());
    if (!row->halfConvert)
      patterns.add<ExpandHalf>(&getContext());
    if (failed(qtensor::rewriteGreedily(*this, getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
