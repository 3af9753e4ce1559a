// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --verify-diagnostics

// expected-error@+1 {{layout clause W1: rows must be a power of two from 4 to 64, not 12}}
func.func private @f() attributes {l = #qtile.layout<rows = 12, block = 32, codes = i4>}

// -----

// expected-error@+1 {{layout clause W2: block must be at least 1, not 0}}
func.func private @f() attributes {l = #qtile.layout<rows = 16, block = 0, codes = i4>}

// -----

// expected-error@+1 {{layout clause W3: codes must be i1 to i8, f16, bf16 or f32, not 'i9'}}
func.func private @f() attributes {l = #qtile.layout<rows = 16, block = 32, codes = i9>}

// -----

// expected-error@+1 {{layout clause W3: codes must be i1 to i8, f16, bf16 or f32, not 'i0'}}
func.func private @f() attributes {l = #qtile.layout<rows = 16, block = 32, codes = i0>}

// -----

// expected-error@+1 {{layout clause W4: scale must be f32, f16, bf16, f8E8M0FNU, f8E4M3FN or i8 (signed), not 'f64'}}
func.func private @f() attributes {l = #qtile.layout<rows = 16, block = 32, codes = i4, scale = f64>}

// -----

// expected-error@+1 {{layout clause W4: zero must be i8 (unsigned) or f32, not 'i4'}}
func.func private @f() attributes {l = #qtile.layout<rows = 16, block = 32, codes = i4, zero = i4>}

// -----

// expected-error@+1 {{layout clause W4: offset must be f32, f16, bf16, f8E8M0FNU, f8E4M3FN or i8 (signed), not 'i16'}}
func.func private @f() attributes {l = #qtile.layout<rows = 16, block = 32, codes = i4, offset = i16>}

// -----

// expected-error@+1 {{layout clause W5: scaleScale and offsetScale are f32, f16 or bf16 and multiply a parameter, not 'i8'}}
func.func private @f() attributes {l = #qtile.layout<rows = 16, block = 32, codes = i4, scale = i8, scaleScale = i8>}

// -----

// expected-error@+1 {{layout clause W5: scaleScale and offsetScale are f32, f16 or bf16 and multiply a parameter, not 'f16'}}
func.func private @f() attributes {l = #qtile.layout<rows = 16, block = 32, codes = i4, scale = i8, group = 8, offsetScale = f16>}

// -----

// expected-error@+1 {{layout clause W5: scaleShift is f32, f16 or bf16 and added behind scaleScale, not 'f32'}}
func.func private @f() attributes {l = #qtile.layout<rows = 16, block = 32, codes = i4, scale = i8, scaleShift = f32>}

// -----

// expected-error@+1 {{layout clause W5: group counts the blocks behind scaleScale or offsetScale, not 8}}
func.func private @f() attributes {l = #qtile.layout<rows = 16, block = 32, codes = i4, scale = i8, group = 8>}

// -----

// expected-error@+1 {{layout clause W6: digits of base 4 must hold codes of 'i2' in fewer bits than those}}
func.func private @f() attributes {l = #qtile.layout<rows = 16, block = 32, codes = i2, radix = 4>}

// -----

// expected-error@+1 {{layout clause W6: blocks of digits have at most 8192 codes, not 20000}}
func.func private @f() attributes {l = #qtile.layout<rows = 16, block = 20000, codes = i2, radix = 3>}

// -----

func.func @alternate(%p: vector<64xi8>) {
  // expected-error@+1 {{clause V1: only codes of one piece of 1, 2 or 4 bits alternate}}
  %g:8 = qtile.unpack [1, 4] alternate %p, %p, %p, %p, %p : 5 -> 8 x vector<64xi8>
  return
}

// -----

func.func @f(%p: vector<64xi8>) {
  // expected-error@+1 {{clause V1: a piece is 8, 4, 2 or 1 bits wide, not 3}}
  %g:8 = qtile.unpack [3] %p, %p, %p : 3 -> 8 x vector<64xi8>
  return
}

// -----

func.func @f(%p: vector<64xi8>) {
  // expected-error@+1 {{must add up to 1 to 8 bits, not 12}}
  %g:2 = qtile.unpack [8, 4] %p, %p, %p : 3 -> 2 x vector<64xi8>
  return
}

// -----

func.func @f(%p: vector<64xi8>) {
  // expected-error@+1 {{clause V1: 4 groups do not fill whole vectors of a 1-bit piece}}
  %g:4 = qtile.unpack [1] %p : 1 -> 4 x vector<64xi8>
  return
}

// -----

func.func @f(%p: vector<64xi8>) {
  // expected-error@+1 {{clause V1: 8 groups of 4 bits need 4 operands, not 3}}
  %g:8 = qtile.unpack [4] %p, %p, %p : 3 -> 8 x vector<64xi8>
  return
}

// -----

func.func @f(%p: vector<64xi8>) {
  // expected-error@+1 {{clause V2: the table must have a power of two of entries from 2 to 256, not 3}}
  %v = qtile.lookup %p dense<[0, 1, 2]> : tensor<3xi8> : vector<64xi8> -> vector<64xi8>
  return
}

// -----

func.func @f(%p: vector<64xi8>) {
  // expected-error@+1 {{clause V2: the table holds 'i16', the result 'i8'}}
  %v = qtile.lookup %p dense<[0, 1]> : tensor<2xi16> : vector<64xi8> -> vector<64xi8>
  return
}

// -----

func.func @f(%p: vector<64xi8>) {
  // expected-error@+1 {{clause V2: i8 codes give i8 values, i32 codes give f32 values}}
  %v = qtile.lookup %p dense<[0.0, 1.0]> : tensor<2xf32> : vector<64xi8> -> vector<64xf32>
  return
}

// -----

func.func @f(%a: vector<16xi32>, %p: vector<32xi8>) {
  // expected-error@+1 {{clause V3: 16 sums need 64 bytes a side, not 32}}
  %v = qtile.dot4 %a, %p, %p max 15 : vector<32xi8> -> vector<16xi32>
  return
}

// -----

func.func @f(%a: vector<8xi32>, %p: vector<32xi8>) {
  // expected-error@+1 {{clause V3: max must be from 1 to 255, not 300}}
  %v = qtile.dot4 %a, %p, %p max 300 : vector<32xi8> -> vector<8xi32>
  return
}

// -----

func.func @f(%a: vector<16xi32>, %p: vector<32xi8>) {
  // expected-error@+1 {{clause V4: bytes add into i16 and i16 into i32}}
  %v = qtile.dot2 %a, %p, %p : vector<32xi8> -> vector<16xi32>
  return
}

// -----

func.func @f(%m: memref<?xi8>, %i: index) {
  // expected-error@+1 {{clause V5: level must be a cache from 1 to 3, not 4}}
  qtile.prefetch %m[%i], %i level 4 : memref<?xi8>
  return
}
