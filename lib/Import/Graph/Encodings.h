// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Encodings as importers build them.
#pragma once
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Import/Graph/Emit.h"

namespace mlir::qtensor::graph {

/// Two's complement or unsigned integers of `bits` bits, ties to even.
CodecAttr integerCodec(MLIRContext *context, unsigned bits, bool isUnsigned);
/// A parameter that is one number of the type.
ParamAttr scalarParam(OpBuilder &b, double value);
/// A parameter that is data: a type or codec, one element per block.
ParamAttr dataParam(OpBuilder &b, Attribute kind);
/// The same codes in the byte-sized integer type that codecs of up to 8 bits use.
Val asContainer(Emit &e, const Val &x);

} // namespace mlir::qtensor::graph
