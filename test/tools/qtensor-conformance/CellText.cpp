// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "CellText.h"
#include "lib/Quantize/WeightLayout.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include <cstring>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::conformance;

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

/// The encoding of the activation that fits the blocks of the weight.
static FailureOr<BlockAttr> makeInputEncoding(MLIRContext *context, const Cell &cell, BlockAttr weight) {
  unsigned rank = cell.getInputShape().size();
  auto find = [&](StringRef spelling) -> FailureOr<BlockAttr> {
    FailureOr<FormatChoice> choice = parseFormatSpelling(context, spelling, rank, cell.getInputAxes(),
                                                         [&] { return emitError(UnknownLoc::get(context)); });
    return failed(choice) ? FailureOr<BlockAttr>() : cast<BlockAttr>(choice->encoding);
  };
  int64_t block = weight.getBlock()[cell.getWeightAxes().front()];
  if (cell.activation == "token" || (cell.activation == "block" && ShapedType::isDynamic(block)))
    return find("int8/token");
  if (cell.activation == "codebook")
    return find("nf4/token");
  if (cell.activation == "block")
    return find("int8/" + std::to_string(block));
  bool shifted = cell.activation == "shifted";
  FailureOr<BlockAttr> dynamic = find(shifted ? "uint8/tensor" : "int8/tensor");
  if (failed(dynamic))
    return failure();
  auto constant = [&](double value) {
    return ParamAttr::get(context, FloatAttr::get(Float64Type::get(context), value), false, {});
  };
  // A step that is no power of two, or one that makes ties; and a zero point off the middle.
  bool ties = Random(cell.seed, cell.getName() + " step").oneIn(2);
  return BlockAttr::get(context, dynamic->getCodec(), dynamic->getBlock(), constant(ties ? 0.25 : double(0.0173f)),
                        shifted ? constant(113) : ParamAttr(), ParamAttr());
}

FailureOr<CellData> conformance::makeData(MLIRContext *context, const Cell &cell) {
  Random random(cell.seed, cell.getName());
  FailureOr<FormatChoice> choice =
      parseFormatSpelling(context, cell.format, cell.getWeightShape().size(), cell.getWeightAxes(),
                          [&] { return emitError(UnknownLoc::get(context)); });
  if (failed(choice))
    return failure();
  auto weightEncoding = cast<BlockAttr>(choice->encoding);
  if (Random(cell.seed, cell.getName() + " window").oneIn(2))
    weightEncoding = spreadBlocks(weightEncoding, cell.getWeightAxes(), cell.getWeightShape());
  CellData data{cell, weightEncoding, {}, {}, {}, {}};
  if (cell.activation != "none") {
    FailureOr<BlockAttr> encoding = makeInputEncoding(context, cell, data.weightEncoding);
    if (failed(encoding))
      return failure();
    data.inputEncoding = *encoding;
  }
  data.weight = makeComponents(data.weightEncoding, cell.getWeightShape(), random, cell.extremes);
  int64_t count = llvm::product_of(cell.getInputShape());
  if (cell.op == CellOp::Gather)
    for (int64_t i = 0; i < count; ++i)
      for (int64_t shift = 0, row = random.below(cell.features); shift < 32; shift += 8)
        data.input.push_back(char(row >> shift));
  else
    data.input = cell.extremes ? makeExtremeReals(count, random) : makeReals(count, random);
  if (cell.bias)
    data.bias = makeReals(cell.getResultShape().back(), random);
  return data;
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

namespace {
/// Writes one cell. `%x`, `%w`, `%y` and so on carry the number of the cell.
struct Writer {
  const CellData &data;
  std::string number;
  bool encoded; ///< Else operands are plain and `%w` is an argument.
  llvm::raw_string_ostream &os;

  const Cell &cell() const { return data.cell; }
  std::string tensor(ArrayRef<int64_t> shape, StringRef element, bool dynamic, Attribute encoding = {}) const;
  std::string inputType(bool asEncoded) const;
  std::string weightType() const;
  std::string resultType() const;
  void constant(StringRef name, ArrayRef<char> bytes, Type type) const;
  void operands() const;
  void init() const;
  void contraction() const;
  void reader() const;
  void bias() const;
  void write() const;
};
} // namespace

/// `tensor<?x8xf32, #enc>`; with `dynamic` the rows of the cell are not in the type.
std::string Writer::tensor(ArrayRef<int64_t> shape, StringRef element, bool dynamic, Attribute encoding) const {
  std::string text = "tensor<";
  unsigned rowDim = cell().isBatched() ? 1 : 0;
  for (auto [dim, extent] : llvm::enumerate(shape))
    text += (dynamic && dim == rowDim ? "?" : std::to_string(extent)) + "x";
  text += element;
  if (encoding) {
    llvm::raw_string_ostream stream(text);
    stream << ", " << encoding;
  }
  return text + ">";
}

std::string Writer::inputType(bool asEncoded) const {
  return tensor(cell().getInputShape(), cell().op == CellOp::Gather ? "i32" : "f32", cell().dynamicRows,
                asEncoded && encoded ? Attribute(data.inputEncoding) : Attribute());
}

std::string Writer::weightType() const {
  return tensor(cell().getWeightShape(), "f32", false, encoded ? Attribute(data.weightEncoding) : Attribute());
}

std::string Writer::resultType() const { return tensor(cell().getResultShape(), "f32", cell().dynamicRows); }

void Writer::constant(StringRef name, ArrayRef<char> bytes, Type type) const {
  os << "  %" << name << number << " = arith.constant dense<\"0x" << llvm::toHex(StringRef(bytes.data(), bytes.size()))
     << "\"> : " << type << "\n";
}

/// `%w` from its constant components, and `%q`, which is x or its encoding.
void Writer::operands() const {
  std::string names, types;
  for (auto [index, component] : llvm::enumerate(data.weight)) {
    std::string name = ("c" + Twine(index) + "_").str();
    constant(name, component.bytes, component.type);
    llvm::raw_string_ostream(names) << (index ? ", " : "") << "%" << name << number;
    llvm::raw_string_ostream(types) << (index ? ", " : "") << component.type;
  }
  os << "  %w" << number << " = qtensor.assemble " << names << " : " << types << " -> " << weightType() << "\n";
  if (data.inputEncoding)
    os << "  %q" << number << " = qtensor.quantize %x" << number << " : " << inputType(false) << " -> "
       << inputType(true) << "\n";
}

/// `%f`: zeros of the result's type.
void Writer::init() const {
  std::string sizes;
  if (cell().dynamicRows) {
    int64_t dim = cell().isBatched() ? 1 : 0;
    os << llvm::formatv("  %d{0} = arith.constant {1} : index\n  %m{0} = tensor.dim %x{0}, %d{0} : {2}\n", number, dim,
                        inputType(false));
    sizes = "%m" + number;
  }
  os << llvm::formatv("  %z{0} = arith.constant 0.0 : f32\n  %e{0} = tensor.empty({1}) : {2}\n"
                      "  %f{0} = linalg.fill ins(%z{0} : f32) outs(%e{0} : {2}) -> {2}\n",
                      number, sizes, resultType());
}

void Writer::contraction() const {
  std::string attributes = cell().forceFloat && encoded ? " {qtensor.strategy = #qtensor.strategy<float>}" : "";
  std::string window = llvm::formatv("strides = dense<{0}> : tensor<2xi64>, dilations = dense<{1}> : tensor<2xi64>",
                                     cell().stride, cell().dilation);
  std::string convolution =
      attributes.empty() ? " {" + window + "}" : " {" + window + ", qtensor.strategy = #qtensor.strategy<float>}";
  std::string op;
  switch (cell().op) {
  case CellOp::MatmulNK:
    op = "linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, "
         "affine_map<(m, n, k) -> (m, n)>]" +
         attributes;
    break;
  case CellOp::MatmulKN:
    op = "linalg.matmul" + attributes;
    break;
  case CellOp::Batched:
    op = "linalg.batch_matmul" + attributes;
    break;
  case CellOp::BatchedNK:
    op = "linalg.batch_matmul indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> "
         "(b, n, k)>, affine_map<(b, m, n, k) -> (b, m, n)>]" +
         attributes;
    break;
  case CellOp::Grouped:
    op = "linalg.conv_2d_nhwgc_gfhwc" + convolution;
    break;
  case CellOp::Depthwise:
    op = "linalg.depthwise_conv_2d_nhwc_hwc" + convolution;
    break;
  default:
    op = "linalg.conv_2d_nhwc_fhwc" + convolution;
    break;
  }
  os << llvm::formatv("  %a{0} = {1} ins(%{2}{0}, %w{0} : {3}, {4}) outs(%f{0} : {5}) -> {5}\n", number, op,
                      encoded && data.inputEncoding ? "q" : "x", inputType(true), weightType(), resultType());
}

/// Ops that read the encoded tensor without multiplying it.
void Writer::reader() const {
  if (cell().op == CellOp::Elementwise) {
    os << llvm::formatv(
        "  %a{0} = linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>, "
        "affine_map<(i, j) -> (i, j)>], iterator_types = [\"parallel\", \"parallel\"]}\n"
        "      ins(%x{0}, %w{0} : {1}, {2}) outs(%f{0} : {3}) {{\n    ^bb0(%p: f32, %r: f32, %o: f32):\n"
        "      %s = arith.addf %p, %r : f32\n      linalg.yield %s : f32\n  } -> {3}\n",
        number, inputType(false), weightType(), resultType());
    return;
  }
  os << llvm::formatv(
      "  %a{0} = linalg.generic {{indexing_maps = [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], "
      "iterator_types = [\"parallel\", \"parallel\"]}\n"
      "      ins(%x{0} : {1}) outs(%f{0} : {3}) {{\n    ^bb0(%p: i32, %o: f32):\n"
      "      %i = arith.index_cast %p : i32 to index\n      %j = linalg.index 1 : index\n"
      "      %s = tensor.extract %w{0}[%i, %j] : {2}\n      linalg.yield %s : f32\n  } -> {3}\n",
      number, inputType(false), weightType(), resultType());
}

/// `%y` = `%a` + bias, along the last dimension.
void Writer::bias() const {
  std::vector<char> bytes = data.bias;
  if (!encoded)
    for (size_t i = 3; i < bytes.size(); i += 4)
      bytes[i] &= 0x7F;
  unsigned rank = cell().getResultShape().size();
  std::string dims, iterators;
  for (unsigned i = 0; i < rank; ++i) {
    dims += (i ? ", d" : "d") + std::to_string(i);
    iterators += i ? ", \"parallel\"" : "\"parallel\"";
  }
  std::string biasType = "tensor<" + std::to_string(cell().getResultShape().back()) + "xf32>";
  os << llvm::formatv("  %b{0} = arith.constant dense<\"0x{1}\"> : {2}\n", number,
                      llvm::toHex(StringRef(bytes.data(), bytes.size())), biasType);
  os << llvm::formatv("  %y{0} = linalg.generic {{indexing_maps = [affine_map<({1}) -> ({1})>, "
                      "affine_map<({1}) -> (d{2})>, affine_map<({1}) -> ({1})>], iterator_types = [{3}]}\n"
                      "      ins(%a{0}, %b{0} : {4}, {5}) outs(%e{0} : {4}) {{\n    ^bb0(%p: f32, %r: f32, %o: f32):\n"
                      "      %s = arith.addf %p, %r : f32\n      linalg.yield %s : f32\n  } -> {4}\n",
                      number, dims, rank - 1, iterators, resultType(), biasType);
}

void Writer::write() const {
  if (encoded) {
    os << "  // " << cell().getName() << "\n";
    operands();
  }
  init();
  if (cell().isContraction())
    contraction();
  else
    reader();
  if (cell().bias)
    bias();
}

std::string conformance::writeModule(ArrayRef<CellData> cells) {
  std::string arguments, resultTypes, body, results, plainTypes;
  llvm::raw_string_ostream bodyStream(body);
  for (auto [index, data] : llvm::enumerate(cells)) {
    std::string number = std::to_string(index), comma = index ? ", " : "";
    Writer writer{data, number, true, bodyStream};
    writer.write();
    arguments += comma + "%x" + number + ": " + writer.inputType(false) + " {qtensor.name = \"x" + number + "\"}";
    resultTypes += comma + writer.resultType() + " {qtensor.name = \"y" + number + "\"}";
    plainTypes += comma + writer.resultType();
    results += comma + (data.cell.bias ? "%y" : "%a") + number;
  }
  return "func.func @main(" + arguments + ") -> (" + resultTypes + ") {\n" + body + "  return " + results + " : " +
         plainTypes + "\n}\n";
}

std::string conformance::writeMagnitudeModule(const CellData &data) {
  std::string body;
  llvm::raw_string_ostream stream(body);
  Writer writer{data, "", false, stream};
  writer.write();
  return "func.func @main(%x: " + writer.inputType(false) + ", %w: " + writer.weightType() + ") -> " +
         writer.resultType() + " {\n" + body + "  return " + (data.cell.bias ? "%y" : "%a") + " : " +
         writer.resultType() + "\n}\n";
}
