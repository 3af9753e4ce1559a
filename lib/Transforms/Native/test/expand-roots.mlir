// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -qtensor-expand-roots -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// Every bit of the roots, from the smallest numbers to the largest, before and after.
// RUN: qtensor-interpret %s
// RUN: qtensor-interpret %t.mlir

// CHECK-LABEL: func.func @roots
// CHECK-NOT: math.
// CHECK: arith.divf
func.func @roots(%x0: f32, %x1: f32, %x2: f32, %x3: f32, %x4: f32, %x5: f32, %x6: f32, %x7: f32, %x8: f32, %x9: f32) -> (f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32) attributes {
    inputs = [0x40000000 : f32, 0x3DCCCCCD : f32, 0x7F7FC99E : f32, 0x00000001 : f32, 0x007FFFFF : f32, 0x4B800000 : f32, 0x3F800000 : f32, 0x3F7FFFFF : f32, 0x40E00000 : f32, 0x47F12064 : f32],
    expect = [0x3FB504F3 : f32, 0x3EA1E89B : f32, 0x5F7FE4CE : f32, 0x1A3504F3 : f32, 0x1FFFFFFF : f32, 0x45800000 : f32, 0x3F800000 : f32, 0x3F7FFFFF : f32, 0x402953FD : f32, 0x43AFAE9D : f32, 0x3F3504F3 : f32]} {
  %y0 = math.sqrt %x0 : f32
  %y1 = math.sqrt %x1 : f32
  %y2 = math.sqrt %x2 : f32
  %y3 = math.sqrt %x3 : f32
  %y4 = math.sqrt %x4 : f32
  %y5 = math.sqrt %x5 : f32
  %y6 = math.sqrt %x6 : f32
  %y7 = math.sqrt %x7 : f32
  %y8 = math.sqrt %x8 : f32
  %y9 = math.sqrt %x9 : f32
  %r = math.rsqrt %x0 : f32
  return %y0, %y1, %y2, %y3, %y4, %y5, %y6, %y7, %y8, %y9, %r : f32, f32, f32, f32, f32, f32, f32, f32, f32, f32, f32
}
func.func @borders(%zero: f32, %minus: f32, %negative: f32, %infinity: f32) -> (f32, f32, i1, f32) attributes {
    inputs = [0.0 : f32, -0.0 : f32, -4.0 : f32, 0x7F800000 : f32], expect = [0.0 : f32, -0.0 : f32, true, 0x7F800000 : f32]} {
  %0 = math.sqrt %zero : f32
  %1 = math.sqrt %minus : f32
  %2 = math.sqrt %negative : f32
  %3 = math.sqrt %infinity : f32
  %nan = arith.cmpf uno, %2, %2 : f32
  return %0, %1, %nan, %3 : f32, f32, i1, f32
}
