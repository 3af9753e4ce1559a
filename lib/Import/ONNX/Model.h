// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An ONNX file as plain data: what the reader found and checked, free of protobuf. Operators are imported from this.
#pragma once
#include "lib/Import/Graph/Tensor.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringMap.h"
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mlir::qtensor::onnx {

using namespace graph;

struct Graph;

/// One attribute; `kind` says which member holds it.
struct NodeAttribute {
  enum class Kind { Float, Int, String, Floats, Ints, Strings, Tensor, Graph, Reference, Other };
  Kind kind = Kind::Other;
  float f = 0;
  int64_t i = 0;
  std::string s; // also the referenced name of Kind::Reference
  std::vector<float> floats;
  std::vector<int64_t> ints;
  std::vector<std::string> strings;
  std::shared_ptr<TensorData> tensor;
};

struct Node {
  std::string name;
  std::string domain; // "" for ai.onnx
  std::string op;
  std::vector<std::string> inputs;  // "" where an optional input is absent
  std::vector<std::string> outputs; // "" where an optional output is not wanted
  std::map<std::string, NodeAttribute> attributes;

  /// How messages about it begin.
  std::string place() const { return "node '" + name + "' (" + op + "): "; }
};

/// One dimension of a graph input: a number, a name shared by equal dimensions, or neither.
struct DimInfo {
  int64_t value = ShapedType::kDynamic;
  std::string param;
};

struct ValueInfo {
  std::string name;
  Elem elem = Elem::Undefined;
  bool hasShape = false;
  std::vector<DimInfo> dims;
};

struct Graph {
  std::string name;
  std::vector<Node> nodes;
  std::vector<TensorData> initializers;
  std::vector<ValueInfo> inputs, outputs;
};

using OpsetMap = std::map<std::string, int64_t>;

/// A model-local function, inlined where it is called.
struct Function {
  std::string domain, name;
  std::vector<std::string> inputs, outputs, attributes;
  std::map<std::string, NodeAttribute> defaults;
  std::vector<Node> nodes;
  OpsetMap opsets;
};

struct Model {
  std::string file;
  Graph graph;
  OpsetMap opsets;
  std::map<std::pair<std::string, std::string>, Function> functions; // by (domain, name)
};

/// Where problems go: one call per problem, the text names what and where and ends with what to do.
using ReportFn = llvm::function_ref<void(const llvm::Twine &)>;

/// Parses and checks the bytes of an ONNX file. `path` is used in messages and to find external data. Returns null
/// after at least one call of `report`.
std::unique_ptr<Model> readModel(StringRef path, StringRef bytes, ReportFn report);

/// Parses one TensorProto (the .pb files of ONNX test data). Returns null after a call of `report`.
std::unique_ptr<TensorData> readTensorProto(StringRef path, StringRef bytes, ReportFn report);

/// The bytes of external data [offset, offset + length) of `location`, which must be a relative path below the
/// folder of the model. A negative length means up to the end of the file. Null owner after a call of `report`.
struct ExternalBytes {
  llvm::ArrayRef<char> bytes;
  std::shared_ptr<void> owner;
};
ExternalBytes readExternalData(StringRef modelPath, StringRef location, int64_t offset, int64_t length,
                               ReportFn report);

} // namespace mlir::qtensor::onnx
