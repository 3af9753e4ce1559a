// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quantize/StaticRange.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringExtras.h"
#include "qtensor/Codec.h"
#include "qtensor/Encode.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;

static ParamAttr scalar(MLIRContext *context, double value) {
  return ParamAttr::get(context, Builder(context).getF64FloatAttr(value), false, {});
}

/// The mean squared error of storing what `seen` counted with static parameters.
static double squaredError(BlockAttr encoding, const ValueStatistics &seen) {
  NearestCode nearest(encoding.getCodec());
  auto number = [](ParamAttr param) { return param ? cast<FloatAttr>(param.getValue()).getValueAsDouble() : 0.0; };
  auto scale = static_cast<float>(number(encoding.getScale()));
  double zero = number(encoding.getZero());
  CodecRange codes = getCodecRange(encoding.getCodec());
  constexpr int kPoints = 4; // of each bin
  double sum = 0;
  for (int bin = 0; bin < ValueStatistics::kBins; ++bin)
    for (int point = 0; seen.histogram[bin] && point < kPoints; ++point) {
      double octaves =
          (bin + (point + 0.5) / kPoints) / ValueStatistics::kBinsPerOctave + ValueStatistics::kLowestExponent;
      for (double x : {std::exp2(octaves), -std::exp2(octaves)}) {
        if (x < seen.min || x > seen.max)
          continue;
        double code = std::clamp(x / scale + zero, codes.lowest, codes.highest);
        double error = x - (decodeCode(encoding.getCodec(), nearest(static_cast<float>(code))) - zero) * scale;
        sum += error * error * seen.histogram[bin];
      }
    }
  return sum;
}

static FailureOr<ValueStatistics> leastSquares(BlockAttr dynamic, const ValueStatistics &seen, EmitErrorFn emitError) {
  constexpr int kSteps = 6 * ValueStatistics::kBinsPerOctave;
  double largest = std::max(std::fabs(seen.min), std::fabs(seen.max)), leastError = 0;
  ValueStatistics best = seen;
  for (int step = 0; step < kSteps; ++step) {
    ValueStatistics cut = seen;
    double limit = largest * std::exp2(-double(step) / ValueStatistics::kBinsPerOctave);
    cut.min = std::max(seen.min, -limit);
    cut.max = std::min(seen.max, limit);
    FailureOr<BlockAttr> encoding = makeStaticEncoding(dynamic, cut, emitError);
    if (failed(encoding))
      return failure();
    double error = squaredError(*encoding, seen);
    if (step == 0 || error < leastError) {
      best = cut;
      leastError = error;
    }
  }
  return best;
}

FailureOr<ValueStatistics> qtensor::chooseRange(StringRef rule, BlockAttr dynamic, const ValueStatistics &seen,
                                                EmitErrorFn emitError) {
  double percent = 0;
  StringRef number = rule;
  if (rule.empty() || rule == "minmax")
    return seen;
  if (rule == "mse")
    return leastSquares(dynamic, seen, emitError);
  if (number.consume_front("percentile") && !number.getAsDouble(percent) && percent > 0 && percent <= 100)
    return seen.clipped(percent / 100);
  return emitError() << "a range of static formats is minmax, mse or percentile<p> with 0 < p <= 100 (percentile99.9), "
                        "got '"
                     << rule << "'",
         failure();
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

static constexpr StringLiteral kStatic = "/static", kAsymmetric = "/asymmetric";

bool qtensor::isStaticSpelling(StringRef spelling) {
  StringRef format = spelling.split('@').first;
  return format.ends_with(kStatic) || format.ends_with(kAsymmetric);
}

/// What a static spelling says before there is a range.
static FailureOr<FormatChoice> parseStatic(MLIRContext *context, StringRef spelling, unsigned rank, ArrayRef<int64_t> axes,
                                           EmitErrorFn emitError) {
  StringRef name = spelling.split('@').first;
  bool asymmetric = name.consume_back(kAsymmetric);
  if (!asymmetric)
    name.consume_back(kStatic);
  auto isKnown = [&] { return lookupFormat(context, name) || lookupFormatAlias(context, name); };
  bool isCodec = bool(context->getOrLoadDialect<QTensorDialect>()->lookupCodec(name));
  if (name.empty() || name.contains('/') || (!isCodec && isKnown()))
    return emitError() << "format '" << spelling << "': a static format is a codec and one block for the whole tensor; write "
                       << "<codec>" << kStatic << " or <codec>" << kAsymmetric << " (int8" << kStatic << ")",
           failure();
  FailureOr<FormatChoice> choice = parseFormatSpelling(context, (name + "/tensor").str(), rank, axes, emitError);
  if (failed(choice))
    return failure();
  auto block = cast<BlockAttr>(choice->encoding);
  if (asymmetric && !block.getZero()) {
    if (block.getCodec().getKind() != CodecKind::Int)
      return emitError() << "format '" << spelling << "': only integers have a zero point", failure();
    choice->encoding = BlockAttr::get(context, block.getCodec(), block.getBlock(), block.getScale(),
                                      ParamAttr::get(context, block.getCodec(), false, {}), {});
  }
  return choice;
}

FailureOr<FormatChoice> qtensor::chooseStaticFormat(MLIRContext *context, StringRef spelling, unsigned rank,
                                                    ArrayRef<int64_t> axes, const ValueStatistics *range, StringRef key,
                                                    EmitErrorFn emitError) {
  FailureOr<FormatChoice> choice = parseStatic(context, spelling, rank, axes, emitError);
  if (failed(choice))
    return failure();
  if (!range)
    return emitError() << "format '" << spelling << "' needs calibration statistics of '" << key
                       << "'; calibrate the model, or name the file that its calibration wrote",
           failure();
  auto block = cast<BlockAttr>(choice->encoding);
  FailureOr<ValueStatistics> used = chooseRange(spelling.split('@').second, block, *range, emitError);
  FailureOr<BlockAttr> encoding = failure();
  if (succeeded(used))
    encoding = makeStaticEncoding(block, *used, emitError);
  if (failed(encoding))
    return failure();
  choice->encoding = *encoding;
  choice->encoder.clear();
  return choice;
}

LogicalResult qtensor::checkSpelling(MLIRContext *context, StringRef spelling, bool takesStatic, EmitErrorFn emitError) {
  if (!isStaticSpelling(spelling)) {
    FailureOr<FormatChoice> choice = parseFormatSpelling(context, spelling, 2, {1}, emitError);
    if (succeeded(choice) && !llvm::is_contained(getEncoderNames(), choice->encoder))
      return emitError() << "unknown encoder '" << choice->encoder << "'; there are " << llvm::join(getEncoderNames(), ", ");
    return choice;
  }
  if (!takesStatic)
    return emitError() << "format '" << spelling << "': only activations have ranges that calibration sees";
  FailureOr<FormatChoice> choice = parseStatic(context, spelling, 2, {1}, emitError);
  if (failed(choice))
    return failure();
  ValueStatistics any;
  any.count = 1;
  any.min = any.max = 1;
  return chooseRange(spelling.split('@').second, cast<BlockAttr>(choice->encoding), any, emitError);
}
