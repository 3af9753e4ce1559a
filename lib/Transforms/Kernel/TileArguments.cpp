// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The arguments of a kernel's functions.
#include "lib/Transforms/Kernel/TileEmitter.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::kernel;

SmallVector<Type> CommonArguments::getTypes(MLIRContext *context, const KernelSpec &spec) {
  auto dynamic = [&](Type element) { return MemRefType::get({ShapedType::kDynamic}, element); };
  Type f32 = Float32Type::get(context), i32 = IntegerType::get(context, 32), i8 = IntegerType::get(context, 8);
  SmallVector<Type> types;
  if (spec.strategy == SumStrategy::Integer)
    types = {dynamic(i32), dynamic(f32), dynamic(i32)};
  else
    types = {dynamic(f32)};
  if (spec.lhsZero)
    types.push_back(dynamic(i32));
  types.push_back(dynamic(i8));
  types.push_back(spec.output);
  llvm::append_range(types, spec.operands);
  types.append(4, IndexType::get(context));
  return types;
}

CommonArguments CommonArguments::take(const KernelSpec &spec, ValueRange arguments, ValueRange &rest) {
  CommonArguments common;
  auto next = [&] {
    Value value = arguments.front();
    arguments = arguments.drop_front();
    return value;
  };
  common.x.words = next();
  if (spec.strategy == SumStrategy::Integer) {
    common.x.scales = next();
    common.x.sums = next();
  }
  if (spec.lhsZero)
    common.x.zeros = next();
  common.weights = next();
  common.output = next();
  for (size_t i = 0; i < spec.operands.size(); ++i)
    common.operands.push_back(next());
  for (Value *extent : {&common.extents.rows, &common.extents.columns, &common.extents.blocks, &common.extents.steps})
    *extent = next();
  rest = arguments;
  return common;
}

SmallVector<Value> CommonArguments::flatten() const {
  SmallVector<Value> all{x.words};
  if (x.scales)
    all.append({x.scales, x.sums});
  if (x.zeros)
    all.push_back(x.zeros);
  all.append({weights, output});
  llvm::append_range(all, operands);
  all.append({extents.rows, extents.columns, extents.blocks, extents.steps});
  return all;
}

llvm::StringRef TileVariant::getName() const {
  switch (kind) {
  case Whole:
    return "tile";
  case Asking:
    return "asking";
  case Range:
    return asks ? "asking_range" : "range";
  case Decoded:
    return asks ? "asking_decoded" : "decoded";
  case Decoder:
    return asks ? "asking_decode" : "decode";
  }
  llvm_unreachable("all kinds have a name");
}

SmallVector<Value *> TileArguments::getFields(const TileVariant &variant) {
  SmallVector<Value *> fields{&column, &lastColumn};
  if (variant.kind != TileVariant::Decoder)
    fields.append({&tileRow, &inside, &height});
  if (variant.kind == TileVariant::Asking || (variant.asks && variant.kind == TileVariant::Range))
    fields.push_back(&ahead);
  if (variant.asks && variant.isRange())
    fields.append({&turn, &turnEnd});
  if (!variant.isWhole())
    fields.append({&firstBlock, &lastBlock, &firstStep, &lastStep});
  if (variant.isRange())
    fields.append({&firstSum, &sumStride, &sums});
  if (variant.kind == TileVariant::Decoded || variant.kind == TileVariant::Decoder)
    fields.append({&firstDecoded, &decoded});
  return fields;
}

TileArguments TileArguments::take(const TileVariant &variant, ValueRange values) {
  TileArguments args;
  for (auto [field, value] : llvm::zip_equal(args.getFields(variant), values))
    *field = value;
  return args;
}

SmallVector<Value> TileArguments::flatten(const TileVariant &variant) {
  SmallVector<Value> values;
  for (Value *field : getFields(variant))
    values.push_back(*field);
  return values;
}

static SmallVector<Type> getTileTypes(MLIRContext *context, const KernelSpec &spec, const TileMachine &machine,
                                      const TileVariant &variant) {
  TileArguments args;
  SmallVector<Type> types;
  for (Value *field : args.getFields(variant))
    types.push_back(field == &args.sums      ? MemRefType::get({ShapedType::kDynamic}, Float32Type::get(context))
                    : field == &args.decoded ? DecodedLayout(spec, machine).getBufferType(context)
                                             : Type(IndexType::get(context)));
  return types;
}

func::FuncOp kernel::buildFunction(ModuleOp module, const KernelSpec &spec, const TileMachine &machine,
                                   const TileVariant &variant, const std::string &name,
                                   function_ref<void(ImplicitLocOpBuilder &, ValueRange arguments)> body) {
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  ImplicitLocOpBuilder b(module.getLoc(), module.getContext());
  b.setInsertionPointToEnd(module.getBody());
  SmallVector<Type> types = CommonArguments::getTypes(b.getContext(), spec);
  llvm::append_range(types, getTileTypes(b.getContext(), spec, machine, variant));
  auto function = func::FuncOp::create(b, name, b.getFunctionType(types, {}));
  function.setPrivate();
  b.setInsertionPointToStart(function.addEntryBlock());
  body(b, function.getArguments());
  func::ReturnOp::create(b);
  return function;
}
