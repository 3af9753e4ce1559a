// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Walks the first subgraph of a model and imports one operator after the other.
#pragma once
#include "lib/Import/Graph/Emit.h"
#include "lib/Import/TFLite/Model.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "qtensor/Import.h"

namespace mlir::qtensor::tflite {

class Importer {
public:
  /// `report` must keep only the first message.
  Importer(const Model &model, MLIRContext *context, const ImportOptions &options, ReportFn report);

  /// Null after a call of `report`.
  OwningOpRef<ModuleOp> run();

private:
  LogicalResult fail(const Twine &what);
  LogicalResult checkOperators();
  LogicalResult makeConstants();
  LogicalResult makeFunction(ModuleOp module);
  LogicalResult findVariables();
  void readVariables(unsigned firstArgument);
  LogicalResult importOperator(unsigned number);
  DictionaryAttr describeBorder(const Tensor &tensor, graph::Elem elem);
  DictionaryAttr describeState(const Tensor &tensor);
  LogicalResult makeReturn();
  FailureOr<SmallVector<int32_t>> chooseOutputs();

  const Model &model;
  const Graph &graph;
  const ImportOptions &options;
  ReportFn report;
  OpBuilder builder;
  graph::DimMath math;
  graph::Emit emit;
  SmallVector<graph::Val> values; ///< By number of the tensor.
  func::FuncOp function;
  SmallVector<int32_t> variables; ///< Tensors that operators keep from call to call: states of the function.
};

} // namespace mlir::qtensor::tflite
