// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// e2m1 in blocks of 16 under an e4m3 scale, which an f32 of the whole tensor scales.
#nvfp4 = #qtensor.format<block<e2m1, [1, 16], scale = block<e4m3fn, [?, ?], scale = f32>>,
  layout = <whole, codes = [4 : (i) -> (i * 4)], scale.codes in "scale" = [8 : (i) -> (i * 8)],
    scale.scale in "tensor_scale" = [32 : (i) -> (i * 32)]>,
  encoder = "nvfp4", aliases = {nvidia = "NVFP4"}, summary = "NVFP4 with a tensor scale">
