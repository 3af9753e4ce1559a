// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: not quant-opt %s --x86-lower-tile-ops=level=pentium 2>&1 | FileCheck %s

// CHECK: error: unknown level 'pentium'; the levels are baseline avx2 avx2vnni avx512
module {}
