// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --qtensor-select | FileCheck %s

#w = #qtensor.block<codec<4, int<signed>>, [1, 32], scale = f16>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>

// A fill with zero disappears; the other side is plain, so the strategy is float and says why.
// CHECK-LABEL: func @weight_only
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x128xf32>, %[[W:[a-z0-9]+]]: tensor<64x128xf32, #[[$W:[a-z0-9]+]]>
// CHECK-DAG: %[[E:.*]] = tensor.empty(%{{.*}}) : tensor<?x64xf32>
// CHECK-DAG: %[[C:.*]] = qtensor.component %[[W]] "codes"
// CHECK-DAG: %[[S:.*]] = qtensor.component %[[W]] "scale"
// CHECK: qtensor.contract <float>
// CHECK-SAME: lhs(%[[X]] : tensor<?x128xf32>) rhs(%[[C]], %[[S]] : tensor<64x128xi8>, tensor<64x4xf16>) encoded #[[$W]]
// CHECK-SAME: outs(%[[E]] : tensor<?x64xf32>)
// CHECK: ^bb0(%[[ACC:.*]]: f32):
// CHECK-NEXT: qtensor.yield %[[ACC]]
// CHECK: qtensor.reason = "the activation is not encoded"
func.func @weight_only(%x: tensor<?x128xf32>, %w: tensor<64x128xf32, #w>, %m: index) -> tensor<?x64xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%m) : tensor<?x64xf32>
  %0 = linalg.fill ins(%zero : f32) outs(%e : tensor<?x64xf32>) -> tensor<?x64xf32>
  %y = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<?x128xf32>, tensor<64x128xf32, #w>)
         outs(%0 : tensor<?x64xf32>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// -----

#w = #qtensor.block<codec<4, int<signed>>, [1, 32], scale = f16>
#x = #qtensor.block<codec<8, int<signed>>, [1, ?], scale = f32>
#kn = affine_map<(n, m, k) -> (n, k)>
#mk = affine_map<(n, m, k) -> (m, k)>
#nm = affine_map<(n, m, k) -> (n, m)>

// The weight stands first: it becomes the rhs. The bias in the init becomes an extra operand.
// CHECK-LABEL: func @integer_swapped
// CHECK: qtensor.contract <integer<1>>
// CHECK-SAME: lhs(%{{.*}}, %{{.*}} : tensor<8x128xi8>, tensor<8x1xf32>) as
// CHECK-SAME: rhs(%{{.*}}, %{{.*}} : tensor<64x128xi8>, tensor<64x4xf16>) encoded
// CHECK-SAME: extra(%{{.*}} : tensor<64x8xf32>)
// CHECK: arith.addf
// CHECK-NOT: qtensor.reason
func.func @integer_swapped(%x: tensor<8x128xf32>, %b: tensor<64x8xf32>) -> tensor<64x8xf32> {
  %c = arith.constant dense<1> : tensor<64x128xi8>
  %s = arith.constant dense<1.0> : tensor<64x4xf16>
  %w = qtensor.assemble %c, %s : tensor<64x128xi8>, tensor<64x4xf16> -> tensor<64x128xf32, #w>
  %q = qtensor.quantize %x : tensor<8x128xf32> -> tensor<8x128xf32, #x>
  %y = linalg.matmul indexing_maps = [#kn, #mk, #nm] ins(%w, %q : tensor<64x128xf32, #w>, tensor<8x128xf32, #x>)
         outs(%b : tensor<64x8xf32>) -> tensor<64x8xf32>
  return %y : tensor<64x8xf32>
}

// -----

#w = #qtensor.block<codec<8, int<signed>>, [1, ?, ?, ?], scale = f32>
#x = #qtensor.block<codec<8, int<signed>>, [?, ?, ?, ?], scale = 0.05>

// CHECK-LABEL: func @convolution
// CHECK: qtensor.contract <integer<1>>
// CHECK-SAME: iterators ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]
func.func @convolution(%x: tensor<1x10x10x16xf32, #x>, %w: tensor<32x3x3x16xf32, #w>) -> tensor<1x4x4x32xf32> {
  %zero = arith.constant dense<0.0> : tensor<1x4x4x32xf32>
  %y = linalg.conv_2d_nhwc_fhwc {strides = dense<2> : tensor<2xi64>}
         ins(%x, %w : tensor<1x10x10x16xf32, #x>, tensor<32x3x3x16xf32, #w>)
         outs(%zero : tensor<1x4x4x32xf32>) -> tensor<1x4x4x32xf32>
  return %y : tensor<1x4x4x32xf32>
}

// -----

#w = #qtensor.block<codec<8, int<signed>>, [?, ?, 1], scale = f32>
#x = #qtensor.block<codec<8, int<signed>>, [?, ?, ?, ?], scale = 0.05>

// CHECK-LABEL: func @depthwise
// CHECK: qtensor.contract <integer<1>>
func.func @depthwise(%x: tensor<1x10x10x16xf32, #x>, %w: tensor<3x3x16xf32, #w>) -> tensor<1x8x8x16xf32> {
  %zero = arith.constant dense<0.0> : tensor<1x8x8x16xf32>
  %y = linalg.depthwise_conv_2d_nhwc_hwc
         ins(%x, %w : tensor<1x10x10x16xf32, #x>, tensor<3x3x16xf32, #w>)
         outs(%zero : tensor<1x8x8x16xf32>) -> tensor<1x8x8x16xf32>
  return %y : tensor<1x8x8x16xf32>
}

// -----

#w = #qtensor.block<codec<4, int<signed>>, [1, 32], scale = f16>
#x = #qtensor.block<codec<8, int<signed>>, [1, 48], scale = f32>

// CHECK-LABEL: func @blocks_do_not_nest
// CHECK: qtensor.contract <float>
// CHECK: qtensor.reason = "blocks of 48 and 32 along the reduction do not nest"
func.func @blocks_do_not_nest(%x: tensor<8x96xf32, #x>, %w: tensor<64x96xf32, #w>, %b: tensor<8x64xf32>) -> tensor<8x64xf32> {
  %y = linalg.contract indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
         ins(%x, %w : tensor<8x96xf32, #x>, tensor<64x96xf32, #w>) outs(%b : tensor<8x64xf32>) -> tensor<8x64xf32>
  return %y : tensor<8x64xf32>
}

// -----

#w = #qtensor.block<codec<4, int<signed>>, [1, 1, 32], scale = f16>

// CHECK-LABEL: func @batched
// CHECK: qtensor.contract <float>
// CHECK-SAME: iterators ["parallel", "parallel", "parallel", "reduction"]
func.func @batched(%x: tensor<4x8x96xf32>, %w: tensor<4x64x96xf32, #w>, %b: tensor<4x8x64xf32>) -> tensor<4x8x64xf32> {
  %y = linalg.batch_matmul indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (b, n, k)>, affine_map<(b, m, n, k) -> (b, m, n)>]
         ins(%x, %w : tensor<4x8x96xf32>, tensor<4x64x96xf32, #w>) outs(%b : tensor<4x8x64xf32>) -> tensor<4x8x64xf32>
  return %y : tensor<4x8x64xf32>
}

// -----

#w = #qtensor.block<codec<4, int<signed>>, [1, 32], scale = f16>
#x = #qtensor.block<codec<8, int<signed>>, [?], scale = f32>

// The strategy of one op can be overruled; so can a broadcast bias be recognised.
// CHECK-LABEL: func @overruled
// CHECK: qtensor.contract <float>
// CHECK-SAME: extra(%{{.*}} : tensor<f32>) extra_maps [#{{.*}}]
// CHECK: qtensor.reason = "float was asked for"
func.func @overruled(%x: tensor<96xf32, #x>, %w: tensor<64x96xf32, #w>, %b: tensor<f32>) -> tensor<64xf32> {
  %e = tensor.empty() : tensor<64xf32>
  %0 = linalg.broadcast ins(%b : tensor<f32>) outs(%e : tensor<64xf32>) dimensions = [0]
  %y = linalg.matvec {qtensor.strategy = #qtensor.strategy<float>}
         ins(%w, %x : tensor<64x96xf32, #w>, tensor<96xf32, #x>) outs(%0 : tensor<64xf32>) -> tensor<64xf32>
  return %y : tensor<64xf32>
}

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#w = #qtensor.block<codec<2, table<[-1.0, -0.3, 0.1, 1.0]>>, [1, 32], scale = f16>
#short = #qtensor.block<codec<2, table<[-1.0, -0.3, 0.1, 1.0]>>, [1, 8], scale = f16>
#long = #qtensor.block<codec<2, table<[-1.0, -0.3, 0.1, 1.0]>>, [1, ?], scale = f32>
#x = #qtensor.block<codec<8, int<signed>>, [1, ?], scale = f32>

// A codebook without an exact embedding gets two limbs, where blocks are neither too short to pay nor too long for i32
// (clause M4).
// CHECK-LABEL: func @two_limbs
// CHECK: qtensor.contract <integer<2>>
// CHECK: qtensor.contract <float>
// CHECK: qtensor.reason = "a block holds 8 products only, too few for two limbs"
// CHECK: qtensor.contract <float>
// CHECK: qtensor.reason = "a block holds 4096 products, and only 2048 fit an i32 sum"
// CHECK: qtensor.contract <float>
// CHECK: qtensor.reason = "float was asked for"
// CHECK: qtensor.contract <integer<2>>
func.func @two_limbs(%x: tensor<8x4096xf32, #x>, %a: tensor<64x4096xf32, #w>, %b: tensor<64x4096xf32, #short>,
                     %c: tensor<64x4096xf32, #long>, %y: tensor<8x64xf32>)
    -> (tensor<8x64xf32>, tensor<8x64xf32>, tensor<8x64xf32>, tensor<8x64xf32>, tensor<8x64xf32>) {
  %0 = linalg.contract indexing_maps = [#mk, #nk, #mn]
         ins(%x, %a : tensor<8x4096xf32, #x>, tensor<64x4096xf32, #w>) outs(%y : tensor<8x64xf32>) -> tensor<8x64xf32>
  %1 = linalg.contract indexing_maps = [#mk, #nk, #mn]
         ins(%x, %b : tensor<8x4096xf32, #x>, tensor<64x4096xf32, #short>) outs(%y : tensor<8x64xf32>) -> tensor<8x64xf32>
  %2 = linalg.contract indexing_maps = [#mk, #nk, #mn]
         ins(%x, %c : tensor<8x4096xf32, #x>, tensor<64x4096xf32, #long>) outs(%y : tensor<8x64xf32>) -> tensor<8x64xf32>
  %3 = linalg.contract indexing_maps = [#mk, #nk, #mn] {qtensor.strategy = #qtensor.strategy<float>}
         ins(%x, %a : tensor<8x4096xf32, #x>, tensor<64x4096xf32, #w>) outs(%y : tensor<8x64xf32>) -> tensor<8x64xf32>
  %4 = linalg.contract indexing_maps = [#mk, #nk, #mn] {qtensor.strategy = #qtensor.strategy<integer<2>>}
         ins(%x, %b : tensor<8x4096xf32, #x>, tensor<64x4096xf32, #short>) outs(%y : tensor<8x64xf32>) -> tensor<8x64xf32>
  return %0, %1, %2, %3, %4 : tensor<8x64xf32>, tensor<8x64xf32>, tensor<8x64xf32>, tensor<8x64xf32>, tensor<8x64xf32>
}

// -----

#w = #qtensor.block<codec<4, int<signed>>, [1, 32], scale = f16>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#matmul = {indexing_maps = [#mk, #nk, #mn], iterator_types = ["parallel", "parallel", "reduction"]}

// Factors may be widened, products and sums rounded.
// CHECK-LABEL: func @widened
// CHECK: qtensor.contract <float>
func.func @widened(%x: tensor<4x64xbf16>, %w: tensor<8x64xf32, #w>, %o: tensor<4x8xbf16>) -> tensor<4x8xbf16> {
  %y = linalg.generic #matmul ins(%x, %w : tensor<4x64xbf16>, tensor<8x64xf32, #w>) outs(%o : tensor<4x8xbf16>) {
  ^bb0(%a: bf16, %b: f32, %c: bf16):
    %0 = arith.extf %a : bf16 to f32
    %1 = arith.mulf %b, %0 : f32
    %2 = arith.extf %c : bf16 to f32
    %3 = arith.addf %2, %1 : f32
    %4 = arith.truncf %3 : f32 to bf16
    linalg.yield %4 : bf16
  } -> tensor<4x8xbf16>
  return %y : tensor<4x8xbf16>
}

// Whatever else happens to a factor, a product or the sum is part of the model.
// CHECK-LABEL: func @changed_factor
// CHECK-NOT: qtensor.contract
func.func @changed_factor(%x: tensor<4x64xf32>, %w: tensor<8x64xf32, #w>, %o: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %y = linalg.generic #matmul ins(%x, %w : tensor<4x64xf32>, tensor<8x64xf32, #w>) outs(%o : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.negf %a : f32
    %1 = arith.mulf %0, %b : f32
    %2 = arith.addf %c, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// CHECK-LABEL: func @rounded_factor
// CHECK-NOT: qtensor.contract
func.func @rounded_factor(%x: tensor<4x64xf32>, %w: tensor<8x64xf32, #w>, %o: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %y = linalg.generic #matmul ins(%x, %w : tensor<4x64xf32>, tensor<8x64xf32, #w>) outs(%o : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.truncf %a : f32 to bf16
    %1 = arith.extf %0 : bf16 to f32
    %2 = arith.mulf %1, %b : f32
    %3 = arith.addf %c, %2 : f32
    linalg.yield %3 : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// CHECK-LABEL: func @changed_product
// CHECK-NOT: qtensor.contract
func.func @changed_product(%x: tensor<4x64xf32>, %w: tensor<8x64xf32, #w>, %o: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %y = linalg.generic #matmul ins(%x, %w : tensor<4x64xf32>, tensor<8x64xf32, #w>) outs(%o : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = math.absf %0 : f32
    %2 = arith.addf %c, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// CHECK-LABEL: func @changed_sum
// CHECK-NOT: qtensor.contract
func.func @changed_sum(%x: tensor<4x64xf32>, %w: tensor<8x64xf32, #w>, %o: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %y = linalg.generic #matmul ins(%x, %w : tensor<4x64xf32>, tensor<8x64xf32, #w>) outs(%o : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.addf %c, %0 : f32
    %2 = math.tanh %1 : f32
    linalg.yield %2 : f32
  } -> tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}
