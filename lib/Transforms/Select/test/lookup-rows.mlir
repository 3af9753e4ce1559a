// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -qtensor-lookup-rows | FileCheck %s

#t = #qtensor.block<int8, [1, 32], scale = f16>
#rows = #qtensor.block<int8, [4, 32], scale = f16>
#map = affine_map<(b, s, k) -> (b, s)>
#id = affine_map<(b, s, k) -> (b, s, k)>

// Codes and scales of the rows are gathered, then decoded.
// CHECK-LABEL: func.func @embedding
// CHECK-SAME: (%[[T:.*]]: tensor<512x64xf32, #{{.*}}>, %[[IDS:.*]]: tensor<?x8xi64>
// CHECK: %[[C:.*]] = qtensor.component %[[T]] "codes"
// CHECK: %[[CODES:.*]] = linalg.generic {{.*}} ins(%[[IDS]] : tensor<?x8xi64>) outs(%{{.*}} : tensor<?x8x64xi8>)
// CHECK: tensor.extract %[[C]][%{{.*}}, %{{.*}}] : tensor<512x64xi8>
// CHECK: %[[S:.*]] = qtensor.component %[[T]] "scale"
// CHECK: %[[SCALES:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<?x8x2xf16>)
// CHECK: %[[R:.*]] = qtensor.assemble %[[CODES]], %[[SCALES]] : tensor<?x8x64xi8>, tensor<?x8x2xf16>
// CHECK: qtensor.dequantize %[[R]] {{.*}} : tensor<?x8x64xf32, #{{.*}}> -> tensor<?x8x64xf32>
func.func @embedding(%t: tensor<512x64xf32, #t>, %ids: tensor<?x8xi64>, %o: tensor<?x8x64xf32>) -> tensor<?x8x64xf32> {
  %y = linalg.generic {indexing_maps = [#map, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%ids : tensor<?x8xi64>) outs(%o : tensor<?x8x64xf32>) {
  ^bb0(%i: i64, %out: f32):
    %row = arith.index_cast %i : i64 to index
    %column = linalg.index 2 : index
    %e = tensor.extract %t[%row, %column] : tensor<512x64xf32, #t>
    linalg.yield %e : f32
  } -> tensor<?x8x64xf32>
  return %y : tensor<?x8x64xf32>
}

// Blocks that span rows belong to no row alone: left to the decomposition, which says so.
// CHECK-LABEL: func.func @spanning
// CHECK-NOT: qtensor.component
// CHECK: tensor.extract %{{.*}} : tensor<512x64xf32, #
func.func @spanning(%t: tensor<512x64xf32, #rows>, %ids: tensor<?x8xi64>, %o: tensor<?x8x64xf32>) -> tensor<?x8x64xf32> {
  %y = linalg.generic {indexing_maps = [#map, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%ids : tensor<?x8xi64>) outs(%o : tensor<?x8x64xf32>) {
  ^bb0(%i: i64, %out: f32):
    %row = arith.index_cast %i : i64 to index
    %column = linalg.index 2 : index
    %e = tensor.extract %t[%row, %column] : tensor<512x64xf32, #rows>
    linalg.yield %e : f32
  } -> tensor<?x8x64xf32>
  return %y : tensor<?x8x64xf32>
}
