// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/Interface.h"
#include "lib/Runtime/qtensor_abi.h"
#include "lib/Transforms/Plan/Passes.h"
#include "lib/Transforms/Plan/States.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace mlir::qtensor;

StringRef mlir::qtensor::dtypeName(int32_t dtype) {
  static constexpr StringLiteral names[] = {"QT_BOOL", "QT_I8",  "QT_U8",  "QT_I16",  "QT_U16", "QT_I32", "QT_U32",
                                            "QT_I64",  "QT_U64", "QT_F16", "QT_BF16", "QT_F32", "QT_F64", "QT_OPAQUE8"};
  return names[dtype - 1];
}

/// The qt_dtype of an element type, or 0. Signless integers are signed; the importer says where that is not so.
static int32_t dtypeOf(Type type, bool isUnsigned) {
  if (type.isInteger(1))
    return QT_BOOL;
  if (type.isIndex())
    return QT_I64;
  if (auto integer = dyn_cast<IntegerType>(type)) {
    isUnsigned |= integer.isUnsigned();
    switch (integer.getWidth()) {
    case 8: return isUnsigned ? QT_U8 : QT_I8;
    case 16: return isUnsigned ? QT_U16 : QT_I16;
    case 32: return isUnsigned ? QT_U32 : QT_I32;
    case 64: return isUnsigned ? QT_U64 : QT_I64;
    }
    return 0;
  }
  if (type.isF16())
    return QT_F16;
  if (type.isBF16())
    return QT_BF16;
  if (type.isF32())
    return QT_F32;
  if (type.isF64())
    return QT_F64;
  return type.isIntOrFloat() && type.getIntOrFloatBitWidth() == 8 ? QT_OPAQUE8 : 0;
}

std::string mlir::qtensor::toIdentifier(StringRef text) {
  std::string name;
  for (char c : text)
    name += llvm::isAlnum(c) ? c : '_';
  if (StringRef(name).trim('_').empty())
    return "model";
  return llvm::isDigit(name[0]) ? "m" + name : name;
}

static LogicalResult read(ModuleOp module, DictionaryAttr entry, llvm::StringMap<int32_t> &symbols, TensorInterface &tensor) {
  auto type = cast<RankedTensorType>(entry.getAs<TypeAttr>("type").getValue());
  tensor.name = entry.getAs<StringAttr>("name").str();
  llvm::raw_string_ostream(tensor.typeText) << type;
  tensor.dtype = dtypeOf(type.getElementType(), entry.contains("unsigned"));
  if (!tensor.dtype)
    return module.emitError() << "'" << tensor.name << "' has elements of type " << type.getElementType()
                              << ", for which the C interface has no name; cast it in the model";
  if (type.getRank() > QT_MAX_RANK)
    return module.emitError() << "'" << tensor.name << "' has rank " << type.getRank() << "; the C interface ends at "
                              << int(QT_MAX_RANK);
  if (auto scale = entry.getAs<FloatAttr>("scale"))
    tensor.scale = float(scale.getValueAsDouble());
  if (auto zero = entry.getAs<IntegerAttr>("zero"))
    tensor.zero = zero.getInt();
  auto dims = entry.getAs<ArrayAttr>("dims");
  for (auto [d, extent] : llvm::enumerate(type.getShape())) {
    tensor.shape.push_back(ShapedType::isDynamic(extent) ? -1 : extent);
    auto name = dims && d < dims.size() ? dyn_cast<StringAttr>(dims[d]) : StringAttr();
    tensor.dims.push_back(name ? name.str() : "");
    tensor.symbols.push_back(tensor.dims.back().empty() || tensor.shape.back() >= 0
                                 ? -1
                                 : symbols.try_emplace(tensor.dims.back(), symbols.size()).first->second);
  }
  return success();
}

FailureOr<ModelInterface> mlir::qtensor::readInterface(ModuleOp module, StringRef name) {
  ModelInterface model;
  model.name = toIdentifier(name);
  llvm::StringMap<int32_t> symbols;
  for (auto [key, list] : {std::pair(kInputsAttr, &model.inputs), std::pair(kOutputsAttr, &model.outputs),
                           std::pair(kStatesAttr, &model.states)}) {
    auto entries = module->getAttrOfType<ArrayAttr>(key);
    if (!entries && list == &model.states)
      continue;
    if (!entries)
      return module.emitError() << "the module has no attribute " << key << "; it is not at phase C5";
    for (auto entry : entries.getAsRange<DictionaryAttr>())
      if (failed(read(module, entry, symbols, list->emplace_back())))
        return failure();
  }
  if (failed(verifyEntry(module)))
    return failure();
  model.symbolCount = symbols.size();
  return model;
}
