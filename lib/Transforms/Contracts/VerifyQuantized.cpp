// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The contract of C2: reads decode, only qtensor ops encode.
#include "dialects/QTensor/IR/ComponentBlocks.h"
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Contracts/Clauses.h"
#include "lib/Transforms/Contracts/Contracts.h"
#include "lib/Transforms/Contracts/Passes.h"
#include "lib/Transforms/Select/Components.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_VERIFYQUANTIZED
#include "lib/Transforms/Contracts/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

static constexpr StringLiteral kRoundingsAttr = "qtensor.roundings";

static LogicalResult verifyWellFormed(Operation *op, Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  BlockAttr encoding = getBlockEncoding(type);
  if (!encoding)
    return success();
  bool good = succeeded(encoding.verifyEncoding(tensor.getShape(), tensor.getElementType(), [&] {
    return emitClause(op, "C2.1") << "encoded types are well formed: ";
  }));
  return success(good);
}

/// True when `offset` is a multiple of `block` (kDynamic: the whole dimension) for all values of its symbols.
static bool isMultiple(OpFoldResult value, int64_t block) {
  if (block == 1)
    return true;
  std::optional<int64_t> constant = getConstantIntValue(value);
  if (ShapedType::isDynamic(block))
    return constant == 0;
  if (constant)
    return *constant % block == 0;
  Operation *op = cast<Value>(value).getDefiningOp();
  if (!op || op->getName().getStringRef() != "arith.muli")
    return false;
  return llvm::any_of(op->getOperands(), [&](Value operand) {
    std::optional<int64_t> factor = getConstantIntValue(operand);
    return factor && *factor % block == 0;
  });
}

/// Parameters of a whole dimension that no code has to itself (nested scales, own blocks) are those of every slice.
static LogicalResult verifySlice(tensor::ExtractSliceOp op, BlockAttr encoding) {
  auto source = op.getSourceType();
  SmallVector<SmallVector<int64_t>> blocks = getComponentBlocks(encoding);
  blocks.front() = llvm::to_vector(encoding.getBlock());
  for (int64_t dim = 0; dim < source.getRank(); ++dim) {
    OpFoldResult offset = op.getMixedOffsets()[dim], size = op.getMixedSizes()[dim];
    if (getConstantIntValue(op.getMixedStrides()[dim]) != 1)
      return emitClause(op, "C2.6") << "slices of encoded tensors have unit strides, dimension " << dim << " has not";
    std::optional<int64_t> first = getConstantIntValue(offset), count = getConstantIntValue(size);
    bool reachesEnd = first && count && *first + *count == source.getDimSize(dim);
    for (auto [number, grid] : llvm::enumerate(blocks)) {
      int64_t block = grid[dim];
      bool nested = number && block != blocks.front()[dim];
      StringRef whose = nested ? "block of its parameters' parameters" : "block";
      if (nested && ShapedType::isDynamic(block))
        continue;
      if (!isMultiple(offset, block))
        return emitClause(op, "C2.6") << "the offset in dimension " << dim << " is not provably a multiple of the "
                                      << whose;
      if (!reachesEnd && block != 1 && (ShapedType::isDynamic(block) || !isMultiple(size, block)))
        return emitClause(op, "C2.6") << "the size in dimension " << dim << " is not provably a multiple of the "
                                      << whose << " and does not reach the end";
    }
  }
  return success();
}

/// `expanded` is the side with more dimensions.
static LogicalResult verifyReshape(Operation *op, RankedTensorType expanded, RankedTensorType collapsed,
                                   ArrayRef<ReassociationIndices> groups) {
  BlockAttr encoding = getBlockEncoding(expanded), other = getBlockEncoding(collapsed);
  if (!encoding || !other)
    return emitClause(op, "C2.4") << "a reshape keeps the encoding, got " << expanded << " and " << collapsed;
  BlockAttr expected = collapseEncoding(encoding, expanded.getShape(), groups);
  if (!expected)
    return emitClause(op, "C2.7") << "reshapes do not split blocks: in each group, dimensions before the blocked one "
                                  << "have block 1 and those behind it are whole; got " << expanded;
  if (expected != other)
    return emitClause(op, "C2.4") << "a reshape keeps the encoding: expected " << expected << ", got " << other;
  return success();
}

/// The ops that pass an encoded tensor on.
static LogicalResult verifyPassedOn(Operation *op) {
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
    if (slice.getSourceType().getEncoding() != slice.getType().getEncoding())
      return emitClause(op, "C2.4") << "a slice keeps the encoding, got " << slice.getSourceType() << " and "
                                    << slice.getType();
    return verifySlice(slice, getBlockEncoding(slice.getType()));
  }
  if (auto cast = dyn_cast<tensor::CastOp>(op)) {
    auto source = dyn_cast<RankedTensorType>(cast.getSource().getType());
    if (!source || source.getEncoding() != mlir::cast<RankedTensorType>(cast.getType()).getEncoding())
      return emitClause(op, "C2.4") << "a cast keeps the encoding, got " << cast.getSource().getType() << " and "
                                    << cast.getType();
    return success();
  }
  if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op))
    return verifyReshape(op, collapse.getSrcType(), collapse.getResultType(), collapse.getReassociationIndices());
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    return verifyReshape(op, expand.getResultType(), expand.getSrcType(), expand.getReassociationIndices());
  return success();
}

static LogicalResult verifyOp(Operation *op) {
  bool ours = isa_and_nonnull<QTensorDialect>(op->getDialect());
  bool encoded = llvm::any_of(op->getResultTypes(), [](Type type) { return bool(getEncoding(type)); });
  if (encoded && op->hasTrait<OpTrait::ConstantLike>())
    return emitClause(op, "C2.5") << "there is no constant of encoded type; assemble it of constant components";
  if (auto destination = dyn_cast<DestinationStyleOpInterface>(op); destination && !ours)
    for (OpOperand &init : destination.getDpsInitsMutable())
      if (getEncoding(init.get().getType()))
        return emitClause(op, "C2.3") << "'" << op->getName() << "' has an encoded destination; compute plain values "
                                      << "and quantize them";
  bool buffer = isa<bufferization::ToBufferOp>(op);
  if (buffer && getEncoding(op->getOperand(0).getType()))
    return emitClause(op, "C2.9") << "an encoded tensor becomes a buffer, which has no encoding; run qtensor-decompose "
                                  << "before bufferization";
  bool passes = isa<tensor::EmptyOp, tensor::CastOp, tensor::ExtractSliceOp, tensor::ExpandShapeOp,
                    tensor::CollapseShapeOp, func::CallOp>(op) ||
                isa_and_nonnull<scf::SCFDialect>(op->getDialect());
  if (encoded && !ours && !passes)
    return emitClause(op, "C2.2") << "'" << op->getName() << "' makes an encoded tensor, which only qtensor ops may; "
                                  << "compute plain values and quantize them";
  return encoded && !ours ? verifyPassedOn(op) : success();
}

LogicalResult qtensor::verifyEncodingClauses(Operation *root) {
  return failure(failed(walkTypes(root, verifyWellFormed)) || failed(walkOps(root, verifyOp)));
}

namespace {
struct VerifyQuantized : mlir::qtensor::impl::VerifyQuantizedBase<VerifyQuantized> {
  using VerifyQuantizedBase::VerifyQuantizedBase;

  void runOnOperation() override {
    if (failed(verifyEncodingClauses(getOperation())) || failed(verifyRoundings()))
      signalPassFailure();
  }

private:
  LogicalResult verifyRoundings() {
    int64_t count = countRoundings(getOperation()).live;
    auto noted = getOperation()->getAttrOfType<IntegerAttr>(kRoundingsAttr);
    if (record)
      getOperation()->setAttr(kRoundingsAttr, IntegerAttr::get(IntegerType::get(&getContext(), 64), count));
    else if (noted && noted.getInt() != count)
      return emitClause(getOperation(), "C2.8")
             << "there were " << noted.getInt() << " roundings when the phase began, "
             << "now there are " << count;
    return success();
  }
};
} // namespace
