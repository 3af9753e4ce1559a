// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: qtensor-interpret %s

func.func @slices(%x: tensor<3x4xi32>, %n: index) -> (tensor<2x2xi32>, tensor<4xi32>, tensor<3x4xi32>) attributes {
    inputs = [dense<[[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]> : tensor<3x4xi32>, 2 : index],
    expect = [dense<[[5, 7], [9, 11]]> : tensor<2x2xi32>, dense<[8, 9, 10, 11]> : tensor<4xi32>,
              dense<[[0, 1, 2, 3], [8, 9, 10, 11], [8, 9, 10, 11]]> : tensor<3x4xi32>]} {
  %0 = tensor.extract_slice %x[1, 1] [2, 2] [1, 2] : tensor<3x4xi32> to tensor<2x2xi32>
  %1 = tensor.extract_slice %x[%n, 0] [1, 4] [1, 1] : tensor<3x4xi32> to tensor<4xi32>
  %2 = tensor.insert_slice %1 into %x[1, 0] [1, 4] [1, 1] : tensor<4xi32> into tensor<3x4xi32>
  return %0, %1, %2 : tensor<2x2xi32>, tensor<4xi32>, tensor<3x4xi32>
}
func.func @pad_and_concat(%x: tensor<1x2xi4>) -> (tensor<2x4xi4>, tensor<2x2xi4>) attributes {
    inputs = [dense<[[-3, 7]]> : tensor<1x2xi4>],
    expect = [dense<[[5, -3, 7, 5], [5, 5, 5, 5]]> : tensor<2x4xi4>, dense<[[-3, 7], [-3, 7]]> : tensor<2x2xi4>]} {
  %0 = tensor.pad %x low[0, 1] high[1, 1] {
    ^bb0(%i: index, %j: index):
      %five = arith.constant 5 : i4
      tensor.yield %five : i4
  } : tensor<1x2xi4> to tensor<2x4xi4>
  %1 = tensor.concat dim(0) %x, %x : (tensor<1x2xi4>, tensor<1x2xi4>) -> tensor<2x2xi4>
  return %0, %1 : tensor<2x4xi4>, tensor<2x2xi4>
}
func.func @generated(%n: index) -> (tensor<?x2xindex>, tensor<3xf16>, tensor<2x2xf16>) attributes { inputs = [3 : index],
    expect = [dense<[[0, 1], [10, 11], [20, 21]]> : tensor<3x2xindex>, dense<[1.5, 2.5, 1.5]> : tensor<3xf16>,
              dense<2.5> : tensor<2x2xf16>]} {
  %ten = arith.constant 10 : index
  %0 = tensor.generate %n {
    ^bb0(%i: index, %j: index):
      %1 = arith.muli %i, %ten : index
      %2 = arith.addi %1, %j : index
      tensor.yield %2 : index
  } : tensor<?x2xindex>
  %a = arith.constant 1.5 : f16
  %b = arith.constant 2.5 : f16
  %3 = tensor.from_elements %a, %b, %a : tensor<3xf16>
  %4 = tensor.splat %b : tensor<2x2xf16>
  return %0, %3, %4 : tensor<?x2xindex>, tensor<3xf16>, tensor<2x2xf16>
}
func.func @elements(%x: tensor<2x2xi1>, %i: index) -> (i1, tensor<2x2xi1>, index, index) attributes {
    inputs = [dense<[[true, false], [false, true]]> : tensor<2x2xi1>, 1 : index],
    expect = [true, dense<[[true, false], [true, true]]> : tensor<2x2xi1>, 2 : index, 2 : index]} {
  %zero = arith.constant 0 : index
  %0 = tensor.extract %x[%i, %i] : tensor<2x2xi1>
  %1 = tensor.insert %0 into %x[%i, %zero] : tensor<2x2xi1>
  %any = tensor.cast %x : tensor<2x2xi1> to tensor<?x?xi1>
  %2 = tensor.dim %any, %i : tensor<?x?xi1>
  %3 = tensor.rank %any : tensor<?x?xi1>
  return %0, %1, %2, %3 : i1, tensor<2x2xi1>, index, index
}
func.func @reshapes(%x: tensor<2x6xi8>, %s: tensor<3xi64>) -> (tensor<12xi8>, tensor<2x3x2xi8>, tensor<?x?x?xi8>) attributes {
    inputs = [dense<[[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]> : tensor<2x6xi8>, dense<[3, 1, 4]> : tensor<3xi64>],
    expect = [dense<[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]> : tensor<12xi8>,
              dense<[[[0, 1], [2, 3], [4, 5]], [[6, 7], [8, 9], [10, 11]]]> : tensor<2x3x2xi8>,
              dense<[[[0, 1, 2, 3]], [[4, 5, 6, 7]], [[8, 9, 10, 11]]]> : tensor<3x1x4xi8>]} {
  %0 = tensor.collapse_shape %x [[0, 1]] : tensor<2x6xi8> into tensor<12xi8>
  %1 = tensor.expand_shape %x [[0], [1, 2]] output_shape [2, 3, 2] : tensor<2x6xi8> into tensor<2x3x2xi8>
  %2 = tensor.reshape %x(%s) : (tensor<2x6xi8>, tensor<3xi64>) -> tensor<?x?x?xi8>
  return %0, %1, %2 : tensor<12xi8>, tensor<2x3x2xi8>, tensor<?x?x?xi8>
}
func.func @gather_scatter(%x: tensor<3x2xf32>, %at: tensor<2x1xindex>) -> (tensor<2x2xf32>, tensor<3x2xf32>) attributes {
    inputs = [dense<[[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]> : tensor<3x2xf32>, dense<[[2], [0]]> : tensor<2x1xindex>],
    expect = [dense<[[4.0, 5.0], [0.0, 1.0]]> : tensor<2x2xf32>, dense<[[4.0, 5.0], [2.0, 3.0], [0.0, 1.0]]> : tensor<3x2xf32>]} {
  %0 = tensor.gather %x[%at] gather_dims([0]) : (tensor<3x2xf32>, tensor<2x1xindex>) -> tensor<2x2xf32>
  %kept = tensor.extract_slice %x[1, 0] [1, 2] [1, 1] : tensor<3x2xf32> to tensor<1x2xf32>
  %all = tensor.concat dim(0) %kept, %kept, %kept : (tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<3x2xf32>
  %rows = tensor.expand_shape %0 [[0, 1], [2]] output_shape [2, 1, 2] : tensor<2x2xf32> into tensor<2x1x2xf32>
  %back = arith.constant dense<[[0], [2]]> : tensor<2x1xindex>
  %1 = tensor.scatter %rows into %all[%back] scatter_dims([0]) unique : (tensor<2x1x2xf32>, tensor<3x2xf32>, tensor<2x1xindex>) -> tensor<3x2xf32>
  return %0, %1 : tensor<2x2xf32>, tensor<3x2xf32>
}
func.func @resource() -> tensor<4xi16> attributes {expect = [dense<[1, 2, -1, 256]> : tensor<4xi16>]} {
  %0 = arith.constant dense_resource<blob> : tensor<4xi16>
  return %0 : tensor<4xi16>
}
{-#
  dialect_resources: { builtin: { blob: "0x0200000001000200FFFF0001" } }
#-}
