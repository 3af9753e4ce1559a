// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// AutoGPTQ's packing of a (K, N) matrix: eight codes along K a word, zero points stored less one. A checkpoint with
// activation order also has g_idx, a permutation of K, which is no part of an encoding.
#gptq = #qtensor.format<block<uint4, [128, 1], scale = f16, zero = uint4>, sized,
  layout = <whole word 32,
    codes in "qweight" = [4 : (k, n)[K, N] -> (((k floordiv 8) * N + n) * 32 + (k mod 8) * 4)],
    zero in "qzeros" plus -1 = [4 : (k, n)[K, N] -> ((k * (N ceildiv 8) + n floordiv 8) * 32 + (n mod 8) * 4)],
    scale in "scales" = [16 : (i) -> (i * 16)]>,
  aliases = {autogptq = "gptq"}, summary = "GPTQ checkpoints, 4 bits">
#gptq_v2 = #qtensor.format<block<uint4, [128, 1], scale = f16, zero = uint4>, sized,
  layout = <whole word 32,
    codes in "qweight" = [4 : (k, n)[K, N] -> (((k floordiv 8) * N + n) * 32 + (k mod 8) * 4)],
    zero in "qzeros" = [4 : (k, n)[K, N] -> ((k * (N ceildiv 8) + n floordiv 8) * 32 + (n mod 8) * 4)],
    scale in "scales" = [16 : (i) -> (i * 16)]>,
  aliases = {autogptq = "gptq_v2"}, summary = "GPTQ checkpoints, 4 bits, zero points as they are">
#gptq8 = #qtensor.format<block<uint8, [128, 1], scale = f16, zero = uint8>, sized,
  layout = <whole word 32,
    codes in "qweight" = [8 : (k, n)[K, N] -> (((k floordiv 4) * N + n) * 32 + (k mod 4) * 8)],
    zero in "qzeros" plus -1 = [8 : (k, n)[K, N] -> ((k * (N ceildiv 4) + n floordiv 4) * 32 + (n mod 4) * 8)],
    scale in "scales" = [16 : (i) -> (i * 16)]>,
  aliases = {autogptq = "gptq, bits = 8"}, summary = "GPTQ checkpoints, 8 bits">
