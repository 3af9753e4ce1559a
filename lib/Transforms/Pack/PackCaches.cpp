// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Codes of at most 4 bits in states: two to a byte, where all that writes and reads them can do that.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Pack/Passes.h"
#include "lib/Transforms/Plan/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_PACKCACHES
#include "lib/Transforms/Pack/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// All values that hold the codes of one state, and the ops that write and read them.
class CodesOfState {
public:
  explicit CodesOfState(BlockArgument argument)
      : argument(argument), extent(cast<RankedTensorType>(argument.getType()).getShape().back()) {}

  /// False if anything uses the codes that does not know how they may be packed.
  bool collect();
  void pack();

private:
  bool collect(Value value);
  bool collectWrite(tensor::InsertSliceOp insert);
  bool takes(std::optional<BlockAttr> encoding) { return encoding && canPackCodes(*encoding); }
  Type packedType(Type type);

  BlockArgument argument;
  int64_t extent;
  SmallVector<Value> values;
  SmallVector<tensor::InsertSliceOp> writes;
  SmallVector<std::pair<AttentionOp, bool>> reads; ///< With true: of keys.
};
} // namespace

Type CodesOfState::packedType(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  SmallVector<int64_t> shape(tensor.getShape());
  shape.back() = getPackedExtent(extent);
  return tensor.clone(shape);
}

/// Whole rows, made by an encode that nothing else reads.
bool CodesOfState::collectWrite(tensor::InsertSliceOp insert) {
  auto encode = insert.getSource().getDefiningOp<EncodeOp>();
  if (!encode || insert.getSource() != encode.getResult(0) || !insert.getSource().hasOneUse() || encode.getSums() ||
      !takes(encode.getEncoding()) || insert.getSourceType().getRank() != insert.getType().getRank() ||
      insert.getStaticOffsets().back() != 0 || insert.getStaticSizes().back() != extent ||
      !encode.getOutputs()[0].getDefiningOp<tensor::EmptyOp>())
    return false;
  writes.push_back(insert);
  return true;
}

bool CodesOfState::collect(Value value) {
  values.push_back(value);
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(user)) {
      if (use.get() != insert.getDest() || insert.getSource() == value || !collectWrite(insert) || !collect(insert.getResult()))
        return false;
    } else if (auto attention = dyn_cast<AttentionOp>(user)) {
      bool isKey = use.get() == attention.getKey()[0], isValue = use.get() == attention.getValue()[0];
      if ((isKey && !takes(attention.getKeyEncoding())) || (isValue && !takes(attention.getValueEncoding())) || (!isKey && !isValue))
        return false;
      if (isKey)
        reads.push_back({attention, true});
      if (isValue)
        reads.push_back({attention, false});
    } else if (auto expand = dyn_cast<tensor::ExpandShapeOp>(user)) {
      if (expand.getReassociationIndices().back().size() != 1 || !collect(expand.getResult()))
        return false;
    } else if (!isa<func::ReturnOp>(user)) {
      return false;
    }
  }
  return true;
}

bool CodesOfState::collect() { return collect(argument) && !reads.empty(); }

void CodesOfState::pack() {
  for (tensor::InsertSliceOp insert : writes) {
    auto encode = insert.getSource().getDefiningOp<EncodeOp>();
    OpBuilder b(encode);
    auto type = cast<RankedTensorType>(packedType(encode.getResult(0).getType()));
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, encode.getLoc(), encode.getOutputs()[0]);
    sizes.back() = b.getIndexAttr(type.getShape().back());
    Value empty = tensor::EmptyOp::create(b, encode.getLoc(), sizes, type.getElementType());
    encode.getOutputsMutable()[0].set(empty);
    encode.getResult(0).setType(empty.getType());
    encode.setPacked(true);
    SmallVector<int64_t> extents(insert.getStaticSizes());
    extents.back() = type.getShape().back();
    insert.setStaticSizes(extents);
  }
  for (Value value : values) {
    value.setType(cast<RankedTensorType>(packedType(value.getType())));
    if (auto expand = value.getDefiningOp<tensor::ExpandShapeOp>()) {
      SmallVector<int64_t> shape(expand.getStaticOutputShape());
      shape.back() = getPackedExtent(extent);
      expand.setStaticOutputShape(shape);
    }
  }
  for (auto [attention, isKey] : reads)
    isKey ? attention.setKeyPacked(true) : attention.setValuePacked(true);
}

namespace {
struct PackCaches : mlir::qtensor::impl::PackCachesBase<PackCaches> {
  void runOnOperation() override {
    auto main = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!main || main.isExternal())
      return;
    for (unsigned i = 0; i < main.getNumArguments(); ++i) {
      auto type = dyn_cast<RankedTensorType>(main.getArgumentTypes()[i]);
      if (!main.getArgAttr(i, kStateAttr) || !type || !type.hasStaticShape() || type.getRank() < 2 ||
          !type.getElementType().isInteger(8))
        continue;
      CodesOfState codes(main.getArgument(i));
      if (codes.collect())
        codes.pack();
    }
    main.setType(FunctionType::get(&getContext(), main.front().getArgumentTypes(), main.front().getTerminator()->getOperandTypes()));
  }
};
} // namespace
