// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One chunk for each clause of the ops on components.
// RUN: quant-opt %s --split-input-file --verify-diagnostics

func.func @n1(%x: tensor<4x8xf32>, %c: tensor<4x8xi8>) {
  // expected-error @+3 {{clause N1}}
  // expected-note @+2 {{codes : 'tensor<4x8xi8>'}}
  // expected-note @+1 {{scale : 'tensor<4x1xf32>'}}
  %0 = qtensor.encode %x as <int8, [1, ?], scale = f32> outs(%c : tensor<4x8xi8>) : tensor<4x8xf32> -> tensor<4x8xi8>
  return
}

// -----

func.func @n2(%c: tensor<4x8xi16>, %s: tensor<4x1xf32>, %o: tensor<4x8xf32>) {
  // expected-error @+1 {{clause N2: component 'codes' is 'tensor<4x8xi8>', got 'tensor<4x8xi16>'}}
  %0 = qtensor.decode %c, %s as <int8, [1, ?], scale = f32> outs(%o : tensor<4x8xf32>) : tensor<4x8xi16>, tensor<4x1xf32> -> tensor<4x8xf32>
  return
}

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mk_out = affine_map<(m, n, k) -> (m, k)>
func.func @k1(%x: tensor<4x8xf32>, %w: tensor<2x8xf32>, %o: tensor<4x8xf32>) {
  // expected-error @+1 {{clause K1: the output has no reduction dimension}}
  %0 = qtensor.contract #qtensor.strategy<float> maps [#mk, #nk, #mk_out] iterators ["parallel", "parallel", "reduction"]
      lhs(%x : tensor<4x8xf32>) rhs(%w : tensor<2x8xf32>) outs(%o : tensor<4x8xf32>) -> tensor<4x8xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return
}

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @k2(%x: tensor<4x8xf32>, %w: tensor<2x8xi8>, %o: tensor<4x2xf32>) {
  // expected-error @+1 {{clause K2: rhs has 2 operands for its encoding, got 1}}
  %0 = qtensor.contract #qtensor.strategy<float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%x : tensor<4x8xf32>) rhs(%w : tensor<2x8xi8>) encoded <int4, [1, 4], scale = f16> outs(%o : tensor<4x2xf32>) -> tensor<4x2xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return
}

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @k3(%x: tensor<4x8xf32>, %w: tensor<2x8xi8>, %o: tensor<4x2xf32>) {
  // expected-error @+1 {{clause K3: a packed rhs is one tensor of bytes}}
  %0 = qtensor.contract #qtensor.strategy<float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%x : tensor<4x8xf32>) rhs(%w : tensor<2x8xi8>) layout "packed" outs(%o : tensor<4x2xf32>) -> tensor<4x2xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return
}

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @k4(%x: tensor<4x8xf32>, %w: tensor<2x8xf32>, %o: tensor<4x2xf32>) {
  // expected-error @+1 {{clause K4: the integer strategy needs both sides encoded; use float}}
  %0 = qtensor.contract #qtensor.strategy<integer<1>> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%x : tensor<4x8xf32>) rhs(%w : tensor<2x8xf32>) outs(%o : tensor<4x2xf32>) -> tensor<4x2xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return
}

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @k5(%x: tensor<4x8xf32>, %w: tensor<2x8xf32>, %o: tensor<8xf32>) {
  // expected-error @+1 {{clause K5: the output has rank 1, its map 2 results}}
  %0 = qtensor.contract #qtensor.strategy<float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%x : tensor<4x8xf32>) rhs(%w : tensor<2x8xf32>) outs(%o : tensor<8xf32>) -> tensor<8xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return
}

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @k6(%x: tensor<4x8xf32>, %w: tensor<2x8xf32>, %o: tensor<4x2xf64>) {
  // expected-error @+1 {{clause K6: accumulators are f32 or i32, got 'f64'}}
  %0 = qtensor.contract #qtensor.strategy<float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%x : tensor<4x8xf32>) rhs(%w : tensor<2x8xf32>) outs(%o : tensor<4x2xf64>) -> tensor<4x2xf64> {
   ^bb0(%a: f64):
     qtensor.yield %a : f64
  }
  return
}

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @k7(%x: tensor<4x8xf32>, %w: tensor<2x8xf32>, %b: tensor<2xf32>, %o: tensor<4x2xf32>) {
  // expected-error @+1 {{clause K7: the epilogue takes the accumulator and 1 extra elements, got 1 arguments}}
  %0 = qtensor.contract #qtensor.strategy<float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%x : tensor<4x8xf32>) rhs(%w : tensor<2x8xf32>) extra(%b : tensor<2xf32>) extra_maps [affine_map<(m, n) -> (n)>]
      outs(%o : tensor<4x2xf32>) -> tensor<4x2xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return
}

// -----

func.func @l1(%a: tensor<4x8xf32>, %o: tensor<4x9xf32>) {
  // expected-error @+1 {{clause L1: accumulator and output have the same shape}}
  %0 = qtensor.epilogue %a outs(%o : tensor<4x9xf32>) : tensor<4x8xf32> -> tensor<4x9xf32> {
   ^bb0(%s: f32):
     qtensor.yield %s : f32
  }
  return
}

// -----

func.func @t1(%q: tensor<8x16xf32>, %k: tensor<1x2x8x16xf32>, %o: tensor<1x4x8x16xf32>) {
  // expected-error @+1 {{clause T1: query, key, value and output have rank 4}}
  %0 = qtensor.attention query(%q : tensor<8x16xf32>) key(%k : tensor<1x2x8x16xf32>) value(%k : tensor<1x2x8x16xf32>)
      scale 0.25 outs(%o : tensor<1x4x8x16xf32>) -> tensor<1x4x8x16xf32>
  return
}

// -----

func.func @t2(%q: tensor<1x3x8x16xf32>, %k: tensor<1x2x8x16xf32>, %o: tensor<1x3x8x16xf32>) {
  // expected-error @+1 {{clause T2: 3 query heads are not a multiple of 2 key heads}}
  %0 = qtensor.attention query(%q : tensor<1x3x8x16xf32>) key(%k : tensor<1x2x8x16xf32>) value(%k : tensor<1x2x8x16xf32>)
      scale 0.25 outs(%o : tensor<1x3x8x16xf32>) -> tensor<1x3x8x16xf32>
  return
}

// -----

func.func @t3(%q: tensor<1x4x8x16xf32>, %k: tensor<1x2x8x16xi8>, %v: tensor<1x2x8x16xf32>, %o: tensor<1x4x8x16xf32>) {
  // expected-error @+1 {{clause T3: key has 2 operands for its encoding, got 1}}
  %0 = qtensor.attention query(%q : tensor<1x4x8x16xf32>) key(%k : tensor<1x2x8x16xi8>) as <int8, [1, 1, 1, 16], scale = f16>
      value(%v : tensor<1x2x8x16xf32>) scale 0.25 outs(%o : tensor<1x4x8x16xf32>) -> tensor<1x4x8x16xf32>
  return
}

// -----

func.func @t4(%q: tensor<1x4x8x16xf32>, %k: tensor<1x2x8x16xf32>) {
  // expected-error @+1 {{clause T4: an order is a permutation of 4 dimensions that leaves the last one last}}
  %0 = qtensor.attention query(%q : tensor<1x4x8x16xf32>) key(%k : tensor<1x2x8x16xf32>) value(%k : tensor<1x2x8x16xf32>)
      scale 0.25 outs(%q : tensor<1x4x8x16xf32>) -> tensor<1x4x8x16xf32> {key_order = array<i64: 0, 1, 3, 2>}
  return
}

// -----

func.func @t5_codes(%q: tensor<1x4x8x32xf32>, %k: tensor<1x2x8x32xi8>, %s: tensor<1x2x8x1xf16>) {
  // expected-error @+1 {{clause T5: packed codes have at most 4 bits and blocks of a multiple of 32, or of the whole extent, along the last dimension; key has other ones}}
  %0 = qtensor.attention query(%q : tensor<1x4x8x32xf32>) key(%k, %s : tensor<1x2x8x32xi8>, tensor<1x2x8x1xf16>) as <int8, [1, 1, 1, ?], scale = f16>
      value(%k, %s : tensor<1x2x8x32xi8>, tensor<1x2x8x1xf16>) encoded <int8, [1, 1, 1, ?], scale = f16>
      scale 0.25 outs(%q : tensor<1x4x8x32xf32>) -> tensor<1x4x8x32xf32> {key_packed}
  return
}

// -----

func.func @t5_extent(%q: tensor<1x4x8x32xf32>, %k: tensor<1x2x8x32xi8>, %s: tensor<1x2x8x1xf16>) {
  // expected-error @+1 {{clause T5: 32 packed codes take 16 bytes, the operand of value has 32}}
  %0 = qtensor.attention query(%q : tensor<1x4x8x32xf32>) key(%k, %s : tensor<1x2x8x32xi8>, tensor<1x2x8x1xf16>) as <int4, [1, 1, 1, ?], scale = f16>
      value(%k, %s : tensor<1x2x8x32xi8>, tensor<1x2x8x1xf16>) encoded <int4, [1, 1, 1, ?], scale = f16>
      scale 0.25 outs(%q : tensor<1x4x8x32xf32>) -> tensor<1x4x8x32xf32> {value_packed}
  return
}

// -----

func.func @t6(%q: tensor<1x4x8x16xf32>, %k: tensor<1x2x8x16xf32>) {
  // expected-error @+1 {{clause T6: the integer strategy needs keys and values of signed integers of at most 8 bits}}
  %0 = qtensor.attention strategy #qtensor.strategy<integer<1>> query(%q : tensor<1x4x8x16xf32>) key(%k : tensor<1x2x8x16xf32>)
      value(%k : tensor<1x2x8x16xf32>) scale 0.25 outs(%q : tensor<1x4x8x16xf32>) -> tensor<1x4x8x16xf32>
  return
}

// -----

func.func @t6_extent(%q: tensor<1x4x8x33xf32>, %k: tensor<1x2x8x33xi8>, %s: tensor<1x2x8x1xf16>) {
  // expected-error @+1 {{in blocks of a multiple of 16 along the last dimension, whose extent is one too; use float}}
  %0 = qtensor.attention strategy #qtensor.strategy<integer<1>> query(%q : tensor<1x4x8x33xf32>)
      key(%k, %s : tensor<1x2x8x33xi8>, tensor<1x2x8x1xf16>) as <int8, [1, 1, 1, ?], scale = f16>
      value(%k, %s : tensor<1x2x8x33xi8>, tensor<1x2x8x1xf16>) encoded <int8, [1, 1, 1, ?], scale = f16>
      scale 0.25 outs(%q : tensor<1x4x8x33xf32>) -> tensor<1x4x8x33xf32>
  return
}

// -----

func.func @n3(%x: tensor<4x32xf32>, %c: tensor<4x32xi8>, %s: tensor<4x1xf32>) {
  // expected-error @+1 {{clause N3: packed codes have at most 4 bits}}
  %0:2 = qtensor.encode %x as <int8, [1, ?], scale = f32> outs(%c, %s : tensor<4x32xi8>, tensor<4x1xf32>) {packed}
           : tensor<4x32xf32> -> tensor<4x32xi8>, tensor<4x1xf32>
  return
}
