// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef QTENSOR_TRANSFORMS_CONTRACTS_PASSES
#define QTENSOR_TRANSFORMS_CONTRACTS_PASSES

include "mlir/Pass/PassBase.td"

class Contract<string phase> : Pass<"verify-contract-" # phase, "ModuleOp"> {
  let summary = "Check what phase " # phase # " promises";
}

def VerifyImported : Contract<"c0"> {
  let description = [{
    - C0.1: there is one public function `@main`, with a body; its inputs and results are ranked tensors.
    - C0.2: ops are of func, linalg, arith, math, tensor, scf, affine and qtensor; control flow is structured, and `cf.assert` checks values.
    - C0.3: names of inputs (`qtensor.name`) are not empty and differ; so are those of results.
    - C0.4: no tensor is unranked.
    - C0.5: a `qtensor.state` names one input and one result, of one type with static shape.
    - C0.6: a tensor of static shape has fewer than 2^47 elements: no address space holds more bytes, and sizes do not overflow.

    ```mlir
    func.func @main(%x: tensor<*xf32>) // => error: contract clause C0.1: ...
    ```
  }];
}

def VerifyQuantized : Contract<"c2"> {
  let description = [{
    - C2.1: encoded types are well formed.
    - C2.2: only qtensor ops make encoded tensors. tensor.empty, cast, extract_slice, expand_shape and collapse_shape,
      calls, scf ops and block arguments pass them on.
    - C2.3: no other op has an encoded destination.
    - C2.4: those that pass an encoded tensor on keep its encoding exactly.
    - C2.5: there is no constant of encoded type.
    - C2.6: slices have unit strides; offsets are provably multiples of the block, sizes too or they reach the end; so for
      what scales of scales and parameters with own blocks stand for, unless that is a whole dimension.
    - C2.7: reshapes do not split blocks.
    - C2.8: as many values are rounded as when the phase began (`record` notes it in the module). A pass that fused or
      folded a rounding leaves nothing else to find. Values that nothing reads do not count.
    - C2.9: no encoded tensor becomes a buffer.

    ```mlir
    module { %q = qtensor.quantize ... }
    // => with record=true
    module attributes {qtensor.roundings = 1 : i64} { %q = qtensor.quantize ... }
    ```
  }];
  let options = [Option<"record", "record", "bool", "false", "Note the number of roundings for later checks">];
}

def VerifySelected : Contract<"c3"> {
  let description = [{
    - C3.1: there is no encoded type.
    - C3.2: there is no op of C2 (quantize, dequantize, assemble, component, insert, requantize, as).
    - C3.3: every qtensor.decode says in `qtensor.reason` why its reader could not take the codes.
    - C3.4: a float contraction of encoded operands says in `qtensor.reason` why it is not an integer one.
    - C3.5: an integer contraction has as many limbs as its weight's codec needs.

    ```mlir
    %y = qtensor.decode %c, %s as #w outs(%0 : ...) : ... // => error: contract clause C3.3: ...
    ```
  }];
}

def VerifyTiled : Contract<"c4"> {
  let description = [{
    - C4.1: all that C3 promises.
    - C4.2: weights are packed when the model is compiled: a packed operand of a contraction is a constant.
    - C4.3: a contraction of an encoded constant weight is packed, or says in `qtensor.unpacked` why it is not.
    - C4.4: a contraction whose reduction is cut has no epilogue.

    ```mlir
    qtensor.contract ... rhs(%p : tensor<3456xi8>) encoded #w layout #qtile.packed<...> // %p an argument
    // => error: contract clause C4.2: ...
    ```
  }];
}

def VerifyNative : Contract<"c6"> {
  let description = [{
    - C6.1: ops are of the LLVM dialect.

    ```mlir
    llvm.func @f(%x: i32) { %0 = arith.addi %x, %x : i32 ... } // => error: contract clause C6.1: ...
    ```
  }];
}

def VerifyPlanned : Contract<"c5"> {
  let description = [{
    - C5.1: there are no tensors.
    - C5.2: `@main` allocates nothing: temporaries lie in the scratch arena.
    - C5.3: no element in memory is narrower than 8 bits, i1 aside.

    ```mlir
    func.func @main(...) { %0 = memref.alloc() : memref<4xf32> } // => error: contract clause C5.2: ...
    ```
  }];
}

#endif
