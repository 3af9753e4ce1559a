// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One chunk for each clause of codecs (E) and encodings (B).
// RUN: quant-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{codec clause E1: bits must be in 1..32, got 33}}
#e1 = #qtensor.codec<33, int<signed>>

// -----

// expected-error @+1 {{codec clause E2: exponent, mantissa and sign bits make 3, not the codec's 4}}
#e2 = #qtensor.codec<4, fp<2, 1, bias 1, finite>>

// -----

// expected-error @+1 {{codec clause E2: at most 11 exponent and 52 mantissa bits decode exactly}}
#e2_wide = #qtensor.codec<16, fp<12, 3, bias 1, finite, sign>>

// -----

// expected-error @+1 {{codec clause E2: bias 4000 is outside [-1022, 1023]}}
#e2_bias = #qtensor.codec<4, fp<2, 1, bias 4000, finite, sign>>

// -----

// expected-error @+1 {{codec clause E2: 'ieee' specials need an exponent field}}
#e2_ieee = #qtensor.codec<4, fp<0, 3, bias 1, ieee, sign>>

// -----

// expected-error @+1 {{codec clause E3: a table of 2 bits needs 4 entries and at most 16 bits, got 3 entries}}
#e3 = #qtensor.codec<2, table<[0.0, 1.0, 2.0]>>

// -----

// expected-error @+1 {{codec clause E4: offset 4294967296 does not fit 32 bits}}
#e4 = #qtensor.codec<8, int<offset 4294967296>>

// -----

// expected-error @+1 {{codec clause E4: 'narrow' is for integer codecs of at least 2 bits}}
#e4_narrow = #qtensor.codec<1, int<signed>, narrow>

// -----

// expected-error @+1 {{codec clause E5: amax must be positive}}
#e5 = #qtensor.codec<4, int<signed>, amax = 0.0>

// -----

// expected-error @+1 {{codec clause E6: NaN code 16 is not a code of 4 bits}}
#e6 = #qtensor.codec<4, int<signed>, nan = 16>

// -----

// expected-error @+1 {{unknown codec 'int99'; write codec<...> or list the names with --list-formats}}
#unknown = #qtensor.block<int99, [1, 32]>

// -----

// expected-error @+1 {{encoding clause B1: block extents are positive or '?', got 0}}
#b1 = #qtensor.block<int4, [1, 0], scale = f16>

// -----

// expected-error @+1 {{encoding clause B2: expected a number, f32, f16, bf16, a codec, block<...> or neg, got 'f64'}}
#b2 = #qtensor.block<int4, [1, 32], scale = f64>

// -----

// expected-error @+1 {{encoding clause B3: only data of a type or codec has a block of its own}}
#b3 = #qtensor.block<int4, [1, 32], scale = 0.5[1, ?]>

// -----

// expected-error @+1 {{encoding clause B4: a nested encoding has the rank of the outer one, 2, got 1}}
#b4 = #qtensor.block<int4, [1, 32], scale = block<int8, [4], scale = f32>>

// -----

// expected-error @+1 {{encoding clause B4: a parameter's own block has rank 2, got 1}}
#b4_own = #qtensor.block<int4, [1, 32], scale = f32[?]>

// -----

#b = #qtensor.block<int4, [1, 32], scale = f16>
// expected-error @+1 {{encoding clause B5: the block has rank 2, the tensor 1}}
func.func private @b5(tensor<8xf32, #b>)

// -----

#b = #qtensor.block<int4, [1, 32], scale = f16>
// expected-error @+1 {{encoding clause B6: the logical element type is a float type, got 'i32'}}
func.func private @b6(tensor<8x8xi32, #b>)
