// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Contractions on components in the canonical order of accumulation:
//   integer: inside a block an exact integer sum of (w - zero_w) * (x - zero_x); then
//            acc = fma(f32(sum), sx * sw, acc), blocks ascending; an offset of w adds acc = fma(f32(sum_x), sx *
//            offset, acc);
//   float:   both sides decoded to f32, k ascending, acc = fma(x, w, acc).
// A block ends where either side's parameters change.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Reference/Codec.h"
#include "lib/Reference/EncodedRules.h"
#include "lib/Reference/LoopNest.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::reference;

namespace {
/// One operand of a contraction, decoded element by element.
struct Side {
  SmallVector<int64_t> shape;
  std::vector<float> values;     // float strategy: decoded
  std::vector<int64_t> integers; // integer strategy: (code - zero) in units
  std::vector<int64_t> blocks;   // integer strategy: which block an element is in
  std::vector<float> scales, offsets;
  bool hasScale = false, hasOffset = false;
  std::vector<Access> access; // one element

  float scaleOf(int64_t position) const { return hasScale ? scales[blocks[position]] : 1.0f; }
};

/// The loops of one contraction.
struct Contraction {
  Side lhs, rhs;
  SmallVector<int64_t> extents;
  SmallVector<int64_t> parallel, reduction; // loop numbers
  bool integerResult = false;
};
} // namespace

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

static SmallVector<Tensor> getAll(ValueRange values, Evaluation &evaluation) {
  return llvm::map_to_vector(values, [&](Value value) { return evaluation.get(value); });
}

static LogicalResult decodeIntegers(ContractOp op, Side &side, BlockAttr encoding, ArrayRef<Tensor> components) {
  auto emitError = [&] { return op.emitOpError(); };
  FailureOr<Parameters> parameters = Parameters::decode(encoding, side.shape, components.drop_front(), emitError);
  if (failed(parameters))
    return failure();
  Codec codec(encoding.getCodec());
  if (!codec.isInteger() && parameters->zero.present)
    return op.emitOpError("reference: the integer strategy has zero points for integer codecs only");
  const Tensor &codes = components[0];
  for (int64_t position = 0, count = codes.getNumElements(); position < count; ++position) {
    int64_t block = parameters->getBlock(position), code = codes.getInteger(position);
    int64_t integer = codec.isInteger() ? int64_t(codec.decode(code)) : codec.toMultiple(code);
    side.integers.push_back(integer - (parameters->zero.present ? int64_t(parameters->zero.get(block)) : 0));
    side.blocks.push_back(block);
  }
  float unit = codec.isInteger() ? 1.0f : float(codec.getUnit());
  side.hasScale = parameters->scale.present || unit != 1.0f;
  side.hasOffset = parameters->offset.present;
  for (int64_t block = 0, count = parameters->getNumBlocks(); block < count; ++block) {
    float scale = parameters->scale.present ? float(parameters->scale.get(block)) : 1.0f;
    side.scales.push_back(scale * unit);
    side.offsets.push_back(side.hasOffset ? float(parameters->offset.get(block)) : 0.0f);
  }
  return success();
}

static LogicalResult readSide(ContractOp op, Side &side, ArrayRef<Tensor> operands, std::optional<BlockAttr> encoding) {
  side.shape.assign(operands[0].getShape().begin(), operands[0].getShape().end());
  if (encoding && op.getStrategy().getKind() == StrategyKind::Integer)
    return decodeIntegers(op, side, *encoding, operands);
  Tensor values = operands[0];
  if (encoding) {
    FailureOr<Tensor> decoded = decodeTensor(*encoding, side.shape, Float32Type::get(op.getContext()), operands,
                                             [&] { return op.emitOpError(); });
    if (failed(decoded))
      return failure();
    values = std::move(*decoded);
  }
  for (int64_t position = 0, count = values.getNumElements(); position < count; ++position)
    side.values.push_back(float(values.getNumber(position)));
  return success();
}

/// The extent of each loop, from the operand dimensions that it indexes alone.
static LogicalResult computeLoops(ContractOp op, Contraction &loops, const Tensor &output) {
  loops.extents.assign(op.getIteratorTypes().size(), -1);
  std::pair<AffineMap, ArrayRef<int64_t>> operands[] = {
      {op.getOutputMap(), output.getShape()}, {op.getLhsMap(), loops.lhs.shape}, {op.getRhsMap(), loops.rhs.shape}};
  for (auto &[map, shape] : operands)
    for (auto [expr, extent] : llvm::zip_equal(map.getResults(), shape))
      if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
        int64_t &known = loops.extents[dim.getPosition()];
        if (known >= 0 && known != extent)
          return op.emitOpError("reference: loop ")
                 << dim.getPosition() << " has extents " << known << " and " << extent;
        known = extent;
      }
  for (auto [loop, extent] : llvm::enumerate(loops.extents)) {
    if (extent < 0)
      return op.emitOpError("reference: the extent of loop ") << loop << " follows from no operand";
    bool isParallel = cast<StringAttr>(op.getIteratorTypes()[loop]).getValue() == "parallel";
    (isParallel ? loops.parallel : loops.reduction).push_back(loop);
  }
  return success();
}

static LogicalResult makeAccess(ContractOp op, Side &side, AffineMap map, ArrayRef<int64_t> extents) {
  std::string reason;
  FailureOr<Tensor> shape = Tensor::zeros(IntegerType::get(op.getContext(), 8), side.shape);
  FailureOr<Access> access = Access::get(*shape, map, extents, reason);
  if (failed(access) || !access->isLinear())
    return op.emitOpError("reference: ") << (reason.empty() ? "indexing maps are linear" : reason);
  side.access.push_back(std::move(*access));
  return success();
}

//===----------------------------------------------------------------------===//
// Accumulation
//===----------------------------------------------------------------------===//

/// Advances the loops `order` of `point`, the last fastest; false at the end.
static bool advance(SmallVectorImpl<int64_t> &point, ArrayRef<int64_t> order, ArrayRef<int64_t> extents) {
  for (int64_t loop : llvm::reverse(order)) {
    if (++point[loop] < extents[loop])
      return true;
    point[loop] = 0;
  }
  return false;
}

static float accumulateFloat(const Contraction &loops, SmallVectorImpl<int64_t> &point) {
  float accumulator = 0;
  do {
    float x = loops.lhs.values[*loops.lhs.access[0].getPosition(point)];
    float w = loops.rhs.values[*loops.rhs.access[0].getPosition(point)];
    accumulator = std::fmaf(x, w, accumulator);
  } while (advance(point, loops.reduction, loops.extents));
  return accumulator;
}

namespace {
/// The integer strategy's sums over one block and what they are added to.
struct BlockSum {
  int64_t products = 0, lhsSum = 0;
  float accumulator = 0;
  bool overflow = false;

  void flush(const Contraction &loops, int64_t lhs, int64_t rhs) {
    overflow |= products != int32_t(products) || lhsSum != int32_t(lhsSum);
    float scale = loops.lhs.scaleOf(lhs);
    accumulator = std::fmaf(float(products), scale * loops.rhs.scaleOf(rhs), accumulator);
    if (loops.rhs.hasOffset)
      accumulator = std::fmaf(float(lhsSum), scale * loops.rhs.offsets[loops.rhs.blocks[rhs]], accumulator);
    products = lhsSum = 0;
  }
};
} // namespace

static BlockSum accumulateInteger(const Contraction &loops, SmallVectorImpl<int64_t> &point) {
  BlockSum sum;
  int64_t lhs = -1, rhs = -1;
  do {
    int64_t nextLhs = *loops.lhs.access[0].getPosition(point), nextRhs = *loops.rhs.access[0].getPosition(point);
    bool newBlock = lhs >= 0 && (loops.lhs.blocks[lhs] != loops.lhs.blocks[nextLhs] ||
                                 loops.rhs.blocks[rhs] != loops.rhs.blocks[nextRhs]);
    if (newBlock && !loops.integerResult)
      sum.flush(loops, lhs, rhs);
    lhs = nextLhs;
    rhs = nextRhs;
    sum.products += loops.lhs.integers[lhs] * loops.rhs.integers[rhs];
    sum.lhsSum += loops.lhs.integers[lhs];
  } while (advance(point, loops.reduction, loops.extents));
  if (!loops.integerResult)
    sum.flush(loops, lhs, rhs);
  sum.overflow |= sum.products != int32_t(sum.products);
  return sum;
}

static LogicalResult accumulate(ContractOp op, Contraction &loops, Tensor &accumulators) {
  SmallVector<int64_t> point(loops.extents.size(), 0);
  std::string reason;
  FailureOr<Access> output = Access::get(accumulators, op.getOutputMap(), loops.extents, reason);
  if (failed(output))
    return op.emitOpError("reference: ") << reason;
  if (llvm::is_contained(loops.extents, 0))
    return success(); // an empty reduction is zero
  bool integer = op.getStrategy().getKind() == StrategyKind::Integer;
  do {
    int64_t position = *output->getPosition(point);
    if (!integer) {
      accumulators.setReal(position, accumulateFloat(loops, point));
      continue;
    }
    BlockSum sum = accumulateInteger(loops, point);
    if (sum.overflow)
      return op.emitOpError("reference: the integer sum of a block does not fit 32 bits");
    if (loops.integerResult)
      accumulators.setInteger(position, sum.products);
    else
      accumulators.setReal(position, sum.accumulator);
  } while (advance(point, loops.parallel, loops.extents));
  return success();
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

FailureOr<Tensor> mlir::qtensor::reference::evaluateEpilogueRegion(Operation *op, Block &block,
                                                                   const Tensor &accumulator, ValueRange extra,
                                                                   ArrayAttr maps, Type elementType,
                                                                   Evaluation &evaluation) {
  FailureOr<Tensor> result = evaluation.allocate(op, elementType, accumulator.getShape());
  if (failed(result))
    return failure();
  FailureOr<Program> program = compileBlock(block, [&](Value value) { return evaluation.lookup(value); });
  if (failed(program))
    return op->emitOpError("reference: the epilogue holds more than elementwise arithmetic");
  LoopNest nest;
  nest.extents.assign(accumulator.getShape().begin(), accumulator.getShape().end());
  nest.inputs.push_back(accumulator);
  nest.outputs.push_back(&*result);
  AffineMap identity = AffineMap::getMultiDimIdentityMap(accumulator.getRank(), op->getContext());
  SmallVector<AffineMap> allMaps{identity};
  for (auto [value, map] : llvm::zip_equal(extra, maps)) {
    nest.inputs.push_back(evaluation.get(value));
    allMaps.push_back(cast<AffineMapAttr>(map).getValue());
  }
  std::string reason;
  for (auto [input, map] : llvm::zip_equal(nest.inputs, allMaps)) {
    FailureOr<Access> access = Access::get(input, map, nest.extents, reason);
    if (failed(access))
      return op->emitOpError("reference: ") << reason;
    nest.accesses.push_back(std::move(*access));
  }
  nest.accesses.push_back(*Access::get(*result, identity, nest.extents, reason));
  if (failed(nest.run(*program, reason)))
    return op->emitOpError("reference: ") << reason;
  return result;
}

static LogicalResult evaluateContract(ContractOp op, Evaluation &evaluation) {
  if (op.getRhsLayout() || op->getNumResults() != 1)
    return op.emitOpError("reference: contractions are evaluated on tensors and before packing");
  Contraction loops;
  SmallVector<Tensor> lhs = getAll(op.getLhs(), evaluation), rhs = getAll(op.getRhs(), evaluation);
  if (op.getLhsSums())
    lhs.pop_back(); // redundant: the sums follow from the codes
  Tensor output = evaluation.get(op.getOutput());
  if (failed(readSide(op, loops.lhs, lhs, op.getLhsEncoding())) ||
      failed(readSide(op, loops.rhs, rhs, op.getRhsEncoding())) || failed(computeLoops(op, loops, output)) ||
      failed(makeAccess(op, loops.lhs, op.getLhsMap(), loops.extents)) ||
      failed(makeAccess(op, loops.rhs, op.getRhsMap(), loops.extents)))
    return failure();
  Block &epilogue = op.getEpilogue().front();
  Type accumulatorType = epilogue.getArgument(0).getType();
  loops.integerResult = accumulatorType.isInteger(32);
  if (loops.lhs.hasOffset || (loops.integerResult && op.getStrategy().getKind() != StrategyKind::Integer))
    return op.emitOpError("reference: an offset of the lhs, or i32 accumulators of another strategy, are undefined");
  FailureOr<Tensor> accumulators = evaluation.allocate(op, accumulatorType, output.getShape());
  if (failed(accumulators) || failed(accumulate(op, loops, *accumulators)))
    return failure();
  FailureOr<Tensor> result = evaluateEpilogueRegion(op, epilogue, *accumulators, op.getExtra(), op.getExtraMaps(),
                                                    output.getElementType(), evaluation);
  if (failed(result))
    return failure();
  evaluation.set(op.getResult(), std::move(*result));
  return success();
}

static LogicalResult evaluateEpilogue(EpilogueOp op, Evaluation &evaluation) {
  if (op->getNumResults() != 1)
    return op.emitOpError("reference: the op must be on tensors");
  Tensor accumulator = evaluation.get(op.getAccumulator());
  Type elementType = cast<ShapedType>(op.getOutput().getType()).getElementType();
  FailureOr<Tensor> result = evaluateEpilogueRegion(op, op.getBody().front(), accumulator, op.getExtra(),
                                                    op.getExtraMaps(), elementType, evaluation);
  if (failed(result))
    return failure();
  evaluation.set(op.getResult(), std::move(*result));
  return success();
}

void mlir::qtensor::reference::addContractRules(RuleTable &table) {
  addRule<ContractOp, evaluateContract>(table);
  addRule<EpilogueOp, evaluateEpilogue>(table);
  addAttentionRule(table);
}
