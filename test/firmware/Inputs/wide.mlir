// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Products, shifts, quotients and rests of 64 and of 32 bits, of what 16 codes make: every operation that small processors lack.
func.func @main(%x: tensor<4096xi8> {qtensor.name = "x"}) -> (tensor<256xi64> {qtensor.name = "y"}) {
  %0 = tensor.empty() : tensor<256xi64>
  %zero = arith.constant 0 : i64
  %start = linalg.fill ins(%zero : i64) outs(%0 : tensor<256xi64>) -> tensor<256xi64>
  %rows = tensor.expand_shape %x [[0, 1]] output_shape [256, 16] : tensor<4096xi8> into tensor<256x16xi8>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                       iterator_types = ["parallel", "reduction"]}
      ins(%rows : tensor<256x16xi8>) outs(%start : tensor<256xi64>) {
  ^bb0(%a: i8, %acc: i64):
    %c3 = arith.constant 3 : i64
    %c63 = arith.constant 63 : i64
    %c31 = arith.constant 31 : i64
    %one = arith.constant 1 : i64
    %c1 = arith.constant 1 : i32
    %odd = arith.constant 6364136223846793005 : i64
    %wide = arith.extsi %a : i8 to i64
    %p = arith.muli %acc, %odd : i64
    %n = arith.addi %p, %wide : i64
    %bits = arith.andi %wide, %c63 : i64
    %l = arith.shli %n, %bits : i64
    %r = arith.shrsi %n, %bits : i64
    %u = arith.shrui %n, %bits : i64
    %d0 = arith.shrsi %p, %bits : i64
    %d = arith.ori %d0, %one : i64
    %q = arith.divsi %n, %d : i64
    %m = arith.remsi %l, %d : i64
    %uq = arith.divui %l, %d : i64
    %um = arith.remui %n, %d : i64
    %n32 = arith.trunci %n : i64 to i32
    %d32a = arith.trunci %d0 : i64 to i32
    %d32 = arith.ori %d32a, %c1 : i32
    %q32 = arith.divui %n32, %d32 : i32
    %m32 = arith.remui %n32, %d32 : i32
    %h32 = arith.shrsi %n32, %c1 : i32
    %sq32 = arith.divsi %h32, %d32 : i32
    %sm32 = arith.remsi %h32, %d32 : i32
    %e0 = arith.extui %q32 : i32 to i64
    %e1 = arith.extui %m32 : i32 to i64
    %e2 = arith.extsi %sq32 : i32 to i64
    %e3 = arith.extsi %sm32 : i32 to i64
    %s0 = arith.addi %n, %l : i64
    %s1 = arith.xori %s0, %r : i64
    %s2 = arith.addi %s1, %u : i64
    %s3 = arith.xori %s2, %q : i64
    %s4 = arith.addi %s3, %m : i64
    %s5 = arith.xori %s4, %uq : i64
    %s6 = arith.addi %s5, %um : i64
    %s7 = arith.muli %s6, %c3 : i64
    %s8 = arith.addi %s7, %e0 : i64
    %s9 = arith.xori %s8, %e1 : i64
    %s10 = arith.addi %s9, %e2 : i64
    %s11 = arith.xori %s10, %e3 : i64
    linalg.yield %s11 : i64
  } -> tensor<256xi64>
  return %y : tensor<256xi64>
}
