// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From real arithmetic on encoded tensors to integers. What is rounded is decided by requantize alone: everything in
// front of it is exact.
#include "dialects/QTensor/IR/ModuleAttrs.h"
#include "lib/Quantize/SourceNames.h"
#include "lib/Reference/FixedPoint.h"
#include "lib/Transforms/Integer/AddByRule.h"
#include "lib/Transforms/Integer/Converter.h"
#include "lib/Transforms/Integer/Passes.h"
#include "lib/Transforms/Integer/SoftmaxByRule.h"
#include "lib/Transforms/Integer/Tabulate.h"
#include <cmath>

namespace mlir::qtensor {
#define GEN_PASS_DEF_INTEGERONLY
#include "lib/Transforms/Integer/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;
using reference::CodeTensor;

/// The code of a bound. What is far outside of the codes is one of their ends.
static int64_t boundCode(double real, const CodeTensor &output) {
  float ratio = float(real) / output.scale;
  return std::abs(ratio) < 0x1p31f ? reference::codeOf(float(real), output) : ratio < 0 ? output.low : output.high;
}

std::optional<SmallVector<ReassociationIndices>> Converter::collapseAxes(Sums &sums) {
  if (sums.axes == 1)
    return std::nullopt;
  SmallVector<ReassociationIndices> groups;
  for (int64_t dim = 0, rank = cast<RankedTensorType>(sums.tensor.getType()).getRank(); dim < rank; ++dim) {
    if (dim <= sums.axis || dim >= sums.axis + sums.axes)
      groups.emplace_back();
    groups.back().push_back(dim);
  }
  sums.tensor = tensor::CollapseShapeOp::create(b, sums.tensor, groups);
  sums.axes = 1;
  return groups;
}

void Converter::requantize(Sums sums, const RealForm &form) {
  bool single = rounding == "single", wide = cast<RankedTensorType>(sums.tensor.getType()).getElementType().isInteger(64);
  SmallVector<Attribute> multipliers, shifts;
  bool real = rounding == "real";
  for (double scale : sums.scales) {
    double ratio = scale / double(output.scale);
    if (real) {
      multipliers.push_back(b.getF32FloatAttr(float(ratio)));
      continue;
    }
    reference::QuantizedMultiplier fixed = reference::quantizeMultiplier(ratio, single);
    multipliers.push_back(b.getI32IntegerAttr(fixed.multiplier));
    shifts.push_back(b.getI32IntegerAttr(fixed.shift));
  }
  auto vector = [&](ArrayRef<Attribute> values, Type element) -> Value {
    auto type = RankedTensorType::get({int64_t(values.size())}, element);
    return arith::ConstantOp::create(b, DenseElementsAttr::get(type, values));
  };
  auto [low, high] = std::pair(output.low, output.high);
  if (form.low)
    low = std::max(low, boundCode(*form.low, output));
  if (form.high)
    high = std::min(high, boundCode(*form.high, output));
  high = std::max(high, low);
  auto map = FinalMapAttr::get(b.getContext(), !real, RoundingMode::HalfAway,
                               wide ? FixedMode::X16 : single ? FixedMode::Single : FixedMode::Double);
  Value multiplier = vector(multipliers, real ? Type(b.getF32Type()) : Type(b.getI32Type()));
  Value shift = real ? Value() : vector(shifts, b.getI32Type());
  IntegerAttr axis = sums.scales.size() > 1 ? b.getI64IntegerAttr(sums.axis) : IntegerAttr();
  auto type = cast<RankedTensorType>(op.getType());
  std::optional<SmallVector<ReassociationIndices>> collapsed = collapseAxes(sums);
  auto flat = cast<RankedTensorType>(sums.tensor.getType());
  if (collapsed)
    type = RankedTensorType::get(flat.getShape(), type.getElementType(),
                                 coverTensor(getBlockEncoding(type), flat.getRank()));
  Value made = RequantizeOp::create(b, type, sums.tensor, multiplier, shift, axis, map, b.getI64IntegerAttr(low),
                                    b.getI64IntegerAttr(high));
  if (collapsed) {
    Value codes = ComponentOp::create(b, made, "codes");
    auto shape = cast<RankedTensorType>(op.getType()).clone(getElementTypeOrSelf(codes.getType())).dropEncoding();
    made = AssembleOp::create(b, op.getType(), tensor::ExpandShapeOp::create(b, shape, codes, *collapsed).getResult());
  }
  op.replaceAllUsesWith(made);
  op.erase();
}

FailureOr<bool> Converter::run() {
  std::optional<CodeTensor> described = CodeTensor::describe(cast<RankedTensorType>(op.getType()),
                                                             cast<RankedTensorType>(op.getType()).getShape());
  if (!described)
    return false;
  output = *described;
  if (softmaxByRule(op, rounding))
    return true;
  std::string why;
  std::optional<RealForm> form = readRealForm(op.getSource(), why);
  if (!form)
    return false;
  if (form->terms.empty())
    return false;
  if (addByRule(op, *form, rounding))
    return true;
  // The sums come first, those of layers before codes alone; what is added to them is a bias.
  std::optional<Sums> sums;
  std::optional<size_t> base;
  for (bool alone : {false, true})
    for (auto [i, term] : llvm::enumerate(form->terms)) {
      if (sums || (alone && form->terms.size() > 1 && isWeight(term.factors[0].tensor)))
        continue;
      sums = readTerm(term, alone);
      if (sums)
        base = i;
    }
  if (!sums || (sums->axes > 1 && (form->terms.size() > 1 || form->offset != 0)))
    return false;
  if (!sums->products && (form->terms.size() > 1 || form->offset != 0))
    refineSums(b, *sums);
  for (auto [i, term] : llvm::enumerate(form->terms)) {
    if (i == *base)
      continue;
    FailureOr<bool> added = addBias(*sums, term);
    if (failed(added) || !*added)
      return added;
  }
  if (!addOffset(*sums, form->offset))
    return false;
  requantize(*sums, *form);
  return true;
}

/// Whether codes are behind a value, so that an integer-only runtime would have no real arithmetic in between.
static bool comesFromCodes(Value value) {
  SmallVector<Value> open{value};
  llvm::SmallPtrSet<Operation *, 16> seen;
  while (!open.empty()) {
    Value next = open.pop_back_val();
    if (getBlockEncoding(next.getType()))
      return true;
    if (Operation *def = next.getDefiningOp(); def && seen.insert(def).second)
      llvm::append_range(open, def->getOperands());
  }
  return false;
}

/// The name of what reads the real value of a layer in the end, behind elementwise ops.
static std::string nameOfReader(Operation *layer) {
  Operation *reader = layer;
  while (true) {
    Operation *next = *reader->getUsers().begin();
    auto elementwise = dyn_cast<linalg::LinalgOp>(next);
    reader = next;
    if (!elementwise || elementwise.getNumReductionLoops() || next->use_empty())
      break;
  }
  if (reader->hasTrait<OpTrait::IsTerminator>())
    return "a result of the model";
  SmallVector<StringRef> names = getSourceNames(reader->getLoc());
  return "'" + (names.empty() ? reader->getName().getStringRef() : names.front()).str() + "'";
}

/// Erases what nobody reads any more. A layer that is still read is computed twice, which is said.
static void eraseDead(Block &block, const llvm::SmallPtrSetImpl<Operation *> &layers) {
  SmallVector<Operation *> twice;
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block))) {
    if (isOpTriviallyDead(&op))
      op.erase();
    else if (layers.contains(&op))
      twice.push_back(&op);
  }
  for (Operation *layer : llvm::reverse(twice))
    layer->emitWarning()
        << "is computed twice: in integers where its result is rounded, and in floats for " << nameOfReader(layer)
        << ", which reads the real value; let it read rounded values (QuantizeLinear, DequantizeLinear) too";
}

namespace {
struct IntegerOnly : mlir::qtensor::impl::IntegerOnlyBase<IntegerOnly> {
  using IntegerOnlyBase::IntegerOnlyBase;

  void runOnOperation() override {
    std::string mode = rounding;
    if (mode.empty())
      if (auto own = getOperation()->getParentOfType<ModuleOp>()->getAttrOfType<StringAttr>(kRoundingAttr))
        mode = own.str();
    if (mode.empty())
      return;
    if (failed(verifyRounding(getOperation(), mode)))
      return signalPassFailure();
    SmallVector<QuantizeOp> ops;
    getOperation().walk([&](QuantizeOp op) {
      if (!op->getParentOfType<AsOp>() && op.getParams().empty())
        ops.push_back(op);
    });
    llvm::SmallPtrSet<Operation *, 16> layers;
    for (QuantizeOp op : ops) {
      Converter converter(op, mode);
      FailureOr<bool> isInteger = converter.run();
      if (failed(isInteger))
        return signalPassFailure();
      if (*isInteger && converter.getLayer())
        layers.insert(converter.getLayer());
      if (!*isInteger && !tabulate(op) && comesFromCodes(op.getSource()))
        op.emitWarning("'qtensor.quantize' op stays real arithmetic between codes: an integer-only runtime's codes may "
                       "differ from its by one");
    }
    eraseDead(getOperation().front(), layers);
  }
};
} // namespace
