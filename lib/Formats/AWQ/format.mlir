// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// AutoAWQ's packing of a (K, N) matrix: eight codes along N a word, the even columns in the low half.
#awq = #qtensor.format<block<uint4, [128, 1], scale = f16, zero = uint4>, sized,
  layout = <whole word 32,
    codes in "qweight" = [4 : (k, n)[K, N] ->
      ((k * (N ceildiv 8) + n floordiv 8) * 32 + ((n mod 8) floordiv 2) * 4 + (n mod 2) * 16)],
    zero in "qzeros" = [4 : (k, n)[K, N] ->
      ((k * (N ceildiv 8) + n floordiv 8) * 32 + ((n mod 8) floordiv 2) * 4 + (n mod 2) * 16)],
    scale in "scales" = [16 : (i) -> (i * 16)]>,
  aliases = {autoawq = "gemm"}, summary = "AWQ checkpoints, 4 bits">
