// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Plan/States.h"
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Plan/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
struct State {
  std::optional<unsigned> argument, result;
};
using States = llvm::MapVector<StringAttr, State>;
} // namespace

static LogicalResult collect(func::FuncOp main, States &states, llvm::function_ref<InFlightDiagnostic()> emitError) {
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    if (auto name = main.getArgAttrOfType<StringAttr>(i, kStateAttr))
      if (std::exchange(states[name].argument, i))
        return emitError() << "two arguments are the state '" << name.getValue() << "'";
  for (unsigned i = 0; i < main.getNumResults(); ++i)
    if (auto name = main.getResultAttrOfType<StringAttr>(i, kStateAttr))
      if (std::exchange(states[name].result, i))
        return emitError() << "two results are the state '" << name.getValue() << "'";
  for (auto &[name, state] : states) {
    if (!state.argument || !state.result)
      return emitError() << "the state '" << name.getValue() << "' is no pair of an argument and a result";
    Type before = main.getArgumentTypes()[*state.argument], after = main.getResultTypes()[*state.result];
    auto type = dyn_cast<RankedTensorType>(before);
    if (!type || before != after || !type.hasStaticShape())
      return emitError() << "the state '" << name.getValue() << "' comes as " << before << " and leaves as " << after
                         << "; a state has one type of fixed extents (fix open ones with --dim)";
  }
  return success();
}

LogicalResult qtensor::verifyStates(func::FuncOp main, llvm::function_ref<InFlightDiagnostic()> emitError) {
  States states;
  return collect(main, states, emitError);
}

StringAttr qtensor::findState(func::FuncOp main, Value dest) {
  while (Operation *op = dest.getDefiningOp()) {
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
      dest = insert.getDest();
    else if (auto insert = dyn_cast<InsertOp>(op))
      dest = insert.getDest();
    else
      return {};
  }
  auto argument = dyn_cast<BlockArgument>(dest);
  return argument && argument.getOwner() == &main.front() ? main.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kStateAttr)
                                                          : StringAttr();
}

/// The numbers from 0 to `count` with `last` at the end.
static SmallVector<unsigned> orderWithLast(unsigned count, ArrayRef<unsigned> last) {
  SmallVector<unsigned> order;
  for (unsigned i = 0; i < count; ++i)
    if (!llvm::is_contained(last, i))
      order.push_back(i);
  llvm::append_range(order, last);
  return order;
}

template <typename T> static SmallVector<T> permute(ArrayRef<unsigned> order, llvm::function_ref<T(unsigned)> get) {
  return llvm::map_to_vector(order, get);
}

FailureOr<unsigned> qtensor::moveStatesLast(func::FuncOp main) {
  States states;
  if (failed(collect(main, states, [&] { return main.emitError(); })))
    return failure();
  if (states.empty())
    return 0u;
  SmallVector<unsigned> lastArguments, lastResults;
  for (auto &[name, state] : states) {
    lastArguments.push_back(*state.argument);
    lastResults.push_back(*state.result);
  }
  SmallVector<unsigned> arguments = orderWithLast(main.getNumArguments(), lastArguments);
  SmallVector<unsigned> results = orderWithLast(main.getNumResults(), lastResults);
  auto argumentTypes = permute<Type>(arguments, [&](unsigned i) { return main.getArgumentTypes()[i]; });
  auto resultTypes = permute<Type>(results, [&](unsigned i) { return main.getResultTypes()[i]; });
  auto dictionary = [&](DictionaryAttr attrs) { return attrs ? attrs : DictionaryAttr::get(main.getContext()); };
  auto argumentAttrs =
      permute<DictionaryAttr>(arguments, [&](unsigned i) { return dictionary(main.getArgAttrDict(i)); });
  auto resultAttrs =
      permute<DictionaryAttr>(results, [&](unsigned i) { return dictionary(main.getResultAttrDict(i)); });
  Block &body = main.front();
  unsigned count = body.getNumArguments();
  for (unsigned i : arguments) {
    BlockArgument from = body.getArgument(i);
    from.replaceAllUsesWith(body.addArgument(from.getType(), from.getLoc()));
  }
  body.eraseArguments(0, count);
  Operation *ret = body.getTerminator();
  ret->setOperands(permute<Value>(results, [&](unsigned i) { return ret->getOperand(i); }));
  main.setType(FunctionType::get(main.getContext(), argumentTypes, resultTypes));
  main.setAllArgAttrs(argumentAttrs);
  main.setAllResultAttrs(resultAttrs);
  return states.size();
}

/// The argument whose memory `value` may lie in, seen through views and destinations; null if there is none.
static BlockArgument findMemory(Value value, Block &body) {
  while (Operation *op = value.getDefiningOp()) {
    if (isa<tensor::CastOp, tensor::ExtractSliceOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op))
      value = op->getOperand(0);
    else if (auto destination = dyn_cast<DestinationStyleOpInterface>(op))
      value = destination.getTiedOpOperand(cast<OpResult>(value))->get();
    else
      return {};
  }
  auto argument = cast<BlockArgument>(value);
  return argument.getOwner() == &body ? argument : BlockArgument();
}

void qtensor::copySharedStates(func::FuncOp main, unsigned states) {
  Block &body = main.front();
  Operation *ret = body.getTerminator();
  OpBuilder b(ret);
  for (unsigned i = 0; i < states; ++i) {
    OpOperand &result = ret->getOpOperand(ret->getNumOperands() - states + i);
    BlockArgument memory = findMemory(result.get(), body);
    unsigned own = body.getNumArguments() - states + i;
    if (!memory || memory.getArgNumber() < body.getNumArguments() - states || memory.getArgNumber() == own)
      continue;
    auto type = cast<RankedTensorType>(result.get().getType());
    result.set(bufferization::AllocTensorOp::create(b, ret->getLoc(), type, ValueRange(), result.get()));
  }
}

bool qtensor::isStateArgument(func::FuncOp main, unsigned index) {
  auto module = main->getParentOfType<ModuleOp>();
  auto inputs = module->getAttrOfType<ArrayAttr>(kInputsAttr), states = module->getAttrOfType<ArrayAttr>(kStatesAttr);
  unsigned first = kFirstTensorArgument + (inputs ? inputs.size() : 0);
  return states && index >= first && index < first + states.size();
}

LogicalResult qtensor::verifyEntry(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal())
    return module.emitError("the module has no function @main with a body; it is not at phase C5");
  SmallVector<RankedTensorType> tensors;
  for (StringRef key : {kInputsAttr, kStatesAttr, kOutputsAttr})
    if (auto entries = module->getAttrOfType<ArrayAttr>(key))
      for (auto entry : entries.getAsRange<DictionaryAttr>())
        tensors.push_back(cast<RankedTensorType>(entry.getAs<TypeAttr>("type").getValue()));
  ArrayRef<Type> types = main.getArgumentTypes();
  auto isBuffer = [](Type type, ArrayRef<int64_t> shape, Type element) {
    auto buffer = dyn_cast<MemRefType>(type);
    return buffer && buffer.getShape() == shape && buffer.getElementType() == element;
  };
  Type byte = IntegerType::get(module.getContext(), 8);
  bool fits = types.size() == kFirstTensorArgument + tensors.size() && isa<LLVM::LLVMPointerType>(types[kContextArgument]) &&
              isBuffer(types[kWeightsArgument], ShapedType::kDynamic, byte) &&
              isBuffer(types[kScratchArgument], ShapedType::kDynamic, byte) && main.getResultTypes().empty();
  for (size_t i = 0; fits && i < tensors.size(); ++i)
    fits = isBuffer(types[kFirstTensorArgument + i], tensors[i].getShape(), tensors[i].getElementType());
  if (!fits)
    return main.emitError() << "@main does not take a context, weights, scratch memory and the buffers that " << kInputsAttr
                            << ", " << kStatesAttr << " and " << kOutputsAttr
                            << " describe, and return nothing; run qtensor-make-entry and bufferize";
  return success();
}
