// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ONNX Runtime's com.microsoft.MatMulNBits: a (N, K) matrix, each row in blocks of b codes, the last one filled up; zero
// points two a byte, a row of them in whole bytes.
#matmulnbits = #qtensor.format<block<uint4, [1, 32], scale = f32, zero = uint4>, sized,
  layout = <whole,
    codes in "B" = [4 : (n, k)[N, K, b] -> (((n * (K ceildiv b) + k floordiv b) * b + k mod b) * 4)],
    scale in "scales" = [32 : (i) -> (i * 32)],
    zero in "zero_points" = [4 : (n, k)[N, K] -> (n * (K ceildiv 2) * 8 + k * 4)]>,
  aliases = {onnx = "com.microsoft.MatMulNBits"}, summary = "ONNX Runtime's MatMulNBits, 4 bits">
#matmulnbits8 = #qtensor.format<block<uint8, [1, 32], scale = f32, zero = uint8>, sized,
  layout = <whole,
    codes in "B" = [8 : (n, k)[N, K, b] -> (((n * (K ceildiv b) + k floordiv b) * b + k mod b) * 8)],
    scale in "scales" = [32 : (i) -> (i * 32)],
    zero in "zero_points" = [8 : (i) -> (i * 8)]>,
  aliases = {onnx = "com.microsoft.MatMulNBits, bits = 8"}, summary = "ONNX Runtime's MatMulNBits, 8 bits">
