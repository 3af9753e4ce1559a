// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: not quant-opt %s -split-input-file --pass-pipeline='builtin.module(func.func(qtensor-fuse-layers{target=cortex-m99}))' 2>&1 | FileCheck %s
// CHECK: target 'cortex-m99' has no kernels for layers; see quant-compile --list-targets
// CHECK: a sum has 2 zeros, 3 multipliers and 3 shifts
func.func @main() { return }

// -----

#sum = #qnn.sum<zeros = [5], left_shift = 20, multipliers = [1, 2, 3], shifts = [-1, 0, -18], subtract = false, output_zero = -3, low = -128, high = 127, map = <fixed<double>>>
