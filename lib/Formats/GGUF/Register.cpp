// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Formats/GGUF/Encoders.h"
#include "mlir/IR/DialectRegistry.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace mlir::qtensor {
void registerGGUFEncoders(DialectRegistry &) {
  static const RecordEncoder encoders[] = {
      {"ggml_q4_0", "the peak becomes -8; reciprocal of the unrounded scale, half up", {32, 1}, gguf::encodeQ4_0},
      {"ggml_q4_1", "minimum and range; reciprocal of the unrounded scale, half up", {32, 1, 1}, gguf::encodeQ4_1},
      {"ggml_q5_0", "as ggml_q4_0 with -16", {32, 1}, gguf::encodeQ5_0},
      {"ggml_q5_1", "as ggml_q4_1 with 31", {32, 1, 1}, gguf::encodeQ5_1},
      {"ggml_q8_0", "absmax / 127; reciprocal of the unrounded scale, half away", {32, 1}, gguf::encodeQ8_0},
      {"ggml_q2_k", "weighted affine search, absolute errors", {256, 16, 1, 16, 1}, gguf::encodeQ2_K},
      {"ggml_q3_k", "weighted least squares, code by code", {256, 16, 1}, gguf::encodeQ3_K},
      {"ggml_q4_k", "weighted affine search of 21 scales", {256, 8, 1, 8, 1}, gguf::encodeQ4_K},
      {"ggml_q5_k", "weighted affine search of 16 scales", {256, 8, 1, 8, 1}, gguf::encodeQ5_K},
      {"ggml_q6_k", "weighted least squares over 19 scales", {256, 16, 1}, gguf::encodeQ6_K},
      {"ggml_iq4_nl", "weighted least squares over 16 scales of the table", {32, 1}, gguf::encodeIQ4_NL},
      {"ggml_iq4_xs", "as ggml_iq4_nl, scales in 6 bits", {256, 8, 1}, gguf::encodeIQ4_XS},
      {"ggml_tq", "absmax; half away", {256, 1}, gguf::encodeTernary},
      {"ggml_mxfp4", "floor of the exponent; first code of least error", {32, 1}, gguf::encodeMXFP4},
      {"ggml_nvfp4", "absmax / 6 in unsigned e4m3; first code of least error", {64, 4}, gguf::encodeNVFP4},
  };
  for (const RecordEncoder &encoder : encoders)
    registerRecordEncoder(encoder);
}
} // namespace mlir::qtensor
