// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --verify-roundtrip --canonicalize --cse | FileCheck %s

// Neither duplicate nor unused observers disappear.
// CHECK-LABEL: func @observe
// CHECK-COUNT-2: calib.observe %{{.*}} "layer/x" : tensor<?x4xf32>
func.func @observe(%x: tensor<?x4xf32>) {
  calib.observe %x "layer/x" : tensor<?x4xf32>
  calib.observe %x "layer/x" : tensor<?x4xf32>
  return
}
