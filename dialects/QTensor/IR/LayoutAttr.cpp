// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Spelling and verification of layouts. Packing and unpacking by them is in lib/Formats.
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace mlir::qtensor;

/// `<` body `>` around the spelling that other attributes use.
template <typename AttrT>
static Attribute parseInAngles(AsmParser &parser) {
  if (parser.parseLess())
    return {};
  FailureOr<AttrT> attr = AttrT::parseBody(parser);
  if (failed(attr) || parser.parseGreater())
    return {};
  return *attr;
}

//===----------------------------------------------------------------------===//
// PieceAttr
//===----------------------------------------------------------------------===//

Attribute PieceAttr::parse(AsmParser &parser, Type) { return parseInAngles<PieceAttr>(parser); }

void PieceAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printBody(printer);
  printer << ">";
}

FailureOr<PieceAttr> PieceAttr::parseBody(AsmParser &parser) {
  unsigned bits = 0, radix = 0, digits = 0;
  int64_t first = 0, end = 0;
  AffineMap map;
  SMLoc loc = parser.getCurrentLocation();
  if (succeeded(parser.parseOptionalKeyword("digit"))) {
    if (parser.parseInteger(radix) || parser.parseKeyword("of") || parser.parseInteger(digits))
      return failure();
  } else if (parser.parseInteger(bits)) {
    return failure();
  }
  if (parser.parseColon() || parser.parseAffineMap(map))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("for")))
    if (parser.parseInteger(first) || parser.parseKeyword("to") || parser.parseInteger(end))
      return failure();
  if (failed(verify([&] { return parser.emitError(loc); }, bits, radix, digits, map, first, end)))
    return failure();
  return PieceAttr::get(parser.getContext(), bits, radix, digits, map, first, end);
}

void PieceAttr::printBody(AsmPrinter &printer) const {
  if (getRadix() != 0)
    printer << "digit " << getRadix() << " of " << getDigits();
  else
    printer << getBits();
  printer << " : ";
  getMap().print(printer.getStream());
  if (getEnd() != 0)
    printer << " for " << getFirst() << " to " << getEnd();
}

LogicalResult PieceAttr::verify(function_ref<InFlightDiagnostic()> emitError, unsigned bits, unsigned radix,
                                unsigned digits, AffineMap map, int64_t first, int64_t end) {
  if (radix == 0 && (bits < 1 || bits > 32))
    return emitError() << "layout clause Y1: a piece has 1 to 32 bits, got " << bits;
  if (radix != 0) {
    uint64_t values = 1;
    for (unsigned i = 0; i < digits && values <= 256; ++i)
      values *= radix;
    if (radix < 2 || digits < 1 || values > 256)
      return emitError() << "layout clause Y2: " << digits << " digits of radix " << radix << " do not fit a byte";
  }
  if (map.getNumResults() != (radix != 0 ? 2 : 1))
    return emitError() << "layout clause Y3: a piece maps to "
                       << (radix != 0 ? "a byte and a place" : "one bit address") << ", got " << map.getNumResults()
                       << " results";
  if (first < 0 || end < 0 || (end != 0 && first >= end))
    return emitError() << "layout clause Y4: the range " << first << " to " << end << " is empty";
  return success();
}

//===----------------------------------------------------------------------===//
// FieldAttr
//===----------------------------------------------------------------------===//

Attribute FieldAttr::parse(AsmParser &parser, Type) { return parseInAngles<FieldAttr>(parser); }

void FieldAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printBody(printer);
  printer << ">";
}

FailureOr<FieldAttr> FieldAttr::parseBody(AsmParser &parser) {
  StringRef component;
  std::string array;
  int64_t plus = 0, flip = 0;
  SmallVector<PieceAttr> pieces;
  if (parser.parseKeyword(&component))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("in")) && parser.parseString(&array))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("plus")) && parser.parseInteger(plus))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("xor")) && parser.parseInteger(flip))
    return failure();
  auto parsePiece = [&]() -> ParseResult {
    FailureOr<PieceAttr> piece = PieceAttr::parseBody(parser);
    if (failed(piece))
      return failure();
    pieces.push_back(*piece);
    return success();
  };
  if (parser.parseEqual() || parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parsePiece))
    return failure();
  Builder &builder = parser.getBuilder();
  return FieldAttr::get(parser.getContext(), builder.getStringAttr(component), builder.getStringAttr(array), plus, flip,
                        pieces);
}

void FieldAttr::printBody(AsmPrinter &printer) const {
  printer << getComponent().getValue();
  if (!getArray().empty())
    printer << " in " << getArray();
  if (getPlus() != 0)
    printer << " plus " << getPlus();
  if (getFlip() != 0)
    printer << " xor " << getFlip();
  printer << " = [";
  llvm::interleaveComma(getPieces(), printer.getStream(), [&](PieceAttr piece) { piece.printBody(printer); });
  printer << "]";
}

//===----------------------------------------------------------------------===//
// LayoutAttr
//===----------------------------------------------------------------------===//

Attribute LayoutAttr::parse(AsmParser &parser, Type) {
  FailureOr<LayoutAttr> layout = parseBody(parser);
  return succeeded(layout) ? Attribute(*layout) : Attribute();
}

void LayoutAttr::print(AsmPrinter &printer) const { printBody(printer); }

FailureOr<LayoutAttr> LayoutAttr::parseBody(AsmParser &parser) {
  int64_t length = 0, bytes = 0, one = 1;
  unsigned word = 8;
  SmallVector<FieldAttr> fields;
  if (parser.parseLess())
    return failure();
  SMLoc loc = parser.getCurrentLocation();
  if (succeeded(parser.parseOptionalKeyword("whole"))) {
    if (succeeded(parser.parseOptionalKeyword("word")) && parser.parseInteger(word))
      return failure();
  } else if (parser.parseLSquare() || parser.parseInteger(one) || parser.parseComma() || parser.parseInteger(length) ||
             parser.parseRSquare() || parser.parseKeyword("in") || parser.parseInteger(bytes)) {
    return failure();
  } else if (one != 1 || length < 1 || bytes < 1) {
    return parser.emitError(loc) << "layout clause Y5: a record is [1, n] elements in a positive number of bytes",
           failure();
  }
  while (succeeded(parser.parseOptionalComma())) {
    FailureOr<FieldAttr> field = FieldAttr::parseBody(parser);
    if (failed(field))
      return failure();
    fields.push_back(*field);
  }
  if (parser.parseGreater() || failed(verify([&] { return parser.emitError(loc); }, length, bytes, word, fields)))
    return failure();
  return LayoutAttr::get(parser.getContext(), length, bytes, word, fields);
}

void LayoutAttr::printBody(AsmPrinter &printer) const {
  printer << "<";
  if (!isWhole())
    printer << "[1, " << getRecordLength() << "] in " << getRecordBytes();
  else
    printer << "whole";
  if (getWord() != 8)
    printer << " word " << getWord();
  for (FieldAttr field : getFields()) {
    printer << ", ";
    field.printBody(printer);
  }
  printer << ">";
}

LogicalResult LayoutAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t length, int64_t bytes,
                                 unsigned word, ArrayRef<FieldAttr> fields) {
  if (word < 8 || word > 64 || word % 8 != 0)
    return emitError() << "layout clause Y5: words are whole bytes up to 64 bits, got " << word << " bits";
  llvm::SmallDenseSet<StringAttr> seen;
  for (FieldAttr field : fields) {
    if (!seen.insert(field.getComponent()).second)
      return emitError() << "layout clause Y6: component " << field.getComponent() << " is laid out twice";
    for (PieceAttr piece : field.getPieces())
      if (length != 0 && (piece.getMap().getNumDims() != 1 || piece.getMap().getNumSymbols() != 0))
        return emitError() << "layout clause Y3: maps of a record take the number of the element alone";
  }
  return success();
}
