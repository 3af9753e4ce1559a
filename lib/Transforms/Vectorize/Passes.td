// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef QTENSOR_TRANSFORMS_VECTORIZE_PASSES
#define QTENSOR_TRANSFORMS_VECTORIZE_PASSES

include "mlir/Pass/PassBase.td"

def Vectorize : Pass<"qtensor-vectorize"> {
  let summary = "Turn linalg on buffers into register-tiled vector loops";
  let description = [{
    One loop of each op becomes the lanes of a vector of 16 elements: a parallel loop along which every operand is
    contiguous or constant, else a reduction loop of that kind, else a parallel loop with gathered inputs. Reductions
    keep a tile of `rows` x `vectors` accumulators in registers. Tails are masked. An op that fits no such shape becomes
    plain loops.

    The order in which a sum is formed never depends on `rows` and `vectors`, so all levels of a target give the same
    bits: a parallel lane adds in ascending order with one fused multiply-add per term; a reduction along lanes has 16
    partial sums, added by halves.

    ```mlir
    linalg.generic {...} ins(%a, %b : memref<64x32xf32>, memref<32xf32>) outs(%c : memref<64x32xf32>) { addf }
    // =>
    scf.parallel (%i) = (%c0) to (%c64) step (%c1) {
      scf.for %j = %c0 to %c32 step %c16 {
        %0 = vector.load %a[%i, %j] : memref<64x32xf32>, vector<16xf32>
        ...
    ```
  }];
  let options = [
    Option<"rows", "rows", "unsigned", "4", "Rows of accumulators in a reduction">,
    Option<"vectors", "vectors", "unsigned", "2", "Vectors of 16 elements in a row">,
    Option<"parallel", "parallel", "bool", "true", "Make the outermost loop of large ops parallel">,
  ];
  let dependentDialects = ["affine::AffineDialect", "arith::ArithDialect", "linalg::LinalgDialect", "math::MathDialect",
                           "memref::MemRefDialect", "scf::SCFDialect", "vector::VectorDialect"];
}

def LayOutWeights : Pass<"qtensor-lay-out-weights"> {
  let summary = "Store float weights in panels, as the vector loops read them";
  let description = [{
    A contraction on plain numbers reads its constant weight in panels of as many outputs as a register tile has: the
    loop of the outputs is split, the loop of panels becomes the outermost, and a panel is one stretch of memory that is
    read from its start to its end while all rows pass by. Lanes are outputs: nothing is added across lanes, and short
    sums (few channels) waste none. Where outputs do not fill whole panels, they become the weight's last dimension.
    The reordering of the constant is left to `qtensor-evaluate-constants`. Weights that two ops read stay as they are,
    and so does everything that encodings touch: packing is the target's.

    ```mlir
    %y = linalg.matmul indexing_maps = [(m, n, k) -> (m, k), (n, k), (m, n)]
           ins(%x, %w : tensor<?x64xf32>, tensor<96x64xf32>)
    // =>
    %p = linalg.transpose ins(%w_split : tensor<3x32x64xf32>) outs(%e : tensor<3x64x32xf32>) permutation = [0, 2, 1]
    %z = linalg.generic {maps = (p, m, n, k) -> (m, k), (p, k, n), (m, p, n)}
           ins(%x, %p : tensor<?x64xf32>, tensor<3x64x32xf32>) outs(%init : tensor<?x3x32xf32>)
    %y = tensor.collapse_shape %z [[0], [1, 2]] : tensor<?x3x32xf32> into tensor<?x96xf32>
    ```
  }];
  let options = [
    Option<"panel", "panel", "int64_t", "32", "Outputs of a panel: a whole number of vectors of 16">,
  ];
  let dependentDialects = ["linalg::LinalgDialect", "tensor::TensorDialect"];
}

#endif
