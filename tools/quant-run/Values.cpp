// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Values.h"
#include "Compare.h"
#include "NamedFiles.h"
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Import/Npy/NpyTypes.h"
#include "lib/Reference/Interpreter.h"
#include "lib/Transforms/Plan/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/xxhash.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace mlir::qtensor;
using reference::Tensor;

/// Elements without a NumPy type (bfloat16, 8-bit floats, narrow integers) are written as f4.
static NpyArray toArray(const Tensor &tensor) {
  NpyArray array;
  array.shape.assign(tensor.getShape().begin(), tensor.getShape().end());
  array.dtype = npyTypeOf(tensor.getElementType());
  if (!array.dtype.empty()) {
    array.data.assign(tensor.getBytes().begin(), tensor.getBytes().end());
    return array;
  }
  array.dtype = "f4";
  array.data.resize(tensor.getNumElements() * sizeof(float));
  for (int64_t i = 0, e = tensor.getNumElements(); i < e; ++i) {
    auto value = static_cast<float>(tensor.getNumber(i));
    std::memcpy(array.data.data() + i * sizeof value, &value, sizeof value);
  }
  return array;
}

/// The arguments of @main as the compiled model has them: the inputs, then the states.
static SmallVector<unsigned> orderArguments(func::FuncOp main) {
  SmallVector<unsigned> order;
  for (bool states : {false, true})
    for (unsigned i = 0; i < main.getNumArguments(); ++i)
      if (bool(main.getArgAttr(i, kStateAttr)) == states)
        order.push_back(i);
  return order;
}

llvm::Expected<std::vector<NpyArray>> tools::readArguments(ModuleOp module, ArrayRef<std::string> files) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main)
    return llvm::createStringError("the module has no function @main");
  SmallVector<unsigned> order = orderArguments(main);
  std::vector<std::string> names;
  for (auto [position, index] : llvm::enumerate(order)) {
    auto name = main.getArgAttrOfType<StringAttr>(index, "qtensor.name");
    names.push_back(name ? name.str() : "input" + std::to_string(position));
  }
  auto given = readInputs(files, names);
  if (!given)
    return given.takeError();
  std::vector<NpyArray> arguments(order.size());
  for (auto [index, name, array] : llvm::zip_equal(order, names, *given)) {
    auto type = dyn_cast<RankedTensorType>(main.getArgumentTypes()[index]);
    FailureOr<Tensor> zeros = failure();
    // States that are not given are zeros, as at a model's start.
    if (!array && type && type.hasStaticShape() && main.getArgAttr(index, kStateAttr))
      zeros = Tensor::zeros(type.getElementType(), type.getShape());
    if (!array && failed(zeros))
      return missingInput(name);
    arguments[index] = array ? std::move(*array) : toArray(*zeros);
  }
  return arguments;
}

static FailureOr<SmallVector<Tensor>> toTensors(func::FuncOp main, ArrayRef<NpyArray> inputs) {
  SmallVector<Tensor> tensors;
  for (auto [index, input, type] : llvm::enumerate(inputs, main.getArgumentTypes())) {
    auto tensorType = dyn_cast<RankedTensorType>(type);
    if (!tensorType || failed(verifyCompatibleShape(tensorType.getShape(), input.shape)))
      return main.emitError() << "input " << index << " has a shape that does not fit " << type;
    FailureOr<Tensor> tensor = Tensor::zeros(tensorType.getElementType(), input.shape);
    if (failed(tensor) || !fitsNpyType(tensorType.getElementType(), input.dtype))
      return main.emitError() << "input " << index << " has elements of type " << input.dtype << ", which do not fit " << type;
    llvm::copy(input.data, tensor->getMutableBytes().begin());
    tensors.push_back(std::move(*tensor));
  }
  return tensors;
}

static StringRef nameOf(Location loc) {
  StringRef name;
  loc->walk([&](Location at) {
    auto named = dyn_cast<NameLoc>(at);
    if (named)
      name = named.getName().getValue();
    return named ? WalkResult::interrupt() : WalkResult::advance();
  });
  return name;
}

/// Whether `op` computes a value of the model: no constant, no extent, and nothing that others only write over.
static bool computesValue(Operation *op) {
  if (op->getNumResults() == 0 || !isa<TensorType>(op->getResult(0).getType()) || isa<arith::ConstantOp, tensor::EmptyOp>(op))
    return false;
  auto isDestination = [](OpOperand &use) {
    auto user = dyn_cast<DestinationStyleOpInterface>(use.getOwner());
    return user && user.isDpsInit(&use);
  };
  return (op->getNumResults() == 1 || isa<AsOp>(op)) &&
         !(isa<linalg::FillOp>(op) && llvm::all_of(op->getResult(0).getUses(), isDestination));
}

/// Inputs and outputs have names of their own, whatever computes them.
static void addBorder(tools::NamedValues &values, ArrayAttr attributes, ArrayRef<Tensor> tensors) {
  for (auto [attribute, tensor] : llvm::zip(attributes ? attributes.getValue() : ArrayRef<Attribute>(), tensors))
    if (auto name = cast<DictionaryAttr>(attribute).getAs<StringAttr>("qtensor.name"))
      values[name.str()] = toArray(tensor);
}

FailureOr<tools::NamedValues> tools::evaluateValues(ModuleOp module, ArrayRef<NpyArray> inputs) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main)
    return module.emitError("the module has no function @main");
  FailureOr<SmallVector<Tensor>> arguments = toTensors(main, inputs);
  if (failed(arguments))
    return failure();
  NamedValues values;
  reference::EvaluateOptions options;
  options.observer = [&](Operation *op, ArrayRef<Tensor> results) {
    StringRef name = nameOf(op->getLoc());
    if (op->getParentOp() == main && !name.empty() && computesValue(op))
      values[name.str()] = toArray(results.front());
  };
  FailureOr<SmallVector<Tensor>> results = reference::evaluate(main, *arguments, options);
  if (failed(results))
    return failure();
  addBorder(values, main.getArgAttrsAttr(), *arguments);
  addBorder(values, main.getResAttrsAttr(), *results);
  return values;
}

std::string tools::valueFile(StringRef folder, StringRef name) {
  std::string file;
  for (char c : name)
    file += llvm::isAlnum(c) || c == '.' || c == '-' || c == '_' ? std::string(1, c)
                                                                  : "%" + llvm::utohexstr(static_cast<uint8_t>(c));
  // File systems end names at 255 bytes.
  constexpr size_t most = 200;
  if (file.size() > most)
    file = file.substr(0, most - 17) + "-" + llvm::utohexstr(llvm::xxh3_64bits(name), /*LowerCase=*/true, 16);
  return (folder + "/" + file + ".npy").str();
}

llvm::Error tools::writeValues(const NamedValues &values, StringRef folder) {
  if (std::error_code code = llvm::sys::fs::create_directories(folder))
    return llvm::createStringError(code, "cannot make the folder '" + folder + "': " + code.message());
  for (const auto &[name, array] : values)
    if (llvm::Error error = writeArray(array, valueFile(folder, name)))
      return error;
  return llvm::Error::success();
}

llvm::Error tools::compareValues(const NamedValues &values, StringRef folder, llvm::raw_ostream &os) {
  unsigned compared = 0;
  for (const auto &[name, array] : values) {
    std::string file = valueFile(folder, name);
    if (!llvm::sys::fs::exists(file))
      continue;
    auto want = readNpy(file);
    if (!want)
      return want.takeError();
    compareArrays(name, array, *want, INFINITY, 0, os);
    ++compared;
  }
  if (!compared)
    return llvm::createStringError("'" + folder + "' holds no value of this model; write them with --dump-values");
  os << compared << " of " << values.size() << " values have a file in '" << folder << "'\n";
  return llvm::Error::success();
}
