// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A .tflite file as plain data: what the reader found and checked, free of flatbuffers and of MLIR. Operators are
// imported from this.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/Twine.h"
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mlir::qtensor::tflite {

/// Element types by their number in the file.
enum class ElemType : int8_t {
  F32 = 0,
  F16 = 1,
  I32 = 2,
  U8 = 3,
  I64 = 4,
  String = 5,
  Bool = 6,
  I16 = 7,
  C64 = 8,
  I8 = 9,
  F64 = 10,
  U64 = 12,
  Resource = 13,
  Variant = 14,
  U32 = 15,
  U16 = 16,
  I4 = 17,
  BF16 = 18,
  I2 = 19,
  U4 = 20,
};

/// Bits of one element as the file stores it; 0 for strings, resources and unknown types.
unsigned bitWidth(ElemType type);
/// "int8"; "type 99" for unknown numbers.
std::string typeName(ElemType type);

/// real = scale * (code - zero), one pair per tensor or per index of `axis`; no scales for a plain tensor.
struct Quantization {
  std::vector<float> scale;
  std::vector<int64_t> zero; ///< As many as scales.
  int32_t axis = 0;
  /// Blocks of `blockSize` along the last axis; scales and zero points are tensors of the graph. -1: none.
  int32_t blockScales = -1, blockZeros = -1, blockSize = 0;

  bool isBlockwise() const { return blockScales >= 0; }
};

struct Tensor {
  std::string name;
  ElemType type = ElemType::F32;
  std::vector<int64_t> shape; ///< As the file was made for it; open extents have the number written there.
  Quantization quantization;
  bool isVariable = false;
  bool hasData = false;
  /// The elements of a constant, little endian as in the file (codes below a byte packed, the low bits first).
  llvm::ArrayRef<char> data;
};

/// The options of an operator, by name: numbers and lists of numbers. Names and types are those of Options.cpp; of a
/// custom operator they are the numbers of its map, if its options are one.
struct Options {
  std::map<std::string, double> numbers;
  std::map<std::string, std::vector<int64_t>> lists;
  std::map<std::string, std::vector<double>> reals;
  std::map<std::string, std::string> strings;
};

struct Operator {
  int32_t code = 0;    ///< Number of the builtin operator; kCustom for others.
  std::string custom;  ///< Name of a custom operator.
  int32_t version = 1;
  std::vector<int32_t> inputs, outputs, intermediates; ///< Tensors; -1 where an optional one is absent.
  Options options;
};
constexpr int32_t kCustom = 32;

struct Graph {
  std::string name;
  std::vector<Tensor> tensors;
  std::vector<int32_t> inputs, outputs;
  std::vector<Operator> operators;
};

struct Model {
  std::string file, description;
  std::vector<Graph> graphs; ///< At least one; the first is the entry.
  std::shared_ptr<void> owner; ///< Keeps the bytes of constants.
};

/// Where problems go: one call per problem, the text names what and where and ends with what to do.
using ReportFn = llvm::function_ref<void(const llvm::Twine &)>;

/// Parses and checks the bytes of a .tflite file, which must stay alive as long as `owner` does. Every index in the
/// result is in range, every constant as long as its type and shape say. Null after one call of `report`.
std::unique_ptr<Model> readModel(llvm::StringRef path, llvm::StringRef bytes, std::shared_ptr<void> owner,
                                 ReportFn report);

/// "CONV_2D"; "operator 999" for a number without a known name.
std::string operatorName(int32_t code);
/// The number of a builtin operator by its name; -1 for an unknown one.
int32_t operatorCode(llvm::StringRef name);

} // namespace mlir::qtensor::tflite
