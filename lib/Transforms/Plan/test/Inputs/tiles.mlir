// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A sum in tiles of four and a rest, and a copy by parallel iterations.
func.func @main(%x: tensor<?xf32>, %y: tensor<?xf32>, %z: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>) {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %sum = scf.for %i = %c0 to %n step %c4 iter_args(%o = %e) -> tensor<?xf32> {
    %size = affine.min affine_map<(d0)[s0] -> (4, s0 - d0)>(%i)[%n]
    %a = tensor.extract_slice %x[%i] [%size] [1] : tensor<?xf32> to tensor<?xf32>
    %b = tensor.extract_slice %y[%i] [%size] [1] : tensor<?xf32> to tensor<?xf32>
    %c = tensor.extract_slice %o[%i] [%size] [1] : tensor<?xf32> to tensor<?xf32>
    %d = linalg.add ins(%a, %b : tensor<?xf32>, tensor<?xf32>) outs(%c : tensor<?xf32>) -> tensor<?xf32>
    %p = tensor.insert_slice %d into %o[%i] [%size] [1] : tensor<?xf32> into tensor<?xf32>
    scf.yield %p : tensor<?xf32>
  }
  %copy = scf.forall (%i) in (%n) shared_outs(%o = %e) -> tensor<?xf32> {
    %a = tensor.extract_slice %z[%i] [1] [1] : tensor<?xf32> to tensor<1xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %a into %o[%i] [1] [1] : tensor<1xf32> into tensor<?xf32>
    }
  }
  return %sum, %copy : tensor<?xf32>, tensor<?xf32>
}
