#q = affine_map<(g, r, t, d) -> (g, r, d)>
#k = affine_map<(g, r, t, d) -> (g, t, d)>
#s = affine_map<(g, r, t, d) -> (g, r, t)>
#w = affine_map<(g, r, d, t) -> (g, r, t)>
#v = affine_map<(g, r, d, t) -> (g, t, d)>
#y = affine_map<(g, r, d, t) -> (g, r, d)>
#all = affine_map<(g, r, t) -> (g, r, t)>
#row = affine_map<(g, r, t) -> (g, r)>
func.func @main(%q: tensor<32x1x128xf32> {qtensor.name = "q"}, %k: tensor<32x1x128xf32> {qtensor.name = "k"}, %v: tensor<32x1x128xf32> {qtensor.name = "v"},
    %position: tensor<1xi64> {qtensor.name = "position", qtensor.state = "position"},
    %keys: tensor<32x4096x128xf32> {qtensor.name = "keys", qtensor.state = "keys"}, %values: tensor<32x4096x128xf32> {qtensor.name = "values", qtensor.state = "values"})
    -> (tensor<32x1x128xf32> {qtensor.name = "y"}, tensor<1xi64> {qtensor.name = "p", qtensor.state = "position"},
        tensor<32x4096x128xf32> {qtensor.name = "nk", qtensor.state = "keys"}, tensor<32x4096x128xf32> {qtensor.name = "nv", qtensor.state = "values"}) {
  %c0 = arith.constant 0 : index
  %one = arith.constant 1 : i64
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant 0.088388346 : f32
  %low = arith.constant 0xFF800000 : f32
  %p = tensor.extract %position[%c0] : tensor<1xi64>
  %at = arith.index_cast %p : i64 to index
  %more = arith.addi %p, %one : i64
  %next = tensor.insert %more into %position[%c0] : tensor<1xi64>
  %allk = tensor.insert_slice %k into %keys[0, %at, 0] [32, 1, 128] [1, 1, 1] : tensor<32x1x128xf32> into tensor<32x4096x128xf32>
  %allv = tensor.insert_slice %v into %values[0, %at, 0] [32, 1, 128] [1, 1, 1] : tensor<32x1x128xf32> into tensor<32x4096x128xf32>
  %es = tensor.empty() : tensor<32x1x4096xf32>
  %er = tensor.empty() : tensor<32x1xf32>
  %ey = tensor.empty() : tensor<32x1x128xf32>
  %fs = linalg.fill ins(%zero : f32) outs(%es : tensor<32x1x4096xf32>) -> tensor<32x1x4096xf32>
  %fr = linalg.fill ins(%zero : f32) outs(%er : tensor<32x1xf32>) -> tensor<32x1xf32>
  %lr = linalg.fill ins(%low : f32) outs(%er : tensor<32x1xf32>) -> tensor<32x1xf32>
  %fy = linalg.fill ins(%zero : f32) outs(%ey : tensor<32x1x128xf32>) -> tensor<32x1x128xf32>
  %scores = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %allk : tensor<32x1x128xf32>, tensor<32x4096x128xf32>) outs(%fs : tensor<32x1x4096xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %m = arith.mulf %a, %b : f32
      %r = arith.addf %o, %m : f32
      linalg.yield %r : f32
  } -> tensor<32x1x4096xf32>
  %masked = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scores : tensor<32x1x4096xf32>) outs(%es : tensor<32x1x4096xf32>) {
    ^bb0(%a: f32, %o: f32):
      %j = linalg.index 2 : index
      %seen = arith.cmpi ule, %j, %at : index
      %m = arith.mulf %a, %scale : f32
      %r = arith.select %seen, %m, %low : f32
      linalg.yield %r : f32
  } -> tensor<32x1x4096xf32>
  %top = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%masked : tensor<32x1x4096xf32>) outs(%lr : tensor<32x1xf32>) {
    ^bb0(%a: f32, %o: f32):
      %r = arith.maximumf %o, %a : f32
      linalg.yield %r : f32
  } -> tensor<32x1xf32>
  %raised = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%masked, %top : tensor<32x1x4096xf32>, tensor<32x1xf32>) outs(%es : tensor<32x1x4096xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %x = arith.subf %a, %b : f32
      %r = math.exp %x : f32
      linalg.yield %r : f32
  } -> tensor<32x1x4096xf32>
  %total = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%raised : tensor<32x1x4096xf32>) outs(%fr : tensor<32x1xf32>) {
    ^bb0(%a: f32, %o: f32):
      %r = arith.addf %o, %a : f32
      linalg.yield %r : f32
  } -> tensor<32x1xf32>
  %weights = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%raised, %total : tensor<32x1x4096xf32>, tensor<32x1xf32>) outs(%es : tensor<32x1x4096xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %r = arith.divf %a, %b : f32
      linalg.yield %r : f32
  } -> tensor<32x1x4096xf32>
  %y = linalg.generic {indexing_maps = [#w, #v, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%weights, %allv : tensor<32x1x4096xf32>, tensor<32x4096x128xf32>) outs(%fy : tensor<32x1x128xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %m = arith.mulf %a, %b : f32
      %r = arith.addf %o, %m : f32
      linalg.yield %r : f32
  } -> tensor<32x1x128xf32>
  return %y, %next, %allk, %allv : tensor<32x1x128xf32>, tensor<1xi64>, tensor<32x4096x128xf32>, tensor<32x4096x128xf32>
}
