// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Indices that are data: one outside of the table is an error of the run, and nothing beyond the table is read.
// RUN: quant-opt %s --qtensor-check-extents | FileCheck %s
// CHECK: %[[BAD:.*]] = linalg.generic {{.*}} iterator_types = ["reduction"]} ins(%{{.*}} : tensor<?xi64>) outs(%{{.*}} : tensor<i1>)
// CHECK: arith.ori
// CHECK: %[[ANY:.*]] = tensor.extract %[[BAD]][]
// CHECK: %[[NONE:.*]] = arith.xori %[[ANY]], %true
// CHECK: cf.assert %[[NONE]], "'linalg.generic' at check-lookups.mlir:29:8: an index is outside of the data that it reads"
// CHECK: linalg.generic
// CHECK: arith.minsi
// CHECK: %[[ROW:.*]] = arith.maxsi
// CHECK: tensor.extract %{{.*}}[%[[ROW]], %{{.*}}]

// RUN: rm -rf %t && quant-compile %s --name=m --tables=int8/channel -o %t
// RUN: python3 %root/lib/Import/ONNX/test/Inputs/write_npy.py %t/good.npy i8 3 0 2 1
// RUN: python3 %root/lib/Import/ONNX/test/Inputs/write_npy.py %t/y.npy f4 3x2 1 2 5 6 3 4
// RUN: python3 %root/lib/Import/ONNX/test/Inputs/write_npy.py %t/past.npy i8 3 0 3 1
// RUN: python3 %root/lib/Import/ONNX/test/Inputs/write_npy.py %t/below.npy i8 2 0 -2147483648
// RUN: quant-run %t/libm.so --input %t/good.npy --compare %t/y.npy --atol 0.05
// RUN: not quant-run %t/libm.so --input %t/past.npy 2>&1 | FileCheck %s --check-prefix=OUTSIDE
// RUN: not quant-run %t/libm.so --input %t/below.npy 2>&1 | FileCheck %s --check-prefix=OUTSIDE
// OUTSIDE: error: m: 'linalg.generic' at check-lookups.mlir:29:8: an index is outside of the data that it reads
func.func @main(%i: tensor<?xi64>) -> tensor<?x2xf32> {
  %t = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %c0 = arith.constant 0 : index
  %n = tensor.dim %i, %c0 : tensor<?xi64>
  %e = tensor.empty(%n) : tensor<?x2xf32>
  // The columns are those of the loop.
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%i : tensor<?xi64>) outs(%e : tensor<?x2xf32>) {
  ^bb0(%p: i64, %o: f32):
    %a = arith.index_cast %p : i64 to index
    %j = linalg.index 1 : index
    %s = tensor.extract %t[%a, %j] : tensor<3x2xf32>
    linalg.yield %s : f32
  } -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}
