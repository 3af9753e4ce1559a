// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tile-decoded variant: the weights of a unit for a range of K are decoded once into memory that stays in the caches
// next to the core, and all tiles of rows read them from there.
#include "lib/Transforms/Kernel/TileEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::kernel;

/// Bytes of decoded weights: they share the first-level cache with activations and sums.
static constexpr int64_t kDecodedBytes = 16 * 1024;

DecodedLayout::DecodedLayout(const KernelSpec &spec, const TileMachine &machine)
    : isFloat(spec.strategy == SumStrategy::Float), lanes(machine.lanes),
      vectorElements(isFloat ? lanes : 4 * lanes) {
  int64_t limbs = isFloat || spec.weight.upper.empty() ? 1 : 2;
  columnElements = spec.getStep() * lanes * limbs;
  int64_t wanted = isFloat ? kDecodedBytes / 4 : kDecodedBytes;
  maxSteps = std::max<int64_t>(1, wanted / getStepElements());
  // A range has at least one block where blocks are not split.
  int64_t least = spec.hasDynamicSteps() ? 1 : spec.getSteps();
  bufferElements = std::max(wanted, std::max(maxSteps, least) * getStepElements());
}

Type DecodedLayout::elementOf(MLIRContext *context) const {
  return isFloat ? Type(Float32Type::get(context)) : Type(IntegerType::get(context, 8));
}

namespace {
/// The body of the function that decodes one column vector.
class Decoder {
public:
  Decoder(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine, const TileVariant &variant,
          ValueRange arguments)
      : b(b), spec(spec), layout(spec, machine), reader(b, spec, machine), asks(variant.asks) {
    ValueRange rest;
    common = CommonArguments::take(spec, arguments, rest);
    if (!spec.hasDynamicSteps())
      common.extents.steps = constant(b, spec.getSteps());
    args = TileArguments::take(variant, rest);
    reader.begin(common.weights, common.extents, args.column, 1, args.lastColumn);
  }
  void emit();

private:
  void emitBlock(Value block);
  void emitStep(const BlockParameters &parameters, Value offset, Value at);
  void loop(Value first, Value last, function_ref<void(Value)> body);

  ImplicitLocOpBuilder &b;
  const KernelSpec &spec;
  DecodedLayout layout;
  WeightReader reader;
  bool asks;
  CommonArguments common;
  TileArguments args;
};
} // namespace

void Decoder::loop(Value first, Value last, function_ref<void(Value)> body) {
  auto op = scf::ForOp::create(b, first, last, constant(b, 1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.getBody());
  body(op.getInductionVar());
}

/// Decodes the step of codes at `offset` to element `at`.
void Decoder::emitStep(const BlockParameters &parameters, Value offset, Value at) {
  SmallVector<Value> vectors;
  if (spec.strategy == SumStrategy::Float) {
    SmallVector<Value> values = reader.loadValues(offset).front();
    for (Value value : values)
      vectors.push_back(parameters.apply(b, value));
  } else {
    SmallVector<Value> groups = reader.loadGroups(offset).front();
    for (Value group : groups)
      vectors.push_back(reader.lookupBytes(group, spec.weight.bytes));
    for (Value group : groups)
      if (!spec.weight.upper.empty())
        vectors.push_back(reader.lookupBytes(group, spec.weight.upper));
  }
  for (auto [i, vector] : llvm::enumerate(vectors))
    vector::StoreOp::create(b, vector, args.decoded, add(b, at, constant(b, layout.getOffset(0, i))));
}

void Decoder::emitBlock(Value block) {
  Value offset = reader.blockOffset(block), steps = common.extents.steps;
  BlockParameters parameters;
  if (spec.strategy == SumStrategy::Float)
    parameters = reader.loadParameters(0, offset);
  if (asks && !spec.hasDynamicSteps())
    reader.askAhead(block, args.firstBlock, args.lastBlock, spec.getSteps());
  Value before = add(b, mul(b, args.firstBlock, steps), args.firstStep);
  loop(args.firstStep, args.lastStep, [&](Value step) {
    Value inRange = sub(b, add(b, mul(b, block, steps), step), before);
    emitStep(parameters, reader.stepOffset(offset, step),
             add(b, args.firstDecoded, mul(b, inRange, constant(b, layout.getStepElements()))));
  });
}

void Decoder::emit() {
  reader.overGroups(args.firstBlock, args.lastBlock, {}, [&](Value first, Value last, ValueRange) {
    loop(first, last, [&](Value block) { emitBlock(block); });
    return SmallVector<Value>();
  });
}

func::FuncOp kernel::buildDecode(ModuleOp module, const KernelSpec &spec, const TileMachine &machine) {
  TileVariant variant = TileVariant::makeDecoder(spec, machine);
  return buildFunction(
      module, spec, machine, variant, spec.name + "_" + variant.getName().str(),
      [&](ImplicitLocOpBuilder &b, ValueRange arguments) { Decoder(b, spec, machine, variant, arguments).emit(); });
}
