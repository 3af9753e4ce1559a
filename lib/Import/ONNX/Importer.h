// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Walks the graph of a model and imports one node after the other.
#pragma once
#include "lib/Import/Graph/Emit.h"
#include "lib/Import/ONNX/Model.h"
#include "lib/Import/ONNX/ONNXImport.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <set>

namespace mlir::qtensor::onnx {

struct OpEntry;

class Importer {
public:
  /// `report` must keep only the first message.
  Importer(Model &model, MLIRContext *context, const ONNXImportOptions &options, ReportFn report);

  /// Null after a call of `report`.
  OwningOpRef<ModuleOp> run();

private:
  /// Values by ONNX name: those of the graph, or of one call of a function.
  struct Scope {
    const OpsetMap &opsets;
    std::string prefix; // of the names of inner values in locations
    llvm::StringMap<Val> values;
    unsigned depth = 0;
  };

  LogicalResult fail(const Twine &what);
  LogicalResult failNode(const Node &node, const Twine &what);

  LogicalResult checkOperators();
  void collectUnsupported(ArrayRef<Node> nodes, const OpsetMap &opsets, std::map<std::string, unsigned> &found,
                          std::set<const Function *> &seen);
  LogicalResult makeInitializers(Scope &scope);
  LogicalResult replaceWeights(TensorData &tensor);
  FailureOr<func::FuncOp> makeFunction(ModuleOp module, Scope &scope);
  SmallVector<int64_t> inputDims(const ValueInfo &input);
  LogicalResult bindInputs(func::FuncOp function, Scope &scope);
  std::vector<ValueInfo> chooseOutputs();
  LogicalResult makeReturn(func::FuncOp function, Scope &scope);
  LogicalResult importNode(const Node &node, Scope &scope);
  LogicalResult callFunction(const Node &node, const Function &function, Scope &scope);
  LogicalResult runHandler(const Node &node, const OpEntry &entry, int64_t opset, Scope &scope);
  LogicalResult gatherInputs(const Node &node, Scope &scope, SmallVectorImpl<Val *> &inputs);
  LogicalResult define(const Node &node, unsigned output, Val value, Scope &scope);
  LogicalResult checkResult(const Node &node, const Val &value);

  Model &model;
  const ONNXImportOptions &options;
  ReportFn report;
  OpBuilder builder;
  DimMath math;
  Emit emit;
  std::vector<const ValueInfo *> inputs; // graph inputs that are no initializers
  std::map<std::string, OpFoldResult> namedDims;
};

} // namespace mlir::qtensor::onnx
