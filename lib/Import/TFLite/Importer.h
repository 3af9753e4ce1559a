// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Walks the first subgraph of a model and imports one operator after the other.
#pragma once
#include "lib/Import/Graph/Emit.h"
#include "lib/Import/TFLite/Model.h"
#include "lib/Import/TFLite/Node.h"
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
  LogicalResult importOperator(unsigned number);
  DictionaryAttr describeBorder(const Tensor &tensor, graph::Elem elem);
  LogicalResult makeReturn();
  FailureOr<SmallVector<int32_t>> chooseOutputs();

  // Variables.cpp
  struct Variable {
    int32_t slot;      ///< Its current value is that of this tensor: a variable, or the first handle of one.
    int32_t described; ///< The tensor that has its type.
    std::string name;  ///< In the file: not every one has a name, nor one of its own.
    std::string state; ///< What QTensor calls it.
    const Tensor *start = nullptr; ///< What it starts as; null for zeros.
  };
  LogicalResult findVariables();
  LogicalResult addHandles();
  void nameStates();
  LogicalResult readStart(const Operator &once);
  graph::Val startOf(const Variable &variable);
  graph::Val fromState(const Variable &variable, const graph::Val &state);
  graph::Val toState(const Variable &variable, const graph::Val &value);
  void readVariables(unsigned firstArgument);
  void returnVariables(SmallVectorImpl<Value> &results, SmallVectorImpl<DictionaryAttr> &attributes);
  LogicalResult importVariable(const Operator &op, const Node &node);
  DictionaryAttr describeState(const Variable &variable);
  const Variable *findHandle(int32_t tensor) const;

  const Model &model;
  const Graph &graph;
  const ImportOptions &options;
  ReportFn report;
  OpBuilder builder;
  graph::DimMath math;
  graph::Emit emit;
  SmallVector<graph::Val> values; ///< By number of the tensor.
  func::FuncOp function;
  std::vector<Variable> variables;             ///< What the model keeps from call to call: states of the function.
  std::map<std::string, const Tensor *> starts; ///< By the name of a variable behind handles.
  std::map<int32_t, std::string> handles;      ///< Tensors that VAR_HANDLE makes: the variable's name.
};

} // namespace mlir::qtensor::tflite
