// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rule "tflite.svdf" as IR.
#include "lib/Transforms/Integer/EmitSvdf.h"
#include "lib/Reference/IntegerSvdf.h"
#include "lib/Transforms/Integer/EmitLayer.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;
using namespace mlir::qtensor::reference;
using utils::IteratorType;

namespace {
class SvdfEmitter : public LayerEmitter {
public:
  SvdfEmitter(AsOp op, const RuleCall &call, const SvdfRule &rule) : LayerEmitter(op, call), rule(rule) {}

  void run();

private:
  Value moveState(Value newest);
  Value sumWindows(Value state);

  const SvdfRule &rule;
};
} // namespace

/// [batch, filters * steps] as [batch, filters, steps], without the oldest step, with `newest` [batch, filters] as the last.
Value SvdfEmitter::moveState(Value newest) {
  Type code = codeType(call.inputs[kSvdfState]);
  auto split = RankedTensorType::get({rule.batch, rule.filters, rule.steps}, code);
  Value old = tensor::ExpandShapeOp::create(b, split, codes[kSvdfState], ArrayRef<ReassociationIndices>{{0}, {1, 2}});
  auto places = [&](int64_t last) {
    return SmallVector<OpFoldResult>{b.getIndexAttr(0), b.getIndexAttr(0), b.getIndexAttr(last)};
  };
  auto sizes = [&](int64_t steps) {
    return SmallVector<OpFoldResult>{b.getIndexAttr(rule.batch), b.getIndexAttr(rule.filters), b.getIndexAttr(steps)};
  };
  SmallVector<OpFoldResult> ones(3, b.getIndexAttr(1));
  Value moved = tensor::EmptyOp::create(b, split.getShape(), code);
  if (rule.steps > 1) {
    Value kept = tensor::ExtractSliceOp::create(b, old, places(1), sizes(rule.steps - 1), ones);
    moved = tensor::InsertSliceOp::create(b, kept, moved, places(0), sizes(rule.steps - 1), ones);
  }
  return tensor::InsertSliceOp::create(b, newest, moved, places(rule.steps - 1), sizes(1), ones);
}

/// The sums of each unit over its filters and their steps, behind its bias: [batch, units] in i32.
Value SvdfEmitter::sumWindows(Value state) {
  const CodeTensor &of = call.inputs[kSvdfState];
  auto perUnit = [&](Value value, SmallVector<int64_t> shape, ArrayRef<ReassociationIndices> groups) -> Value {
    return tensor::ExpandShapeOp::create(b, RankedTensorType::get(shape, codeType(of)), value, groups);
  };
  Value windows = perUnit(state, {rule.batch, rule.units, rule.rank, rule.steps}, {{0}, {1, 2}, {3}});
  Value times = perUnit(codes[kSvdfTimes], {rule.units, rule.rank, rule.steps}, {{0, 1}, {2}});
  Type i32 = b.getI32Type();
  SmallVector<AffineMap> maps{map(4, {0, 1, 2, 3}), map(4, {1, 2, 3}), map(4, {0, 1})};
  SmallVector<IteratorType> iterators{IteratorType::parallel, IteratorType::parallel, IteratorType::reduction,
                                      IteratorType::reduction};
  Value start = filled({rule.batch, rule.units}, 0);
  auto made = linalg::GenericOp::create(
      b, start.getType(), ValueRange{windows, times}, start, maps, iterators,
      [&](OpBuilder &inner, Location loc, ValueRange in) {
        ImplicitLocOpBuilder s(loc, inner);
        Value value = arith::ExtSIOp::create(s, i32, in[0]), weight = arith::ExtSIOp::create(s, i32, in[1]);
        if (of.zero)
          value = arith::SubIOp::create(s, value, arith::ConstantIntOp::create(s, of.zero, 32));
        Value product = arith::MulIOp::create(s, value, weight);
        linalg::YieldOp::create(s, arith::AddIOp::create(s, in[2], product).getResult());
      });
  return made.getResult(0);
}

void SvdfEmitter::run() {
  readCodes();
  const CodeTensor &state = call.inputs[kSvdfState], &out = call.output;
  Value products = dot(codes[kSvdfX], codes[kSvdfFeatures], call.inputs[kSvdfX].zero);
  Value newest = elements({rule.batch, rule.filters}, products, codeType(state), [&](Wide w, ValueRange in) {
    return w.add(w.clamp(scale(w, w.extend(in[0]), rule.newest), state.low, state.high), w.constant(state.zero));
  });
  Value moved = moveState(newest);
  SmallVector<Value> sums{sumWindows(moved)};
  if (rule.hasBias)
    sums.push_back(codes[kSvdfBias]);
  Value result = elements({rule.batch, rule.units}, sums, codeType(out), [&](Wide w, ValueRange in) {
    Value sum = rule.hasBias ? arith::AddIOp::create(w.b, in[0], in[1]).getResult() : in[0];
    return w.clamp(w.add(scale(w, w.extend(sum), rule.result), w.constant(out.zero)), out.low, out.high);
  });
  auto flat = RankedTensorType::get({rule.batch, rule.filters * rule.steps}, codeType(state));
  Value kept = tensor::CollapseShapeOp::create(b, flat, moved, ArrayRef<ReassociationIndices>{{0}, {1, 2}});
  replace({result, kept});
}

LogicalResult integer::emitSvdf(AsOp op, const RuleCall &call) {
  return emitRule<SvdfRule, SvdfEmitter>(op, call);
}
