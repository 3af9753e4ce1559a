// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Formats/Lanes.h"
#include "lib/Formats/Params.h"
#include "lib/Quantize/LateWeight.h"
#include "lib/Transforms/Pack/ContractForm.h"
#include "lib/Transforms/Pack/Pack.h"
#include "lib/Transforms/Pack/Passes.h"
#include "lib/Transforms/Pack/ScratchBlob.h"
#include "lib/Transforms/Pack/WeightParameter.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "qtensor/Codec.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Parallel.h"
#include <numeric>

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
  WeightPacker(ContractOp op, int64_t rows, int64_t wideRows, ScratchSpace &space)
      : op(op), rows(rows), wideRows(wideRows), space(space) {}

  /// Replaces the rhs. Fails with a diagnostic on wrong input; sets `reason` when the op stays as it is.
  LogicalResult run(std::string &reason);

private:
  /// Rows of `whole` as a weight of their own in the same panels, with what is known before any byte is read.
  WeightPacker(const WeightPacker &whole, int64_t count);

  LogicalResult checkEpilogue(std::string &reason);
  LogicalResult encodeRows(const LateWeight &late, int64_t first, NearestCodes &nearest, bool parallel);
  LogicalResult prepare(std::string &reason);
  bool liesInOrder();
  int64_t getPartRows(const LateWeight &late);
  LogicalResult packParts(const LateWeight &late, int64_t partRows, NearestCodes &nearest, bool &done);
  LogicalResult packLate(const LateWeight &late, std::string &reason);
  LogicalResult readComponents(std::string &reason);
  LogicalResult chooseLayout(std::string &reason);
  LogicalResult loadParameters();
  std::optional<int64_t> getGroup(const WeightParameter &parameter);
  int64_t chooseGroup();
  int64_t chooseRows() const;
  int64_t chooseRadix();
  int64_t rhsIndex(int64_t column, int64_t k, ArrayRef<int64_t> divisors, ArrayRef<int64_t> extents);
  void gatherCodes(std::vector<uint8_t> &codes);
  std::vector<uint8_t> gatherParameter(const WeightParameter &parameter);
  std::vector<uint8_t> gatherOuter(const WeightParameter &parameter, Type type, ArrayRef<float> values);
  LogicalResult pack(MutableArrayRef<uint8_t> out);
  LogicalResult packWhole();
  MutableArrayRef<uint8_t> open() { return space.open(layout.getBytes(form.n, form.getK())); }
  LogicalResult replace();

  ContractOp op;
  int64_t rows, wideRows;
  ScratchSpace &space;
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

WeightPacker::WeightPacker(const WeightPacker &whole, int64_t count)
    : op(whole.op), rows(whole.chooseRows()), wideRows(rows), space(whole.space), shape(whole.shape), encoding(whole.encoding), form(whole.form),
      meaning(whole.meaning) {
  shape.front() = form.n = form.columnExtents.front() = count;
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
int64_t WeightPacker::chooseRows() const {
  int64_t widest = rows, least = int64_t(llvm::alignTo(form.n, rows));
  for (int64_t wide = 2 * rows; wide <= wideRows; wide *= 2)
    if (int64_t(llvm::alignTo(form.n, wide)) - least <= least / 16)
      widest = wide;
  return widest;
}

/// The number of codes, where these are digits of fewer bits than the codec's; 0 where some code is none of them (a file
/// may hold codes that no encoder makes).
int64_t WeightPacker::chooseRadix() {
  constexpr int64_t kMaxBlock = 1 << 13;
  int64_t count = encoding ? encoding.getCodec().getCount() : 0;
  if (!count || form.block > kMaxBlock ||
      qtile::LayoutAttr::countDigits(count) * encoding.getCodec().getBits() <= 8)
    return 0;
  bool all = llvm::all_of(bytesOf(components[0]), [&](char code) { return static_cast<uint8_t>(code) < count; });
  return all ? count : 0;
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
                                  offset.nested ? offset.outerType : Type(), chooseRadix());
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

/// Whether the weight is [n, k] with rows that need no padding: then its codes are in the order of the packer.
bool WeightPacker::liesInOrder() {
  AffineMap map = op.getRhsMap();
  return shape.size() == 2 && form.columns.size() == 1 && form.reductions.size() == 1 && form.runs == 1 &&
         map.getDimPosition(0) == form.columns[0] && form.getK() == shape[1];
}

void WeightPacker::gatherCodes(std::vector<uint8_t> &codes) {
  int64_t width = layout.hasIntegerCodes() ? 1 : layout.getCodes().getIntOrFloatBitWidth() / 8, all = form.getK();
  int64_t perRun = form.getBlocks() / form.runs * form.block;
  codes.assign(form.n * all * width, meaning.flip);
  const char *from = bytesOf(components[0]).data();
  // Along the fastest reduction the weight has one stride.
  int64_t length = form.reductions.empty() ? 1 : form.reductionExtents.back();
  int64_t stride = length > 1 ? rhsIndex(0, 1, ones, shape) : 0;
  for (int64_t n = 0; n < form.n; ++n)
    for (int64_t k = 0; k < form.runs * form.runLength; k += length) {
      int64_t first = rhsIndex(n, k, ones, shape);
      uint8_t *to = codes.data() + (n * all + k / form.runLength * perRun + k % form.runLength) * width;
      for (int64_t inner = 0; inner < length; ++inner)
        std::memcpy(to + inner * width, from + (first + inner * stride) * width, width);
    }
}

/// Elements of a parameter's type, little-endian.
static std::vector<uint8_t> storeElements(Type type, ArrayRef<float> values) {
  std::vector<uint8_t> bytes;
  if (type.isF16()) {
    bytes.resize(2 * values.size());
    halvesOfFloats(values, reinterpret_cast<uint16_t *>(bytes.data()));
    return bytes;
  }
  bytes.reserve(values.size() * type.getIntOrFloatBitWidth() / 8);
  for (float value : values)
    appendElement(bytes, type, value);
  return bytes;
}

std::vector<uint8_t> WeightPacker::gatherParameter(const WeightParameter &parameter) {
  if (!parameter.type)
    return {};
  int64_t perRun = form.getBlocks() / form.runs;
  ArrayRef<float> values = parameter.nested ? parameter.codes : parameter.values;
  if (liesInOrder() && ArrayRef(grid) == ArrayRef({form.n, form.getBlocks()}))
    return storeElements(parameter.type, values);
  std::vector<float> ordered;
  for (int64_t n = 0; n < form.n; ++n)
    for (int64_t run = 0; run < form.runs; ++run)
      for (int64_t b = 0; b < perRun; ++b)
        ordered.push_back(values[rhsIndex(n, run * form.runLength + b * form.block, block, grid)]);
  return storeElements(parameter.type, ordered);
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

LogicalResult WeightPacker::pack(MutableArrayRef<uint8_t> out) {
  bool integer = layout.hasIntegerCodes();
  std::vector<uint8_t> gathered;
  ArrayRef<char> lying = bytesOf(components.front());
  ArrayRef<uint8_t> codes(reinterpret_cast<const uint8_t *>(lying.data()), lying.size());
  if (!liesInOrder()) {
    gatherCodes(gathered);
    codes = gathered;
  }
  std::vector<uint8_t> scales = gatherParameter(scale), zeros = gatherParameter(zero), offsets = gatherParameter(offset);
  std::vector<uint8_t> scaleScales = gatherOuter(scale, scale.outerType, scale.outer);
  std::vector<uint8_t> scaleShifts = gatherOuter(scale, scale.outerOffsetType, scale.outerOffset);
  std::vector<uint8_t> offsetScales = gatherOuter(offset, offset.outerType, offset.outer);
  PackSource source{form.n, form.getK(), codes, scales, zeros, offsets, scaleScales, scaleShifts, offsetScales};
  if (integer) {
    source.mask = (1u << layout.getCodes().getIntOrFloatBitWidth()) - 1;
    source.flip = meaning.flip;
  }
  std::string error;
  if (failed(packWeight(layout, source, out, error)))
    return op.emitOpError(error);
  return success();
}

/// The packed bytes that are open take the place of the components.
LogicalResult WeightPacker::replace() {
  llvm::Expected<AsmResourceBlob> blob = space.close();
  if (!blob)
    return op.emitOpError(llvm::toString(blob.takeError()));
  OpBuilder b(op);
  auto type = RankedTensorType::get(static_cast<int64_t>(blob->getData().size()), b.getI8Type());
  auto packed = arith::ConstantOp::create(b, op.getLoc(), DenseResourceElementsAttr::get(type, "packed", std::move(*blob)));
  std::string format = llvm::formatv("{0}", layout);
  packed->setDiscardableAttr("qtensor.format", b.getStringAttr(format));
  op.getRhsMutable().assign(packed.getResult());
  op.setRhsLayoutAttr(qtile::PackedAttr::get(op.getContext(), layout, shape));
  return success();
}

/// From components to a layout.
LogicalResult WeightPacker::prepare(std::string &reason) {
  ones.assign(shape.size(), 1);
  if (encoding) {
    block = encoding.getBlockExtents(shape);
    grid = encoding.getGrid(shape);
    if (failed(loadParameters()))
      return failure();
  }
  return chooseLayout(reason);
}

LogicalResult WeightPacker::packWhole() {
  return failure(failed(pack(open())) || failed(replace()));
}

//===----------------------------------------------------------------------===//
// Weights that are still to be encoded
//===----------------------------------------------------------------------===//

LogicalResult WeightPacker::encodeRows(const LateWeight &late, int64_t first, NearestCodes &nearest, bool parallel) {
  FailureOr<std::vector<ComponentBytes>> encoded = late.encodeRows(first, shape.front(), parallel, nearest);
  if (failed(encoded))
    return failure();
  for (ComponentBytes &bytes : *encoded)
    components.push_back({{}, std::move(bytes)});
  return success();
}

/// Rows that are encoded and packed at a time: whole panels, few enough to stay near the processor; 0 when a part would
/// not have the bytes of the whole.
int64_t WeightPacker::getPartRows(const LateWeight &late) {
  constexpr int64_t kPartValues = int64_t(1) << 16;
  int64_t independent = getIndependentRows(encoding, late.getEncoder());
  if (!independent || !liesInOrder())
    return 0;
  int64_t unit = std::lcm(independent, chooseRows());
  int64_t part = unit * std::max<int64_t>(1, kPartValues / (unit * shape[1]));
  return part < shape[0] ? part : 0;
}

/// Encodes and packs part after part. Not `done` when the parts do not agree on a layout, which types of parameters may
/// depend on.
LogicalResult WeightPacker::packParts(const LateWeight &late, int64_t partRows, NearestCodes &nearest, bool &done) {
  MutableArrayRef<uint8_t> out = open();
  std::atomic<bool> failing = false, agree = true;
  llvm::parallelFor(0, llvm::divideCeil(form.n, partRows), [&](size_t index) {
    int64_t first = int64_t(index) * partRows;
    WeightPacker part(*this, std::min(partRows, form.n - first));
    std::string reason;
    if (failing || !agree)
      return;
    if (failed(part.encodeRows(late, first, nearest, /*parallel=*/false)) || failed(part.prepare(reason))) {
      failing = true;
      return;
    }
    if (!reason.empty() || part.layout != layout) {
      agree = false;
      return;
    }
    size_t begin = layout.getBytes(first, form.getK()), size = layout.getBytes(part.form.n, form.getK());
    if (failed(part.pack(out.slice(begin, size))))
      failing = true;
  });
  done = agree;
  return failure(failing || (agree && failed(replace())));
}

LogicalResult WeightPacker::packLate(const LateWeight &late, std::string &reason) {
  NearestCodes nearest;
  if (int64_t partRows = getPartRows(late)) {
    WeightPacker first(*this, partRows);
    if (failed(first.encodeRows(late, 0, nearest, /*parallel=*/false)) || failed(first.prepare(reason)))
      return failure();
    layout = first.layout;
    bool done = false;
    if (reason.empty() && failed(packParts(late, partRows, nearest, done)))
      return failure();
    if (done)
      return success();
    reason.clear();
  }
  if (failed(encodeRows(late, 0, nearest, /*parallel=*/true)) || failed(prepare(reason)))
    return failure();
  return reason.empty() ? packWhole() : success();
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
  auto encode = op.getRhs().front().getDefiningOp<EncodeOp>();
  if (encode && llvm::equal(encode.getResults(), op.getRhs())) {
    FailureOr<std::optional<LateWeight>> late = LateWeight::match(encode);
    if (failed(late) || *late)
      return failed(late) ? failure() : packLate(**late, reason);
  }
  if (failed(readComponents(reason)) || (reason.empty() && failed(prepare(reason))))
    return failure();
  return reason.empty() ? packWhole() : success();
}

namespace {
struct PackContractsPass : mlir::qtensor::impl::PackContractsBase<PackContractsPass> {
  using PackContractsBase::PackContractsBase;
  void runOnOperation() override {
    ScratchSpace space(memory);
    WalkResult result = getOperation().walk([&](ContractOp op) {
      if (op.getRhsLayout())
        return WalkResult::advance();
      std::string reason;
      if (failed(WeightPacker(op, rows, wideRows, space).run(reason)))
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
