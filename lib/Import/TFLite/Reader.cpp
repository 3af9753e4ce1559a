// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads a .tflite file. flatbuffers' verifier proves that every table, string and vector lies inside of the bytes; what
// it cannot know is checked here: indices, extents, sizes of constants and the fields of options.
// Of flatbuffers there are headers alone; with locales it would need its library, to read numbers out of text.
#define FLATBUFFERS_LOCALE_INDEPENDENT 0
#include "lib/Import/TFLite/Options.h"
#include "tflite_generated.h"
#include "llvm/Support/Endian.h"
#include <cmath>
#include <cstring>
#include <flatbuffers/flexbuffers.h>

using namespace mlir::qtensor::tflite;
using llvm::StringRef;
using llvm::Twine;

unsigned mlir::qtensor::tflite::bitWidth(ElemType type) {
  switch (type) {
  case ElemType::I2:
    return 2;
  case ElemType::I4:
  case ElemType::U4:
    return 4;
  case ElemType::U8:
  case ElemType::I8:
  case ElemType::Bool:
    return 8;
  case ElemType::F16:
  case ElemType::BF16:
  case ElemType::I16:
  case ElemType::U16:
    return 16;
  case ElemType::F32:
  case ElemType::I32:
  case ElemType::U32:
    return 32;
  case ElemType::F64:
  case ElemType::I64:
  case ElemType::U64:
    return 64;
  default:
    return 0;
  }
}

std::string mlir::qtensor::tflite::typeName(ElemType type) {
  static const char *const names[] = {"float32", "float16", "int32", "uint8", "int64", "string", "bool",
                                      "int16", "complex64", "int8", "float64", "complex128", "uint64", "resource",
                                      "variant", "uint32", "uint16", "int4", "bfloat16", "int2", "uint4"};
  auto number = int8_t(type);
  if (number >= 0 && number < int8_t(std::size(names)))
    return names[number];
  return "type " + std::to_string(number);
}

namespace {
/// No tensor that fits into memory has more elements.
constexpr int64_t kMaxElements = int64_t(1) << 40;

class Reader {
public:
  Reader(StringRef path, StringRef bytes, ReportFn report)
      : path(path), bytes(bytes), report(report),
        verifier(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()) {}

  bool read(Model &model);

private:
  bool fail(const Twine &what) {
    report(path + ": " + what);
    return false;
  }
  bool readGraph(const schema::SubGraph &from, unsigned number, Graph &to);
  bool readTensor(const schema::Tensor &from, const Twine &where, Tensor &to);
  bool readShape(const schema::Tensor &from, const Twine &where, Tensor &to);
  bool readData(const schema::Tensor &from, const Twine &where, Tensor &to);
  bool readQuantization(const schema::Quantization &from, const Twine &where, Tensor &to);
  bool readOperator(const schema::Operator &from, const Twine &where, const Graph &graph, Operator &to);
  bool readOptions(const flatbuffers::Table &from, const Twine &where, Operator &to);
  bool readOption(const flatbuffers::Table &from, flatbuffers::voffset_t offset, const OptionField &field, Options &to);
  bool readIndices(const flatbuffers::Vector<int32_t> *from, const Twine &what, size_t limit, bool optional,
                   std::vector<int32_t> &to);

  std::string path;
  StringRef bytes;
  ReportFn report;
  flatbuffers::Verifier verifier;
  const schema::Model *file = nullptr;
};
} // namespace

static std::string text(const flatbuffers::String *from) { return from ? from->str() : std::string(); }

bool Reader::readIndices(const flatbuffers::Vector<int32_t> *from, const Twine &what, size_t limit, bool optional,
                         std::vector<int32_t> &to) {
  if (!from)
    return true;
  for (int32_t index : *from) {
    bool absent = optional && index == -1;
    if (!absent && (index < 0 || size_t(index) >= limit))
      return fail(what + " names tensor " + Twine(index) + ", but there are " + Twine(limit) +
                  "; the file is damaged: write it anew");
    to.push_back(index);
  }
  return true;
}

bool Reader::readShape(const schema::Tensor &from, const Twine &where, Tensor &to) {
  if (!from.shape())
    return true;
  int64_t count = 1;
  for (int32_t extent : *from.shape()) {
    if (extent < 0)
      return fail(where + " has the extent " + Twine(extent) + "; extents are at least 0");
    to.shape.push_back(extent);
    if (count > kMaxElements / std::max(extent, 1))
      return fail(where + " has more than 2^40 elements; the file is damaged: write it anew");
    count *= std::max(extent, 1);
  }
  return true;
}

bool Reader::readQuantization(const schema::Quantization &from, const Twine &where, Tensor &to) {
  Quantization &q = to.quantization;
  if (from.scale())
    q.scale.assign(from.scale()->begin(), from.scale()->end());
  q.zero.assign(q.scale.size(), 0);
  if (from.zero_point() && from.zero_point()->size()) {
    if (from.zero_point()->size() != q.scale.size() && from.zero_point()->size() != 1)
      return fail(where + " has " + Twine(q.scale.size()) + " scales and " + Twine(from.zero_point()->size()) +
                  " zero points; there must be as many, or one zero point");
    // The verifier does not ask whether 64-bit elements are aligned.
    for (size_t i = 0; i < q.zero.size(); ++i)
      q.zero[i] = llvm::support::endian::read64le(from.zero_point()->Data() +
                                                  8 * (from.zero_point()->size() == 1 ? 0 : i));
  }
  for (float scale : q.scale)
    if (!(scale >= 0) || !std::isfinite(scale))
      return fail(where + " has a scale that is negative or not finite; quantize the model again");
  // Of a bias there is one axis, whatever old converters wrote.
  q.axis = to.shape.size() == 1 ? 0 : from.quantized_dimension();
  if (q.scale.size() > 1 && (q.axis < 0 || size_t(q.axis) >= to.shape.size() ||
                             to.shape[q.axis] != int64_t(q.scale.size())))
    return fail(where + " has " + Twine(q.scale.size()) + " scales along axis " + Twine(q.axis) +
                ", which has another extent; quantize the model again");
  constexpr uint8_t kBlockwise = 2;
  if (from.details_type() != kBlockwise || !from.details())
    return true;
  const auto &details = reinterpret_cast<const flatbuffers::Table &>(*from.details());
  Operator fields;
  static const OptionField names[] = {{"scales", 'i', -1}, {"zeros", 'i', -1}, {"size", 'i', 0}};
  for (auto [i, field] : llvm::enumerate(names))
    if (!readOption(details, flatbuffers::FieldIndexToOffset(i), field, fields.options))
      return fail(where + " has blockwise parameters outside of the file; the file is damaged: write it anew");
  q.blockScales = int32_t(fields.options.numbers["scales"]);
  q.blockZeros = int32_t(fields.options.numbers["zeros"]);
  q.blockSize = int32_t(fields.options.numbers["size"]);
  if (q.blockSize < 1 || to.shape.empty())
    return fail(where + " has blocks of " + Twine(q.blockSize) + " elements; they have at least one");
  return true;
}

bool Reader::readData(const schema::Tensor &from, const Twine &where, Tensor &to) {
  if (!file->buffers() || from.buffer() >= file->buffers()->size())
    return from.buffer() == 0 ||
           fail(where + " refers to buffer " + Twine(from.buffer()) + ", which the file lacks; write it anew");
  const schema::Buffer &buffer = *file->buffers()->Get(from.buffer());
  if (buffer.offset() > 1) { // behind the flatbuffer, for files of more than 2 GiB
    if (buffer.offset() > bytes.size() || buffer.size() > bytes.size() - buffer.offset())
      return fail(where + " has data behind the end of the file; the file is truncated");
    to.data = llvm::ArrayRef<char>(bytes.data() + buffer.offset(), buffer.size());
  } else if (buffer.data() && buffer.data()->size()) {
    to.data = llvm::ArrayRef<char>(reinterpret_cast<const char *>(buffer.data()->data()), buffer.data()->size());
  }
  to.hasData = !to.data.empty();
  unsigned bits = bitWidth(to.type);
  if (!to.hasData || bits == 0)
    return true;
  int64_t count = 1;
  for (int64_t extent : to.shape)
    count *= extent;
  uint64_t needed = (uint64_t(count) * bits + 7) / 8;
  if (to.data.size() != needed)
    return fail(where + " has " + Twine(to.data.size()) + " bytes of data where its type and shape need " +
                Twine(needed) + "; the file is damaged: write it anew");
  return true;
}

bool Reader::readTensor(const schema::Tensor &from, const Twine &where, Tensor &to) {
  to.name = text(from.name());
  std::string place = (where + " ('" + to.name + "')").str();
  to.type = ElemType(from.type());
  to.isVariable = from.is_variable();
  if (from.sparsity())
    return fail(place + " is sparse, which is not supported; densify it first");
  if (!readShape(from, place, to))
    return false;
  if (from.quantization() && !readQuantization(*from.quantization(), place, to))
    return false;
  return readData(from, place, to);
}

bool Reader::readOption(const flatbuffers::Table &from, flatbuffers::voffset_t offset, const OptionField &field,
                        Options &to) {
  switch (field.kind) {
  case 'b':
    if (!from.VerifyField<int8_t>(verifier, offset, 1))
      return false;
    to.numbers[field.name] = from.GetField<int8_t>(offset, int8_t(field.otherwise));
    return true;
  case 'i':
    if (!from.VerifyField<int32_t>(verifier, offset, 4))
      return false;
    to.numbers[field.name] = from.GetField<int32_t>(offset, int32_t(field.otherwise));
    return true;
  case 'f':
    if (!from.VerifyField<float>(verifier, offset, 4))
      return false;
    to.numbers[field.name] = from.GetField<float>(offset, float(field.otherwise));
    return true;
  case 's': {
    const auto *value = from.VerifyOffset(verifier, offset) ? from.GetPointer<const flatbuffers::String *>(offset) : nullptr;
    if (!from.VerifyOffset(verifier, offset) || !verifier.VerifyString(value))
      return false;
    to.strings[field.name] = text(value);
    return true;
  }
  case 'F': {
    const auto *value =
        from.VerifyOffset(verifier, offset) ? from.GetPointer<const flatbuffers::Vector<float> *>(offset) : nullptr;
    if (!from.VerifyOffset(verifier, offset) || !verifier.VerifyVector(value))
      return false;
    if (value)
      to.reals[field.name].assign(value->begin(), value->end());
    return true;
  }
  default: {
    if (!from.VerifyOffset(verifier, offset))
      return false;
    const auto *value = from.GetPointer<const flatbuffers::Vector<int32_t> *>(offset);
    if (!verifier.VerifyVector(value))
      return false;
    if (value)
      to.lists[field.name].assign(value->begin(), value->end());
    return true;
  }
  }
}

/// Numbers of the map that a custom operator's options are; other options are its own affair.
static void readMap(const flatbuffers::Vector<uint8_t> &bytes, Options &to) {
  std::vector<uint8_t> reached;
  if (bytes.size() < 3 || !flexbuffers::VerifyBuffer(bytes.data(), bytes.size(), &reached))
    return;
  flexbuffers::Reference top = flexbuffers::GetRoot(bytes.data(), bytes.size());
  if (!top.IsMap())
    return;
  flexbuffers::Map map = top.AsMap();
  flexbuffers::TypedVector keys = map.Keys();
  for (size_t i = 0; i < map.size(); ++i) {
    flexbuffers::Reference value = map.Values()[i];
    if (value.IsNumeric() || value.IsBool())
      to.numbers[keys[i].AsKey()] = value.IsBool() ? value.AsBool() : value.AsDouble();
  }
}

bool Reader::readOptions(const flatbuffers::Table &from, const Twine &where, Operator &to) {
  for (auto [i, field] : llvm::enumerate(optionFields(to.code)))
    if (field.name && !readOption(from, flatbuffers::FieldIndexToOffset(i), field, to.options))
      return fail(where + " has its option '" + field.name + "' outside of the file; the file is damaged: write it anew");
  return true;
}

bool Reader::readOperator(const schema::Operator &from, const Twine &where, const Graph &graph, Operator &to) {
  if (!file->operator_codes() || from.opcode_index() >= file->operator_codes()->size())
    return fail(where + " has operator code " + Twine(from.opcode_index()) + ", which the file lacks; write it anew");
  const schema::OperatorCode &code = *file->operator_codes()->Get(from.opcode_index());
  to.code = std::max<int32_t>(code.deprecated_builtin_code(), code.builtin_code());
  to.custom = text(code.custom_code());
  to.version = code.version();
  std::string place = (where + " (" + operatorName(to.code) + ")").str();
  size_t count = graph.tensors.size();
  if (!readIndices(from.inputs(), place, count, /*optional=*/true, to.inputs) ||
      !readIndices(from.outputs(), place, count, /*optional=*/false, to.outputs) ||
      !readIndices(from.intermediates(), place, count, /*optional=*/true, to.intermediates))
    return false;
  // Defaults first: an operator without options has all of them.
  for (const OptionField &field : optionFields(to.code))
    if (field.name && field.kind != 's' && field.kind != 'I' && field.kind != 'F')
      to.options.numbers[field.name] = field.otherwise;
  if (to.code == kCustom && from.custom_options())
    readMap(*from.custom_options(), to.options);
  const schema::Opaque *options = from.builtin_options() ? from.builtin_options() : from.builtin_options_2();
  return !options || readOptions(reinterpret_cast<const flatbuffers::Table &>(*options), place, to);
}

bool Reader::readGraph(const schema::SubGraph &from, unsigned number, Graph &to) {
  std::string where = "subgraph " + std::to_string(number);
  to.name = text(from.name());
  for (unsigned i = 0; from.tensors() && i < from.tensors()->size(); ++i) {
    to.tensors.emplace_back();
    if (!readTensor(*from.tensors()->Get(i), where + ", tensor " + Twine(i), to.tensors.back()))
      return false;
  }
  for (const Tensor &tensor : to.tensors)
    for (int32_t parameter : {tensor.quantization.blockScales, tensor.quantization.blockZeros})
      if (parameter < -1 || parameter >= int32_t(to.tensors.size()))
        return fail(where + ", tensor '" + tensor.name + "' has its scales in tensor " + Twine(parameter) +
                    ", which is not there; the file is damaged: write it anew");
  if (!readIndices(from.inputs(), where + ": its inputs", to.tensors.size(), false, to.inputs) ||
      !readIndices(from.outputs(), where + ": its outputs", to.tensors.size(), false, to.outputs))
    return false;
  for (int32_t tensor : llvm::concat<const int32_t>(to.inputs, to.outputs)) // An interface needs their names.
    if (std::string &name = to.tensors[tensor].name; name.empty())
      name = "tensor" + std::to_string(tensor);
  for (unsigned i = 0; from.operators() && i < from.operators()->size(); ++i) {
    to.operators.emplace_back();
    if (!readOperator(*from.operators()->Get(i), where + ", operator " + Twine(i), to, to.operators.back()))
      return false;
  }
  return true;
}

bool Reader::read(Model &model) {
  if (bytes.size() < 8 || std::memcmp(bytes.data() + 4, schema::ModelIdentifier(), 4) != 0)
    return fail("byte 4: no \"TFL3\"; this is no .tflite file");
  if (bytes.size() >= FLATBUFFERS_MAX_BUFFER_SIZE)
    return fail("is larger than 2 GiB, more than the format can address; split the model");
  if (!schema::VerifyModelBuffer(verifier))
    return fail("a table, string or vector reaches outside of the file (" + Twine(bytes.size()) +
                " bytes); it is truncated or damaged: write it anew");
  file = schema::GetModel(bytes.data());
  if (file->version() != 3)
    return fail("has version " + Twine(file->version()) + "; only version 3 is known");
  model.description = text(file->description());
  if (!file->subgraphs() || file->subgraphs()->size() == 0)
    return fail("has no subgraph; there is nothing to import");
  for (unsigned i = 0; i < file->subgraphs()->size(); ++i) {
    model.graphs.emplace_back();
    if (!readGraph(*file->subgraphs()->Get(i), i, model.graphs.back()))
      return false;
  }
  return true;
}

std::unique_ptr<Model> mlir::qtensor::tflite::readModel(StringRef path, StringRef bytes, std::shared_ptr<void> owner,
                                                        ReportFn report) {
  auto model = std::make_unique<Model>();
  model->file = path.str();
  model->owner = std::move(owner);
  if (!Reader(path, bytes, report).read(*model))
    return nullptr;
  return model;
}
