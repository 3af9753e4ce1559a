// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Parameters and block encodings: spelling, verification, components.
#include "dialects/QTensor/IR/ComponentBlocks.h"
#include "dialects/QTensor/IR/ParseNumber.h"
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/Support/MathExtras.h"

#include "dialects/QTensor/IR/QTensorAttrInterfaces.cpp.inc"

using namespace mlir;
using namespace mlir::qtensor;

//===----------------------------------------------------------------------===//
// Block extents
//===----------------------------------------------------------------------===//

static ParseResult parseExtents(AsmParser &parser, SmallVectorImpl<int64_t> &extents,
                                AsmParser::Delimiter delimiter = AsmParser::Delimiter::Square) {
  return parser.parseCommaSeparatedList(delimiter, [&]() -> ParseResult {
    if (succeeded(parser.parseOptionalQuestion())) {
      extents.push_back(ShapedType::kDynamic);
      return success();
    }
    return parser.parseInteger(extents.emplace_back());
  });
}

static void printExtents(AsmPrinter &printer, ArrayRef<int64_t> extents) {
  printer << "[";
  llvm::interleaveComma(extents, printer.getStream(), [&](int64_t extent) {
    if (ShapedType::isDynamic(extent))
      printer << "?";
    else
      printer << extent;
  });
  printer << "]";
}

static LogicalResult verifyExtents(function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> extents) {
  for (int64_t extent : extents)
    if (extent <= 0 && !ShapedType::isDynamic(extent))
      return emitError() << "encoding clause B1: block extents are positive or '?', got " << extent;
  return success();
}

//===----------------------------------------------------------------------===//
// ParamAttr
//===----------------------------------------------------------------------===//

Attribute ParamAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess())
    return {};
  FailureOr<ParamAttr> param = parseSpelling(parser);
  if (failed(param) || parser.parseGreater())
    return {};
  return *param;
}

void ParamAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printSpelling(printer);
  printer << ">";
}

static FailureOr<Attribute> parseScalar(AsmParser &parser) {
  double value;
  if (parseNumber(parser, value))
    return failure();
  return Attribute(parser.getBuilder().getF64FloatAttr(value));
}

/// A float type, a codec or a nested encoding; nothing when the next token starts none of them.
static FailureOr<Attribute> parseData(AsmParser &parser, StringRef keyword, SMLoc loc) {
  Builder &builder = parser.getBuilder();
  Type type = llvm::StringSwitch<Type>(keyword)
                  .Case("f32", builder.getF32Type())
                  .Case("f16", builder.getF16Type())
                  .Case("bf16", builder.getBF16Type())
                  .Default({});
  if (type)
    return Attribute(TypeAttr::get(type));
  auto *dialect = parser.getContext()->getLoadedDialect<QTensorDialect>();
  if (Attribute codec = dialect->lookupCodec(keyword))
    return codec;
  parser.emitError(loc) << "encoding clause B2: expected a number, f32, f16, bf16, a codec, block<...> or neg, got '" << keyword << "'";
  return failure();
}

FailureOr<ParamAttr> ParamAttr::parseSpelling(AsmParser &parser) {
  SMLoc loc = parser.getCurrentLocation();
  bool negated = succeeded(parser.parseOptionalKeyword("neg"));
  StringRef keyword;
  FailureOr<Attribute> value;
  SMLoc valueLoc = parser.getCurrentLocation();
  if (succeeded(parser.parseOptionalKeyword("block"))) {
    FailureOr<BlockAttr> block = BlockAttr::parseBody(parser);
    value = succeeded(block) ? FailureOr<Attribute>(*block) : FailureOr<Attribute>(failure());
  } else if (succeeded(parser.parseOptionalKeyword("codec"))) {
    Attribute codec = CodecAttr::parse(parser, {});
    value = codec ? FailureOr<Attribute>(codec) : FailureOr<Attribute>(failure());
  } else if (succeeded(parser.parseOptionalKeyword(&keyword))) {
    value = parseData(parser, keyword, valueLoc);
  } else {
    Attribute attribute;
    OptionalParseResult alias = parser.parseOptionalAttribute(attribute);
    if (alias.has_value() && isa_and_nonnull<BlockAttr, CodecAttr>(attribute))
      value = attribute;
    else if (alias.has_value() && isa_and_nonnull<FloatAttr, IntegerAttr>(attribute))
      value = Attribute(parser.getBuilder().getF64FloatAttr(
          isa<FloatAttr>(attribute) ? cast<FloatAttr>(attribute).getValueAsDouble()
                                    : double(cast<IntegerAttr>(attribute).getInt())));
    else if (alias.has_value())
      return parser.emitError(valueLoc) << "expected a parameter: a number, a type, a codec or an encoding", failure();
    else
      value = parseScalar(parser);
  }
  if (failed(value))
    return failure();
  SmallVector<int64_t> ownBlock;
  if (parseExtents(parser, ownBlock, AsmParser::Delimiter::OptionalSquare))
    return failure();
  if (failed(verify([&] { return parser.emitError(loc); }, *value, negated, ownBlock)))
    return failure();
  return ParamAttr::get(parser.getContext(), *value, negated, ownBlock);
}

void ParamAttr::printSpelling(AsmPrinter &printer) const {
  if (getNegated())
    printer << "neg ";
  if (auto scalar = dyn_cast<FloatAttr>(getValue()))
    printer.printFloat(scalar.getValue());
  else if (auto type = dyn_cast<TypeAttr>(getValue()))
    printer << type.getValue();
  else if (auto codec = dyn_cast<CodecAttr>(getValue()))
    codec.printSpelling(printer);
  else {
    printer << "block";
    cast<BlockAttr>(getValue()).printBody(printer);
  }
  if (!getOwnBlock().empty())
    printExtents(printer, getOwnBlock());
}

LogicalResult ParamAttr::verify(function_ref<InFlightDiagnostic()> emitError, Attribute value, bool negated,
                                ArrayRef<int64_t> ownBlock) {
  if (!isa_and_nonnull<FloatAttr, TypeAttr, CodecAttr, BlockAttr>(value))
    return emitError() << "encoding clause B2: a parameter is a number, a float type, a codec or an encoding";
  if (auto type = dyn_cast<TypeAttr>(value); type && !isa<Float32Type, Float16Type, BFloat16Type>(type.getValue()))
    return emitError() << "encoding clause B2: parameters are f32, f16 or bf16, got " << type.getValue();
  if (!ownBlock.empty() && isa<FloatAttr, BlockAttr>(value))
    return emitError() << "encoding clause B3: only data of a type or codec has a block of its own";
  return verifyExtents(emitError, ownBlock);
}

std::optional<double> ParamAttr::getScalar() const {
  auto scalar = dyn_cast<FloatAttr>(getValue());
  if (!scalar)
    return std::nullopt;
  return getNegated() ? -scalar.getValueAsDouble() : scalar.getValueAsDouble();
}

//===----------------------------------------------------------------------===//
// BlockAttr
//===----------------------------------------------------------------------===//

Attribute BlockAttr::parse(AsmParser &parser, Type) {
  FailureOr<BlockAttr> block = parseBody(parser);
  return succeeded(block) ? Attribute(*block) : Attribute();
}

void BlockAttr::print(AsmPrinter &printer) const { printBody(printer); }

FailureOr<BlockAttr> BlockAttr::parseBody(AsmParser &parser) {
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess())
    return failure();
  FailureOr<CodecAttr> codec = CodecAttr::parseSpelling(parser);
  SmallVector<int64_t> block;
  if (failed(codec) || parser.parseComma() || parseExtents(parser, block))
    return failure();
  ParamAttr params[3];
  while (succeeded(parser.parseOptionalComma())) {
    StringRef name;
    SMLoc nameLoc = parser.getCurrentLocation();
    if (parser.parseKeyword(&name) || parser.parseEqual())
      return failure();
    int index = llvm::StringSwitch<int>(name).Case("scale", 0).Case("zero", 1).Case("offset", 2).Default(-1);
    if (index < 0 || params[index])
      return parser.emitError(nameLoc) << "expected one of scale, zero, offset, each once, got '" << name << "'",
             failure();
    FailureOr<ParamAttr> param = ParamAttr::parseSpelling(parser);
    if (failed(param))
      return failure();
    params[index] = *param;
  }
  if (parser.parseGreater())
    return failure();
  if (failed(verify([&] { return parser.emitError(loc); }, *codec, block, params[0], params[1], params[2])))
    return failure();
  return BlockAttr::get(parser.getContext(), *codec, block, params[0], params[1], params[2]);
}

void BlockAttr::printBody(AsmPrinter &printer) const {
  printer << "<";
  getCodec().printSpelling(printer);
  printer << ", ";
  printExtents(printer, getBlock());
  std::pair<StringRef, ParamAttr> params[] = {{"scale", getScale()}, {"zero", getZero()}, {"offset", getOffset()}};
  for (auto [name, param] : params) {
    if (!param)
      continue;
    printer << ", " << name << " = ";
    param.printSpelling(printer);
  }
  printer << ">";
}

LogicalResult BlockAttr::verify(function_ref<InFlightDiagnostic()> emitError, CodecAttr codec, ArrayRef<int64_t> block,
                                ParamAttr scale, ParamAttr zero, ParamAttr offset) {
  if (failed(verifyExtents(emitError, block)))
    return failure();
  for (ParamAttr param : {scale, zero, offset}) {
    if (!param)
      continue;
    size_t rank = block.size();
    if (auto nested = dyn_cast<BlockAttr>(param.getValue()); nested && nested.getBlock().size() != rank)
      return emitError() << "encoding clause B4: a nested encoding has the rank of the outer one, " << rank << ", got "
                         << nested.getBlock().size();
    if (!param.getOwnBlock().empty() && param.getOwnBlock().size() != rank)
      return emitError() << "encoding clause B4: a parameter's own block has rank " << rank << ", got "
                         << param.getOwnBlock().size();
  }
  return success();
}

LogicalResult BlockAttr::verifyEncoding(ArrayRef<int64_t> shape, Type elementType,
                                        function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != getBlock().size())
    return emitError() << "encoding clause B5: the block has rank " << getBlock().size() << ", the tensor "
                       << shape.size();
  if (!isa<FloatType>(elementType))
    return emitError() << "encoding clause B6: the logical element type is a float type, got " << elementType;
  return success();
}

static SmallVector<int64_t> gridOf(ArrayRef<int64_t> shape, ArrayRef<int64_t> block) {
  SmallVector<int64_t> grid;
  for (auto [extent, size] : llvm::zip_equal(shape, block)) {
    if (ShapedType::isDynamic(size))
      grid.push_back(1);
    else if (ShapedType::isDynamic(extent))
      grid.push_back(ShapedType::kDynamic);
    else
      grid.push_back(llvm::divideCeil(extent, size));
  }
  return grid;
}

SmallVector<int64_t> BlockAttr::getGrid(ArrayRef<int64_t> shape) const { return gridOf(shape, getBlock()); }

SmallVector<int64_t> BlockAttr::getBlockExtents(ArrayRef<int64_t> shape) const {
  SmallVector<int64_t> extents;
  for (auto [extent, size] : llvm::zip_equal(shape, getBlock()))
    extents.push_back(ShapedType::isDynamic(size) ? extent : size);
  return extents;
}

void BlockAttr::getComponents(ArrayRef<int64_t> shape, MLIRContext *context,
                              SmallVectorImpl<Component> &components) const {
  components.push_back({"codes", RankedTensorType::get(shape, getCodec().getStorageType())});
  SmallVector<int64_t> grid = getGrid(shape);
  std::pair<StringRef, ParamAttr> params[] = {{"scale", getScale()}, {"zero", getZero()}, {"offset", getOffset()}};
  for (auto [name, param] : params) {
    if (!param || !param.isData())
      continue;
    if (auto nested = dyn_cast<BlockAttr>(param.getValue())) {
      SmallVector<Component> inner;
      nested.getComponents(grid, context, inner);
      for (Component &component : inner)
        components.push_back({(name + "." + component.name).str(), component.type});
      continue;
    }
    SmallVector<int64_t> extents = param.getOwnBlock().empty() ? grid : gridOf(grid, param.getOwnBlock());
    Type type = isa<TypeAttr>(param.getValue()) ? cast<TypeAttr>(param.getValue()).getValue()
                                                : cast<CodecAttr>(param.getValue()).getStorageType();
    components.push_back({name.str(), RankedTensorType::get(extents, type)});
  }
}

/// Saturates: no tensor is larger.
static SmallVector<int64_t> multiplyBlocks(ArrayRef<int64_t> outer, ArrayRef<int64_t> inner) {
  SmallVector<int64_t> product;
  for (auto [a, b] : llvm::zip_equal(outer, inner)) {
    int64_t both = ShapedType::kDynamic;
    if (!ShapedType::isDynamic(a) && !ShapedType::isDynamic(b) && llvm::MulOverflow(a, b, both))
      both = std::numeric_limits<int64_t>::max();
    product.push_back(both);
  }
  return product;
}

/// `unit`: what one element of `encoding` stands for.
static void appendBlocks(BlockAttr encoding, ArrayRef<int64_t> unit, SmallVectorImpl<SmallVector<int64_t>> &blocks) {
  blocks.emplace_back(unit);
  SmallVector<int64_t> grid = multiplyBlocks(unit, encoding.getBlock());
  for (ParamAttr param : {encoding.getScale(), encoding.getZero(), encoding.getOffset()}) {
    if (!param || !param.isData())
      continue;
    if (auto nested = dyn_cast<BlockAttr>(param.getValue()))
      appendBlocks(nested, grid, blocks);
    else
      blocks.push_back(param.getOwnBlock().empty() ? grid : multiplyBlocks(grid, param.getOwnBlock()));
  }
}

SmallVector<SmallVector<int64_t>> qtensor::getComponentBlocks(BlockAttr encoding) {
  SmallVector<SmallVector<int64_t>> blocks;
  appendBlocks(encoding, SmallVector<int64_t>(encoding.getBlock().size(), 1), blocks);
  return blocks;
}

bool BlockAttr::isStatic() const {
  return llvm::all_of(ArrayRef<ParamAttr>{getScale(), getZero(), getOffset()},
                      [](ParamAttr param) { return !param || !param.isData(); });
}
