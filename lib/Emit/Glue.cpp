// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes the constant tables of lib/Runtime/qtrt.h, field by field, and links the runtime behind them.
#include "lib/Emit/Glue.h"
#include "lib/Emit/LoadedModel.h"
#include "lib/Runtime/Embedded.h"
#include "lib/Runtime/qtrt.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/xxhash.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/IPO/Internalize.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
class Glue {
public:
  Glue(llvm::LLVMContext &context, const ModelInterface &model, const WeightsFile &weights, const Target &target)
      : context(context), model(model), weights(weights), target(target),
        module(std::make_unique<llvm::Module>(model.name, context)) {
    pointer = llvm::PointerType::getUnqual(context);
    i32 = llvm::Type::getInt32Ty(context);
    i64 = llvm::Type::getInt64Ty(context);
  }

  std::unique_ptr<llvm::Module> build();
  /// The names that the artifact exports.
  llvm::StringSet<> exported;

private:
  llvm::Constant *number(llvm::Type *type, uint64_t value) { return llvm::ConstantInt::get(type, value); }
  llvm::Constant *global(llvm::Constant *value, const llvm::Twine &name);
  llvm::Constant *text(StringRef value) { return global(llvm::ConstantDataArray::getString(context, value), "text"); }
  llvm::Constant *table(ArrayRef<llvm::Constant *> rows, llvm::Type *rowType, const llvm::Twine &name);
  llvm::Constant *tensors(ArrayRef<TensorInterface> list, const llvm::Twine &name);
  llvm::Constant *levels();
  llvm::Constant *levelFunction(const TargetLevel &level, StringRef kind, unsigned arguments);
  void forward(StringRef name, StringRef callee, llvm::Type *result, ArrayRef<llvm::Type *> types, llvm::Constant *first);

  llvm::LLVMContext &context;
  const ModelInterface &model;
  const WeightsFile &weights;
  const Target &target;
  std::unique_ptr<llvm::Module> module;
  llvm::Type *pointer, *i32, *i64;
};
} // namespace

llvm::Constant *Glue::global(llvm::Constant *value, const llvm::Twine &name) {
  auto *variable = new llvm::GlobalVariable(*module, value->getType(), /*isConstant=*/true,
                                            llvm::GlobalValue::PrivateLinkage, value, name);
  variable->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
  return variable;
}

llvm::Constant *Glue::table(ArrayRef<llvm::Constant *> rows, llvm::Type *rowType, const llvm::Twine &name) {
  if (rows.empty())
    return llvm::ConstantPointerNull::get(cast<llvm::PointerType>(pointer));
  return global(llvm::ConstantArray::get(llvm::ArrayType::get(rowType, rows.size()), rows), name);
}

/// An array of struct qtrt_tensor.
llvm::Constant *Glue::tensors(ArrayRef<TensorInterface> list, const llvm::Twine &name) {
  auto *type = llvm::StructType::get(context, {pointer, pointer, pointer, i32, i32});
  SmallVector<llvm::Constant *> rows;
  for (const TensorInterface &tensor : list) {
    SmallVector<uint64_t> shape(tensor.shape.begin(), tensor.shape.end());
    SmallVector<uint32_t> symbols(tensor.symbols.begin(), tensor.symbols.end());
    rows.push_back(llvm::ConstantStruct::get(
        type, {text(tensor.name), global(llvm::ConstantDataArray::get(context, shape), "shape"),
               global(llvm::ConstantDataArray::get(context, symbols), "symbols"), number(i32, tensor.dtype),
               number(i32, tensor.shape.size())}));
  }
  return table(rows, type, name);
}

llvm::Constant *Glue::levelFunction(const TargetLevel &level, StringRef kind, unsigned arguments) {
  SmallVector<llvm::Type *> types(arguments, pointer);
  if (arguments > 2)
    types[2] = types[4] = i64; // Sizes of the weights and of the scratch memory.
  auto *type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), types, false);
  auto callee = module->getOrInsertFunction((model.name + "_" + kind + "_" + level.name).str(), type);
  cast<llvm::Function>(callee.getCallee())->setVisibility(llvm::GlobalValue::HiddenVisibility);
  return cast<llvm::Constant>(callee.getCallee());
}

/// An array of struct qtrt_level.
llvm::Constant *Glue::levels() {
  auto *type = llvm::StructType::get(context, {pointer, pointer, i64, pointer, pointer, pointer, i64});
  auto *coreType = llvm::StructType::get(context, {pointer, i64});
  auto probes = [&](ArrayRef<FeatureProbe> list) {
    SmallVector<uint32_t> words;
    for (const FeatureProbe &probe : list)
      words.append({probe.leaf, probe.subleaf, probe.word, probe.bits});
    return global(llvm::ConstantDataArray::get(context, words), "probes");
  };
  auto cores = [&](ArrayRef<TargetCore> list) {
    SmallVector<llvm::Constant *> rows;
    for (const TargetCore &core : list)
      rows.push_back(llvm::ConstantStruct::get(coreType, {probes(core.probes), number(i64, core.probes.size())}));
    return table(rows, coreType, "cores");
  };
  SmallVector<llvm::Constant *> rows;
  for (const TargetLevel &level : target.levels)
    rows.push_back(llvm::ConstantStruct::get(
        type, {text(level.name), probes(level.probes), number(i64, level.probes.size()), levelFunction(level, "run", 8),
               levelFunction(level, "shapes", 2), cores(level.cores), number(i64, level.cores.size())}));
  return table(rows, type, "levels");
}

/// Defines `<model>_<name>`, which calls `callee`; `first`, if any, goes before the caller's arguments.
void Glue::forward(StringRef name, StringRef callee, llvm::Type *result, ArrayRef<llvm::Type *> types,
                   llvm::Constant *first) {
  SmallVector<llvm::Type *> all(types);
  if (first)
    all.insert(all.begin(), pointer);
  auto inner = module->getOrInsertFunction(callee, llvm::FunctionType::get(result, all, false));
  std::string outer = model.name + "_" + name.str();
  auto *function = llvm::Function::Create(llvm::FunctionType::get(result, types, false),
                                          llvm::GlobalValue::ExternalLinkage, outer, *module);
  llvm::IRBuilder<> b(llvm::BasicBlock::Create(context, "", function));
  SmallVector<llvm::Value *> arguments;
  if (first)
    arguments.push_back(first);
  for (llvm::Argument &argument : function->args())
    arguments.push_back(&argument);
  llvm::Value *value = b.CreateCall(inner, arguments);
  if (result->isVoidTy())
    b.CreateRetVoid();
  else
    b.CreateRet(value);
  exported.insert(outer);
}

static int64_t sumOfRanks(ArrayRef<TensorInterface> list) {
  int64_t sum = 0;
  for (const TensorInterface &tensor : list)
    sum += tensor.shape.size();
  return sum;
}

namespace {
/// Where the states of a model lie in the caller's object.
struct StateLayout {
  SmallVector<uint64_t> offsets;
  uint64_t bytes = 0, id = 0;
};
} // namespace

static StateLayout layOutStates(const ModelInterface &model, const WeightsFile &weights) {
  StateLayout layout;
  std::string description = llvm::formatv("{0} {1}", model.name, weights.id);
  uint64_t end = QTRT_STATE_HEAD;
  for (const TensorInterface &state : model.states) {
    layout.offsets.push_back(end);
    description += state.name + state.typeText;
    end += llvm::alignTo(elementBytes(state.dtype) * ShapedType::getNumElements(state.shape), 64);
  }
  layout.bytes = model.states.empty() ? 0 : end;
  layout.id = llvm::xxHash64(description);
  return layout;
}

std::unique_ptr<llvm::Module> Glue::build() {
  StateLayout states = layOutStates(model, weights);
  llvm::Constant *offsets = llvm::ConstantDataArray::get(context, states.offsets);
  // struct qtrt_model.
  llvm::Constant *fields[] = {text(model.name), tensors(model.inputs, "inputs"), tensors(model.outputs, "outputs"), levels(),
                              number(i64, model.inputs.size()), number(i64, model.outputs.size()),
                              number(i64, target.levels.size()), number(i64, sumOfRanks(model.inputs)),
                              number(i64, sumOfRanks(model.outputs)), number(i64, model.symbolCount),
                              number(i64, weights.payloadBytes), number(i64, weights.id), global(offsets, "states"),
                              number(i64, model.states.size()), number(i64, states.bytes), number(i64, states.id)};
  llvm::Constant *record = global(llvm::ConstantStruct::getAnon(fields), "model");
  forward("open", "qtrt_open", i32, {pointer, pointer, pointer}, record);
  forward("shapes", "qtrt_shapes", i32, {pointer, pointer, pointer, pointer}, nullptr);
  forward("run", "qtrt_run", i32, {pointer, pointer, pointer, pointer, pointer}, nullptr);
  forward("state_size", "qtrt_state_size", i64, {pointer}, nullptr);
  forward("state_init", "qtrt_state_init", i32, {pointer, pointer}, nullptr);
  forward("close", "qtrt_close", llvm::Type::getVoidTy(context), {pointer}, nullptr);
  forward("level", "qtrt_level_name", pointer, {pointer}, nullptr);
  forward("error_text", "qtrt_error_text", pointer, {i32}, nullptr);
  return std::move(module);
}

llvm::Expected<ObjectBytes> mlir::qtensor::compileGlue(const ModelInterface &model, const WeightsFile &weights,
                                                      const Target &target) {
  auto machine = createTargetMachine(target, target.levels.front().cpu, target.levels.front().features);
  if (!machine)
    return machine.takeError();
  llvm::LLVMContext context;
  StringRef bitcode(reinterpret_cast<const char *>(runtimeBitcode), runtimeBitcodeSize);
  auto runtime = llvm::parseBitcodeFile(llvm::MemoryBufferRef(bitcode, "runtime"), context);
  if (!runtime)
    return runtime.takeError();
  Glue glue(context, model, weights, target);
  std::unique_ptr<llvm::Module> module = glue.build();
  module->setDataLayout((*runtime)->getDataLayout());
  module->setTargetTriple((*runtime)->getTargetTriple());
  if (llvm::Linker::linkModules(*module, std::move(*runtime)))
    return llvm::createStringError("the embedded runtime cannot be linked");
  llvm::internalizeModule(*module, [&](const llvm::GlobalValue &value) {
    return value.isDeclaration() || glue.exported.contains(value.getName());
  });
  return compileModule(*module, **machine);
}
