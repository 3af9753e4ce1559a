// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What describes an artifact is read by many: its form is checked once, where it is written.
// RUN: quant-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{qtensor.inputs: expected an array, got 1 : i64}}
module attributes {qtensor.inputs = 1} {}

// -----

// expected-error @+1 {{qtensor.inputs[0]: expected a dictionary, got 1 : i64}}
module attributes {qtensor.inputs = [1]} {}

// -----

// expected-error @+1 {{qtensor.outputs[0]: expected 'name', a string}}
module attributes {qtensor.outputs = [{}]} {}

// -----

// expected-error @+1 {{qtensor.states[1]: expected 'type', a ranked tensor type}}
module attributes {qtensor.states = [{name = "a", type = tensor<4xf32>}, {name = "b"}]} {}

// -----

// expected-error @+1 {{qtensor.inputs[0]: 'name' must be a string, got 1 : i64}}
module attributes {qtensor.inputs = [{name = 1, type = tensor<4xf32>}]} {}

// -----

// expected-error @+1 {{qtensor.inputs[0]: 'type' must be a ranked tensor type, got tensor<*xf32>}}
module attributes {qtensor.inputs = [{name = "x", type = tensor<*xf32>}]} {}

// -----

// expected-error @+1 {{qtensor.inputs[0]: 'scale' must be a float, got 1 : i64}}
module attributes {qtensor.inputs = [{name = "x", type = tensor<4xi8>, scale = 1}]} {}

// -----

// expected-error @+1 {{qtensor.weights[0]: expected 'value', a constant tensor}}
module attributes {qtensor.weights = [{name = "w", offset = 0, size = 4}]} {}

// -----

// expected-error @+1 {{qtensor.weights[0]: 'offset' must be an i64 that is not negative, got -1 : i64}}
module attributes {qtensor.weights = [{name = "w", offset = -1, size = 4, value = dense<1> : tensor<4xi8>}]} {}

// -----

// expected-error @+1 {{qtensor.weights: "w" ends behind 2^63 bytes}}
module attributes {qtensor.weights = [{name = "w", offset = 9223372036854775807, size = 4, value = dense<1> : tensor<4xi8>}]} {}

// -----

// expected-error @+1 {{qtensor.plan: expected a dictionary, got 1 : i64}}
module attributes {qtensor.plan = 1} {}

// -----

// expected-error @+1 {{qtensor.plan: 'bytes' must be an i64 that is not negative, got -1 : i64}}
module attributes {qtensor.plan = {bytes = -1}} {}

// -----

// expected-error @+1 {{qtensor.plan regions[0]: expected 'base', an i64 that is not negative}}
module attributes {qtensor.plan = {regions = [{name = "arena"}]}} {}

// -----

// expected-error @+1 {{qtensor.plan constants[0]: expected 'copied', true or false}}
module attributes {qtensor.plan = {constants = [{name = "flash", base = 0, bytes = 0}]}} {}

// -----

// expected-error @+1 {{qtensor.plan places: there is no region 1}}
module attributes {qtensor.plan = {places = [{offset = 0, region = 1}], regions = [{base = 0, bytes = 16, name = "arena"}]}} {}

// -----

// expected-error @+1 {{qtensor.checks: expected an array of strings, got [1]}}
module attributes {qtensor.checks = [1]} {}

// -----

// expected-error @+1 {{qtensor.rounding: expected a string, got 1 : i64}}
module attributes {qtensor.rounding = 1} {}

// -----

// expected-error @+1 {{rounding is double, single or real, got 'upwards'}}
module attributes {qtensor.rounding = "upwards"} {}

// -----

// expected-error @+1 {{qtensor.greedy: expected an i64 that is not negative, got "x"}}
func.func private @main() attributes {qtensor.greedy = "x"}

// -----

func.func @main(%x: memref<4xf32>, %y: memref<4xf32>) {
  // expected-error @+1 {{qtensor.overlaps: expected arrays of four i64, the first two indices of operands, got [array<i64: 2, 0, 0, 1>]}}
  memref.copy %x, %y {qtensor.overlaps = [array<i64: 2, 0, 0, 1>]} : memref<4xf32> to memref<4xf32>
  return
}
