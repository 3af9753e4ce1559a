// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --qtensor-pack-caches | FileCheck %s

// 48 codes of 4 bits: two units of 16 bytes. Scales stay.
// CHECK-LABEL: @main
// CHECK-SAME: %[[C:.*]]: tensor<1x2x8x32xi8> {qtensor.state = "k.codes"}, %{{.*}}: tensor<1x2x8x1xf32>
// CHECK: %[[E:.*]] = tensor.empty() : tensor<1x2x1x32xi8>
// CHECK: %[[N:.*]]:2 = qtensor.encode %{{.*}} as {{.*}} outs(%[[E]], %{{.*}}) {packed} : tensor<1x2x1x48xf32>
// CHECK: %[[W:.*]] = tensor.insert_slice %[[N]]#0 into %[[C]][0, 0, %{{.*}}, 0] [1, 2, 1, 32] [1, 1, 1, 1]
// CHECK: qtensor.attention {{.*}} key(%[[W]], %{{.*}} : tensor<1x2x8x32xi8>, {{.*}} value(%[[W]], {{.*}}key_packed, value_packed
// CHECK: return %{{.*}}, %[[W]]
func.func @main(%c: tensor<1x2x8x48xi8> {qtensor.state = "k.codes"}, %s: tensor<1x2x8x1xf32> {qtensor.state = "k.scale"}, %x: tensor<1x2x1x48xf32>,
                %q: tensor<1x2x1x48xf32>, %at: index)
    -> (tensor<1x2x1x48xf32>, tensor<1x2x8x48xi8> {qtensor.state = "k.codes"}, tensor<1x2x8x1xf32> {qtensor.state = "k.scale"}) {
  %ec = tensor.empty() : tensor<1x2x1x48xi8>
  %es = tensor.empty() : tensor<1x2x1x1xf32>
  %n:2 = qtensor.encode %x as <int4, [1, 1, 1, ?], scale = f32> outs(%ec, %es : tensor<1x2x1x48xi8>, tensor<1x2x1x1xf32>)
           : tensor<1x2x1x48xf32> -> tensor<1x2x1x48xi8>, tensor<1x2x1x1xf32>
  %wc = tensor.insert_slice %n#0 into %c[0, 0, %at, 0] [1, 2, 1, 48] [1, 1, 1, 1] : tensor<1x2x1x48xi8> into tensor<1x2x8x48xi8>
  %ws = tensor.insert_slice %n#1 into %s[0, 0, %at, 0] [1, 2, 1, 1] [1, 1, 1, 1] : tensor<1x2x1x1xf32> into tensor<1x2x8x1xf32>
  %e = tensor.empty() : tensor<1x2x1x48xf32>
  %y = qtensor.attention query(%q : tensor<1x2x1x48xf32>) key(%wc, %ws : tensor<1x2x8x48xi8>, tensor<1x2x8x1xf32>) as <int4, [1, 1, 1, ?], scale = f32>
         value(%wc, %ws : tensor<1x2x8x48xi8>, tensor<1x2x8x1xf32>) encoded <int4, [1, 1, 1, ?], scale = f32> scale 0.25
         outs(%e : tensor<1x2x1x48xf32>) -> tensor<1x2x1x48xf32>
  return %y, %wc, %ws : tensor<1x2x1x48xf32>, tensor<1x2x8x48xi8>, tensor<1x2x8x1xf32>
}

// -----

// Something else reads the codes: they stay as they are.
// CHECK-LABEL: @main
// CHECK-NOT: packed
func.func @main(%c: tensor<1x2x8x48xi8> {qtensor.state = "k.codes"}, %s: tensor<1x2x8x1xf32>, %q: tensor<1x2x1x48xf32>)
    -> (tensor<1x2x1x48xf32>, tensor<1x2x8x48xf32>, tensor<1x2x8x48xi8> {qtensor.state = "k.codes"}) {
  %e = tensor.empty() : tensor<1x2x1x48xf32>
  %y = qtensor.attention query(%q : tensor<1x2x1x48xf32>) key(%c, %s : tensor<1x2x8x48xi8>, tensor<1x2x8x1xf32>) as <int4, [1, 1, 1, ?], scale = f32>
         value(%c, %s : tensor<1x2x8x48xi8>, tensor<1x2x8x1xf32>) encoded <int4, [1, 1, 1, ?], scale = f32> scale 0.25
         outs(%e : tensor<1x2x1x48xf32>) -> tensor<1x2x1x48xf32>
  %f = tensor.empty() : tensor<1x2x8x48xf32>
  %d = qtensor.decode %c, %s as <int4, [1, 1, 1, ?], scale = f32> outs(%f : tensor<1x2x8x48xf32>) : tensor<1x2x8x48xi8>, tensor<1x2x8x1xf32> -> tensor<1x2x8x48xf32>
  return %y, %d, %c : tensor<1x2x1x48xf32>, tensor<1x2x8x48xf32>, tensor<1x2x8x48xi8>
}
