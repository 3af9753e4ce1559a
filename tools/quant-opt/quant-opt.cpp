// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs any pass of QTensor or MLIR on an .mlir file. The passes are found in the registry; nothing is listed here.
#include "qtensor/InitAll.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllPasses();
  mlir::qtensor::registerAll(registry);
  return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "QTensor optimizer driver\n", registry));
}
