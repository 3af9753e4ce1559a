// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Protobuf -> Model. Every size and index of the file is checked here, so that nothing after it needs to.
#include "lib/Import/ONNX/Model.h"
#include "onnx/onnx.pb.h"
#include "llvm/ADT/StringExtras.h"
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/wire_format_lite.h>

namespace mlir::qtensor::onnx {
namespace {
/// No constant or tensor of a model needs more elements than this; products below it can't overflow.
constexpr int64_t kMaxElements = int64_t(1) << 40;

class Reader {
public:
  Reader(StringRef path, ReportFn report, std::shared_ptr<void> owner)
      : path(path), report(report), owner(std::move(owner)) {}

  bool readGraph(const ::onnx::GraphProto &proto, Graph &graph);
  bool readFunction(const ::onnx::FunctionProto &proto, const OpsetMap &modelOpsets, Model &model);
  bool readOpsets(const google::protobuf::RepeatedPtrField<::onnx::OperatorSetIdProto> &protos, OpsetMap &opsets);
  bool readTensor(const ::onnx::TensorProto &proto, TensorData &tensor);

private:
  bool fail(const Twine &what) {
    report(path + ": " + what);
    return false;
  }
  bool readNode(const ::onnx::NodeProto &proto, Node &node);
  bool readAttribute(const ::onnx::AttributeProto &proto, const Node &node, NodeAttribute &attribute);
  bool readValueInfo(const ::onnx::ValueInfoProto &proto, ValueInfo &info);
  bool readExternal(const ::onnx::TensorProto &proto, TensorData &tensor, int64_t bytes);
  bool readTyped(const ::onnx::TensorProto &proto, TensorData &tensor, int64_t bytes);
  bool unpackSubByte(TensorData &tensor);
  bool readFunctionDefaults(const ::onnx::FunctionProto &proto, Function &function);

  StringRef path;
  ReportFn report;
  std::shared_ptr<void> owner;
};

std::string canonicalDomain(const std::string &domain) { return domain == "ai.onnx" ? "" : domain; }

/// A buffer that lives as long as the tensor that points into it.
MutableArrayRef<char> allocate(TensorData &tensor, size_t size) {
  auto buffer = std::make_shared<std::vector<char>>(size);
  tensor.owner = buffer;
  tensor.bytes = ArrayRef<char>(buffer->data(), size);
  return {buffer->data(), size};
}

bool Reader::readTensor(const ::onnx::TensorProto &proto, TensorData &tensor) {
  tensor.name = proto.name();
  tensor.elem = static_cast<Elem>(proto.data_type());
  std::string where = "tensor '" + tensor.name + "': ";
  unsigned bits = bitWidth(tensor.elem);
  if (!bits || tensor.elem == Elem::Complex64 || tensor.elem == Elem::Complex128)
    return fail(where + "element type " + elemName(tensor.elem) + " has no numeric tensor; convert it before export");
  if (proto.has_segment())
    return fail(where + "is stored in segments, which no exporter writes any more; save the model again");
  int64_t count = 1;
  for (int64_t dim : proto.dims()) {
    if (dim < 0 || (dim > 0 && count > kMaxElements / dim))
      return fail(where + "dimension " + Twine(dim) + " is negative or makes the tensor too large");
    tensor.dims.push_back(dim);
    count *= dim;
  }
  int64_t bytes = llvm::divideCeil(count * bits, 8);
  if (proto.data_location() == ::onnx::TensorProto::EXTERNAL) {
    if (!readExternal(proto, tensor, bytes))
      return false;
  } else if (proto.has_raw_data() || count == 0) {
    tensor.bytes = ArrayRef<char>(proto.raw_data().data(), proto.raw_data().size());
    tensor.owner = owner;
    if (static_cast<int64_t>(tensor.bytes.size()) != bytes)
      return fail(where + "has " + Twine(tensor.bytes.size()) + " bytes of data where its shape needs " + Twine(bytes) +
                  "; the file is truncated or was edited");
  } else if (!readTyped(proto, tensor, bytes)) {
    return fail(where + "has another number of elements than its shape needs (" + Twine(count) +
                "); the file is truncated or was edited");
  }
  return bits >= 8 || unpackSubByte(tensor);
}

bool Reader::readExternal(const ::onnx::TensorProto &proto, TensorData &tensor, int64_t bytes) {
  std::string location;
  int64_t offset = 0, length = -1;
  for (const auto &entry : proto.external_data()) {
    StringRef value(entry.value());
    if (entry.key() == "location")
      location = entry.value();
    else if (entry.key() == "offset" ? value.getAsInteger(10, offset)
                                     : entry.key() == "length" && value.getAsInteger(10, length))
      return fail("tensor '" + tensor.name + "': external " + entry.key() + " '" + value + "' is not a number");
  }
  auto reportHere = [&](const Twine &what) { fail("tensor '" + tensor.name + "': " + what); };
  ExternalBytes found = readExternalData(path, location, offset, length < 0 ? bytes : length, reportHere);
  if (!found.owner)
    return false;
  if (static_cast<int64_t>(found.bytes.size()) != bytes)
    return fail("tensor '" + tensor.name + "': external data has " + Twine(found.bytes.size()) +
                " bytes where the shape needs " + Twine(bytes));
  tensor.bytes = found.bytes;
  tensor.owner = found.owner;
  return true;
}

/// The data of the typed fields: float_data, int32_data (which also carries the narrow types), int64_data ...
bool Reader::readTyped(const ::onnx::TensorProto &proto, TensorData &tensor, int64_t bytes) {
  auto copy = [&](const auto &field, unsigned size, int64_t perEntry) {
    int64_t entries = llvm::divideCeil(tensor.numElements(), perEntry);
    if (field.size() != entries)
      return false;
    MutableArrayRef<char> buffer = allocate(tensor, bytes);
    for (int64_t i = 0; i < entries; ++i) {
      auto value = field.Get(i);
      std::memcpy(buffer.data() + i * size, &value, size);
    }
    return true;
  };
  switch (tensor.elem) {
  case Elem::F32:
    return copy(proto.float_data(), 4, 1);
  case Elem::F64:
    return copy(proto.double_data(), 8, 1);
  case Elem::I64:
    return copy(proto.int64_data(), 8, 1);
  case Elem::U64:
    return copy(proto.uint64_data(), 8, 1);
  case Elem::U32:
    return copy(proto.uint64_data(), 4, 1);
  default:
    return copy(proto.int32_data(), std::max(1u, bitWidth(tensor.elem) / 8), std::max(1u, 8 / bitWidth(tensor.elem)));
  }
}

/// ONNX packs types below 8 bits from the low end of each byte; in memory every element has a byte.
bool Reader::unpackSubByte(TensorData &tensor) {
  unsigned bits = bitWidth(tensor.elem);
  ArrayRef<char> packed = tensor.bytes;
  std::shared_ptr<void> keep = tensor.owner;
  MutableArrayRef<char> out = allocate(tensor, tensor.numElements());
  for (size_t i = 0; i < out.size(); ++i) {
    uint8_t code = (static_cast<uint8_t>(packed[i * bits / 8]) >> (i * bits % 8)) & ((1u << bits) - 1);
    out[i] = isSigned(tensor.elem) ? static_cast<char>(llvm::SignExtend32(code, bits)) : static_cast<char>(code);
  }
  return true;
}

bool Reader::readAttribute(const ::onnx::AttributeProto &proto, const Node &node, NodeAttribute &attribute) {
  using Kind = NodeAttribute::Kind;
  if (!proto.ref_attr_name().empty()) {
    attribute.kind = Kind::Reference;
    attribute.s = proto.ref_attr_name();
    return true;
  }
  switch (proto.type()) {
  case ::onnx::AttributeProto::FLOAT:
    attribute.kind = Kind::Float;
    attribute.f = proto.f();
    return true;
  case ::onnx::AttributeProto::INT:
    attribute.kind = Kind::Int;
    attribute.i = proto.i();
    return true;
  case ::onnx::AttributeProto::STRING:
    attribute.kind = Kind::String;
    attribute.s = proto.s();
    return true;
  case ::onnx::AttributeProto::FLOATS:
    attribute.kind = Kind::Floats;
    attribute.floats.assign(proto.floats().begin(), proto.floats().end());
    return true;
  case ::onnx::AttributeProto::INTS:
    attribute.kind = Kind::Ints;
    attribute.ints.assign(proto.ints().begin(), proto.ints().end());
    return true;
  case ::onnx::AttributeProto::STRINGS:
    attribute.kind = Kind::Strings;
    attribute.strings.assign(proto.strings().begin(), proto.strings().end());
    return true;
  case ::onnx::AttributeProto::TENSOR:
    attribute.kind = Kind::Tensor;
    attribute.tensor = std::make_shared<TensorData>();
    if (readTensor(proto.t(), *attribute.tensor))
      return true;
    return fail("node '" + node.name + "' (" + node.op + "): attribute '" + proto.name() + "' holds a bad tensor");
  case ::onnx::AttributeProto::GRAPH:
    attribute.kind = Kind::Graph;
    return true;
  default:
    attribute.kind = Kind::Other;
    return true;
  }
}

bool Reader::readNode(const ::onnx::NodeProto &proto, Node &node) {
  node.name = proto.name();
  node.domain = canonicalDomain(proto.domain());
  node.op = proto.op_type();
  if (node.name.empty() && proto.output_size())
    node.name = proto.output(0);
  node.inputs.assign(proto.input().begin(), proto.input().end());
  node.outputs.assign(proto.output().begin(), proto.output().end());
  for (const auto &attribute : proto.attribute()) {
    auto [entry, isNew] = node.attributes.try_emplace(attribute.name());
    if (!isNew)
      return fail("node '" + node.name + "' (" + node.op + "): attribute '" + attribute.name() + "' is given twice");
    if (!readAttribute(attribute, node, entry->second))
      return false;
  }
  return true;
}

bool Reader::readValueInfo(const ::onnx::ValueInfoProto &proto, ValueInfo &info) {
  info.name = proto.name();
  if (!proto.has_type() || !proto.type().has_tensor_type())
    return fail("value '" + info.name + "': only tensors are supported as inputs and outputs, not sequences, maps or " +
                "optional values");
  const auto &tensor = proto.type().tensor_type();
  info.elem = static_cast<Elem>(tensor.elem_type());
  info.hasShape = tensor.has_shape();
  int64_t count = 1;
  for (const auto &dim : tensor.shape().dim()) {
    DimInfo out;
    if (dim.has_dim_value()) {
      out.value = dim.dim_value();
      if (out.value == -1) { // some exporters' spelling of an open extent
        info.dims.emplace_back();
        continue;
      }
      if (out.value < 0 || (out.value > 0 && count > kMaxElements / out.value))
        return fail("value '" + info.name + "': dimension " + Twine(out.value) +
                    " is negative or makes the tensor too large");
      count *= out.value;
    } else {
      out.param = dim.dim_param();
    }
    info.dims.push_back(std::move(out));
  }
  return true;
}

bool Reader::readGraph(const ::onnx::GraphProto &proto, Graph &graph) {
  graph.name = proto.name();
  if (proto.sparse_initializer_size())
    return fail("sparse initializers are not supported; store '" + Twine(proto.sparse_initializer(0).values().name()) +
                "' as a dense tensor");
  for (const auto &tensor : proto.initializer())
    if (!readTensor(tensor, graph.initializers.emplace_back()))
      return false;
  for (const auto &input : proto.input())
    if (!readValueInfo(input, graph.inputs.emplace_back()))
      return false;
  for (const auto &output : proto.output())
    if (!readValueInfo(output, graph.outputs.emplace_back()))
      return false;
  for (const auto &node : proto.node())
    if (!readNode(node, graph.nodes.emplace_back()))
      return false;
  if (graph.outputs.empty())
    return fail("the graph has no outputs: is this an ONNX model?");
  return true;
}

bool Reader::readOpsets(const google::protobuf::RepeatedPtrField<::onnx::OperatorSetIdProto> &protos,
                        OpsetMap &opsets) {
  for (const auto &opset : protos) {
    if (opset.version() < 1)
      return fail("operator set '" + opset.domain() + "' has version " + Twine(opset.version()));
    opsets[canonicalDomain(opset.domain())] = opset.version();
  }
  return true;
}

/// Default values of a function's attributes (field 11) are younger than the packaged onnx.proto, so they arrive among
/// the unknown fields.
bool Reader::readFunctionDefaults(const ::onnx::FunctionProto &proto, Function &function) {
  constexpr uint32_t kAttributeProtoTag = (11 << 3) | 2;
  const std::string &unknown = proto.unknown_fields();
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const uint8_t *>(unknown.data()),
                                                static_cast<int>(unknown.size()));
  Node owner{function.name, "", "function", {}, {}, {}};
  while (uint32_t tag = stream.ReadTag()) {
    if (tag != kAttributeProtoTag) {
      if (!google::protobuf::internal::WireFormatLite::SkipField(&stream, tag))
        return fail("function '" + function.name + "' has damaged fields");
      continue;
    }
    uint32_t size = 0;
    ::onnx::AttributeProto attribute;
    std::string bytes;
    if (!stream.ReadVarint32(&size) || size > unknown.size() || !stream.ReadString(&bytes, static_cast<int>(size)) ||
        !attribute.ParsePartialFromString(bytes))
      return fail("function '" + function.name + "' has a damaged default attribute");
    if (!readAttribute(attribute, owner, function.defaults[attribute.name()]))
      return false;
  }
  return true;
}

bool Reader::readFunction(const ::onnx::FunctionProto &proto, const OpsetMap &modelOpsets, Model &model) {
  Function function;
  function.domain = canonicalDomain(proto.domain());
  function.name = proto.name();
  function.inputs.assign(proto.input().begin(), proto.input().end());
  function.outputs.assign(proto.output().begin(), proto.output().end());
  function.attributes.assign(proto.attribute().begin(), proto.attribute().end());
  function.opsets = modelOpsets;
  if (!readOpsets(proto.opset_import(), function.opsets))
    return false;
  if (!readFunctionDefaults(proto, function))
    return false;
  for (const auto &node : proto.node())
    if (!readNode(node, function.nodes.emplace_back()))
      return false;
  auto key = std::make_pair(function.domain, function.name);
  if (!model.functions.try_emplace(key, std::move(function)).second)
    return fail("function '" + key.second + "' of domain '" + key.first + "' is defined twice");
  return true;
}

/// Protobuf writes its own complaints to stderr; ours say more.
bool parse(google::protobuf::MessageLite &message, StringRef bytes) {
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max()))
    return false;
  google::protobuf::LogSilencer silence;
  return message.ParsePartialFromArray(bytes.data(), static_cast<int>(bytes.size()));
}
} // namespace

std::unique_ptr<Model> readModel(StringRef path, StringRef bytes, ReportFn report) {
  auto proto = std::make_shared<::onnx::ModelProto>();
  if (!parse(*proto, bytes)) {
    report(path + ": is not an ONNX model (protobuf can't parse its " + Twine(bytes.size()) +
           " bytes): it is truncated, of another format, or larger than 2 GiB (then use external data)");
    return nullptr;
  }
  auto model = std::make_unique<Model>();
  model->file = path.str();
  Reader reader(path, report, proto);
  if (!reader.readOpsets(proto->opset_import(), model->opsets))
    return nullptr;
  for (const auto &function : proto->functions())
    if (!reader.readFunction(function, model->opsets, *model))
      return nullptr;
  if (!reader.readGraph(proto->graph(), model->graph))
    return nullptr;
  return model;
}

std::unique_ptr<TensorData> readTensorProto(StringRef path, StringRef bytes, ReportFn report) {
  auto proto = std::make_shared<::onnx::TensorProto>();
  if (!parse(*proto, bytes)) {
    report(path + ": is not an ONNX tensor (protobuf can't parse its " + Twine(bytes.size()) + " bytes)");
    return nullptr;
  }
  auto tensor = std::make_unique<TensorData>();
  Reader reader(path, report, proto);
  return reader.readTensor(*proto, *tensor) ? std::move(tensor) : nullptr;
}

} // namespace mlir::qtensor::onnx
