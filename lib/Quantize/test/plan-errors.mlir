// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: not quant-opt %s --qtensor-quantize-weights=plan=%S/Inputs/bad-pattern.plan 2>&1 | FileCheck %s --check-prefix=R1
// R1: bad-pattern.plan:3:3: error: plan rule 1: '(fc1|fc2' is no regular expression: parentheses not balanced
// RUN: not quant-opt %s --qtensor-quantize-weights=plan=%S/Inputs/bad-key.plan 2>&1 | FileCheck %s --check-prefix=R2
// R2: bad-key.plan:3:7: error: plan rule 2: expected one of weights, activations, tables, strategy, caches followed by '=' and a format, got 'weight'
// RUN: not quant-opt %s --qtensor-quantize-weights=plan=%S/Inputs/bad-value.plan 2>&1 | FileCheck %s --check-prefix=R3
// R3: bad-value.plan:3:7: error: plan rule 3: 'weights' has no value; write weights=<format>, or weights=none
// RUN: not quant-opt %s --qtensor-quantize-weights=plan=%S/Inputs/bad-twice.plan 2>&1 | FileCheck %s --check-prefix=R4
// R4: bad-twice.plan:3:23: error: plan rule 4: 'weights' stands twice in one rule
// RUN: not quant-opt %s --qtensor-quantize-weights=plan=%S/Inputs/bad-nothing.plan 2>&1 | FileCheck %s --check-prefix=R5
// R5: bad-nothing.plan:3:3: error: plan rule 5: 'fc1' decides nothing; add one of weights=, activations=, tables=, strategy=
// RUN: not quant-opt %s --qtensor-quantize-weights=plan=%S/Inputs/missing.plan 2>&1 | FileCheck %s --check-prefix=R6
// R6: error: plan: cannot open input file
module {}
