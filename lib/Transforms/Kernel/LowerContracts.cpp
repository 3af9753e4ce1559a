// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Packed contractions on buffers become: prepare the activations, then call the format's kernel for every unit.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Kernel/ContractLowering.h"
#include "lib/Transforms/Kernel/EncodedOperand.h"
#include "lib/Transforms/Kernel/Passes.h"
#include "lib/Transforms/Kernel/Prepare.h"
#include "lib/Transforms/Pack/ContractForm.h"
#include "lib/Transforms/Kernel/UnitPlan.h"
#include "lib/Transforms/Pack/WeightParameter.h"
#include "qtensor/Report.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
class FastContract {
public:
  FastContract(ContractOp op, ArrayRef<TileMachine> machines) : op(op), machines(machines), b(op.getLoc(), op) {}

  LogicalResult analyse(std::string &reason);
  Value emitScratchSize();
  LogicalResult lower(KernelNames &names, std::string &reason);

private:
  LogicalResult analyseWeight(std::string &reason);
  LogicalResult analyseOutput(std::string &reason);
  Value rowExtent(size_t row);
  KernelExtents makeExtents();
  ActivationSource makeSource(const KernelExtents &extents);
  Value viewOutputLike(Value buffer, Follows follows, const KernelExtents &extents);
  std::string makeKey();
  void explainKernel(ModuleOp module);

  ContractOp op;
  ArrayRef<TileMachine> machines; ///< None where only the scratch is asked for.
  ImplicitLocOpBuilder b;
  ContractForm form;
  KernelSpec spec;
  ActivationCodes activation;
  SmallVector<Follows> follows;
};
} // namespace

LogicalResult FastContract::analyseWeight(std::string &reason) {
  auto packed = dyn_cast_or_null<qtile::PackedAttr>(op.getRhsLayout().value_or(nullptr));
  if (!packed) {
    reason = "the weight is not packed";
    return failure();
  }
  FailureOr<ContractForm> recognised = getContractForm(op, packed.getShape(), reason);
  if (failed(recognised))
    return failure();
  form = *recognised;
  BlockAttr encoding = op.getRhsEncoding().value_or(nullptr);
  StrategyKind kind = op.getStrategy().getKind();
  FailureOr<CodeMeaning> meaning = encoding ? getCodeMeaning(encoding.getCodec(), kind, reason)
                                            : getFloatMeaning(packed.getLayout().getCodes(), reason);
  if (failed(meaning))
    return failure();
  spec.strategy = kind == StrategyKind::Integer ? SumStrategy::Integer : SumStrategy::Float;
  PackedWeight &weight = spec.weight;
  weight.layout = packed.getLayout();
  weight.bytes = meaning->bytes;
  weight.upper = meaning->upper;
  weight.values = meaning->values;
  weight.max = meaning->max;
  weight.unit = kind == StrategyKind::Integer ? meaning->unit : 1;
  if (weight.layout.getScaleScale())
    weight.scaleValues = getParameterTable(cast<BlockAttr>(encoding.getScale().getValue()).getCodec());
  // Zeros that are data of one byte hold the static zero already.
  bool joined = weight.layout.getZero() && weight.layout.getZero().isInteger(8);
  weight.zero = joined ? 0 : meaning->zero;
  if (encoding && encoding.getScale())
    if (std::optional<double> scalar = encoding.getScale().getScalar())
      weight.scale = static_cast<float>(*scalar);
  return success();
}

static bool isCollapsible(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset;
  if (type.getLayout().isIdentity() || type.getRank() == 0)
    return true;
  return type.getRank() <= 2 && succeeded(type.getStridesAndOffset(strides, offset)) && strides.back() == 1;
}

LogicalResult FastContract::analyseOutput(std::string &reason) {
  auto output = cast<MemRefType>(op.getOutput().getType());
  if (!isCollapsible(output)) {
    reason = "the output's rows do not follow each other in memory";
    return failure();
  }
  auto strided = [&](Type element, int64_t rank) {
    SmallVector<int64_t> strides(rank, ShapedType::kDynamic);
    strides.back() = 1;
    return MemRefType::get(SmallVector<int64_t>(rank, ShapedType::kDynamic), element,
                           StridedLayoutAttr::get(op.getContext(), ShapedType::kDynamic, strides));
  };
  spec.output = strided(output.getElementType(), 2);
  for (auto [value, map] : llvm::zip_equal(op.getExtra(), op.getExtraMaps())) {
    auto type = cast<MemRefType>(value.getType());
    std::optional<Follows> kind = classifyExtra(form, cast<AffineMapAttr>(map).getValue(), type);
    if (!kind || !isCollapsible(type)) {
      reason = "an extra operand of the epilogue follows neither rows nor columns";
      return failure();
    }
    follows.push_back(*kind);
    spec.operands.push_back(strided(type.getElementType(), *kind == Follows::All ? 2 : 1));
  }
  if (!canVectorizeEpilogue(op, reason))
    return failure();
  spec.integerResult = op.getEpilogue().front().getArgument(0).getType().isInteger(32);
  if (spec.integerResult && (!form.wholeBlock || spec.weight.layout.getScale() || spec.strategy == SumStrategy::Float)) {
    reason = "i32 accumulators over several blocks";
    return failure();
  }
  return success();
}

LogicalResult FastContract::analyse(std::string &reason) {
  if (failed(analyseWeight(reason)))
    return failure();
  if (spec.strategy == SumStrategy::Integer) {
    FailureOr<ActivationCodes> codes = getActivationCodes(*op.getLhsEncoding(), reason);
    if (failed(codes))
      return failure();
    activation = *codes;
    spec.lhsZero = activation.hasZero;
  }
  return analyseOutput(reason);
}

/// The extent of the output's dimension `row`: from the lhs where that shows it, since the planner of memory knows the
/// extents of inputs and not those of outputs.
Value FastContract::rowExtent(size_t row) {
  for (auto [position, expr] : llvm::enumerate(op.getLhsMap().getResults()))
    if (auto plain = dyn_cast<AffineDimExpr>(expr); plain && plain.getPosition() == form.rows[row])
      return b.createOrFold<memref::DimOp>(op.getLhs().front(), position);
  return b.createOrFold<memref::DimOp>(op.getOutput(), row);
}

KernelExtents FastContract::makeExtents() {
  Value rows = arith::ConstantIndexOp::create(b, 1);
  for (size_t d = 0; d < form.rows.size(); ++d)
    rows = b.createOrFold<arith::MulIOp>(rows, rowExtent(d));
  auto index = [&](int64_t value) -> Value { return arith::ConstantIndexOp::create(b, value); };
  return {rows, index(form.n), index(form.getBlocks()), index(spec.getSteps())};
}

Value FastContract::emitScratchSize() { return qtensor::emitScratchBytes(b, spec, makeExtents()); }

ActivationSource FastContract::makeSource(const KernelExtents &extents) {
  ActivationSource source;
  source.x = op.getLhs().front();
  source.map = op.getLhsMap();
  source.rowDims = form.rows;
  source.reductionDims = form.reductions;
  for (size_t d = 0; d < form.rows.size(); ++d)
    source.rowExtents.push_back(rowExtent(d));
  source.reductionExtents = form.reductionExtents;
  source.wholeBlock = form.wholeBlock;
  source.runLength = form.runLength;
  source.block = form.block;
  SmallVector<Value> components = llvm::to_vector(op.getLhs());
  if (op.getLhsSums())
    components.pop_back();
  EncodedOperand operand(components, op.getLhsEncoding().value_or(nullptr));
  if (spec.strategy == SumStrategy::Float && op.getLhsEncoding())
    source.load = [operand](ImplicitLocOpBuilder &inner, ValueRange index) { return operand.loadReal(inner, index); };
  if (spec.strategy == SumStrategy::Integer && !spec.integerResult && op.getLhsEncoding()->getScale())
    source.scale = [operand](ImplicitLocOpBuilder &inner, ValueRange index) { return operand.loadScale(inner, index); };
  source.flip = activation.flip;
  if (activation.hasZero)
    source.zero = [operand, bias = activation.bias](ImplicitLocOpBuilder &inner, ValueRange index) -> Value {
      Value zero = arith::ConstantOp::create(inner, inner.getI32IntegerAttr(bias));
      if (Value own = operand.loadZero(inner, index))
        zero = arith::AddIOp::create(inner, zero, arith::FPToSIOp::create(inner, inner.getI32Type(), own));
      return zero;
    };
  return source;
}

/// A view of the output, or of an operand that follows it, as rows and columns.
Value FastContract::viewOutputLike(Value buffer, Follows kind, const KernelExtents &extents) {
  auto type = cast<MemRefType>(buffer.getType());
  auto metadata = memref::ExtractStridedMetadataOp::create(b, buffer);
  OpFoldResult one = b.getIndexAttr(1);
  SmallVector<OpFoldResult> sizes, strides;
  if (kind == Follows::All) {
    sizes = {extents.rows, extents.columns};
    bool identity = type.getLayout().isIdentity();
    strides = {identity || type.getRank() < 2 ? OpFoldResult(extents.columns) : OpFoldResult(metadata.getStrides()[0]), one};
  } else {
    sizes = {kind == Follows::Nothing ? one : OpFoldResult(kind == Follows::Rows ? extents.rows : extents.columns)};
    strides = {one};
  }
  SmallVector<int64_t> dynamic(sizes.size(), ShapedType::kDynamic), layout(sizes.size(), ShapedType::kDynamic);
  layout.back() = 1;
  auto target = MemRefType::get(dynamic, type.getElementType(),
                                StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic, layout));
  SmallVector<Value> sizeValues = getValueOrCreateConstantIndexOp(b, b.getLoc(), sizes);
  SmallVector<OpFoldResult> mixedStrides = {strides.back()};
  if (strides.size() == 2)
    mixedStrides.insert(mixedStrides.begin(), getValueOrCreateConstantIndexOp(b, b.getLoc(), strides.front()));
  return memref::ReinterpretCastOp::create(b, target, metadata.getBaseBuffer(), metadata.getOffset(),
                                           getAsOpFoldResult(sizeValues), mixedStrides);
}

/// Everything that the code of the kernel depends on.
std::string FastContract::makeKey() {
  std::string key;
  llvm::raw_string_ostream os(key);
  const PackedWeight &w = spec.weight;
  os << static_cast<int>(spec.strategy) << ' ' << w.layout.getRows() << ' ' << w.layout.getCodes() << ' ' << w.layout.getStoredBits()
     << ' ' << w.layout.getChunk() << ' ' << w.layout.getScale() << ' ' << w.layout.getZero() << ' ' << w.layout.getOffset() << ' '
     << w.layout.getGroup() << ' ' << w.layout.getScaleScale() << ' ' << w.layout.getScaleShift() << ' '
     << w.layout.getOffsetScale() << ' ' << w.layout.getRadix() << ' ' << spec.getStep() << ' '
     << (spec.hasDynamicSteps() ? 0 : spec.getSteps()) << ' ' << w.zero << ' ' << w.max << ' ' << llvm::bit_cast<uint32_t>(w.unit) << ' '
     << llvm::bit_cast<uint32_t>(w.scale.value_or(0)) << ' ' << w.scale.has_value() << ' ' << spec.columnTail << spec.lhsZero << ' ' << spec.integerResult << ' ' << spec.output << ' ';
  for (uint8_t value : llvm::concat<const uint8_t>(w.bytes, w.upper))
    os << int(value) << ',';
  for (float value : llvm::concat<const float>(w.values, w.scaleValues))
    os << llvm::bit_cast<uint32_t>(value) << ',';
  for (auto [type, kind] : llvm::zip_equal(spec.operands, follows))
    os << type << static_cast<int>(kind);
  printEpilogue(op, os);
  return key;
}

/// What its costs predict, once for each kernel of a module that asks for it.
void FastContract::explainKernel(ModuleOp module) {
  auto rows = module->getAttrOfType<DenseI64ArrayAttr>(kExplainRows);
  if (!rows || module.lookupSymbol(spec.name + "_unit"))
    return;
  std::string text; // written in one piece: levels are compiled side by side
  llvm::raw_string_ostream os(text);
  os << spec.name << ", " << machines.front().level << (spec.weight.upper.empty() ? "" : ", two products a weight") << ":\n";
  for (const TileMachine &machine : machines)
    explainPlan(spec, machine, rows.asArrayRef(), os);
  llvm::errs() << text;
}

LogicalResult FastContract::lower(KernelNames &names, std::string &reason) {
  if (!op.getScratch()) {
    reason = "it has no scratch (qtensor-attach-scratch gives it)";
    return failure();
  }
  spec.columnTail = form.n % spec.weight.layout.getRows() != 0;
  spec.epilogue = [this](ImplicitLocOpBuilder &inner, Value sums, const StoreSite &site) {
    SmallVector<Value> elements;
    for (auto [value, kind] : llvm::zip_equal(site.operands, follows))
      elements.push_back(kind == Follows::All       ? loadEpilogueVector(inner, value, {site.row, site.column}, site.mask, sums)
                         : kind == Follows::Columns ? loadEpilogueVector(inner, value, {site.column}, site.mask, sums)
                         : kind == Follows::Rows    ? broadcastEpilogueElement(inner, value, site.row, sums)
                                                    : broadcastEpilogueElement(inner, value, {}, sums));
    return cloneEpilogue(inner, op, sums, elements);
  };
  auto module = op->getParentOfType<ModuleOp>();
  spec.name = names.get(makeKey());
  explainKernel(module);
  func::FuncOp unit = buildUnit(module, spec, machines);
  KernelExtents extents = makeExtents();
  PreparedActivations prepared = emitScratchViews(b, spec, extents, op.getScratch());
  Value core = emitCore(b, machines);
  emitPrepare(b, spec, machines, core, extents, prepared, makeSource(extents));
  SmallVector<Value> operands;
  for (auto [value, kind] : llvm::zip_equal(op.getExtra(), follows))
    operands.push_back(viewOutputLike(value, kind, extents));
  Value weights = memref::CastOp::create(b, MemRefType::get({ShapedType::kDynamic}, b.getI8Type()), op.getRhs().front());
  Value output = viewOutputLike(op.getOutput(), Follows::All, extents);
  emitUnits(b, unit, spec, machines, core, extents, prepared, weights, output, operands);
  op.erase();
  return success();
}

std::string KernelNames::get(StringRef key) {
  auto [entry, inserted] = names.try_emplace(key, "");
  if (inserted)
    entry->second = "qkernel_" + std::to_string(names.size() - 1);
  return entry->second;
}

bool qtensor::hasRowsInMemory(ContractOp op) { return isCollapsible(cast<MemRefType>(op.getOutput().getType())); }

FailureOr<Value> qtensor::emitContractScratch(ContractOp op, std::string &reason) {
  FastContract contract(op, {});
  if (failed(contract.analyse(reason)))
    return failure();
  return contract.emitScratchSize();
}

LogicalResult qtensor::lowerPackedContract(ContractOp op, ArrayRef<TileMachine> machines, KernelNames &names, std::string &reason) {
  FastContract contract(op, machines);
  return failure(failed(contract.analyse(reason)) || failed(contract.lower(names, reason)));
}
