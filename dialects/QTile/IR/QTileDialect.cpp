// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/QTile/IR/QTile.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::qtile;

#include "dialects/QTile/IR/QTileDialect.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/QTile/IR/QTileAttrs.cpp.inc"

void QTileDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/QTile/IR/QTileAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/QTile/IR/QTileOps.cpp.inc"
      >();
}

namespace mlir::qtensor {
void registerTileDialect(DialectRegistry &registry) { registry.insert<QTileDialect>(); }
} // namespace mlir::qtensor
