// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef QTENSOR_ATTRS_TD
#define QTENSOR_ATTRS_TD

include "dialects/QTensor/IR/QTensorDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/TensorEncoding.td"

class QTensor_Attr<string name, string attrMnemonic, list<Trait> traits = []> : AttrDef<QTensorDialect, name, traits> {
  let mnemonic = attrMnemonic;
}

//===----------------------------------------------------------------------===//
// Codec: what one code means
//===----------------------------------------------------------------------===//

def QTensor_CodecKind : I32EnumAttr<"CodecKind", "how a code becomes a number", [
    I32EnumAttrCase<"Int", 0, "int">, I32EnumAttrCase<"Float", 1, "fp">, I32EnumAttrCase<"Table", 2, "table">]> {
  let cppNamespace = "::mlir::qtensor";
  let genSpecializedAttr = 0;
}

def QTensor_IntStyle : I32EnumAttr<"IntStyle", "how the bits of an integer code are read", [
    I32EnumAttrCase<"Signed", 0, "signed">, I32EnumAttrCase<"Unsigned", 1, "unsigned">,
    I32EnumAttrCase<"Offset", 2, "offset">]> {
  let cppNamespace = "::mlir::qtensor";
  let genSpecializedAttr = 0;
}

def QTensor_FloatSpecials : I32EnumAttr<"FloatSpecials", "which codes of a small float are not finite numbers", [
    I32EnumAttrCase<"Finite", 0, "finite">, I32EnumAttrCase<"IEEE", 1, "ieee">, I32EnumAttrCase<"FN", 2, "fn">]> {
  let cppNamespace = "::mlir::qtensor";
  let genSpecializedAttr = 0;
}

def QTensor_TieRule : I32EnumAttr<"TieRule", "which neighbour an exact midpoint goes to", [
    I32EnumAttrCase<"Even", 0, "even">, I32EnumAttrCase<"Low", 1, "low">, I32EnumAttrCase<"Away", 2, "away">,
    I32EnumAttrCase<"Up", 3, "up">]> {
  let cppNamespace = "::mlir::qtensor";
  let genSpecializedAttr = 0;
}

def QTensor_CodecAttr : QTensor_Attr<"Codec", "codec"> {
  let summary = "What one code means: bits, decode rule, tie rule, NaN code";
  let description = [{
    ```
    #qtensor.codec<4, int<signed>>                                two's complement, -8..7
    #qtensor.codec<4, int<signed>, narrow>                        -7..7; -8 is never produced but still decodes
    #qtensor.codec<4, int<offset 8>>                              code - 8
    #qtensor.codec<2, int<offset 1>, amax = 1.0, count = 3>       codes 0, 1, 2: digits of base 3
    #qtensor.codec<4, fp<2, 1, bias 1, finite, sign>, tie = even, amax = 6.0>
    #qtensor.codec<8, fp<8, 0, bias 127, finite>, nan = 255>      no sign bit
    #qtensor.codec<4, table<[-1.0, ..., 1.0]>, tie = low>         2^bits entries, any order
    ```
    Where a registered name exists (`int4`), the name is a spelling of the same attribute and is what is printed.
    `fp<e, m, bias b, specials, sign>`: exponent field 0 is subnormal, except in a pure exponent (no mantissa, no sign),
    which has no zero; `finite` has neither infinities nor NaN, `fn` gives only the all-ones code to NaN, `ieee`
    follows IEEE 754. Table entries are rounded to f32 where they are read: every engine decodes to f32.
    `tie`: `even` takes the neighbour with the even code (integers: the even value), for table entries whose codes do
    not decide the lower value; `low` and `up` the lower and the higher value, `away` the larger magnitude.
    `amax` is the magnitude that the absmax rule maps the largest element of a block to; absent = the largest value of
    an integer codec, else the largest finite magnitude. An integer codec with `amax` never encodes beyond it.
    `count`: codes from there on are never encoded, but still decode. Packed weights may hold the others as digits, where
    that takes fewer bits.
  }];
  let parameters = (ins "unsigned":$bits, "::mlir::qtensor::CodecKind":$kind,
      "::mlir::qtensor::IntStyle":$intStyle, "int64_t":$intOffset, "bool":$narrow,
      "unsigned":$exponentBits, "unsigned":$mantissaBits, "int64_t":$bias,
      "::mlir::qtensor::FloatSpecials":$specials, "bool":$hasSign,
      "::mlir::DenseF64ArrayAttr":$table, "::mlir::qtensor::TieRule":$tie, "::mlir::FloatAttr":$amax,
      "::mlir::IntegerAttr":$nanCode, DefaultValuedParameter<"unsigned", "0">:$count);
  let builders = [AttrBuilder<(ins "unsigned":$bits, "::mlir::qtensor::CodecKind":$kind,
      "::mlir::qtensor::IntStyle":$intStyle, "int64_t":$intOffset, "bool":$narrow, "unsigned":$exponentBits,
      "unsigned":$mantissaBits, "int64_t":$bias, "::mlir::qtensor::FloatSpecials":$specials, "bool":$hasSign,
      "::mlir::DenseF64ArrayAttr":$table, "::mlir::qtensor::TieRule":$tie, "::mlir::FloatAttr":$amax,
      "::mlir::IntegerAttr":$nanCode), [{
    return $_get($_ctxt, bits, kind, intStyle, intOffset, narrow, exponentBits, mantissaBits, bias, specials, hasSign, table,
                 tie, amax, nanCode, /*count=*/0u);
  }]>];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Number of codes, 2^bits. Codecs of more than 16 bits have no table; ask decode directly.
    uint64_t getNumCodes() const { return uint64_t(1) << getBits(); }
    /// Storage of one unpacked code: i8 up to 8 bits, i16 up to 16, else i32.
    ::mlir::Type getStorageType() const;
    /// Parses a codec name or `codec<...>`; used inside other attributes.
    static ::mlir::FailureOr<CodecAttr> parseSpelling(::mlir::AsmParser &parser);
    /// Prints the registered name, else `codec<...>`.
    void printSpelling(::mlir::AsmPrinter &printer) const;
    /// A float codec of IEEE layout for a builtin float type (f16, bf16, f32): codes are the type's bits.
    static CodecAttr getForFloat(::mlir::FloatType type);
  }];
}

//===----------------------------------------------------------------------===//
// Parameters and encodings
//===----------------------------------------------------------------------===//

def QTensor_ParamAttr : QTensor_Attr<"Param", "param"> {
  let summary = "A scale, zero or offset of a block encoding";
  let description = [{
    One of: a scalar constant (`0.5`), data of a float type one per block (`f32`, `f16`, `bf16`), data of a codec
    (`uint4`), either of these on a block of its own (`f32[?, ?]` is one per tensor), or an encoding
    (`block<...>`), whose tensor is the tensor of parameters. `neg` negates the decoded value.
  }];
  let parameters = (ins "::mlir::Attribute":$value, "bool":$negated, ArrayRefParameter<"int64_t">:$ownBlock);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The constant of a scalar parameter (sign applied), or nullopt when the parameter is data.
    std::optional<double> getScalar() const;
    bool isData() const { return !getScalar(); }
    static ::mlir::FailureOr<ParamAttr> parseSpelling(::mlir::AsmParser &parser);
    void printSpelling(::mlir::AsmPrinter &printer) const;
  }];
}

def QTensor_EncodingAttrInterface : AttrInterface<"EncodingAttrInterface"> {
  let cppNamespace = "::mlir::qtensor";
  let description = [{
    How the values of a tensor are stored. An encoding maps a tensor type to an ordered list of named component types.
  }];
  let methods = [
    InterfaceMethod<[{
      Appends the components of a tensor of `shape`: their names ("codes", "scale", "scale.codes", ...) and plain
      tensor types. `shape` may hold dynamic extents; so may the components.
    }], "void", "getComponents", (ins "::llvm::ArrayRef<int64_t>":$shape, "::mlir::MLIRContext *":$context,
        "::llvm::SmallVectorImpl<::mlir::qtensor::Component> &":$components)>,
    InterfaceMethod<"True when every parameter is a scalar constant in the attribute (a static encoding).",
      "bool", "isStatic">,
  ];
}

def QTensor_BlockAttr : QTensor_Attr<"Block", "block", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>,
    DeclareAttrInterfaceMethods<QTensor_EncodingAttrInterface, ["getComponents", "isStatic"]>]> {
  let summary = "value = scale * (code - zero) + offset, one set of parameters per block";
  let description = [{
    ```
    #qtensor.block<int8, [?, ?], scale = 0.05, zero = 3.0>              per tensor, static
    #qtensor.block<int4, [1, 32], scale = f16>                          blockwise
    #qtensor.block<uint4, [1, 128], scale = f16, zero = uint4>
    #qtensor.block<int4, [1, 64], scale = block<int8, [4, 64], scale = f32, offset = f32[?, ?]>>
    ```
    The block has the rank of the tensor; `?` is the whole extent, 1 is every index on its own. Extents need not be
    divided by the block: the last block is short and its parameters are those of its valid elements.
    The codes keep the logical shape; parameters have extents ceil(extent / block).
  }];
  let parameters = (ins "::mlir::qtensor::CodecAttr":$codec, ArrayRefParameter<"int64_t">:$block,
      "::mlir::qtensor::ParamAttr":$scale, "::mlir::qtensor::ParamAttr":$zero, "::mlir::qtensor::ParamAttr":$offset);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Extents of the grid of blocks of a tensor of `shape`: ceil(extent / block), dynamic where the extent is.
    ::llvm::SmallVector<int64_t> getGrid(::llvm::ArrayRef<int64_t> shape) const;
    /// Block extents for a tensor of `shape` with `?` resolved to the extent.
    ::llvm::SmallVector<int64_t> getBlockExtents(::llvm::ArrayRef<int64_t> shape) const;
    static ::mlir::FailureOr<BlockAttr> parseBody(::mlir::AsmParser &parser);
    void printBody(::mlir::AsmPrinter &printer) const;
  }];
}

include "dialects/QTensor/IR/QTensorFormatAttrs.td"

//===----------------------------------------------------------------------===//
// Attributes of ops
//===----------------------------------------------------------------------===//

def QTensor_StrategyKind : I32EnumAttr<"StrategyKind", "how a contraction on encoded operands is computed", [
    I32EnumAttrCase<"Float", 0, "float">, I32EnumAttrCase<"Integer", 1, "integer">]> {
  let cppNamespace = "::mlir::qtensor";
  let genSpecializedAttr = 0;
}

def QTensor_StrategyAttr : QTensor_Attr<"Strategy", "strategy"> {
  let summary = "`float` (decode in registers) or `integer<limbs>` (integer dot product in a block)";
  let parameters = (ins "::mlir::qtensor::StrategyKind":$kind, "unsigned":$limbs);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def QTensor_RoundingMode : I32EnumAttr<"RoundingMode", "rounding of an exact value to an integer", [
    I32EnumAttrCase<"HalfEven", 0, "half_even">, I32EnumAttrCase<"HalfAway", 1, "half_away">,
    I32EnumAttrCase<"Truncate", 2, "truncate">]> {
  let cppNamespace = "::mlir::qtensor";
  let genSpecializedAttr = 0;
}

def QTensor_FixedMode : I32EnumAttr<"FixedMode", "fixed-point multiplication by a quantized multiplier", [
    I32EnumAttrCase<"Double", 0, "double">, I32EnumAttrCase<"Single", 1, "single">, I32EnumAttrCase<"X16", 2, "x16">]> {
  let cppNamespace = "::mlir::qtensor";
  let genSpecializedAttr = 0;
}

def QTensor_FinalMapAttr : QTensor_Attr<"FinalMap", "final"> {
  let summary = "How an accumulator becomes an integer code: `real<rounding>` or `fixed<mode>`";
  let description = [{
    `real<r>`: the exact real value `accumulator * multiplier`, rounded by r, plus the zero point, clamped.
    `fixed<double>`: gemmlowp's saturating rounding doubling high multiply, then a rounding right shift (two roundings).
    `fixed<single>`: one 64-bit product shifted with one rounding, half up. `fixed<x16>`: the 48-bit form of 16-bit
    activations, with a multiplier reduced to 16 bits.
  }];
  let parameters = (ins "bool":$fixed, "::mlir::qtensor::RoundingMode":$rounding, "::mlir::qtensor::FixedMode":$mode);
  let hasCustomAssemblyFormat = 1;
}

#endif // QTENSOR_ATTRS_TD
