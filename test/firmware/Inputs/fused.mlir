// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A fused multiply-add of floats of 16 bits, which C cannot round once.
func.func @main(%x: tensor<4xf16> {qtensor.name = "x"}) -> (tensor<4xf16> {qtensor.name = "y"}) {
  %0 = tensor.empty() : tensor<4xf16>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<4xf16>) outs(%0 : tensor<4xf16>) {
  ^bb0(%a: f16, %o: f16):
    %s = math.fma %a, %a, %a : f16
    linalg.yield %s : f16
  } -> tensor<4xf16>
  return %y : tensor<4xf16>
}
