// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Formats/Params.h"
#include "lib/Transforms/Pack/ContractForm.h"
#include "lib/Transforms/Pack/Pack.h"
#include "lib/Transforms/Pack/Passes.h"
#include "lib/Transforms/Pack/WeightParameter.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/FormatVariadic.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_PACKCONTRACTS
#include "lib/Transforms/Pack/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// The raw bytes of a constant; a splat is written out.
struct ConstantBytes {
  ArrayRef<char> bytes;
  std::vector<char> owned;
};

/// One constant weight on its way into packed bytes.
class WeightPacker {
public:
  WeightPacker(ContractOp op, int64_t rows, int64_t wideRows) : op(op), rows(rows), wideRows(wideRows) {}

  /// Replaces the rhs. Fails with a diagnostic on wrong input; sets `reason` when the op stays as it is.
  LogicalResult run(std::string &reason);

private:
  LogicalResult checkEpilogue(std::string &reason);
  LogicalResult readComponents(std::string &reason);
  LogicalResult chooseLayout(std::string &reason);
  LogicalResult loadParameters();
  std::optional<int64_t> getGroup(const WeightParameter &parameter);
  int64_t chooseGroup();
  int64_t chooseRows();
  int64_t rhsIndex(int64_t column, int64_t k, ArrayRef<int64_t> divisors, ArrayRef<int64_t> extents);
  void gatherCodes(std::vector<uint8_t> &codes);
  std::vector<uint8_t> gatherParameter(const WeightParameter &parameter);
  std::vector<uint8_t> gatherOuter(const WeightParameter &parameter, Type type, ArrayRef<float> values);
  LogicalResult replace(ArrayRef<uint8_t> codes);

  ContractOp op;
  int64_t rows, wideRows;
  SmallVector<int64_t> shape;
  SmallVector<ConstantBytes> components;
  BlockAttr encoding;
  ContractForm form;
  CodeMeaning meaning;
  qtile::LayoutAttr layout;
  SmallVector<int64_t> block, grid, ones;
  WeightParameter scale, zero, offset;
};
} // namespace

/// The bytes of a constant operand, or nothing when it is no constant.
static std::optional<ConstantBytes> readConstant(Value value) {
  ElementsAttr attr;
  if (!matchPattern(value, m_Constant(&attr)))
    return std::nullopt;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    return ConstantBytes{blob ? blob->getData() : ArrayRef<char>(), {}};
  }
  auto dense = dyn_cast<DenseElementsAttr>(attr);
  if (!dense)
    return std::nullopt;
  ConstantBytes result{dense.getRawData(), {}};
  if (dense.isSplat()) {
    for (int64_t i = 0; i < dense.getNumElements(); ++i)
      llvm::append_range(result.owned, dense.getRawData());
    result.bytes = {};
  }
  return result;
}

static ArrayRef<char> bytesOf(const ConstantBytes &constant) {
  return constant.owned.empty() ? constant.bytes : ArrayRef<char>(constant.owned);
}

/// Whether a kernel can apply the epilogue to vectors of finished sums.
LogicalResult WeightPacker::checkEpilogue(std::string &reason) {
  for (auto [value, map] : llvm::zip_equal(op.getExtra(), op.getExtraMaps()))
    if (!classifyExtra(form, cast<AffineMapAttr>(map).getValue(), cast<ShapedType>(value.getType())))
      reason = "an extra operand of the epilogue follows neither rows nor columns";
  Region &region = op.getEpilogue();
  for (Operation &inner : region.front()) {
    if (!inner.hasTrait<OpTrait::IsTerminator>() && !isa<arith::ConstantOp>(inner) &&
        !OpTrait::hasElementwiseMappableTraits(&inner))
      reason = ("the epilogue has " + inner.getName().getStringRef() + ", which is not elementwise").str();
    for (Value operand : inner.getOperands())
      if (!region.isAncestor(operand.getParentRegion()) && !matchPattern(operand, m_Constant()))
        reason = "the epilogue uses a value from outside";
  }
  bool integers = region.front().getArgument(0).getType().isInteger(32);
  if (integers && (!form.wholeBlock || op.getStrategy().getKind() == StrategyKind::Float))
    reason = "i32 accumulators over several blocks";
  return success(reason.empty());
}

LogicalResult WeightPacker::readComponents(std::string &reason) {
  for (Value component : op.getRhs()) {
    std::optional<ConstantBytes> constant = readConstant(component);
    if (!constant) {
      reason = "the weight is no constant";
      return success();
    }
    components.push_back(std::move(*constant));
    auto type = cast<ShapedType>(component.getType());
    int64_t expected = type.getNumElements() * llvm::divideCeil(type.getElementTypeBitWidth(), 8);
    if (static_cast<int64_t>(bytesOf(components.back()).size()) != expected)
      return op.emitOpError("a component of the weight has ")
             << bytesOf(components.back()).size() << " bytes, its type " << type << " needs " << expected
             << "; was the file with its bytes read?";
  }
  return success();
}

LogicalResult WeightPacker::loadParameters() {
  auto emitError = [&] { return op.emitOpError(); };
  SmallVector<ArrayRef<char>> data;
  for (const ConstantBytes &component : ArrayRef(components).drop_front())
    data.push_back(bytesOf(component));
  ArrayRef<ArrayRef<char>> rest = data;
  scale.attr = encoding.getScale();
  zero.attr = encoding.getZero();
  offset.attr = encoding.getOffset();
  for (WeightParameter *parameter : {&scale, &zero, &offset})
    if (failed(loadParameter(*parameter, parameter == &scale, block, grid, rest, emitError)))
      return failure();
  // A static scale is a constant of the kernel.
  if (scale.attr && !scale.attr.isData())
    scale = {};
  return success();
}

/// Blocks that share what multiplies a nested parameter; 0 for all of K. Nothing where that ends inside a block or a run.
std::optional<int64_t> WeightPacker::getGroup(const WeightParameter &parameter) {
  if (parameter.outer.empty() || form.wholeBlock)
    return std::nullopt;
  bool whole = true;
  int64_t along = 0;
  for (auto [d, expr] : llvm::enumerate(op.getRhsMap().getResults()))
    if (unsigned dim = cast<AffineDimExpr>(expr).getPosition(); llvm::is_contained(form.reductions, dim)) {
      whole &= parameter.outerGrid[d] == 1;
      if (dim == form.reductions.back())
        along = parameter.outerGrid[d] == 1 ? form.getBlocks() / form.runs * form.block : parameter.outerBlock[d];
    }
  if (whole)
    return 0;
  int64_t group = along / form.block;
  // Groups are counted along the fastest reduction alone.
  if (form.runLength != form.reductionExtents.back() || group < 1 || along % form.block || (form.runs > 1 && form.getBlocks() / form.runs % group))
    return std::nullopt;
  return group;
}

/// Decides which parameters stay nested, and how many blocks make a group.
int64_t WeightPacker::chooseGroup() {
  int64_t group = 0;
  for (WeightParameter *parameter : {&scale, &offset}) {
    std::optional<int64_t> own = getGroup(*parameter);
    // Both kinds of parameters are in front of the same groups.
    if (!own || (group && *own && *own % group))
      continue;
    parameter->nested = true;
    parameter->type = parameter->codeType;
    group = group ? group : *own;
  }
  return group;
}

/// The widest panel that pads N by at most a sixteenth more than the narrowest.
int64_t WeightPacker::chooseRows() {
  int64_t widest = rows, least = llvm::alignTo(form.n, rows);
  for (int64_t wide = 2 * rows; wide <= wideRows; wide *= 2)
    if (llvm::alignTo(form.n, wide) - least <= least / 16)
      widest = wide;
  return widest;
}

LogicalResult WeightPacker::chooseLayout(std::string &reason) {
  bool integer = op.getStrategy().getKind() == StrategyKind::Integer;
  if (!zero.values.empty()) {
    // Zeros join the static zero of the unsigned codes; as bytes when they are whole and in range.
    bool bytes = llvm::all_of(
        zero.values, [&](float z) { return z == std::trunc(z) && z + meaning.zero >= 0 && z + meaning.zero <= 255; });
    bytes &= meaning.values.empty();
    if (!bytes && (integer || meaning.bytes.size())) {
      reason = "the zero points do not fit into a byte beside the codes";
      return success();
    }
    zero.type = bytes ? Type(IntegerType::get(op.getContext(), 8)) : Float32Type::get(op.getContext());
    if (bytes)
      for (float &z : zero.values)
        z += meaning.zero;
  }
  int64_t group = chooseGroup();
  layout = qtile::LayoutAttr::get(op.getContext(), chooseRows(), form.block, meaning.codes, scale.type, zero.type, offset.type,
                                  group, scale.nested ? scale.outerType : Type(),
                                  scale.nested ? scale.outerOffsetType : Type(),
                                  offset.nested ? offset.outerType : Type());
  return success();
}

/// Position in the rhs (divided by `divisors`, in a space of `extents`) of product `k` of a column.
int64_t WeightPacker::rhsIndex(int64_t column, int64_t k, ArrayRef<int64_t> divisors, ArrayRef<int64_t> extents) {
  SmallVector<int64_t> dims(op.getIteratorTypes().size(), 0);
  auto spread = [&](int64_t linear, ArrayRef<unsigned> iterators, ArrayRef<int64_t> sizes) {
    for (size_t i = iterators.size(); i-- > 0; linear /= sizes[i])
      dims[iterators[i]] = linear % sizes[i];
  };
  spread(column, form.columns, form.columnExtents);
  spread(k, form.reductions, form.reductionExtents);
  int64_t position = 0;
  for (auto [d, expr] : llvm::enumerate(op.getRhsMap().getResults()))
    position = position * extents[d] + dims[cast<AffineDimExpr>(expr).getPosition()] / divisors[d];
  return position;
}

void WeightPacker::gatherCodes(std::vector<uint8_t> &codes) {
  int64_t width = layout.hasIntegerCodes() ? 1 : layout.getCodes().getIntOrFloatBitWidth() / 8, all = form.getK();
  int64_t perRun = form.getBlocks() / form.runs * form.block;
  uint8_t mask = layout.hasIntegerCodes() ? (1u << layout.getCodes().getIntOrFloatBitWidth()) - 1 : 255;
  codes.assign(form.n * all * width, 0);
  const char *from = bytesOf(components[0]).data();
  // Along the fastest reduction the weight has one stride.
  int64_t length = form.reductions.empty() ? 1 : form.reductionExtents.back();
  int64_t stride = length > 1 ? rhsIndex(0, 1, ones, shape) : 0;
  for (int64_t n = 0; n < form.n; ++n)
    for (int64_t k = 0; k < form.runs * form.runLength; k += length) {
      int64_t first = rhsIndex(n, k, ones, shape);
      uint8_t *to = codes.data() + (n * all + k / form.runLength * perRun + k % form.runLength) * width;
      for (int64_t inner = 0; inner < length; ++inner)
        for (int64_t byte = 0; byte < width; ++byte) {
          uint8_t code = from[(first + inner * stride) * width + byte];
          to[inner * width + byte] = layout.hasIntegerCodes() ? (code & mask) ^ meaning.flip : code;
        }
    }
}

std::vector<uint8_t> WeightPacker::gatherParameter(const WeightParameter &parameter) {
  std::vector<uint8_t> bytes;
  int64_t perRun = form.getBlocks() / form.runs;
  ArrayRef<float> values = parameter.nested ? parameter.codes : parameter.values;
  for (int64_t n = 0; n < (parameter.type ? form.n : 0); ++n)
    for (int64_t run = 0; run < form.runs; ++run)
      for (int64_t b = 0; b < perRun; ++b)
        appendElement(bytes, parameter.type, values[rhsIndex(n, run * form.runLength + b * form.block, block, grid)]);
  return bytes;
}

/// What multiplies a nested parameter or is added to it, for every row and group of blocks.
std::vector<uint8_t> WeightPacker::gatherOuter(const WeightParameter &parameter, Type type, ArrayRef<float> values) {
  std::vector<uint8_t> bytes;
  int64_t perRun = form.getBlocks() / form.runs, step = layout.getGroup() ? layout.getGroup() : form.getBlocks();
  for (int64_t n = 0; n < (parameter.nested && type ? form.n : 0); ++n)
    for (int64_t b = 0; b < form.getBlocks(); b += step) {
      int64_t k = b / perRun * form.runLength + b % perRun * form.block;
      appendElement(bytes, type, values[rhsIndex(n, k, parameter.outerBlock, parameter.outerGrid)]);
    }
  return bytes;
}

LogicalResult WeightPacker::replace(ArrayRef<uint8_t> codes) {
  int64_t k = form.getK();
  size_t size = layout.getBytes(form.n, k);
  AsmResourceBlob blob = HeapAsmResourceBlob::allocate(size, 64, /*dataIsMutable=*/true);
  std::string error;
  MutableArrayRef<uint8_t> out(reinterpret_cast<uint8_t *>(blob.getMutableData().data()), size);
  std::vector<uint8_t> scales = gatherParameter(scale), zeros = gatherParameter(zero), offsets = gatherParameter(offset);
  std::vector<uint8_t> scaleScales = gatherOuter(scale, scale.outerType, scale.outer);
  std::vector<uint8_t> scaleShifts = gatherOuter(scale, scale.outerOffsetType, scale.outerOffset);
  std::vector<uint8_t> offsetScales = gatherOuter(offset, offset.outerType, offset.outer);
  PackSource source{form.n, k, codes, scales, zeros, offsets, scaleScales, scaleShifts, offsetScales};
  if (failed(packWeight(layout, source, out, error)))
    return op.emitOpError(error);
  OpBuilder b(op);
  auto type = RankedTensorType::get(static_cast<int64_t>(size), b.getI8Type());
  auto packed = arith::ConstantOp::create(b, op.getLoc(), DenseResourceElementsAttr::get(type, "packed", std::move(blob)));
  std::string format = llvm::formatv("{0}", layout);
  packed->setDiscardableAttr("qtensor.format", b.getStringAttr(format));
  op.getRhsMutable().assign(packed.getResult());
  op.setRhsLayoutAttr(qtile::PackedAttr::get(op.getContext(), layout, shape));
  return success();
}

LogicalResult WeightPacker::run(std::string &reason) {
  if (op.getRhs().empty())
    return op.emitOpError("has no weight");
  auto type = cast<ShapedType>(op.getRhs().front().getType());
  shape.assign(type.getShape().begin(), type.getShape().end());
  FailureOr<ContractForm> recognised = getContractForm(op, shape, reason);
  if (failed(recognised))
    return success();
  form = *recognised;
  if (failed(checkActivation(op, reason)) || failed(checkEpilogue(reason)))
    return success();
  encoding = op.getRhsEncoding().value_or(nullptr);
  FailureOr<CodeMeaning> codes = encoding ? getCodeMeaning(encoding.getCodec(), op.getStrategy().getKind(), reason)
                                          : getFloatMeaning(type.getElementType(), reason);
  if (failed(codes))
    return success();
  meaning = *codes;
  if (failed(readComponents(reason)))
    return failure();
  if (!reason.empty())
    return success();
  ones.assign(shape.size(), 1);
  if (encoding) {
    block = encoding.getBlockExtents(shape);
    grid = encoding.getGrid(shape);
    if (failed(loadParameters()))
      return failure();
  }
  if (failed(chooseLayout(reason)) || !reason.empty())
    return success();
  std::vector<uint8_t> matrix;
  gatherCodes(matrix);
  return replace(matrix);
}

namespace {
struct PackContractsPass : mlir::qtensor::impl::PackContractsBase<PackContractsPass> {
  using PackContractsBase::PackContractsBase;
  void runOnOperation() override {
    WalkResult result = getOperation().walk([&](ContractOp op) {
      if (op.getRhsLayout())
        return WalkResult::advance();
      std::string reason;
      if (failed(WeightPacker(op, rows, wideRows).run(reason)))
        return WalkResult::interrupt();
      if (!reason.empty())
        op->setDiscardableAttr("qtensor.unpacked", StringAttr::get(op.getContext(), reason));
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace

namespace mlir::qtensor {
void registerPackPasses(DialectRegistry &) { registerQTensorPackPasses(); }
} // namespace mlir::qtensor
