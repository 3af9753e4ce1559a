// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -allow-unregistered-dialect -split-input-file -qtensor-plan-memory | FileCheck %s

// Three buffers, the first and the third never live together: two places are enough, and the plan meets the bound.
// CHECK: qtensor.plan = {bound = 768 : i64, buffers = 3 : i64, bytes = 768 : i64, slots = 0 : i64}
// CHECK: func.func @main
// CHECK-NOT: memref.alloc
// CHECK-DAG: %[[LOW:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[HIGH:.*]] = arith.constant 512 : index
// CHECK: %[[A:.*]] = memref.view %{{.*}}[%{{.*}}][] : memref<?xi8> to memref<128xf32>
// CHECK: %[[B:.*]] = memref.view %{{.*}}[%{{.*}}][] : memref<?xi8> to memref<64xf32>
// CHECK: %[[C:.*]] = memref.view %{{.*}}[%{{.*}}][] : memref<?xi8> to memref<128xf32>
// CHECK: func.func @shapes() -> index
// CHECK: %[[BYTES:.*]] = arith.constant 768 : index
// CHECK: return %[[BYTES]]
module attributes {qtensor.inputs = [], qtensor.outputs = []} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>) {
    %a = memref.alloc() : memref<128xf32>
    %b = memref.alloc() : memref<64xf32>
    %c = memref.alloc() : memref<128xf32>
    "test.write"(%a) : (memref<128xf32>) -> ()
    "test.copy"(%a, %b) : (memref<128xf32>, memref<64xf32>) -> ()
    "test.copy"(%b, %c) : (memref<64xf32>, memref<128xf32>) -> ()
    "test.read"(%c) : (memref<128xf32>) -> ()
    return
  }
  func.func @shapes() { return }
}

// -----

// An elementwise op writes over its dying input: one place.
// CHECK: qtensor.plan = {bound = 256 : i64, buffers = 1 : i64, bytes = 256 : i64, slots = 0 : i64}
#id = affine_map<(d0) -> (d0)>
module attributes {qtensor.inputs = [], qtensor.outputs = []} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>) {
    %a = memref.alloc() : memref<64xf32>
    %b = memref.alloc() : memref<64xf32>
    "test.write"(%a) : (memref<64xf32>) -> ()
    linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : memref<64xf32>) outs(%b : memref<64xf32>) {
    ^bb0(%x: f32, %o: f32):
      %y = arith.negf %x : f32
      linalg.yield %y : f32
    }
    "test.read"(%b) : (memref<64xf32>) -> ()
    return
  }
  func.func @shapes() { return }
}

// -----

// Reversed reads reach elements that were already overwritten: two places.
// CHECK: qtensor.plan = {bound = 512 : i64, buffers = 2 : i64, bytes = 512 : i64, slots = 0 : i64}
#id = affine_map<(d0) -> (d0)>
#reverse = affine_map<(d0) -> (63 - d0)>
module attributes {qtensor.inputs = [], qtensor.outputs = []} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>) {
    %a = memref.alloc() : memref<64xf32>
    %b = memref.alloc() : memref<64xf32>
    "test.write"(%a) : (memref<64xf32>) -> ()
    linalg.generic {indexing_maps = [#id, #reverse, #id], iterator_types = ["parallel"]} ins(%a, %a : memref<64xf32>, memref<64xf32>) outs(%b : memref<64xf32>) {
    ^bb0(%x: f32, %z: f32, %o: f32):
      %y = arith.addf %x, %z : f32
      linalg.yield %y : f32
    }
    "test.read"(%b) : (memref<64xf32>) -> ()
    return
  }
  func.func @shapes() { return }
}

// -----

// So do reads of the body's own.
// CHECK: qtensor.plan = {bound = 512 : i64, buffers = 2 : i64, bytes = 512 : i64, slots = 0 : i64}
#id = affine_map<(d0) -> (d0)>
module attributes {qtensor.inputs = [], qtensor.outputs = []} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>) {
    %c63 = arith.constant 63 : index
    %a = memref.alloc() : memref<64xf32>
    %b = memref.alloc() : memref<64xf32>
    "test.write"(%a) : (memref<64xf32>) -> ()
    linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : memref<64xf32>) outs(%b : memref<64xf32>) {
    ^bb0(%x: f32, %o: f32):
      %i = linalg.index 0 : index
      %j = arith.subi %c63, %i : index
      %v = memref.load %a[%j] : memref<64xf32>
      %y = arith.subf %x, %v : f32
      linalg.yield %y : f32
    }
    "test.read"(%b) : (memref<64xf32>) -> ()
    return
  }
  func.func @shapes() { return }
}

// -----

// And reads of a buffer that may be this one.
// CHECK: qtensor.plan = {bound = 768 : i64, buffers = 3 : i64, bytes = 768 : i64, slots = 0 : i64}
#id = affine_map<(d0) -> (d0)>
#reverse = affine_map<(d0) -> (63 - d0)>
module attributes {qtensor.inputs = [], qtensor.outputs = []} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %which: i1) {
    %a = memref.alloc() : memref<64xf32>
    %b = memref.alloc() : memref<64xf32>
    %c = memref.alloc() : memref<64xf32>
    "test.write"(%a) : (memref<64xf32>) -> ()
    "test.write"(%b) : (memref<64xf32>) -> ()
    %either = arith.select %which, %a, %b : memref<64xf32>
    linalg.generic {indexing_maps = [#id, #reverse, #id], iterator_types = ["parallel"]} ins(%a, %either : memref<64xf32>, memref<64xf32>) outs(%c : memref<64xf32>) {
    ^bb0(%x: f32, %z: f32, %o: f32):
      %y = arith.addf %x, %z : f32
      linalg.yield %y : f32
    }
    "test.read"(%c) : (memref<64xf32>) -> ()
    return
  }
  func.func @shapes() { return }
}

// -----

// Dynamic sizes: two buffers that are never live together share a slot; the offset of the next slot and the total are
// computed from the extent of the input, in @main and in @shapes.
// CHECK: qtensor.plan = {bound = 0 : i64, buffers = 3 : i64, bytes = 0 : i64, slots = 2 : i64}
// CHECK: func.func @main(%{{.*}}: !llvm.ptr, %{{.*}}: memref<?xi8>, %[[S:[a-z0-9]+]]: memref<?xi8>, %[[X:[a-z0-9]+]]: memref<?xf32>)
// CHECK: memref.dim %[[X]]
// CHECK-COUNT-3: memref.view %[[S]]
// CHECK: func.func @shapes(%[[N:.*]]: index) -> (index, index)
// CHECK: arith.muli %[[N]]
module attributes {qtensor.inputs = [], qtensor.outputs = []} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<?xf32>) {
    %c0 = arith.constant 0 : index
    %n = memref.dim %x, %c0 : memref<?xf32>
    %a = memref.alloc(%n) : memref<?xf32>
    %b = memref.alloc(%n) : memref<?xf32>
    %c = memref.alloc(%n) : memref<?xf32>
    "test.copy"(%x, %a) : (memref<?xf32>, memref<?xf32>) -> ()
    "test.copy"(%a, %b) : (memref<?xf32>, memref<?xf32>) -> ()
    "test.copy"(%b, %c) : (memref<?xf32>, memref<?xf32>) -> ()
    "test.read"(%c) : (memref<?xf32>) -> ()
    return
  }
  func.func @shapes(%n: index) -> index { return %n : index }
}

// -----

// The size of a buffer that follows a view of another temporary follows from the input all the same.
// CHECK: func.func @main(%{{.*}}: !llvm.ptr, %{{.*}}: memref<?xi8>, %[[S:[a-z0-9]+]]: memref<?xi8>, %[[X:[a-z0-9]+]]: memref<?x6xf32>)
// CHECK-COUNT-3: memref.view %[[S]]
// CHECK: func.func @shapes(%[[N:.*]]: index, %{{.*}}: index) -> (index, index)
module attributes {qtensor.inputs = [], qtensor.outputs = []} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<?x6xf32>) {
    %c0 = arith.constant 0 : index
    %n = memref.dim %x, %c0 : memref<?x6xf32>
    %a = memref.alloc(%n) : memref<?x6xf32>
    "test.copy"(%x, %a) : (memref<?x6xf32>, memref<?x6xf32>) -> ()
    %flat = memref.collapse_shape %a [[0, 1]] : memref<?x6xf32> into memref<?xf32>
    %m = memref.dim %flat, %c0 : memref<?xf32>
    %b = memref.alloc(%m) : memref<?xf32>
    "test.copy"(%flat, %b) : (memref<?xf32>, memref<?xf32>) -> ()
    %split = memref.expand_shape %b [[0, 1]] output_shape [%n, 6] : memref<?xf32> into memref<?x6xf32>
    %k = memref.dim %split, %c0 : memref<?x6xf32>
    %c = memref.alloc(%k) : memref<?xf32>
    "test.copy"(%split, %c) : (memref<?x6xf32>, memref<?xf32>) -> ()
    return
  }
  func.func @shapes(%n: index, %k: index) -> index { return %n : index }
}

// -----

// A size that is an extent of an output: @shapes knows it.
// CHECK: func.func @main(%{{.*}}: !llvm.ptr, %{{.*}}: memref<?xi8>, %[[S:[a-z0-9]+]]: memref<?xi8>, %{{.*}}: memref<?xf32>, %[[Y:[a-z0-9]+]]: memref<?xf32>)
// CHECK: memref.view %[[S]]
// CHECK: func.func @shapes(%[[N:.*]]: index) -> (index, index)
// CHECK: %[[TWICE:.*]] = arith.addi %[[N]], %[[N]]
// CHECK: arith.muli %[[TWICE]]
module attributes {qtensor.inputs = [], qtensor.outputs = []} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<?xf32>, %y: memref<?xf32>) {
    %c0 = arith.constant 0 : index
    %n = memref.dim %y, %c0 : memref<?xf32>
    %a = memref.alloc(%n) : memref<?xf32>
    "test.copy"(%x, %a) : (memref<?xf32>, memref<?xf32>) -> ()
    "test.read"(%a) : (memref<?xf32>) -> ()
    return
  }
  func.func @shapes(%n: index) -> index {
    %twice = arith.addi %n, %n : index
    return %twice : index
  }
}

// -----

// Where what @shapes checks of the extents does not hold, it asks for -1 bytes.
// CHECK: func.func @shapes(%[[A:.*]]: index, %[[B:.*]]: index) -> (index, index)
// CHECK: %[[SAME:.*]] = arith.cmpi eq, %[[A]], %[[B]]
// CHECK: %[[BYTES:.*]] = arith.constant 256 : index
// CHECK: %[[NONE:.*]] = arith.constant -1 : index
// CHECK: %[[R:.*]] = arith.select %[[SAME]], %[[BYTES]], %[[NONE]]
// CHECK: return %[[A]], %[[R]]
module attributes {qtensor.inputs = [], qtensor.outputs = []} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<?xf32>, %y: memref<?xf32>, %z: memref<?xf32>) {
    %a = memref.alloc() : memref<64xf32>
    "test.write"(%a) : (memref<64xf32>) -> ()
    "test.read"(%a) : (memref<64xf32>) -> ()
    return
  }
  func.func @shapes(%a: index, %b: index) -> (index, i1) {
    %same = arith.cmpi eq, %a, %b : index
    return %a, %same : index, i1
  }
}
