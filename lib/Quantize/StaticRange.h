// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Encodings whose parameters stand in the type, from calibrated ranges.
#pragma once
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "lib/Calibrate/Statistics.h"
#include "qtensor/Format.h"

namespace mlir::qtensor {

/// The part of a calibrated range that codes are spent on, by rule:
/// - "minmax" (or nothing): all that was seen;
/// - "percentile<p>", e.g. "percentile99.9": magnitudes up to that percentile, from the histogram, at most 9 % too far;
/// - "mse": of ranges cut in steps of an eighth of a power of two, the one whose rounding and clipping has the least
///   mean squared error over the histogram, with the codec of `dynamic`.
FailureOr<ValueStatistics> chooseRange(StringRef rule, BlockAttr dynamic, const ValueStatistics &seen,
                                       EmitErrorFn emitError);

/// `dynamic` (one block for the whole tensor) with constants for its parameters. Without a zero point the largest
/// magnitude of `range` becomes the codec's; with one, its ends (and 0) become the ends of the codes, and the zero
/// point is a code, so that 0 stays exact.
FailureOr<BlockAttr> makeStaticEncoding(BlockAttr dynamic, const ValueStatistics &range, EmitErrorFn emitError);

/// Whether `spelling` names a format whose parameters come from calibration: "<codec>/static", or "<codec>/asymmetric" with
/// a zero point for signed codes too (unsigned ones always have it); with or without "@<rule>".
bool isStaticSpelling(StringRef spelling);

/// The format of such a spelling for a tensor of `rank` with `range` (null: an error that names `key`).
FailureOr<FormatChoice> chooseStaticFormat(MLIRContext *context, StringRef spelling, unsigned rank, ArrayRef<int64_t> axes,
                                           const ValueStatistics *range, StringRef key, EmitErrorFn emitError);

/// Whether `spelling` names a format, of matrices reduced over their rows; static ones where `takesStatic`. Fails after an
/// error.
LogicalResult checkSpelling(MLIRContext *context, StringRef spelling, bool takesStatic, EmitErrorFn emitError);

} // namespace mlir::qtensor
