// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef QTENSOR_OPS_TD
#define QTENSOR_OPS_TD

include "dialects/QTensor/IR/QTensorAttrs.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/ViewLikeInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

class QTensor_Op<string mnemonic, list<Trait> traits = []> : Op<QTensorDialect, mnemonic, traits> {
  let hasVerifier = 1;
}

/// Ops that live until buffers exist: destination style, on tensors or on memrefs.
class QTensor_DestinationOp<string mnemonic, list<Trait> traits = []>
    : QTensor_Op<mnemonic, !listconcat(traits, [
        DestinationStyleOpInterface, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>])>;

def QTensor_Shaped : AnyTypeOf<[AnyRankedTensor, AnyStridedMemRef]>;

//===----------------------------------------------------------------------===//
// Making and reading encoded tensors (C2)
//===----------------------------------------------------------------------===//

def QTensor_QuantizeOp : QTensor_Op<"quantize", [Pure, AttrSizedOperandSegments]> {
  let summary = "The rounding step: real values to an encoded tensor";
  let description = [{
    Every block is scaled, rounded by the codec's tie rule and saturated. Parameters that are data are computed from
    the block by the encoder (`absmax` when none is named), or given as operands in the order of the encoding's
    parameter components, exactly those components.
    ```
    %q = qtensor.quantize %x : tensor<?x64xf32> -> tensor<?x64xf32, #enc>
    %q = qtensor.quantize %x params(%s, %z : tensor<f32>, tensor<i8>) : tensor<8xf32> -> tensor<8xf32, #enc>
    %q = qtensor.quantize %w encoder "mse" : tensor<64x64xf32> -> tensor<64x64xf32, #enc>
    ```
    An all-zero block gets scale 0 and the code nearest to zero; NaN takes the codec's NaN code, or the code of zero
    where there is none; infinities saturate. Clauses Q1-Q3.
  }];
  let arguments = (ins AnyRankedTensor:$source, Variadic<AnyRankedTensor>:$params, Variadic<AnyRankedTensor>:$statistics,
                       OptionalAttr<StrAttr>:$encoder);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $source (`params` `(` $params^ `:` type($params) `)`)? (`statistics` `(` $statistics^ `:` type($statistics) `)`)?
    (`encoder` $encoder^)? attr-dict `:` type($source) `->` type($result)
  }];
}

def QTensor_DequantizeOp : QTensor_Op<"dequantize", [Pure]> {
  let summary = "The decoded values of an encoded tensor, as a plain tensor";
  let description = [{
    A read made explicit: `%y = qtensor.dequantize %q : tensor<4x64xf32, #enc> -> tensor<4x64xf32>`. Clause D1.
  }];
  let arguments = (ins AnyRankedTensor:$source);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
  let hasFolder = 1;
}

def QTensor_AssembleOp : QTensor_Op<"assemble", [Pure]> {
  let summary = "An encoded tensor made of its components";
  let description = [{
    `%w = qtensor.assemble %codes, %scale : tensor<64x64xi8>, tensor<64x2xf16> -> tensor<64x64xf32, #enc>`: the operands
    are the components of the result's encoding, in order. Clause A1.
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$components);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$components attr-dict `:` type($components) `->` type($result)";
}

def QTensor_ComponentOp : QTensor_Op<"component", [Pure]> {
  let summary = "One component of an encoded tensor, by name";
  let description = [{
    `%s = qtensor.component %w "scale" : tensor<64x64xf32, #enc> -> tensor<64x2xf16>`. Clause P1.
  }];
  let arguments = (ins AnyRankedTensor:$source, StrAttr:$name);
  let results = (outs AnyRankedTensor:$result);
  /// The type is that of the encoding's component `name`, which exists.
  let builders = [OpBuilder<(ins "::mlir::Value":$source, "::llvm::StringRef":$name)>];
  let assemblyFormat = "$source $name attr-dict `:` type($source) `->` type($result)";
  let hasFolder = 1;
}

def QTensor_InsertOp : QTensor_Op<"insert", [Pure, AttrSizedOperandSegments,
    AllTypesMatch<["dest", "result"]>, OffsetSizeAndStrideOpInterface]> {
  let summary = "Quantizes a plain slice into an encoded tensor (a cache write)";
  let description = [{
    ```
    %c1 = qtensor.insert %x into %c0[%t, 0] [1, 64] [1, 1] : tensor<1x64xf32> into tensor<?x64xf32, #enc>
    ```
    The blocks that the slice covers are encoded anew; all others keep their bits. The slice covers whole blocks:
    unit strides, offsets and sizes multiples of the block or reaching the end. Clauses I1-I3.
  }];
  let arguments = (ins AnyRankedTensor:$source, AnyRankedTensor:$dest, Variadic<Index>:$offsets, Variadic<Index>:$sizes,
                       Variadic<Index>:$strides, DenseI64ArrayAttr:$static_offsets, DenseI64ArrayAttr:$static_sizes,
                       DenseI64ArrayAttr:$static_strides, OptionalAttr<StrAttr>:$encoder);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $source `into` $dest `` custom<DynamicIndexList>($offsets, $static_offsets)
    custom<DynamicIndexList>($sizes, $static_sizes) custom<DynamicIndexList>($strides, $static_strides)
    (`encoder` $encoder^)? attr-dict `:` type($source) `into` qualified(type($dest))
  }];
  let extraClassDeclaration = [{
    RankedTensorType getSourceType() { return cast<RankedTensorType>(getSource().getType()); }
    std::array<unsigned, 3> getArrayAttrMaxRanks() {
      unsigned rank = getSourceType().getRank();
      return {rank, rank, rank};
    }
    static unsigned getOffsetSizeAndStrideStartOperandIndex() { return 2; }
  }];
}

def QTensor_RequantizeOp : QTensor_Op<"requantize", [Pure]> {
  let summary = "The final map of integer-only arithmetic: accumulators to codes";
  let description = [{
    `code = clamp(map(accumulator, multiplier, shift) + zero, low, high)`, with the zero of the result's static
    encoding. `multiplier` (and for `fixed` maps `shift`) has one element, or one per index of `axis`.
    ```
    %q = qtensor.requantize %acc multiplier(%m : tensor<16xi32>) shift(%s : tensor<16xi32>) axis 3 #qtensor.final<fixed<double>>
           clamp [-128, 127] : tensor<1x8x8x16xi32> -> tensor<1x8x8x16xf32, #enc>
    ```
    `real` maps take an f32 multiplier and no shift. Clauses R1-R4.
  }];
  let arguments = (ins AnyRankedTensor:$accumulator, AnyRankedTensor:$multiplier, Optional<AnyRankedTensor>:$shift,
                       OptionalAttr<I64Attr>:$axis, QTensor_FinalMapAttr:$map, I64Attr:$low, I64Attr:$high);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $accumulator `multiplier` `(` $multiplier `:` type($multiplier) `)` (`shift` `(` $shift^ `:` type($shift) `)`)?
    (`axis` $axis^)? $map `clamp` `[` $low `,` $high `]` attr-dict `:` type($accumulator) `->` type($result)
  }];
}

def QTensor_AsOp : QTensor_Op<"as", [
    SingleBlockImplicitTerminator<"::mlir::qtensor::YieldOp">, IsolatedFromAbove, RecursiveMemoryEffects]> {
  let summary = "A published exact algorithm: the body is the real meaning, the rule names the integer one";
  let description = [{
    ```
    %y = qtensor.as "softmax_int8" (%x) : (tensor<1x10xf32, #in>) -> tensor<1x10xf32, #out> { ^bb0(%a: ...): ... }
    ```
    Where the rule is not known to a later phase, the body is the meaning. Clause S1.
  }];
  let arguments = (ins StrAttr:$rule, Variadic<AnyRankedTensor>:$inputs, OptionalAttr<DictionaryAttr>:$parameters);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $rule `(` $inputs `)` ($parameters^)? `:` functional-type($inputs, $results) $body attr-dict
  }];
}

def QTensor_YieldOp : Op<QTensorDialect, "yield", [Pure, ReturnLike, Terminator,
    ParentOneOf<["AsOp", "ContractOp", "EpilogueOp"]>]> {
  let summary = "Ends the region of a qtensor op";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
  let builders = [OpBuilder<(ins), [{ }]>];
}

//===----------------------------------------------------------------------===//
// Work on components (C3 and later)
//===----------------------------------------------------------------------===//

def QTensor_EncodeOp : QTensor_DestinationOp<"encode", [AttrSizedOperandSegments]> {
  let summary = "quantize on components: writes codes and parameters";
  let description = [{
    ```
    %c, %s, %t = qtensor.encode %x as #enc sums outs(%c0, %s0, %t0 : ...) : tensor<?x64xf32> -> ...
    ```
    `outs` are the components of the encoding; with `sums` one more of type i32 and the grid's shape: the sum of
    `code - static zero` over each block, which integer contractions use to compensate the other side's zero.
    With `packed`, codes of at most 4 bits are written two to a byte, as the dialect's README says. Clauses N1 and N3.
  }];
  let arguments = (ins QTensor_Shaped:$source, Variadic<QTensor_Shaped>:$params, Variadic<QTensor_Shaped>:$outputs,
                       QTensor_BlockAttr:$encoding, UnitAttr:$sums, OptionalAttr<StrAttr>:$encoder, UnitAttr:$packed);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $source (`params` `(` $params^ `:` type($params) `)`)? `as` $encoding (`sums` $sums^)? (`encoder` $encoder^)?
    `outs` `(` $outputs `:` type($outputs) `)` attr-dict `:` type($source) (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{ MutableOperandRange getDpsInitsMutable() { return getOutputsMutable(); } }];
}

def QTensor_DecodeOp : QTensor_DestinationOp<"decode"> {
  let summary = "dequantize on components: a whole decoded tensor in memory";
  let description = [{
    `%y = qtensor.decode %codes, %scale as #enc outs(%init) : ...`. Clause N2.
  }];
  let arguments = (ins Variadic<QTensor_Shaped>:$components, QTensor_Shaped:$output, QTensor_BlockAttr:$encoding);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    $components `as` $encoding `outs` `(` $output `:` type($output) `)` attr-dict `:` type($components)
    (`->` type($result)^)?
  }];
  let extraClassDeclaration = [{ MutableOperandRange getDpsInitsMutable() { return getOutputMutable(); } }];
}

def QTensor_ContractOp : QTensor_DestinationOp<"contract", [AttrSizedOperandSegments,
    SingleBlockImplicitTerminator<"::mlir::qtensor::YieldOp">]> {
  let summary = "A contraction on components with its strategy and epilogue";
  let description = [{
    Replaces a contraction with encoded operands. `indexing_maps` are those of lhs, rhs and output over `iterators`
    (`parallel`, `reduction`); a convolution has the usual `d0 * stride + d4 * dilation` results. Each operand is one
    plain tensor, or the components of its encoding (with `lhs_sums` the lhs has the block sums of qtensor.encode as
    one component more). With `rhs_layout` the rhs is one packed byte tensor. On buffers, `scratch` is room that a
    lowering may use while the op runs.
    ```
    %y = qtensor.contract #qtensor.strategy<integer<1>> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
           lhs(%xc, %xs, %xt : ...) as #x sums rhs(%wc, %ws : ...) as #w
           extra(%bias : tensor<64xf32>) extra_maps [#n] outs(%init : tensor<?x64xf32>) -> tensor<?x64xf32> {
      ^bb0(%acc: f32, %b: f32):
        %0 = arith.addf %acc, %b : f32
        qtensor.yield %0 : f32
    }
    ```
    The epilogue is applied once to each finished accumulator (f32, or i32 for an `integer` contraction of statically
    encoded operands without scales); its other arguments are elements of the extra operands, indexed by `extra_maps`
    over the output's index space. The value of `outs` is not read. The order of accumulation is the canonical one of
    the dialect's README. Clauses K1-K7.
  }];
  let arguments = (ins QTensor_StrategyAttr:$strategy, ArrayAttr:$indexing_maps, ArrayAttr:$iterator_types,
                       Variadic<QTensor_Shaped>:$lhs, OptionalAttr<QTensor_BlockAttr>:$lhs_encoding, UnitAttr:$lhs_sums,
                       Variadic<QTensor_Shaped>:$rhs, OptionalAttr<QTensor_BlockAttr>:$rhs_encoding,
                       OptionalAttr<AnyAttr>:$rhs_layout,
                       Variadic<QTensor_Shaped>:$extra, DefaultValuedAttr<ArrayAttr, "{}">:$extra_maps,
                       QTensor_Shaped:$output, Optional<MemRefRankOf<[I8], [1]>>:$scratch);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let regions = (region SizedRegion<1>:$epilogue);
  let assemblyFormat = [{
    $strategy `maps` $indexing_maps `iterators` $iterator_types
    `lhs` `(` $lhs `:` type($lhs) `)` (`as` $lhs_encoding^)? (`sums` $lhs_sums^)?
    `rhs` `(` $rhs `:` type($rhs) `)` (`encoded` $rhs_encoding^)? (`layout` $rhs_layout^)?
    (`extra` `(` $extra^ `:` type($extra) `)` `extra_maps` $extra_maps)?
    `outs` `(` $output `:` type($output) `)` (`scratch` `(` $scratch^ `:` type($scratch) `)`)?
    (`->` type($result)^)? $epilogue attr-dict
  }];
  let extraClassDeclaration = [{
    MutableOperandRange getDpsInitsMutable() { return getOutputMutable(); }
    AffineMap getLhsMap() { return cast<AffineMapAttr>(getIndexingMaps()[0]).getValue(); }
    AffineMap getRhsMap() { return cast<AffineMapAttr>(getIndexingMaps()[1]).getValue(); }
    AffineMap getOutputMap() { return cast<AffineMapAttr>(getIndexingMaps()[2]).getValue(); }
    /// True when the epilogue only yields its accumulator.
    bool hasEmptyEpilogue();
  }];
}

def QTensor_EpilogueOp : QTensor_DestinationOp<"epilogue", [
    SingleBlockImplicitTerminator<"::mlir::qtensor::YieldOp">]> {
  let summary = "The epilogue of a contraction on its own, after its reduction was split";
  let description = [{
    Reads accumulators and yields results, elementwise over the accumulator's index space. Clause L1.
  }];
  let arguments = (ins QTensor_Shaped:$accumulator, Variadic<QTensor_Shaped>:$extra,
                       DefaultValuedAttr<ArrayAttr, "{}">:$extra_maps, QTensor_Shaped:$output);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $accumulator (`extra` `(` $extra^ `:` type($extra) `)` `extra_maps` $extra_maps)?
    `outs` `(` $output `:` type($output) `)` `:` type($accumulator) (`->` type($result)^)? $body attr-dict
  }];
  let extraClassDeclaration = [{ MutableOperandRange getDpsInitsMutable() { return getOutputMutable(); } }];
}

def QTensor_AttentionOp : QTensor_DestinationOp<"attention", [AttrSizedOperandSegments]> {
  let summary = "softmax(scale * q.k^T + mask).v, streaming over the keys";
  let description = [{
    q is [B, H, S, D], k and v [B, G, T, D] and [B, G, T, E] with H a multiple of G, mask (optional) [S, T] or
    [B, H, S, T] added to the scores, output [B, H, S, E]. k and v may be components of an encoding (a quantized
    cache). With `key_order` (`value_order`) dimension i of that list is dimension order[i] of the operand: a cache
    [B, T, G, D] has the order [0, 2, 1, 3]. With `key_packed` (`value_packed`) codes of at most 4 bits lie two to a
    byte, as the dialect's README says. Tokens whose masked score is -inf are not read; rows where all are yield zeros.
    The strategy is `float` where none is named. Clauses T1-T6.
  }];
  let arguments = (ins QTensor_Shaped:$query, Variadic<QTensor_Shaped>:$key, OptionalAttr<QTensor_BlockAttr>:$key_encoding,
                       Variadic<QTensor_Shaped>:$value, OptionalAttr<QTensor_BlockAttr>:$value_encoding,
                       Optional<QTensor_Shaped>:$mask, F32Attr:$scale, QTensor_Shaped:$output,
                       OptionalAttr<QTensor_StrategyAttr>:$strategy, OptionalAttr<DenseI64ArrayAttr>:$key_order,
                       OptionalAttr<DenseI64ArrayAttr>:$value_order, UnitAttr:$key_packed, UnitAttr:$value_packed);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let assemblyFormat = [{
    (`strategy` $strategy^)?
    `query` `(` $query `:` type($query) `)` `key` `(` $key `:` type($key) `)` (`as` $key_encoding^)?
    `value` `(` $value `:` type($value) `)` (`encoded` $value_encoding^)? (`mask` `(` $mask^ `:` type($mask) `)`)?
    `scale` $scale `outs` `(` $output `:` type($output) `)` (`->` type($result)^)? attr-dict
  }];
  let extraClassDeclaration = [{
    MutableOperandRange getDpsInitsMutable() { return getOutputMutable(); }
    /// Which dimension of the key (value) operand is batch, head, token and element of a head.
    ::llvm::SmallVector<int64_t> getKeyDims();
    ::llvm::SmallVector<int64_t> getValueDims();
    bool isInteger() { return getStrategy() && getStrategy()->getKind() == StrategyKind::Integer; }
  }];
}

#endif // QTENSOR_OPS_TD
