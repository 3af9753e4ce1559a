// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The block formats of GGUF files, by ggml's type numbers. Records are little endian.
#biased3 = #qtensor.codec<3, int<offset 4>>
#biased4 = #qtensor.codec<4, int<offset 8>>
#biased5 = #qtensor.codec<5, int<offset 16>>
#biased6 = #qtensor.codec<6, int<offset 32>>
#iq4 = #qtensor.codec<4, table<[-127.0, -104.0, -83.0, -65.0, -49.0, -35.0, -22.0, -10.0,
  1.0, 13.0, 25.0, 38.0, 53.0, 69.0, 89.0, 113.0]>, tie = up>
#ue4m3 = #qtensor.codec<7, fp<4, 3, bias 7, fn>, tie = up>
#ggml_f16 = #qtensor.format<block<f16, [1, ?]>,
  layout = <[1, 1] in 2,
    codes = [16 : (i) -> (0)]>,
  encoder = "absmax", aliases = {ggml = 1, gguf = "F16"}, summary = "GGUF F16">
#ggml_bf16 = #qtensor.format<block<bf16, [1, ?]>,
  layout = <[1, 1] in 2,
    codes = [16 : (i) -> (0)]>,
  encoder = "absmax", aliases = {ggml = 30, gguf = "BF16"}, summary = "GGUF BF16">
#q4_0 = #qtensor.format<block<biased4, [1, 32], scale = f16>,
  layout = <[1, 32] in 18,
    scale = [16 : (i) -> (0)],
    codes = [4 : (i) -> (16 + (i mod 16) * 8 + (i floordiv 16) * 4)]>,
  encoder = "ggml_q4_0", aliases = {ggml = 2, gguf = "Q4_0"}, summary = "GGUF Q4_0">
#q4_1 = #qtensor.format<block<uint4, [1, 32], scale = f16, offset = f16>,
  layout = <[1, 32] in 20,
    scale = [16 : (i) -> (0)],
    offset = [16 : (i) -> (16)],
    codes = [4 : (i) -> (32 + (i mod 16) * 8 + (i floordiv 16) * 4)]>,
  encoder = "ggml_q4_1", aliases = {ggml = 3, gguf = "Q4_1"}, summary = "GGUF Q4_1">
#q5_0 = #qtensor.format<block<biased5, [1, 32], scale = f16>,
  layout = <[1, 32] in 22,
    scale = [16 : (i) -> (0)],
    codes = [4 : (i) -> (48 + (i mod 16) * 8 + (i floordiv 16) * 4), 1 : (i) -> (16 + i)]>,
  encoder = "ggml_q5_0", aliases = {ggml = 6, gguf = "Q5_0"}, summary = "GGUF Q5_0">
#q5_1 = #qtensor.format<block<uint5, [1, 32], scale = f16, offset = f16>,
  layout = <[1, 32] in 24,
    scale = [16 : (i) -> (0)],
    offset = [16 : (i) -> (16)],
    codes = [4 : (i) -> (64 + (i mod 16) * 8 + (i floordiv 16) * 4), 1 : (i) -> (32 + i)]>,
  encoder = "ggml_q5_1", aliases = {ggml = 7, gguf = "Q5_1"}, summary = "GGUF Q5_1">
#q8_0 = #qtensor.format<block<int8, [1, 32], scale = f16>,
  layout = <[1, 32] in 34,
    scale = [16 : (i) -> (0)],
    codes = [8 : (i) -> (16 + i * 8)]>,
  encoder = "ggml_q8_0", aliases = {ggml = 8, gguf = "Q8_0"}, summary = "GGUF Q8_0">
#q2_k = #qtensor.format<block<uint2, [1, 16], scale = block<uint4, [1, 16], scale = f16>,
    offset = neg block<uint4, [1, 16], scale = f16>>,
  layout = <[1, 256] in 84,
    codes = [2 : (i) -> (128 + (i floordiv 128) * 256 + (i mod 32) * 8 + ((i floordiv 32) mod 4) * 2)],
    scale.codes = [4 : (j) -> (j * 8)],
    scale.scale = [16 : (i) -> (640)],
    offset.codes = [4 : (j) -> (4 + j * 8)],
    offset.scale = [16 : (i) -> (656)]>,
  encoder = "ggml_q2_k", aliases = {ggml = 10, gguf = "Q2_K"}, summary = "GGUF Q2_K">
#q3_k = #qtensor.format<block<biased3, [1, 16], scale = block<biased6, [1, 16], scale = f16>>,
  layout = <[1, 256] in 110,
    codes = [2 : (i) -> (256 + (i floordiv 128) * 256 + (i mod 32) * 8 + ((i floordiv 32) mod 4) * 2),
      1 : (i) -> ((i mod 32) * 8 + i floordiv 32)],
    scale.codes = [4 : (j) -> (768 + (j mod 8) * 8 + (j floordiv 8) * 4), 2 : (j) -> (832 + (j mod 4) * 8 + (j floordiv 4) * 2)],
    scale.scale = [16 : (i) -> (864)]>,
  encoder = "ggml_q3_k", aliases = {ggml = 11, gguf = "Q3_K"}, summary = "GGUF Q3_K">
#q4_k = #qtensor.format<block<uint4, [1, 32], scale = block<uint6, [1, 8], scale = f16>,
    offset = neg block<uint6, [1, 8], scale = f16>>,
  layout = <[1, 256] in 144,
    scale.scale = [16 : (i) -> (0)],
    offset.scale = [16 : (i) -> (16)],
    scale.codes = [4 : (j) -> (32 + (j mod 4) * 8 + (j floordiv 4) * 64), 2 : (j) -> (36 + (j mod 4) * 8 + (j floordiv 4) * 2)],
    offset.codes = [4 : (j) -> (64 + (j mod 4) * 8 + (j floordiv 4) * 36), 2 : (j) -> (68 + (j mod 4) * 8 + (j floordiv 4) * 2)],
    codes = [4 : (i) -> (128 + (i floordiv 64) * 256 + (i mod 32) * 8 + ((i floordiv 32) mod 2) * 4)]>,
  encoder = "ggml_q4_k", aliases = {ggml = 12, gguf = "Q4_K"}, summary = "GGUF Q4_K">
#q5_k = #qtensor.format<block<uint5, [1, 32], scale = block<uint6, [1, 8], scale = f16>,
    offset = neg block<uint6, [1, 8], scale = f16>>,
  layout = <[1, 256] in 176,
    scale.scale = [16 : (i) -> (0)],
    offset.scale = [16 : (i) -> (16)],
    scale.codes = [4 : (j) -> (32 + (j mod 4) * 8 + (j floordiv 4) * 64), 2 : (j) -> (36 + (j mod 4) * 8 + (j floordiv 4) * 2)],
    offset.codes = [4 : (j) -> (64 + (j mod 4) * 8 + (j floordiv 4) * 36), 2 : (j) -> (68 + (j mod 4) * 8 + (j floordiv 4) * 2)],
    codes = [4 : (i) -> (384 + (i floordiv 64) * 256 + (i mod 32) * 8 + ((i floordiv 32) mod 2) * 4),
      1 : (i) -> (128 + (i mod 32) * 8 + i floordiv 32)]>,
  encoder = "ggml_q5_k", aliases = {ggml = 13, gguf = "Q5_K"}, summary = "GGUF Q5_K">
#q6_k = #qtensor.format<block<biased6, [1, 16], scale = block<int8, [1, 16], scale = f16>>,
  layout = <[1, 256] in 210,
    scale.scale = [16 : (i) -> (1664)],
    scale.codes = [8 : (j) -> (1536 + j * 8)],
    codes = [4 : (i) -> ((i floordiv 128) * 512 + ((i floordiv 32) mod 2) * 256 + (i mod 32) * 8 + ((i floordiv 64) mod 2) * 4),
      2 : (i) -> (1024 + (i floordiv 128) * 256 + (i mod 32) * 8 + ((i floordiv 32) mod 4) * 2)]>,
  encoder = "ggml_q6_k", aliases = {ggml = 14, gguf = "Q6_K"}, summary = "GGUF Q6_K">
#iq4_nl = #qtensor.format<block<iq4, [1, 32], scale = f16>,
  layout = <[1, 32] in 18,
    scale = [16 : (i) -> (0)],
    codes = [4 : (i) -> (16 + (i mod 16) * 8 + (i floordiv 16) * 4)]>,
  encoder = "ggml_iq4_nl", aliases = {ggml = 20, gguf = "IQ4_NL"}, summary = "GGUF IQ4_NL">
#iq4_xs = #qtensor.format<block<iq4, [1, 32], scale = block<biased6, [1, 8], scale = f16>>,
  layout = <[1, 256] in 136,
    scale.scale = [16 : (i) -> (0)],
    scale.codes = [4 : (j) -> (32 + j * 4), 2 : (j) -> (16 + j * 2)],
    codes = [4 : (i) -> (64 + (i floordiv 32) * 128 + (i mod 16) * 8 + ((i floordiv 16) mod 2) * 4)]>,
  encoder = "ggml_iq4_xs", aliases = {ggml = 23, gguf = "IQ4_XS"}, summary = "GGUF IQ4_XS">
#tq1_0 = #qtensor.format<block<trit, [1, 256], scale = f16>,
  layout = <[1, 256] in 54,
    codes = [digit 3 of 5 : (i) -> (i mod 32, i floordiv 32) for 0 to 160,
      digit 3 of 5 : (i) -> (32 + (i - 160) mod 16, (i - 160) floordiv 16) for 160 to 240,
      digit 3 of 5 : (i) -> (48 + (i - 240) mod 4, (i - 240) floordiv 4) for 240 to 256],
    scale = [16 : (i) -> (416)]>,
  encoder = "ggml_tq", aliases = {ggml = 34, gguf = "TQ1_0"}, summary = "GGUF TQ1_0">
#tq2_0 = #qtensor.format<block<ternary, [1, 256], scale = f16>,
  layout = <[1, 256] in 66,
    codes = [2 : (i) -> (0 + (i floordiv 128) * 256 + (i mod 32) * 8 + ((i floordiv 32) mod 4) * 2)],
    scale = [16 : (i) -> (512)]>,
  encoder = "ggml_tq", aliases = {ggml = 35, gguf = "TQ2_0"}, summary = "GGUF TQ2_0">
#ggml_mxfp4 = #qtensor.format<block<e2m1, [1, 32], scale = e8m0>,
  layout = <[1, 32] in 17,
    scale = [8 : (i) -> (0)],
    codes = [4 : (i) -> (8 + (i mod 16) * 8 + (i floordiv 16) * 4)]>,
  encoder = "ggml_mxfp4", aliases = {ggml = 39, gguf = "MXFP4"}, summary = "MXFP4 as GGUF stores it">
#ggml_nvfp4 = #qtensor.format<block<e2m1, [1, 16], scale = ue4m3>,
  layout = <[1, 64] in 36,
    scale = [7 : (j) -> (j * 8)],
    codes = [4 : (i) -> (32 + (i floordiv 16) * 64 + (i mod 8) * 8 + ((i floordiv 8) mod 2) * 4)]>,
  encoder = "ggml_nvfp4", aliases = {ggml = 40, gguf = "NVFP4"}, summary = "NVFP4 as GGUF stores it">
