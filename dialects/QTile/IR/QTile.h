// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/QTile/IR/QTileDialect.h.inc"

namespace mlir::qtile {
/// A line of the cache, as qtile.prefetch counts.
inline constexpr int64_t kLineBytes = 64;
} // namespace mlir::qtile
#define GET_ATTRDEF_CLASSES
#include "dialects/QTile/IR/QTileAttrs.h.inc"
#define GET_OP_CLASSES
#include "dialects/QTile/IR/QTileOps.h.inc"
