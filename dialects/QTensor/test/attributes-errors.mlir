// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One chunk per clause of codecs (E), encodings (B), layouts and formats (Y): wrong text is one diagnostic.
// RUN: quant-opt %s --split-input-file --verify-diagnostics

// -----

// E1: bits.
// expected-error @+1 {{codec clause E1: bits must be in 1..32, got 33}}
func.func private @f() attributes {a = #qtensor.codec<33, int<signed>>}

// -----

// E2: fields make the bits.
// expected-error @+1 {{codec clause E2: exponent, mantissa and sign bits make 5, not the codec's 4}}
func.func private @f() attributes {a = #qtensor.codec<4, fp<3, 1, bias 1, finite, sign>>}

// -----

// E2: bias.
// expected-error @+1 {{codec clause E2: bias 5000 is outside [-1022, 1023]}}
func.func private @f() attributes {a = #qtensor.codec<4, fp<2, 1, bias 5000, finite, sign>>}

// -----

// E2: specials need an exponent.
// expected-error @+1 {{codec clause E2: 'ieee' specials need an exponent field}}
func.func private @f() attributes {a = #qtensor.codec<4, fp<0, 3, bias 1, ieee, sign>>}

// -----

// E2: wide floats.
// expected-error @+1 {{codec clause E2: float codecs of more than 8 bits round half to even}}
func.func private @f() attributes {a = #qtensor.codec<16, fp<5, 10, bias 15, ieee, sign>, tie = up>}

// -----

// E3: entries.
// expected-error @+1 {{codec clause E3: a table of 2 bits needs 4 entries and at most 16 bits, got 3 entries}}
func.func private @f() attributes {a = #qtensor.codec<2, table<[0.0, 1.0, 2.0]>>}

// -----

// E3: finite entries.
// expected-error @+1 {{codec clause E3: table entries must be finite f32 values}}
func.func private @f() attributes {a = #qtensor.codec<1, table<[0.0, 1.0e300]>>}

// -----

// E4: narrow.
// expected-error @+1 {{codec clause E4: 'narrow' is for integer codecs of at least 2 bits}}
func.func private @f() attributes {a = #qtensor.codec<1, int<signed>, narrow>}

// -----

// E4: offset.
// expected-error @+1 {{codec clause E4: offset 4294967296 does not fit 32 bits}}
func.func private @f() attributes {a = #qtensor.codec<4, int<offset 4294967296>>}

// -----

// E5: amax.
// expected-error @+1 {{codec clause E5: amax must be positive}}
func.func private @f() attributes {a = #qtensor.codec<4, int<signed>, amax = 0.0>}

// -----

// E6: NaN code.
// expected-error @+1 {{codec clause E6: NaN code 16 is not a code of 4 bits}}
func.func private @f() attributes {a = #qtensor.codec<4, int<signed>, nan = 16>}

// -----

// E7: count.
// expected-error @+1 {{codec clause E7: 'count' is for unsigned and offset integers, and from 2 to less than 2^bits}}
func.func private @f() attributes {a = #qtensor.codec<2, int<offset 1>, count = 4>}

// -----

// unknown name.
// expected-error @+1 {{unknown codec 'int9'}}
func.func private @f() attributes {a = #qtensor.block<int9, [1, 32]>}

// -----

// unknown tie.
// expected-error @+1 {{unknown tie rule 'sideways'}}
func.func private @f() attributes {a = #qtensor.codec<4, int<signed>, tie = sideways>}

// -----

// B1: extents.
// expected-error @+1 {{encoding clause B1: block extents are positive or '?', got 0}}
func.func private @f() attributes {a = #qtensor.block<int4, [1, 0], scale = f16>}

// -----

// B2: parameter type.
// expected-error @+1 {{encoding clause B2: expected a number, f32, f16, bf16, a codec, block<...> or neg, got 'f64'}}
func.func private @f() attributes {a = #qtensor.block<int4, [1, 32], scale = f64>}

// -----

// B3: own block.
// expected-error @+1 {{encoding clause B3: only data of a type or codec has a block of its own}}
func.func private @f() attributes {a = #qtensor.block<int4, [1, 32], scale = 0.5[?, ?]>}

// -----

// B4: rank of nested.
// expected-error @+1 {{encoding clause B4: a nested encoding has the rank of the outer one, 2, got 1}}
func.func private @f() attributes {a = #qtensor.block<int4, [1, 32], scale = block<int8, [4], scale = f32>>}

// -----

// B4: rank of own block.
// expected-error @+1 {{encoding clause B4: a parameter's own block has rank 2, got 1}}
func.func private @f() attributes {a = #qtensor.block<int4, [1, 32], scale = f16[?]>}

// -----

// one of each.
// expected-error @+1 {{expected one of scale, zero, offset, each once, got 'scale'}}
func.func private @f() attributes {a = #qtensor.block<int4, [1, 32], scale = f16, scale = f16>}

// -----

// Y1: bits of a piece.
// expected-error @+1 {{layout clause Y1: a piece has 1 to 32 bits, got 0}}
func.func private @f() attributes {a = #qtensor.layout<[1, 4] in 2, codes = [0 : (i) -> (i)]>}

// -----

// Y2: digits.
// expected-error @+1 {{layout clause Y2: 6 digits of radix 3 do not fit a byte}}
func.func private @f() attributes {a = #qtensor.layout<[1, 6] in 1, codes = [digit 3 of 6 : (i) -> (0, i)]>}

// -----

// Y3: results.
// expected-error @+1 {{layout clause Y3: a piece maps to one bit address, got 2 results}}
func.func private @f() attributes {a = #qtensor.layout<[1, 4] in 2, codes = [4 : (i) -> (i, i)]>}

// -----

// Y3: maps of records.
// expected-error @+1 {{layout clause Y3: maps of a record take the number of the element alone}}
func.func private @f() attributes {a = #qtensor.layout<[1, 4] in 2, codes = [4 : (k, n) -> (n)]>}

// -----

// Y4: range.
// expected-error @+1 {{layout clause Y4: the range 4 to 4 is empty}}
func.func private @f() attributes {a = #qtensor.layout<[1, 4] in 2, codes = [4 : (i) -> (i) for 4 to 4]>}

// -----

// Y5: records.
// expected-error @+1 {{layout clause Y5: a record is [1, n] elements in a positive number of bytes}}
func.func private @f() attributes {a = #qtensor.layout<[2, 4] in 2, codes = [4 : (i) -> (i)]>}

// -----

// Y5: words.
// expected-error @+1 {{layout clause Y5: words are whole bytes up to 64 bits, got 12 bits}}
func.func private @f() attributes {a = #qtensor.layout<whole word 12, codes = [4 : (i) -> (i)]>}

// -----

// Y6: twice.
// expected-error @+1 {{layout clause Y6: component "codes" is laid out twice}}
func.func private @f() attributes {a = #qtensor.layout<whole, codes = [4 : (i) -> (i)], codes = [4 : (i) -> (i)]>}

// -----

// Y7: rank.
// expected-error @+1 {{format clause Y7: a format's encoding is written for a matrix, got rank 1}}
func.func private @f() attributes {a = #qtensor.format<block<int4, [32], scale = f16>>}

// -----

// Y8: fields.
// expected-error @+1 {{format clause Y8: the layout has no field for component 'scale'}}
func.func private @f() attributes {a = #qtensor.format<block<int4, [1, 32], scale = f16>, layout = <whole, codes = [4 : (i) -> (i * 4)]>>}

// -----

// B5: the block has the tensor's rank.
// expected-error @+1 {{encoding clause B5: the block has rank 1, the tensor 2}}
func.func private @f(tensor<4x4xf32, #qtensor.block<int4, [4], scale = f16>>)

// -----

// B6: the logical element type is a float.
// expected-error @+1 {{encoding clause B6: the logical element type is a float type, got 'i32'}}
func.func private @f(tensor<4xi32, #qtensor.block<int4, [4], scale = f16>>)
