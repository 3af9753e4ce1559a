// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Integer/SoftmaxByRule.h"
#include "lib/Reference/IntegerRules.h"
#include "lib/Transforms/Integer/Codes.h"
#include "lib/Transforms/Select/Attention.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;
using reference::CodeTensor;

/// The ops of a block that `value` is computed by from `scores`, in order.
static SmallVector<Operation *> findOps(Value value, Value scores) {
  llvm::SetVector<Value> open;
  open.insert(value);
  SmallVector<Operation *> ops;
  llvm::SmallPtrSet<Operation *, 8> seen;
  for (size_t i = 0; i < open.size(); ++i) {
    Operation *def = open[i] == scores ? nullptr : open[i].getDefiningOp();
    if (!def || !seen.insert(def).second)
      continue;
    ops.push_back(def);
    open.insert(def->operand_begin(), def->operand_end());
    getUsedValuesDefinedAbove(def->getRegions(), open);
  }
  llvm::sort(ops, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  return ops;
}

/// The encoding that the rule gives its result: steps of 2^-bits, 0 is the lowest code.
static BlockAttr ruleEncoding(MLIRContext *context, unsigned bits, int64_t rank) {
  auto number = [&](double value) {
    return ParamAttr::get(context, Builder(context).getF64FloatAttr(value), false, {});
  };
  auto codec = CodecAttr::get(context, bits, CodecKind::Int, IntStyle::Signed, 0, false, 0, 0, 0, FloatSpecials::Finite,
                              false, {}, TieRule::Even, {}, {});
  SmallVector<int64_t> block(rank, ShapedType::kDynamic);
  return BlockAttr::get(context, codec, block, number(std::ldexp(1.0, -int(bits))),
                        number(-std::ldexp(1.0, int(bits) - 1)), {});
}

bool integer::softmaxByRule(QuantizeOp op, StringRef rounding) {
  FailureOr<Softmax> softmax = matchSoftmax(op.getSource());
  if (failed(softmax))
    return false;
  Value scores = stripDequantize(softmax->scores);
  auto from = cast<RankedTensorType>(scores.getType()), type = cast<RankedTensorType>(op.getType());
  std::optional<CodeTensor> x = CodeTensor::describe(from, from.getShape()),
                            y = CodeTensor::describe(type, type.getShape());
  if (!x || !y || x->bits > 8 || !from.hasStaticShape() || from.getShape() != type.getShape() ||
      getBlockEncoding(from).getCodec().getIntStyle() == IntStyle::Offset)
    return false;
  SmallVector<Operation *> ops = findOps(op.getSource(), softmax->scores);
  if (llvm::any_of(ops, [&](Operation *inner) { return inner->getBlock() != op->getBlock(); }))
    return false;
  bool own = y->bits == 8 && y->scale == 1.0f / 256 && y->zero == y->low;
  auto made = own ? type
                  : RankedTensorType::get(type.getShape(), type.getElementType(),
                                          ruleEncoding(op.getContext(), 16, type.getRank()));
  ImplicitLocOpBuilder b(op.getLoc(), op);
  NamedAttribute parameters[] = {
      b.getNamedAttr("beta", b.getF64FloatAttr(1.0)),
      b.getNamedAttr("rounding", b.getStringAttr(rounding == "single" ? "single" : "double"))};
  auto as = AsOp::create(b, TypeRange(Type(made)), "tflite.softmax", scores, b.getDictionaryAttr(parameters));
  Block *body = b.createBlock(&as.getBody());
  IRMapping mapping;
  mapping.map(softmax->scores, body->addArgument(from, op.getLoc()));
  for (Operation *inner : ops)
    b.clone(*inner, mapping);
  Value rounded = QuantizeOp::create(b, made, mapping.lookup(op.getSource()), ValueRange(), ValueRange(), StringAttr());
  YieldOp::create(b, rounded);
  b.setInsertionPointAfter(as);
  if (!own) {
    auto plain = RankedTensorType::get(type.getShape(), type.getElementType());
    op.getSourceMutable().assign(DequantizeOp::create(b, plain, as.getResult(0)));
    return false;
  }
  op.replaceAllUsesWith(as.getResult(0));
  op.erase();
  return true;
}
