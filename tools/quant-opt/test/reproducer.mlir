// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A failing pass leaves a file that fails in the same way.
// RUN: not quant-opt %s --canonicalize --verify-contract-c0 --mlir-pass-pipeline-crash-reproducer=%t.mlir 2>&1 | FileCheck %s
// RUN: FileCheck %s --check-prefix=FILE < %t.mlir
// RUN: not quant-opt %t.mlir --run-reproducer 2>&1 | FileCheck %s
// CHECK: error: contract clause C0.1: there is one public function @main with a body
// FILE: mlir_reproducer
// FILE: pipeline: "builtin.module(canonicalize{{.*}}verify-contract-c0)"
func.func @f(%a: tensor<4xf32>) -> tensor<4xf32> {
  return %a : tensor<4xf32>
}
