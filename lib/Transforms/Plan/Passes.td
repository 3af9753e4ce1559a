// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef QTENSOR_TRANSFORMS_PLAN_PASSES
#define QTENSOR_TRANSFORMS_PLAN_PASSES

include "mlir/Pass/PassBase.td"

def CheckStateWrites : Pass<"qtensor-check-state-writes", "func::FuncOp"> {
  let summary = "Writes into a state whose place only the run knows are checked";
  let description = [{
    A slice inserted into a state (`qtensor.state`) at an offset that is a value, as a cache takes the next token, must lie
    inside. Otherwise the run ends with an error; the slice then goes to the nearest place that fits, so that nothing
    outside of the state is written, and the state is no longer of use.

    ```mlir
    %1 = tensor.insert_slice %k into %c[%p, 0] [1, 64] [1, 1] : tensor<1x64xf32> into tensor<256x64xf32>
    // =>
    cf.assert %fits, "a write into the state 'keys' goes past its end: dimension 0 has 256 places; ..."
    %q = arith.maxsi (arith.minsi %p, 255), 0
    %1 = tensor.insert_slice %k into %c[%q, 0] [1, 64] [1, 1] : tensor<1x64xf32> into tensor<256x64xf32>
    ```
  }];
  let dependentDialects = ["arith::ArithDialect", "cf::ControlFlowDialect"];
}

def CheckExtents : Pass<"qtensor-check-extents", "func::FuncOp"> {
  let summary = "Extents that have to agree and that only the run knows are checked";
  let description = [{
    Ops on tensors with open extents need some of them to be equal, or a slice to lie inside; verifiers see only what is written
    in types. Where that does not follow from how the extents of `@main` are computed from those of its arguments, it becomes a
    `cf.assert` at the beginning, which `qtensor-make-entry` moves to `@shapes`: a run with other extents ends before it reads
    anything. What is checked once, by the model itself too, is known to all ops behind it. Extents that share a name of
    `qtensor.dims` are equal.

    ```mlir
    %r = linalg.add ins(%x, %y : tensor<?xf32>, tensor<?xf32>) outs(%x : tensor<?xf32>) -> tensor<?xf32>
    // =>
    %n = tensor.dim %x, %c0 : tensor<?xf32>
    %m = tensor.dim %y, %c0 : tensor<?xf32>
    %same = arith.cmpi eq, %m, %n : index
    cf.assert %same, "'linalg.add' at model.mlir:5:8: dimension 0 of operand 1 and dimension 0 of operand 0 differ"
    %r = linalg.add ins(%x, %y : tensor<?xf32>, tensor<?xf32>) outs(%x : tensor<?xf32>) -> tensor<?xf32>
    ```

    Nothing is checked in loops: extents that an iteration leaves as they are count as those of the first one, and the counter of
    a loop takes its first and its last value. What a branch or a loop does need not hold where extents do not let it run; where
    data decide whether it runs, it has to hold. Where an offset, an index or the size of a slice is data, the check stands in
    front of the op, which then gets the nearest one that fits, as in `qtensor-check-state-writes`.

    So for tensors that a body reads by an index (lookups in tables; `linalg.map` and `tensor.generate` become linalg.generic):
    where the index is a sum of multiples of loops, its range is an extent that has to fit; any other one is bounded in the
    body, with a reduction over what it is computed from as its check. A table without elements has no nearest one: it must
    have some unless the body does not run, and where its extents are data, a loop of no round or one is put around the op.

    Errors: extents that differ whatever the inputs are; a read whose index a check in front could not know, because it stands
    in a branch, in the padding of a `tensor.pad`, in a tensor made in the body, or depends on a table that may be empty by data.
  }];
  let dependentDialects = ["arith::ArithDialect", "cf::ControlFlowDialect", "linalg::LinalgDialect", "scf::SCFDialect",
                           "tensor::TensorDialect"];
}

def KeepLoopValues : Pass<"qtensor-keep-loop-values", "ModuleOp"> {
  let summary = "What an iteration of a loop yields is written into the memory of what it was given";
  let description = [{
    Buffers that a loop carries are the same ones in every iteration, so that a static plan can place them. A tensor that an
    iteration makes anew is copied into the one that it replaces. One that it was given in another place (or a view of it)
    is copied aside first, for its memory may be overwritten before: loops may swap. So is one that is passed on beside a
    tensor that was written over it. One that is passed on twice is copied from its first place to the second. So do
    `scf.while` and its condition, which must pass tensors on in the order and with the types in which they came.

    ```mlir
    scf.for ... iter_args(%h = %h0) -> (tensor<1x20xi8>) { ...  scf.yield %new : tensor<1x20xi8> }
    // =>
    scf.for ... iter_args(%h = %h0) -> (tensor<1x20xi8>) { ...
      %kept = bufferization.materialize_in_destination %new in %h
      scf.yield %kept : tensor<1x20xi8> }
    ```
  }];
  let dependentDialects = ["bufferization::BufferizationDialect"];
}

def MakeEntry : Pass<"qtensor-make-entry", "ModuleOp"> {
  let summary = "Give @main the calling convention of an artifact, and derive @shapes";
  let description = [{
    Inputs and results of `@main` become buffers, results written where the caller says. Two more arguments come
    first: the bytes of all large constants and the scratch arena. The names and types of inputs and results move to
    the module, since they describe the artifact and not the function. `@shapes` computes every extent of every
    result from the extents of the inputs; an extent that depends on the *values* of an input is an error. What a loop carries
    has the extents of what it starts with; a loop that may change one is an error. A `cf.assert`
    whose condition follows from extents leaves `@main`: `@shapes` returns whether all of them hold as its last result.

    ```mlir
    func.func @main(%x: tensor<?x4xf32> {qtensor.name = "x"}) -> (tensor<?x8xf32> {qtensor.name = "y"})
    // =>
    module attributes {qtensor.inputs = [{name = "x", type = tensor<?x4xf32>} ],
                       qtensor.outputs = [{name = "y", type = tensor<?x8xf32>} ]} {
      func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>,
                      %x: memref<?x4xf32>, %y: memref<?x8xf32>)
      func.func @shapes(%x0: index, %x1: index) -> (index, index)
    }
    ```

    An argument and a result that carry the same `qtensor.state` are one state, which the model keeps between calls: they
    become one buffer behind the inputs, read and written in place (a row that is inserted is all that is written).

    ```mlir
    func.func @main(%c: tensor<64x8xf32> {qtensor.state = "cache"}, %x: ...) -> (tensor<...>, tensor<64x8xf32> {qtensor.state = "cache"})
    // =>
    module attributes {..., qtensor.states = [{name = "cache", type = tensor<64x8xf32>} ]} {
      func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: ..., %c: memref<64x8xf32>, %y: ...)
    ```

    An argument may carry `qtensor.dims = ["batch", "", ...]`: extents that share a name must be equal at run time; and
    `qtensor.dtype = ui8`, where the model's integers are unsigned.
  }];
  let dependentDialects = ["bufferization::BufferizationDialect", "memref::MemRefDialect", "tensor::TensorDialect",
                           "arith::ArithDialect", "LLVM::LLVMDialect"];
}

def ExternalizeConstants : Pass<"qtensor-externalize-constants", "ModuleOp"> {
  let summary = "Move large constants of @main to the weights file";
  let description = [{
    Every tensor constant above `max-inline-bytes` becomes a view of `%weights` at a constant offset, a multiple of
    `alignment`. Equal bytes are stored once. The bytes stay in an attribute of the module until the weights file is
    written: LLVM never sees them. A large splat is filled at run time instead.

    ```mlir
    %w = arith.constant dense_resource<w> : tensor<64x64xf32>
    // =>
    module attributes {qtensor.weights = [
        {name = "w", offset = 0 : i64, size = 16384 : i64, value = dense_resource<w>} ]}
    %0 = memref.view %weights[%c0][] : memref<?xi8> to memref<64x64xf32>
    %w = bufferization.to_tensor %0 restrict : memref<64x64xf32> to tensor<64x64xf32>
    ```
  }];
  let options = [Option<"maxInlineBytes", "max-inline-bytes", "int64_t", "256",
                        "Constants up to this size stay in the code">,
                 Option<"alignment", "alignment", "int64_t", "64", "Of offsets in the weights, in bytes">];
  let dependentDialects = ["bufferization::BufferizationDialect", "memref::MemRefDialect", "tensor::TensorDialect",
                           "arith::ArithDialect", "linalg::LinalgDialect"];
}

def PlanMemory : Pass<"qtensor-plan-memory", "ModuleOp"> {
  let summary = "Place every temporary buffer of @main in the one scratch arena";
  let description = [{
    Allocations of `@main` become views of `%scratch`. Buffers of static size get offsets from the best of several
    first-fit orders; buffers whose size depends on input extents share slots, and the offset of a slot is the sum of
    the sizes before it. An elementwise op whose input dies writes over it. `@shapes` returns the bytes needed as
    one more result, or -1, which the runtime refuses, where what `@shapes` checks of the extents does not hold.
    `qtensor.plan` on the module reports the static arena and its lower bound.

    ```mlir
    %a = memref.alloc() : memref<64xf32>
    // =>
    module attributes {qtensor.plan = {
        buffers = 1 : i64, bound = 256 : i64, bytes = 256 : i64, slots = 0 : i64}}
    %a = memref.view %scratch[%c0][] : memref<?xi8> to memref<64xf32>
    ```

    The size of a buffer must follow from the extents of the inputs; one that depends on their values is an error.
  }];
  let dependentDialects = ["memref::MemRefDialect", "arith::ArithDialect", "affine::AffineDialect"];
}

def OrderStores : Pass<"qtensor-order-stores", "func::FuncOp"> {
  let summary = "Outputs and states are stored in an order in which none overwrites what another has still to store";
  let description = [{
    Elimination of empty tensors computes values right in the memory of the output or state that they end in. It takes a new
    tensor of that memory each time, so that analysis does not see that one is the other, and it does not look at who else reads
    a value on the way. Here each memory has one tensor. Where a value lies in the memory of an output on the way to it and is an
    output of its own, the latter is stored first; where two want each other's memory (states that change places), one is copied.

    ```mlir
    %m = bufferization.to_tensor %out0 restrict writable
    %v = linalg.add ... outs(%m)
    %n = tensor.insert %h into %v[%i]
    bufferization.materialize_in_destination %n in restrict writable %out0
    bufferization.materialize_in_destination %v in restrict writable %out1
    // =>
    bufferization.materialize_in_destination %v in restrict writable %out1
    bufferization.materialize_in_destination %n in restrict writable %out0
    ```
  }];
  let dependentDialects = ["bufferization::BufferizationDialect"];
}

def SplitFills : Pass<"qtensor-split-fills"> {
  let summary = "Give every op that starts from filled memory a fill of its own";
  let description = [{
    Equal fills have become one by then, and sums that start from it would each have to copy it: filling again writes
    as much and reads nothing, and the filled buffer is that of the result.

    ```mlir
    %zero = linalg.fill ins(%c0 : f32) outs(%e : tensor<4xf32>)
    %a = linalg.reduce ... outs(%zero) ; %b = linalg.reduce ... outs(%zero)
    // =>
    %zero = linalg.fill ins(%c0 : f32) outs(%e : tensor<4xf32>)
    %a = linalg.reduce ... outs(%zero)
    %e2 = tensor.empty() ; %zero2 = linalg.fill ins(%c0 : f32) outs(%e2 : tensor<4xf32>)
    %b = linalg.reduce ... outs(%zero2)
    ```

    With `empties` each op has its own `tensor.empty` too. Ops that share one would share a buffer, which is then live from
    the first of them to the last, while a plan can give each its place.
  }];
  let options = [Option<"empties", "empties", "bool", "false", "Split empty tensors too">];
}

def PlanGreedily : Pass<"qtensor-plan-greedily", "func::FuncOp"> {
  let summary = "How large the arena of TFLite Micro would be";
  let description = [{
    A yardstick: every tensor of `@main` has a buffer of its own, nothing is written in place, kernels want no room, and
    the largest buffers are placed first. What is planned later is compared with it.

    ```mlir
    func.func @main(%x: tensor<1x64xi8>) -> tensor<1x64xi8> { %y = qnn.add ins(%x, %x ...) ; return %y }
    // =>
    func.func @main(%x: tensor<1x64xi8>) -> tensor<1x64xi8> attributes {qtensor.greedy = 128 : i64} { ... }
    ```
  }];
  let options = [
    Option<"alignment", "alignment", "int64_t", "16", "Of offsets, in bytes">,
    Option<"placesInterface", "places-interface", "bool", "true", "Inputs and outputs lie in the arena">];
}

def PlanRegions : Pass<"qtensor-plan-regions", "ModuleOp"> {
  let summary = "Place every buffer of a model of static shapes in the memories that there are";
  let description = [{
    As `qtensor-plan-memory`, for a target without an operating system: inputs and outputs have places too (the caller may
    use others), and buffers with many accesses for their size lie in the memory where an access costs least. Offsets
    count from the first memory's beginning; `base` says where each begins. `bound` is what the neediest step cannot do
    without, `greedy` the yardstick of `qtensor-plan-greedily` if that has run. A result lies over an input that dies as far
    as `qtensor.overlaps` of its layer allows (see `qtensor-attach-layer-scratch`).

    ```mlir
    %a = memref.alloc() : memref<64xi8>
    // =>
    module attributes {qtensor.plan = {bound = 64, buffers = 1, bytes = 64, places = [ {offset = 0, region = 0} ],
                                       regions = [ {base = 0, bytes = 64, name = "dtcm"} ], slots = 0} }
    %a = memref.view %scratch[%c0][] : memref<?xi8> to memref<64xi8>
    ```

    A memory with `:constants` behind its cost is for weights, one with `:copies` for weights that start-up copies there from
    the first of those. Weights with many reads for their size lie where a read costs least; their offsets in
    `qtensor.weights` then follow region by region, and `constants` of the plan says where each begins. Without such memories
    all weights lie in one of any size.

    Errors: extents that are not known; a model that does not fit, with the bytes that are missing and the layers that
    decide it; a memory that is not written as name:bytes:cost:use; copies of nothing.
  }];
  let options = [
    ListOption<"regions", "regions", "std::string", "Memories: name:bytes or name:bytes:cost, with :constants or :copies for weights; none: one without an end">,
    Option<"alignment", "alignment", "int64_t", "16", "Of offsets, in bytes">,
    Option<"placesInterface", "places-interface", "bool", "true", "Inputs and outputs lie in the memories">];
  let dependentDialects = ["memref::MemRefDialect", "arith::ArithDialect"];
}

#endif
