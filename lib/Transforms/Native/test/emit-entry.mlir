// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s "-qtensor-emit-entry=prefix=m suffix=base" | FileCheck %s

// CHECK: module {
// CHECK: llvm.func @m_run_base(%[[CTX:.*]]: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: i64, %{{.*}}: !llvm.ptr, %{{.*}}: i64, %[[IN:.*]]: !llvm.ptr, %[[EXTENTS:.*]]: !llvm.ptr, %[[OUT:.*]]: !llvm.ptr)
// CHECK: llvm.getelementptr %[[IN]][0]
// CHECK: llvm.getelementptr %[[EXTENTS]][0]
// CHECK: llvm.getelementptr %[[EXTENTS]][1]
// CHECK: llvm.getelementptr %[[OUT]][0]
// CHECK: llvm.getelementptr %[[EXTENTS]][2]
// CHECK: call @main(%[[CTX]]
// CHECK: func.func private @main
// CHECK: llvm.func @m_shapes_base(%[[A:.*]]: !llvm.ptr, %[[R:.*]]: !llvm.ptr)
// CHECK: %[[V:.*]]:2 = {{.*}}call @shapes
// CHECK: llvm.getelementptr %[[R]][0]
// CHECK: llvm.getelementptr %[[R]][1]
module attributes {qtensor.inputs = [{name = "x", type = tensor<?x4xf32>}], qtensor.outputs = [{name = "y", type = tensor<?xf32>}],
                   qtensor.plan = {}, qtensor.weights = []} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<?x4xf32>, %y: memref<?xf32>) { return }
  func.func private @shapes(%x0: index, %x1: index) -> (index, index) { return %x0, %x1 : index, index }
}
