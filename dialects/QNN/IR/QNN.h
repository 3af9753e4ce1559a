// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/QNN/IR/QNNDialect.h.inc"
#include "dialects/QNN/IR/QNNInterfaces.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/QNN/IR/QNNAttrs.h.inc"
#define GET_OP_CLASSES
#include "dialects/QNN/IR/QNNOps.h.inc"
