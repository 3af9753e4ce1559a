// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef QTENSOR_DIALECT_TD
#define QTENSOR_DIALECT_TD

include "mlir/IR/DialectBase.td"

def QTensorDialect : Dialect {
  let name = "qtensor";
  let cppNamespace = "::mlir::qtensor";
  let summary = "Storage of quantized tensors as a property of their type";
  let description = [{
    A logical tensor keeps its shape and real element type; an encoding attribute on its type says how the values are
    stored. Reads decode, only qtensor ops encode. See dialects/QTensor/README.md for the rationale and the numbered
    clauses.
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
  let extraClassDeclaration = [{
    /// Gives `codec` the spelling `name`. A name is only a spelling: two equal codecs print under the name that was
    /// registered first. Called while the dialect is loaded, by the records of lib/Formats.
    void registerCodecName(::llvm::StringRef name, ::mlir::Attribute codec);
    /// The codec spelled `name`, or null.
    ::mlir::Attribute lookupCodec(::llvm::StringRef name) const;
    /// The first registered spelling of `codec`, or an empty string.
    ::llvm::StringRef lookupCodecName(::mlir::Attribute codec) const;

  private:
    void registerAttributes();
    ::llvm::StringMap<::mlir::Attribute> codecsByName;
    ::llvm::DenseMap<::mlir::Attribute, std::string> namesByCodec;

  public:
  }];
}

#endif // QTENSOR_DIALECT_TD
