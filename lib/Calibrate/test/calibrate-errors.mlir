// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: not quant-opt %s --calib-check=statistics=%S/Inputs/no-json.json 2>&1 | FileCheck %s --check-prefix=R1
// R1: no-json.json:1:1: error: statistics rule 1: the file is no JSON
// RUN: not quant-opt %s --calib-check=statistics=%S/Inputs/version.json 2>&1 | FileCheck %s --check-prefix=R2
// R2: version.json:1:1: error: statistics rule 2: the file is no object of version 1; calibrate again
// RUN: not quant-opt %s --calib-check=statistics=%S/Inputs/no-model.json 2>&1 | FileCheck %s --check-prefix=R3
// R3: no-model.json:1:1: error: statistics rule 3: 'model' (a string) and 'values' (an object) are missing
// RUN: not quant-opt %s --calib-check=statistics=%S/Inputs/bin.json 2>&1 | FileCheck %s --check-prefix=R4
// R4: bin.json:1:1: error: statistics rule 4: 'x' needs count >= finite >= 0, min <= max and magnitudes as [bin, count] pairs
// RUN: not quant-opt %s --calib-check=statistics=%S/Inputs/missing.json 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: error: statistics: cannot open input file
// RUN: not quant-opt %s --calib-run=output=%t.json 2>&1 | FileCheck %s --check-prefix=SAMPLES
// SAMPLES: error: calib-run needs @main with arguments, and @samples without arguments that returns inputs for it
module {}
