// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef QTENSOR_CALIBRATE_PASSES
#define QTENSOR_CALIBRATE_PASSES

include "mlir/Pass/PassBase.td"

def InsertObservers : Pass<"calib-insert-observers", "ModuleOp"> {
  let summary = "Observe what contractions with a constant side multiply, and sums of activations";
  let description = [{
    Puts one `calib.observe` behind every value whose range `/static` formats need, under the key that
    qtensor-quantize-activations will look for.

    ```mlir
    %y = linalg.matmul ins(%x, %w : tensor<?x128xf32>, tensor<128x64xf32>) outs(%0 : tensor<?x64xf32>) -> tensor<?x64xf32>
    // =>
    calib.observe %x "fc1/x" : tensor<?x128xf32>
    %y = linalg.matmul ...
    ```
  }];
  let dependentDialects = ["calib::CalibDialect"];
}

def CheckStatistics : Pass<"calib-check", "ModuleOp"> {
  let summary = "Refuse statistics of another model";
  let description = [{
    Compares the hash in a file of statistics with that of the module, which has to be the imported one (C0), before
    anything is quantized. The module stays as it is.

    ```mlir
    module { ... }
    // => with statistics=ranges.json: the same, or
    // error: the statistics in 'ranges.json' belong to another model
    ```
  }];
  let options = [Option<"statistics", "statistics", "std::string", "\"\"", "File that calibration wrote">];
}

def RunCalibration : Pass<"calib-run", "ModuleOp"> {
  let summary = "Run the model on samples with the reference, and write statistics";
  let description = [{
    A development tool: calibrates with constants. `samples` is the name of a function without arguments whose results
    are the inputs of `@main`; results beyond the number of inputs are further samples. The statistics go to `output`.

    ```mlir
    func.func @main(%x: tensor<?x4xf32>) ...
    func.func @samples() -> (tensor<2x4xf32>, tensor<3x4xf32>) ...
    // => with samples=samples output=ranges.json: the module stays, and ranges.json has what @main's values were
    ```
  }];
  let options = [Option<"samples", "samples", "std::string", "\"samples\"", "The function that gives the samples">,
                 Option<"output", "output", "std::string", "\"\"", "File to write">];
  let dependentDialects = ["calib::CalibDialect"];
}

#endif
