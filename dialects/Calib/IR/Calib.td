// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef QTENSOR_CALIB_TD
#define QTENSOR_CALIB_TD

include "mlir/IR/OpBase.td"

def CalibDialect : Dialect {
  let name = "calib";
  let cppNamespace = "::mlir::calib";
  let summary = "Observers of values, for calibration";
  let description = [{
    Observers exist between C0 and C1, in the copy of a model that calibration runs. They are gone at C2. See
    dialects/Calib/README.md.
  }];
}

def Calib_ObserveOp : Op<CalibDialect, "observe"> {
  let summary = "Hands a value to whoever runs the model";
  let description = [{
    `calib.observe %x "encoder.0/x" : tensor<?x64xf32>`: every time the op is reached, the runner sees all elements of
    `%x` under this key. The op has an effect, so that nothing moves it out of a loop or drops it; removing it changes
    no result of the model. Clause O1: the key is not empty. Clause O2: the value is a plain tensor of floats.
  }];
  let arguments = (ins AnyRankedTensor:$source, StrAttr:$key);
  let assemblyFormat = "$source $key attr-dict `:` type($source)";
  let hasVerifier = 1;
}

#endif
