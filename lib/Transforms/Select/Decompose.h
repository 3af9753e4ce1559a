// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Private to this folder: the parts of the 1:N conversion from encoded tensors to components.
#pragma once
#include "mlir/Transforms/DialectConversion.h"

namespace mlir::qtensor {

/// Functions, returns and calls, with the attributes of arguments and results.
void populateFunctionDecomposition(const TypeConverter &converter, RewritePatternSet &patterns,
                                   ConversionTarget &target);

/// quantize, assemble, component, dequantize, insert.
void populateEncodingDecomposition(const TypeConverter &converter, RewritePatternSet &patterns);

/// tensor.empty, cast, dim, extract_slice, expand_shape, collapse_shape: they act on every component.
void populateTensorDecomposition(const TypeConverter &converter, RewritePatternSet &patterns);

/// Every other reader: decode, with the reason.
void populateReaderDecomposition(const TypeConverter &converter, RewritePatternSet &patterns);

} // namespace mlir::qtensor
