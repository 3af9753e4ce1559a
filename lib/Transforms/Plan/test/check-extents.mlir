// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -qtensor-check-extents | FileCheck %s

// What differs may; what is the same, or was checked before, needs no check. The init was made from the first operand.
// CHECK-LABEL: func.func @main
// CHECK-DAG: %[[N:.*]] = tensor.dim %[[X:arg0]], %
// CHECK-DAG: %[[M:.*]] = tensor.dim %[[Y:arg1]], %
// CHECK: %[[SAME:.*]] = arith.cmpi eq, %[[M]], %[[N]]
// CHECK: cf.assert %[[SAME]], "'linalg.add' at check-extents.mlir:[[#@LINE+9]]:8: dimension 0 of operand 1 and dimension 0 of operand 0 differ"
// CHECK-NOT: cf.assert
// CHECK: return
func.func @main(%x: tensor<?x4xf32>, %y: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %e = tensor.empty(%n) : tensor<?x4xf32>
  %s = linalg.add ins(%x, %x : tensor<?x4xf32>, tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  %unread = tensor.cast %y : tensor<?x4xf32> to tensor<3x4xf32>
  %r = linalg.add ins(%s, %y : tensor<?x4xf32>, tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
  %t = linalg.mul ins(%y, %r : tensor<?x4xf32>, tensor<?x4xf32>) outs(%y : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %t : tensor<?x4xf32>
}

// -----

// Extents of one name are equal, and so are those that the model itself compares.
// CHECK-LABEL: func.func @main
// CHECK: cf.assert %{{.*}}, "of the model"
// CHECK-NOT: cf.assert
func.func @main(%x: tensor<?x?xf32> {qtensor.dims = ["batch", ""]}, %y: tensor<?x?xf32> {qtensor.dims = ["batch", "rest"]})
    -> tensor<?x?xf32> {
  %c1 = arith.constant 1 : index
  %n = tensor.dim %x, %c1 : tensor<?x?xf32>
  %m = tensor.dim %y, %c1 : tensor<?x?xf32>
  %wide = arith.index_cast %n : index to i64
  %other = arith.index_cast %m : index to i64
  %same = arith.cmpi eq, %wide, %other : i64
  cf.assert %same, "of the model"
  %r = linalg.add ins(%x, %y : tensor<?x?xf32>, tensor<?x?xf32>) outs(%x : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// -----

// What is computed twice is the same, whatever it is.
// CHECK-LABEL: func.func @main
// CHECK-NOT: cf.assert
func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c0_i64 = arith.constant 0 : i64
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %a = arith.index_cast %n : index to i64
  %an = arith.cmpi ult, %a, %c0_i64 : i64
  %as = arith.select %an, %c0_i64, %a : i64
  %ai = arith.index_cast %as : i64 to index
  %b = arith.index_cast %n : index to i64
  %zero = arith.constant 0 : i64
  %bn = arith.cmpi ult, %b, %zero : i64
  %bs = arith.select %bn, %zero, %b : i64
  %bi = arith.index_cast %bs : i64 to index
  %e = tensor.empty(%ai) : tensor<?xf32>
  %f = tensor.empty(%bi) : tensor<?xf32>
  %r = linalg.exp ins(%e : tensor<?xf32>) outs(%f : tensor<?xf32>) -> tensor<?xf32>
  return %r : tensor<?xf32>
}

// -----

// Products, windows, joins, reshapes, casts.
// CHECK-LABEL: func.func @main
// CHECK: "'linalg.matmul' {{.*}}: dimension 0 of operand 1 and dimension 1 of operand 0 differ"
// CHECK: "'linalg.batch_matmul' {{.*}}: dimension 0 of operand 1 and dimension 0 of operand 0 differ"
// CHECK: "'tensor.concat' {{.*}}: dimension 1 of operand 1 and dimension 1 of operand 0 differ"
// CHECK: "'tensor.expand_shape' {{.*}}: what it makes of dimension 1 has another number of elements"
// CHECK: "'tensor.cast' {{.*}}: dimension 1 of its result is not 6"
// CHECK: "'linalg.conv_1d' {{.*}}: dimension 0 of operand 0 is too short for the windows of the others"
// CHECK: "'linalg.generic' {{.*}}: dimension 0 of operand 0 is read in front of its first element"
// CHECK: "'tensor.pad' {{.*}}: dimension 1 of its result is not 9"
// CHECK: "'linalg.softmax' {{.*}}: dimension 1 of operand 1 and dimension 1 of operand 0 differ"
// CHECK: "'arith.addf' {{.*}}: dimension 0 of operand 1 and dimension 0 of operand 0 differ"
// CHECK: "'tensor.reshape' {{.*}}: the shape has another number of elements than its input"
// CHECK-NOT: cf.assert
#reversed = affine_map<(i) -> (5 - i)>
#id = affine_map<(i) -> (i)>
func.func @main(%a: tensor<2x?xf32>, %b: tensor<?x5xf32>, %c: tensor<?x3x4xf32>, %d: tensor<?x4x5xf32>, %e: tensor<2x?xf32>,
                %v: tensor<?xf32>, %k: tensor<3xf32>, %o: tensor<?xf32>, %six: tensor<6xf32>, %p: tensor<?xf32>,
                %q: tensor<2x?xf32>, %u: tensor<?xf32>, %w: tensor<?xf32>)
    -> (tensor<2x5xf32>, tensor<?x3x5xf32>, tensor<4x?xf32>, tensor<2x?x2xf32>, tensor<2x6xf32>, tensor<?xf32>, tensor<?xf32>,
        tensor<2x9xf32>, tensor<2x?xf32>, tensor<?xf32>, tensor<?x2xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant 0.0 : f32
  %init = tensor.empty() : tensor<2x5xf32>
  %product = linalg.matmul ins(%a, %b : tensor<2x?xf32>, tensor<?x5xf32>) outs(%init : tensor<2x5xf32>) -> tensor<2x5xf32>
  %n = tensor.dim %c, %c0 : tensor<?x3x4xf32>
  %inits = tensor.empty(%n) : tensor<?x3x5xf32>
  %products = linalg.batch_matmul ins(%c, %d : tensor<?x3x4xf32>, tensor<?x4x5xf32>) outs(%inits : tensor<?x3x5xf32>) -> tensor<?x3x5xf32>
  %joined = tensor.concat dim(0) %a, %e : (tensor<2x?xf32>, tensor<2x?xf32>) -> tensor<4x?xf32>
  %m = tensor.dim %a, %c1 : tensor<2x?xf32>
  %half = arith.divsi %m, %c2 : index
  %split = tensor.expand_shape %a [[0], [1, 2]] output_shape [2, %half, 2] : tensor<2x?xf32> into tensor<2x?x2xf32>
  %known = tensor.cast %a : tensor<2x?xf32> to tensor<2x6xf32>
  %seen = linalg.conv_1d ins(%v, %k : tensor<?xf32>, tensor<3xf32>) outs(%o : tensor<?xf32>) -> tensor<?xf32>
  %back = linalg.generic {indexing_maps = [#reversed, #id], iterator_types = ["parallel"]}
      ins(%six : tensor<6xf32>) outs(%p : tensor<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  } -> tensor<?xf32>
  %padded = tensor.pad %q low[0, 1] high[0, 1] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<2x?xf32> to tensor<2x9xf32>
  %soft = linalg.softmax dimension(1) ins(%q : tensor<2x?xf32>) outs(%e : tensor<2x?xf32>) -> tensor<2x?xf32>
  %sum = arith.addf %u, %w : tensor<?xf32>
  %l = tensor.dim %u, %c0 : tensor<?xf32>
  %rows = arith.divsi %l, %c2 : index
  %shape = tensor.from_elements %rows, %c2 : tensor<2xindex>
  %shaped = tensor.reshape %u(%shape) : (tensor<?xf32>, tensor<2xindex>) -> tensor<?x2xf32>
  return %product, %products, %joined, %split, %known, %seen, %back, %padded, %soft, %sum, %shaped
      : tensor<2x5xf32>, tensor<?x3x5xf32>, tensor<4x?xf32>, tensor<2x?x2xf32>, tensor<2x6xf32>, tensor<?xf32>, tensor<?xf32>,
        tensor<2x9xf32>, tensor<2x?xf32>, tensor<?xf32>, tensor<?x2xf32>
}

// -----

// Slices lie inside. Where an offset is data, the nearest one that fits takes its place behind the check.
// CHECK-LABEL: func.func @main
// CHECK: "'tensor.extract_slice' {{.*}}: its slice of dimension 0 of operand 0 begins in front of it"
// CHECK: "'tensor.insert_slice' {{.*}}: dimension 0 of operand 0 is not the size of the slice that it fills"
// CHECK: %[[DATA:.*]] = tensor.extract %arg2
// CHECK: %[[AT:.*]] = arith.index_cast %[[DATA]]
// CHECK: cf.assert %{{.*}}, "'tensor.extract_slice' {{.*}} begins in front of it"
// CHECK: %[[LOW:.*]] = arith.maxsi %[[AT]], %
// CHECK: cf.assert %{{.*}}, "'tensor.extract_slice' {{.*}} goes past its end"
// CHECK: %[[FITS:.*]] = arith.minsi %[[LOW]], %
// CHECK: tensor.extract_slice %{{.*}}[%[[FITS]], 0] [1, 4]
// CHECK-NOT: cf.assert
func.func @main(%x: tensor<?x4xf32>, %y: tensor<?x4xf32>, %at: tensor<1xi64>) -> (tensor<1x4xf32>, tensor<?x4xf32>, tensor<1x4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %end = arith.subi %n, %c1 : index
  %last = tensor.extract_slice %x[%end, 0] [1, 4] [1, 1] : tensor<?x4xf32> to tensor<1x4xf32>
  %all = tensor.extract_slice %x[0, 0] [%n, 4] [1, 1] : tensor<?x4xf32> to tensor<?x4xf32>
  %into = tensor.insert_slice %y into %all[1, 0] [%end, 4] [1, 1] : tensor<?x4xf32> into tensor<?x4xf32>
  %data = tensor.extract %at[%c0] : tensor<1xi64>
  %i = arith.index_cast %data : i64 to index
  %some = tensor.extract_slice %x[%i, 0] [1, 4] [1, 1] : tensor<?x4xf32> to tensor<1x4xf32>
  return %last, %into, %some : tensor<1x4xf32>, tensor<?x4xf32>, tensor<1x4xf32>
}

// -----

// A size that is data is bounded where it comes from: all ops that take it agree. So is an index.
// CHECK-LABEL: func.func @main
// CHECK: %[[N:.*]] = arith.index_cast
// CHECK: cf.assert %{{.*}}, "'tensor.extract_slice' {{.*}}: its slice of dimension 0 of operand 0 has a negative size"
// CHECK: %[[LOW:.*]] = arith.maxsi %[[N]], %
// CHECK: cf.assert %{{.*}}, "'tensor.extract_slice' {{.*}}: its slice of dimension 0 of operand 0 is larger than that"
// CHECK: %[[FITS:.*]] = arith.minsi %[[LOW]], %
// CHECK: tensor.extract_slice %{{.*}}[0] [%[[FITS]]] [1]
// CHECK: tensor.extract_slice %{{.*}}[0] [%[[FITS]]] [1]
// CHECK: cf.assert %{{.*}}, "'tensor.extract' {{.*}}: its index into dimension 0 of operand 0 is past the last element"
// CHECK: arith.minsi
// CHECK-NOT: cf.assert
func.func @main(%x: tensor<8xf32>, %y: tensor<8xf32>, %at: tensor<1xi64>) -> (tensor<f32>, f32) {
  %c0 = arith.constant 0 : index
  %data = tensor.extract %at[%c0] : tensor<1xi64>
  %n = arith.index_cast %data : i64 to index
  %some = tensor.extract_slice %x[0] [%n] [1] : tensor<8xf32> to tensor<?xf32>
  %others = tensor.extract_slice %y[0] [%n] [1] : tensor<8xf32> to tensor<?xf32>
  %e = tensor.empty() : tensor<f32>
  %r = linalg.dot ins(%some, %others : tensor<?xf32>, tensor<?xf32>) outs(%e : tensor<f32>) -> tensor<f32>
  %one = tensor.extract %x[%n] : tensor<8xf32>
  return %r, %one : tensor<f32>, f32
}

// -----

// Nothing is checked in a loop: what it carries has the extents of its start, its counter has two ends, and what it would do
// must hold only where it runs.
// CHECK-LABEL: func.func @main
// CHECK: "'linalg.add' {{.*}}: dimension 0 of operand 1 and dimension 0 of operand 0 differ"
// CHECK: %[[RUNS:.*]] = arith.cmpi slt, %{{.*}}, %{{.*}} : index
// CHECK: %[[RESTS:.*]] = arith.xori %[[RUNS]], %true
// CHECK: %[[FITS:.*]] = arith.ori %[[RESTS]], %
// CHECK: cf.assert %[[FITS]], "'tensor.extract_slice' {{.*}} goes past its end"
// CHECK: scf.for
// CHECK-NOT: cf.assert
func.func @main(%x: tensor<?x4xf32>, %y: tensor<?x4xf32>, %z: tensor<?x4xf32>, %n: tensor<?xi8>) -> (tensor<?x4xf32>, tensor<1x4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %sum = scf.for %i = %c0 to %c3 step %c1 iter_args(%h = %x) -> tensor<?x4xf32> {
    %d = tensor.dim %h, %c0 : tensor<?x4xf32>
    %e = tensor.empty(%d) : tensor<?x4xf32>
    %s = linalg.add ins(%h, %y : tensor<?x4xf32>, tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
    %same = linalg.add ins(%s, %x : tensor<?x4xf32>, tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) -> tensor<?x4xf32>
    scf.yield %same : tensor<?x4xf32>
  }
  %rows = tensor.dim %n, %c0 : tensor<?xi8>
  %init = tensor.empty() : tensor<1x4xf32>
  %picked = scf.for %i = %c0 to %rows step %c3 iter_args(%h = %init) -> tensor<1x4xf32> {
    %row = tensor.extract_slice %z[%i, 0] [1, 4] [1, 1] : tensor<?x4xf32> to tensor<1x4xf32>
    %s = linalg.add ins(%h, %row : tensor<1x4xf32>, tensor<1x4xf32>) outs(%h : tensor<1x4xf32>) -> tensor<1x4xf32>
    scf.yield %s : tensor<1x4xf32>
  }
  return %sum, %picked : tensor<?x4xf32>, tensor<1x4xf32>
}

// -----

// Two tensors that change places have to be of the same size; what only a branch needs holds where it is taken.
// CHECK-LABEL: func.func @main
// CHECK: "'scf.while' {{.*}}: dimension 0 of a tensor that the loop carries changes"
// CHECK: %[[MANY:.*]] = arith.cmpi sgt, %
// CHECK: %[[ELSE:.*]] = arith.xori %[[MANY]], %true
// CHECK: arith.ori %[[ELSE]], %
// CHECK-NEXT: cf.assert %{{.*}}, "'tensor.cast' {{.*}}: dimension 0 of its result is not 7"
// CHECK-NOT: cf.assert
func.func @main(%x: tensor<?xf32>, %y: tensor<?xf32>, %on: tensor<i1>) -> (tensor<?xf32>, tensor<7xf32>) {
  %c0 = arith.constant 0 : index
  %c5 = arith.constant 5 : index
  %r:2 = scf.while (%a = %x, %b = %y) : (tensor<?xf32>, tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>) {
    %go = tensor.extract %on[] : tensor<i1>
    scf.condition(%go) %a, %b : tensor<?xf32>, tensor<?xf32>
  } do {
  ^bb0(%a: tensor<?xf32>, %b: tensor<?xf32>):
    %s = linalg.add ins(%a, %b : tensor<?xf32>, tensor<?xf32>) outs(%a : tensor<?xf32>) -> tensor<?xf32>
    scf.yield %b, %s : tensor<?xf32>, tensor<?xf32>
  }
  %n = tensor.dim %r#0, %c0 : tensor<?xf32>
  %many = arith.cmpi sgt, %n, %c5 : index
  %seven = scf.if %many -> tensor<7xf32> {
    %cast = tensor.cast %x : tensor<?xf32> to tensor<7xf32>
    scf.yield %cast : tensor<7xf32>
  } else {
    %e = tensor.empty() : tensor<7xf32>
    scf.yield %e : tensor<7xf32>
  }
  return %r#1, %seven : tensor<?xf32>, tensor<7xf32>
}

// -----

// Encoded tensors: components belong to one tensor, and writes lie inside.
// CHECK-LABEL: func.func @main
// CHECK: "'qtensor.assemble' {{.*}}: dimension 0 of its component 'scale' is not that of the encoded tensor"
// CHECK: "'linalg.matmul' {{.*}}: dimension 0 of operand 1 and dimension 1 of operand 0 differ"
// CHECK: "'qtensor.quantize' {{.*}}: dimension 0 of its component 'scale' is not that of the encoded tensor"
// CHECK: "'qtensor.insert' {{.*}}: its slice of dimension 0 of operand 1 goes past its end"
// CHECK-NOT: cf.assert
#w = #qtensor.block<codec<8, int<signed>>, [1, ?], scale = f32>
func.func @main(%x: tensor<2x?xf32>, %codes: tensor<?x8xi8>, %scale: tensor<?x1xf32>, %p: tensor<?x8xf32>, %s: tensor<?x1xf32>,
                %row: tensor<1x8xf32>) -> tensor<2x8xf32> {
  %y = qtensor.assemble %codes, %scale : tensor<?x8xi8>, tensor<?x1xf32> -> tensor<?x8xf32, #w>
  %e = tensor.empty() : tensor<2x8xf32>
  %m = linalg.matmul ins(%x, %y : tensor<2x?xf32>, tensor<?x8xf32, #w>) outs(%e : tensor<2x8xf32>) -> tensor<2x8xf32>
  %q = qtensor.quantize %p params(%s : tensor<?x1xf32>) : tensor<?x8xf32> -> tensor<?x8xf32, #w>
  %i = qtensor.insert %row into %q[1, 0] [1, 8] [1, 1] : tensor<1x8xf32> into tensor<?x8xf32, #w>
  %d = qtensor.dequantize %i : tensor<?x8xf32, #w> -> tensor<?x8xf32>
  %c = tensor.extract_slice %d[0, 0] [2, 8] [1, 1] : tensor<?x8xf32> to tensor<2x8xf32>
  %r = linalg.add ins(%m, %c : tensor<2x8xf32>, tensor<2x8xf32>) outs(%e : tensor<2x8xf32>) -> tensor<2x8xf32>
  return %r : tensor<2x8xf32>
}
