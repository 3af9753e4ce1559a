// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What ops on encoded tensors and on their components need of extents.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Plan/ExtentTerms.h"
#include "lib/Transforms/Select/Components.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::rules;

static SmallVector<AffineMap> mapsOf(ArrayAttr maps) { return llvm::to_vector(maps.getAsValueRange<AffineMapAttr>()); }

/// `components` are those of an encoded tensor whose extents are those of `tensor`.
static void addComponentRules(Rules &rules, BlockAttr encoding, Value tensor, ArrayRef<OpOperand *> components,
                              unsigned skipped) {
  if (!encoding)
    return;
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<ComponentGrid> grids =
      getComponentGrids(RankedTensorType::get(type.getShape(), type.getElementType()), encoding);
  for (auto [operand, grid] : llvm::zip(components, ArrayRef(grids).drop_front(skipped)))
    for (auto [dim, block] : llvm::enumerate(grid.block)) {
      if (!isOpen(operand->get(), dim) && !type.isDynamicDim(dim))
        continue;
      ExtentTerm blocks = constant(1), whole = extentOf(tensor, dim);
      if (!ShapedType::isDynamic(block))
        blocks = [whole, block = block](const ExtentSource &source) {
          return source.math.ceilDiv(whole(source), source.math.constant(block));
        };
      rules.push_back({ExtentRule::Equal, extentOf(operand->get(), dim), blocks,
                       ("dimension " + Twine(dim) + " of its component '" + grid.component.name +
                        "' is not that of the encoded tensor")
                           .str()});
    }
}

static void addRequantizeRules(Rules &rules, RequantizeOp op) {
  if (!op.getAxis())
    return;
  for (OpOperand &operand : op->getOpOperands().drop_front())
    if (auto type = cast<RankedTensorType>(operand.get().getType()); type.getRank() == 1 && type.getDimSize(0) != 1)
      requireSame(rules, operand, 0, op->getOpOperand(0), *op.getAxis());
}

static void addContractRules(Rules &rules, ContractOp op) {
  if (op.getRhsLayout())
    return; // Of constants.
  OpOperand *lhs = &op.getLhsMutable()[0], *rhs = &op.getRhsMutable()[0], *output = &op.getOutputMutable();
  addLoopRules(rules, mapsOf(op.getIndexingMaps()), {lhs, rhs, output});
  addComponentRules(rules, op.getLhsEncoding().value_or(nullptr), lhs->get(), pointers(op.getLhsMutable()), 0);
  addComponentRules(rules, op.getRhsEncoding().value_or(nullptr), rhs->get(), pointers(op.getRhsMutable()), 0);
  SmallVector<AffineMap> maps = mapsOf(op.getExtraMaps());
  SmallVector<OpOperand *> operands = pointers(op.getExtraMutable());
  maps.insert(maps.begin(), AffineMap::getMultiDimIdentityMap(op.getOutputMap().getNumResults(), op.getContext()));
  operands.insert(operands.begin(), output);
  addLoopRules(rules, maps, operands);
}

/// Loops: batch, head, token of the query, token of the cache, element of the keys, element of the values, and the
/// groups of heads, whose number divides that of the heads.
static void addAttentionRules(Rules &rules, AttentionOp op) {
  MLIRContext *context = op.getContext();
  auto dims = [&](ArrayRef<unsigned> loops) {
    return AffineMap::get(7, 0, llvm::map_to_vector(loops, [&](unsigned i) { return getAffineDimExpr(i, context); }),
                          context);
  };
  auto ordered = [&](ArrayRef<unsigned> loops, ArrayRef<int64_t> order) {
    SmallVector<unsigned> result(4);
    for (auto [loop, dim] : llvm::zip_equal(loops, order))
      result[dim] = loop;
    return dims(result);
  };
  SmallVector<AffineMap> maps = {dims({0, 1, 2, 4}), dims({0, 1, 2, 5})};
  SmallVector<OpOperand *> operands = {&op.getQueryMutable(), &op.getOutputMutable()};
  OpOperand &key = op.getKeyMutable()[0], &value = op.getValueMutable()[0];
  if (!op.getKeyPacked() && !op.getValuePacked()) {
    maps.append({ordered({0, 6, 3, 4}, op.getKeyDims()), ordered({0, 6, 3, 5}, op.getValueDims())});
    operands.append({&key, &value});
  }
  if (OpOperand *mask = op.getMaskMutable().empty() ? nullptr : &op.getMaskMutable()[0]) {
    bool isShared = cast<RankedTensorType>(mask->get().getType()).getRank() == 2;
    maps.push_back(isShared ? dims({2, 3}) : dims({0, 1, 2, 3}));
    operands.push_back(mask);
  }
  addLoopRules(rules, maps, operands);
  int64_t headDim = op.getKeyDims()[1];
  if (!isOpen(op.getQuery(), 1) && !isOpen(key.get(), headDim))
    return;
  ExtentTerm heads = extentOf(op.getQuery(), 1), groups = extentOf(key.get(), headDim);
  rules.push_back({ExtentRule::AtMost, constant(1), groups, "there are no heads of keys"});
  rules.push_back({ExtentRule::Equal,
                   [=](const ExtentSource &source) {
                     DimMath &math = source.math;
                     OpFoldResult some = math.max(groups(source), math.constant(1));
                     return math.mul(math.floorDiv(heads(source), some), some);
                   },
                   heads, "the heads of the query are no multiple of those of the keys"});
}

/// Null if it has none.
static BlockAttr encodingOf(Value tensor) {
  return dyn_cast_if_present<BlockAttr>(cast<RankedTensorType>(tensor.getType()).getEncoding());
}

void rules::addEncodedRules(Rules &rules, Operation *op) {
  llvm::TypeSwitch<Operation *>(op)
      .Case<AssembleOp>([&](AssembleOp assemble) {
        Value result = assemble.getResult();
        addComponentRules(rules, encodingOf(result), result, pointers(op->getOpOperands()), 0);
      })
      .Case<QuantizeOp>([&](QuantizeOp quantize) {
        if (!quantize.getParams().empty()) // Codes are made here.
          addComponentRules(rules, encodingOf(quantize.getResult()), quantize.getSource(),
                            pointers(quantize.getParamsMutable()), 1);
      })
      .Case<RequantizeOp>([&](auto requantize) { addRequantizeRules(rules, requantize); })
      .Case<ContractOp>([&](auto contract) { addContractRules(rules, contract); })
      .Case<AttentionOp>([&](auto attention) { addAttentionRules(rules, attention); });
}
