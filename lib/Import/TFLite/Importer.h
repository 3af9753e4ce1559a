// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Walks the first subgraph of a model, and those that its operators run, and imports one operator after the other.
#pragma once
#include "lib/Import/Graph/Emit.h"
#include "lib/Import/TFLite/Model.h"
#include "lib/Import/TFLite/Node.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "qtensor/Import.h"
#include <set>

namespace mlir::qtensor::tflite {

class Importer {
public:
  /// `report` must keep only the first message.
  Importer(const Model &model, MLIRContext *context, const ImportOptions &options, ReportFn report);

  /// Null after a call of `report`.
  OwningOpRef<ModuleOp> run();

private:
  /// For a subgraph that an operator of `outer` runs, whose ops are made at the insertion point of `at`.
  Importer(Importer &outer, const Graph &graph, const OpBuilder &at);

  LogicalResult fail(const Twine &what);
  LogicalResult checkOperators();
  LogicalResult makeConstants();
  LogicalResult makeFunction(ModuleOp module);
  LogicalResult importOperator(unsigned number);
  DictionaryAttr describeBorder(const Tensor &tensor, graph::Elem elem);
  LogicalResult makeReturn();
  FailureOr<SmallVector<int32_t>> chooseOutputs();

  // ControlFlow.cpp
  static bool isControlFlow(const Operator &op);
  const Graph *subgraph(const Operator &op, StringRef name) const;
  std::set<const Graph *> reachableGraphs() const;
  FailureOr<SmallVector<Value>> importBranch(OpBuilder &at, const Graph &inner, ArrayRef<graph::Val> inputs,
                                             ArrayRef<int32_t> outputs);
  void setResults(ArrayRef<int32_t> tensors, ValueRange results);
  LogicalResult importIf(const Operator &op, const Node &node);
  LogicalResult importWhile(const Operator &op, const Node &node);
  LogicalResult importControlFlow(const Operator &op, const Node &node);

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
  Importer *root = this; ///< Of the entry.
  unsigned depth = 0;    ///< Of subgraphs in subgraphs.
  size_t imported = 0;   ///< Operators of subgraphs so far, in the root.
  OpBuilder builder;
  DimMath math;
  graph::Emit emit;
  SmallVector<graph::Val> values; ///< By number of the tensor.
  func::FuncOp function;
  std::vector<Variable> variables;             ///< What the model keeps from call to call: states of the function.
  std::map<std::string, const Tensor *> starts; ///< By the name of a variable behind handles.
  std::map<int32_t, std::string> handles;      ///< Tensors that VAR_HANDLE makes: the variable's name.
};

} // namespace mlir::qtensor::tflite
