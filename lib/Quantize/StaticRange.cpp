// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quantize/StaticRange.h"
#include "mlir/IR/Builders.h"
#include "qtensor/Codec.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;

static ParamAttr scalar(MLIRContext *context, double value) {
  return ParamAttr::get(context, Builder(context).getF64FloatAttr(value), false, {});
}

FailureOr<BlockAttr> qtensor::makeStaticEncoding(BlockAttr dynamic, const ValueStatistics &range,
                                                 EmitErrorFn emitError) {
  if (range.count == 0 || !std::isfinite(range.min) || !std::isfinite(range.max))
    return emitError() << "calibration saw no finite value of this tensor", failure();
  MLIRContext *context = dynamic.getContext();
  CodecRange codes = getCodecRange(dynamic.getCodec());
  double scale, zero = 0;
  if (dynamic.getZero()) {
    // 0 is inside the range and stands on a code: padding and ReLU stay exact.
    double low = std::min(range.min, 0.0), high = std::max(range.max, 0.0);
    scale = static_cast<float>((high - low) / (codes.highest - codes.lowest));
    zero = scale > 0 ? std::nearbyint(codes.lowest - low / scale) : codes.lowest;
  } else {
    scale = static_cast<float>(std::max(std::fabs(range.min), std::fabs(range.max)) / codes.amax);
  }
  if (!(scale > 0))
    scale = 1;
  return BlockAttr::get(context, dynamic.getCodec(), dynamic.getBlock(), scalar(context, scale),
                        dynamic.getZero() ? scalar(context, zero) : ParamAttr(), {});
}
