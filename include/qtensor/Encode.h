// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Encoding and decoding whole tensors. Components are byte buffers, row-major, little endian, in the order and with the
// types of EncodingAttrInterface::getComponents.
#pragma once
#include "qtensor/Format.h"
#include "llvm/ADT/SmallVector.h"

namespace mlir::qtensor {

using ComponentBytes = std::vector<char>;
class NearestCodes;

struct EncodeOptions {
  /// How parameters are found: "absmax" (the largest magnitude of a block becomes the codec's amax; with a zero point
  /// or an offset per block the smallest and largest value become its ends), "mse" (absmax, then the scale of least
  /// squared error among fixed fractions of it), a scale rule, or a reference encoder of the records.
  llvm::StringRef encoder = "absmax";
  bool parallel = true; ///< On all cores; the result does not depend on it.
  NearestCodes *nearest = nullptr; ///< What other calls have built already; may be null.
};

/// Encodes `values` (row-major, `shape`) with parameters computed from them. Codes are rounded with the *stored*
/// parameters, unless a reference encoder says otherwise. An all-zero block gets scale 0 and the code of zero; NaN does
/// not take part in ranges and takes the codec's NaN code; infinities saturate. Errors: unknown encoder, wrong sizes.
FailureOr<std::vector<ComponentBytes>> encodeTensor(llvm::ArrayRef<float> values, llvm::ArrayRef<int64_t> shape,
                                                    BlockAttr encoding, const EncodeOptions &options,
                                                    EmitErrorFn emitError);

/// How many rows (positions of the first dimension) make a piece that can be encoded apart from the others: pieces of so
/// many rows, or a multiple, have the bytes of the whole. 0 where a parameter depends on the whole tensor.
int64_t getIndependentRows(BlockAttr encoding, llvm::StringRef encoder);

/// Codes under given parameters: `params` are all components but the codes.
FailureOr<ComponentBytes> encodeWithParams(llvm::ArrayRef<float> values, llvm::ArrayRef<int64_t> shape,
                                           BlockAttr encoding, llvm::ArrayRef<llvm::ArrayRef<char>> params,
                                           EmitErrorFn emitError);

/// The values of an encoded tensor in f32: `scale * (code - zero) + offset`, every step rounded, nested parameters
/// first.
LogicalResult decodeTensor(llvm::ArrayRef<llvm::ArrayRef<char>> components, llvm::ArrayRef<int64_t> shape,
                           BlockAttr encoding, llvm::MutableArrayRef<float> values, EmitErrorFn emitError);

/// Names for `EncodeOptions::encoder`, sorted.
std::vector<std::string> getEncoderNames();

} // namespace mlir::qtensor
