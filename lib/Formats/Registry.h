// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The records of one context: a dialect interface, so that it lives and dies with the dialect.
#pragma once
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "qtensor/Format.h"
#include "mlir/IR/DialectInterface.h"

namespace mlir::qtensor {
struct RecordEntry;

class FormatRegistry : public DialectInterface::Base<FormatRegistry> {
public:
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FormatRegistry)
  explicit FormatRegistry(Dialect *dialect) : Base(dialect) {}
  std::vector<NamedCodec> codecs;
  std::vector<NamedFormat> formats;
  llvm::StringMap<size_t> formatsByName;

  /// Reads all records; a bad one is a diagnostic that names its file and line, and is left out.
  void load(QTensorDialect &dialect);
  static const FormatRegistry &get(MLIRContext *context);

private:
  void add(const RecordEntry &entry, Attribute attribute, QTensorDialect &dialect);
};
} // namespace mlir::qtensor
