// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-quantize-weights="weights=int4/32 late-from=512" | FileCheck %s --check-prefix=LATE
// RUN: quant-opt %s --qtensor-quantize-weights="weights=int4/32 late-from=512" --qtensor-decompose --qtensor-encode-constants \
// RUN:   --canonicalize --cse | FileCheck %s --check-prefix=DONE
// RUN: quant-opt %s --qtensor-quantize-weights="weights=int4/32" --qtensor-decompose --canonicalize --cse | FileCheck %s --check-prefix=DONE
// RUN: quant-opt %s --qtensor-quantize-weights="weights=int4/32 late-from=512" --qtensor-encode-constants --qtensor-decompose \
// RUN:   --canonicalize --cse | FileCheck %s --check-prefix=DONE

// A large constant stays, with its rounding written behind it; a small one is encoded at once. The order of [k, n] becomes
// that of [n, k], as ever.
// LATE-LABEL: func @large
// LATE: %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<32x8xf16>
// LATE: %[[T:.*]] = linalg.transpose ins(%[[W]] : tensor<32x8xf16>){{.*}} permutation = [1, 0]
// LATE: qtensor.quantize %[[T]] encoder "signed_max" : tensor<8x32xf16> -> tensor<8x32xf16, #{{.*}}>
// DONE-LABEL: func @large
// DONE-NOT: qtensor.encode
// DONE-DAG: arith.constant dense<-8> : tensor<8x32xi8>
// DONE-DAG: arith.constant dense<{{\[\[}}1.250000e-01], [-6.250000e-02], [-3.125000e-02], {{.*}}> : tensor<8x1xf16>
func.func @large(%x: tensor<3x32xf32>, %i: tensor<3x8xf32>) -> tensor<3x8xf32> {
  %c = arith.constant dense<"0x00BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C00280024002000BC003800340030002C002800240020"> : tensor<32x8xf16>
  %0 = linalg.matmul ins(%x, %c : tensor<3x32xf32>, tensor<32x8xf16>) outs(%i : tensor<3x8xf32>) -> tensor<3x8xf32>
  return %0 : tensor<3x8xf32>
}

// LATE-LABEL: func @small
// LATE-NOT: qtensor.quantize
// LATE: qtensor.assemble
func.func @small(%x: tensor<3x32xf32>, %i: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %c = arith.constant dense<1.0> : tensor<32x2xf32>
  %0 = linalg.matmul ins(%x, %c : tensor<3x32xf32>, tensor<32x2xf32>) outs(%i : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// What is no constant is rounded at run time.
// DONE-LABEL: func @activation
// DONE: qtensor.encode %arg0
func.func @activation(%x: tensor<3x32xf32>) -> tensor<3x32xf32, #qtensor.block<int8, [1, 32], scale = f16>> {
  %0 = qtensor.quantize %x : tensor<3x32xf32> -> tensor<3x32xf32, #qtensor.block<int8, [1, 32], scale = f16>>
  return %0 : tensor<3x32xf32, #qtensor.block<int8, [1, 32], scale = f16>>
}
