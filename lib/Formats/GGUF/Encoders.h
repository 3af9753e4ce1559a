// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The encoders of this folder, in the shape of RecordEncoder::encode.
#pragma once
#include "qtensor/RecordEncoder.h"

namespace mlir::qtensor::gguf {
using llvm::ArrayRef;

void encodeQ4_0(ArrayRef<float> x, RecordCodes out);
void encodeQ4_1(ArrayRef<float> x, RecordCodes out);
void encodeQ5_0(ArrayRef<float> x, RecordCodes out);
void encodeQ5_1(ArrayRef<float> x, RecordCodes out);
void encodeQ8_0(ArrayRef<float> x, RecordCodes out);
void encodeTernary(ArrayRef<float> x, RecordCodes out);
void encodeMXFP4(ArrayRef<float> x, RecordCodes out);
void encodeNVFP4(ArrayRef<float> x, RecordCodes out);

void encodeQ2_K(ArrayRef<float> x, RecordCodes out);
void encodeQ3_K(ArrayRef<float> x, RecordCodes out);
void encodeQ4_K(ArrayRef<float> x, RecordCodes out);
void encodeQ5_K(ArrayRef<float> x, RecordCodes out);
void encodeQ6_K(ArrayRef<float> x, RecordCodes out);

void encodeIQ4_NL(ArrayRef<float> x, RecordCodes out);
void encodeIQ4_XS(ArrayRef<float> x, RecordCodes out);
} // namespace mlir::qtensor::gguf
