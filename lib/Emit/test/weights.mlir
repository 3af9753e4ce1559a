// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// No copy of a weight: between the weights file and the product there is a view and nothing else. One arena, no other
// allocation.
// RUN: python3 %S/Inputs/make_layer.py %S/Inputs/layer.mlir %t.mlir
// RUN: quant-compile %t.mlir --phase-to=C5 --elide-weights | FileCheck %s
// RUN: quant-compile %t.mlir --phase-to=C5 --elide-weights | FileCheck %s --check-prefix=COUNT
// CHECK: func.func @main(%{{.*}}: !llvm.ptr{{.*}}, %[[W:[a-z0-9]+]]: memref<?xi8>{{.*}}, %[[S:[a-z0-9]+]]: memref<?xi8>
// CHECK-DAG: memref.view %[[W]]{{.*}} to memref<{{40x24|24x40}}xf32>
// CHECK-DAG: memref.view %[[W]]{{.*}} to memref<24xf32>
// CHECK: linalg.{{matmul|generic}}
// COUNT-NOT: memref.copy
// COUNT-NOT: memref.alloc
// COUNT-NOT: memref.global
