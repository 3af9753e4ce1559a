// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Models that look something up, one a file.
//--- open.mlir
func.func @main(%t: tensor<?xf32>, %i: tensor<?xi64>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %i, %c0 : tensor<?xi64>
  %e = tensor.empty(%n) : tensor<?xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%i : tensor<?xi64>) outs(%e : tensor<?xf32>) {
  ^bb0(%p: i64, %o: f32):
    %a = arith.index_cast %p : i64 to index
    %s = tensor.extract %t[%a] : tensor<?xf32>
    linalg.yield %s : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}
//--- loops.mlir
func.func @main(%t: tensor<?xf32>, %i: tensor<?xi64>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c5 = arith.constant 5 : index
  %n = tensor.dim %i, %c0 : tensor<?xi64>
  %e = tensor.empty(%n) : tensor<?xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%e : tensor<?xf32>) {
  ^bb0(%o: f32):
    %l = linalg.index 0 : index
    %a = arith.subi %c5, %l : index
    %s = tensor.extract %t[%a] : tensor<?xf32>
    linalg.yield %s : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}
//--- outside.mlir
func.func @main(%t: tensor<?xf32>, %i: tensor<4xi64>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %p = tensor.extract %i[%c0] : tensor<4xi64>
  %a = arith.index_cast %p : i64 to index
  %e = tensor.empty() : tensor<4xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%e : tensor<4xf32>) {
  ^bb0(%o: f32):
    %s = tensor.extract %t[%a] : tensor<?xf32>
    linalg.yield %s : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}
//--- map.mlir
func.func @main(%t: tensor<?xf32>, %i: tensor<4xi64>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %y = linalg.map ins(%i : tensor<4xi64>) outs(%e : tensor<4xf32>) (%p: i64, %o: f32) {
    %a = arith.index_cast %p : i64 to index
    %s = tensor.extract %t[%a] : tensor<?xf32>
    linalg.yield %s : f32
  }
  return %y : tensor<4xf32>
}
//--- generate.mlir
func.func @main(%t: tensor<?xf32>, %i: tensor<?xi64>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %i, %c0 : tensor<?xi64>
  %y = tensor.generate %n {
  ^bb0(%j: index):
    %p = tensor.extract %i[%j] : tensor<?xi64>
    %a = arith.index_cast %p : i64 to index
    %s = tensor.extract %t[%a] : tensor<?xf32>
    tensor.yield %s : f32
  } : tensor<?xf32>
  return %y : tensor<?xf32>
}
//--- data.mlir
func.func @main(%t: tensor<3xf32>, %i: tensor<?xi64>, %count: tensor<1xi64>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %d = tensor.extract %count[%c0] : tensor<1xi64>
  %k = arith.index_cast %d : i64 to index
  %u = tensor.extract_slice %t[0] [%k] [1] : tensor<3xf32> to tensor<?xf32>
  %n = tensor.dim %i, %c0 : tensor<?xi64>
  %e = tensor.empty(%n) : tensor<?xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%i : tensor<?xi64>) outs(%e : tensor<?xf32>) {
  ^bb0(%p: i64, %o: f32):
    %a = arith.index_cast %p : i64 to index
    %s = tensor.extract %u[%a] : tensor<?xf32>
    linalg.yield %s : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}
//--- twice.mlir
func.func @main(%t: tensor<?xf32>, %i: tensor<4xi64>) -> tensor<4xf32> {
  %places = arith.constant dense<[1, 2, 0]> : tensor<3xi64>
  %e = tensor.empty() : tensor<4xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%i : tensor<4xi64>) outs(%e : tensor<4xf32>) {
  ^bb0(%p: i64, %o: f32):
    %a = arith.index_cast %p : i64 to index
    %q = tensor.extract %places[%a] : tensor<3xi64>
    %b = arith.index_cast %q : i64 to index
    %s = tensor.extract %t[%b] : tensor<?xf32>
    linalg.yield %s : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}
//--- branch.mlir
func.func @main(%t: tensor<3xf32>, %i: tensor<4xi64>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %e = tensor.empty() : tensor<4xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%i : tensor<4xi64>) outs(%e : tensor<4xf32>) {
  ^bb0(%p: i64, %o: f32):
    %a = arith.index_cast %p : i64 to index
    %below = arith.cmpi slt, %a, %c0 : index
    %b = scf.if %below -> index {
      scf.yield %c0 : index
    } else {
      scf.yield %a : index
    }
    %s = tensor.extract %t[%b] : tensor<3xf32>
    linalg.yield %s : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}
