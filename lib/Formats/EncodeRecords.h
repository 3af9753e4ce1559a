// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "qtensor/Encode.h"
#include "qtensor/RecordEncoder.h"

namespace mlir::qtensor {
/// Encodes a whole tensor by a reference encoder, record by record along the blocked axis.
FailureOr<std::vector<ComponentBytes>> encodeRecords(ArrayRef<float> values, ArrayRef<int64_t> shape,
                                                     BlockAttr encoding, const RecordEncoder &encoder, bool parallel,
                                                     EmitErrorFn emitError);
} // namespace mlir::qtensor
