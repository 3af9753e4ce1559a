// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "dialects/QTensor/IR/ModuleAttrs.h"
#include "dialects/QTensor/IR/QTensorOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/InliningUtils.h"

using namespace mlir;
using namespace mlir::qtensor;

#include "dialects/QTensor/IR/QTensorDialect.cpp.inc"

namespace {
/// Encodings print as `#block`, `#block1`, ... so that a nested type stays one short line.
struct QTensorAsmInterface : OpAsmDialectInterface {
  using OpAsmDialectInterface::OpAsmDialectInterface;
  AliasResult getAlias(Attribute attr, raw_ostream &os) const override {
    if (isa<BlockAttr>(attr)) {
      os << "block";
      return AliasResult::OverridableAlias;
    }
    return AliasResult::NoAlias;
  }
};
/// Operations mean the same in any function.
struct QTensorInlinerInterface : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;
  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const override { return true; }
  bool isLegalToInline(Region *, Region *, bool, IRMapping &) const override { return true; }
};
} // namespace

void QTensorDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "dialects/QTensor/IR/QTensorOps.cpp.inc"
      >();
  addInterfaces<QTensorAsmInterface, QTensorInlinerInterface>();
}

LogicalResult QTensorDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  return verifyModuleAttribute(op, attribute);
}

void QTensorDialect::registerCodecName(StringRef name, Attribute codec) {
  codecsByName.try_emplace(name, codec);
  namesByCodec.try_emplace(codec, name.str());
}

Attribute QTensorDialect::lookupCodec(StringRef name) const { return codecsByName.lookup(name); }

StringRef QTensorDialect::lookupCodecName(Attribute codec) const {
  auto it = namesByCodec.find(codec);
  return it == namesByCodec.end() ? StringRef() : StringRef(it->second);
}

EncodingAttrInterface mlir::qtensor::getEncoding(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? dyn_cast_or_null<EncodingAttrInterface>(tensor.getEncoding()) : EncodingAttrInterface();
}

BlockAttr mlir::qtensor::getBlockEncoding(Type type) {
  return dyn_cast_or_null<BlockAttr>(static_cast<Attribute>(getEncoding(type)));
}

RankedTensorType mlir::qtensor::stripEncoding(RankedTensorType type) {
  return RankedTensorType::get(type.getShape(), type.getElementType());
}

namespace mlir::qtensor {
void registerQTensorDialect(DialectRegistry &registry) { registry.insert<QTensorDialect>(); }
} // namespace mlir::qtensor
