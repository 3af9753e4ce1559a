// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Spelling and verification of codecs. What a codec computes is in lib/Formats.
#include "dialects/QTensor/IR/ParseNumber.h"
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// The parameters of a CodecAttr while it is parsed.
struct CodecFields {
  unsigned bits = 0;
  CodecKind kind = CodecKind::Int;
  IntStyle intStyle = IntStyle::Signed;
  int64_t intOffset = 0;
  bool narrow = false;
  unsigned exponentBits = 0, mantissaBits = 0;
  int64_t bias = 0;
  FloatSpecials specials = FloatSpecials::Finite;
  bool hasSign = false;
  DenseF64ArrayAttr table;
  TieRule tie = TieRule::Even;
  FloatAttr amax;
  IntegerAttr nanCode;
  unsigned count = 0;
};

template <typename EnumT>
ParseResult parseEnum(AsmParser &parser, EnumT &value, std::optional<EnumT> (*symbolize)(StringRef), StringRef what) {
  StringRef keyword;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&keyword))
    return failure();
  std::optional<EnumT> parsed = symbolize(keyword);
  if (!parsed)
    return parser.emitError(loc) << "unknown " << what << " '" << keyword << "'";
  value = *parsed;
  return success();
}

/// `<` (`signed` | `unsigned` | `offset` n) `>`
ParseResult parseIntRule(AsmParser &parser, CodecFields &f) {
  if (parser.parseLess() || parseEnum(parser, f.intStyle, symbolizeIntStyle, "integer style"))
    return failure();
  if (f.intStyle == IntStyle::Offset && parser.parseInteger(f.intOffset))
    return failure();
  return parser.parseGreater();
}

/// `<` e `,` m `,` `bias` b `,` specials [`,` `sign`] `>`
ParseResult parseFloatRule(AsmParser &parser, CodecFields &f) {
  if (parser.parseLess() || parser.parseInteger(f.exponentBits) || parser.parseComma() ||
      parser.parseInteger(f.mantissaBits) || parser.parseComma() || parser.parseKeyword("bias") ||
      parser.parseInteger(f.bias) || parser.parseComma() ||
      parseEnum(parser, f.specials, symbolizeFloatSpecials, "kind of specials"))
    return failure();
  if (succeeded(parser.parseOptionalComma())) {
    if (parser.parseKeyword("sign"))
      return failure();
    f.hasSign = true;
  }
  return parser.parseGreater();
}

/// `<` `[` v, ... `]` `>`
ParseResult parseTableRule(AsmParser &parser, CodecFields &f) {
  SmallVector<double> values;
  auto parseValue = [&]() -> ParseResult {
    double value;
    if (parseNumber(parser, value))
      return failure();
    values.push_back(float(value)); // every engine decodes to f32
    return success();
  };
  if (parser.parseLess() || parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseValue) ||
      parser.parseGreater())
    return failure();
  f.table = parser.getBuilder().getDenseF64ArrayAttr(values);
  return success();
}

/// One `, option` after the decode rule.
ParseResult parseOption(AsmParser &parser, CodecFields &f) {
  if (succeeded(parser.parseOptionalKeyword("narrow"))) {
    f.narrow = true;
    return success();
  }
  if (succeeded(parser.parseOptionalKeyword("tie")))
    return failure(parser.parseEqual() || parseEnum(parser, f.tie, symbolizeTieRule, "tie rule"));
  if (succeeded(parser.parseOptionalKeyword("amax"))) {
    double amax;
    if (parser.parseEqual() || parser.parseFloat(amax))
      return failure();
    f.amax = parser.getBuilder().getF64FloatAttr(amax);
    return success();
  }
  if (succeeded(parser.parseOptionalKeyword("count")))
    return failure(parser.parseEqual() || parser.parseInteger(f.count));
  int64_t nan;
  if (parser.parseKeyword("nan", " or one of 'narrow', 'tie', 'amax', 'count'") || parser.parseEqual() ||
      parser.parseInteger(nan))
    return failure();
  f.nanCode = parser.getBuilder().getI64IntegerAttr(nan);
  return success();
}

FailureOr<CodecAttr> parseStructure(AsmParser &parser) {
  SMLoc loc = parser.getCurrentLocation();
  CodecFields f;
  if (parser.parseLess() || parser.parseInteger(f.bits) || parser.parseComma() ||
      parseEnum(parser, f.kind, symbolizeCodecKind, "decode rule"))
    return failure();
  ParseResult rule = f.kind == CodecKind::Int     ? parseIntRule(parser, f)
                     : f.kind == CodecKind::Float ? parseFloatRule(parser, f)
                                                  : parseTableRule(parser, f);
  if (rule)
    return failure();
  while (succeeded(parser.parseOptionalComma()))
    if (parseOption(parser, f))
      return failure();
  if (parser.parseGreater())
    return failure();
  if (failed(CodecAttr::verify([&] { return parser.emitError(loc); }, f.bits, f.kind, f.intStyle, f.intOffset, f.narrow,
                               f.exponentBits, f.mantissaBits, f.bias, f.specials, f.hasSign, f.table, f.tie, f.amax,
                               f.nanCode, f.count)))
    return failure();
  return CodecAttr::get(parser.getContext(), f.bits, f.kind, f.intStyle, f.intOffset, f.narrow, f.exponentBits,
                        f.mantissaBits, f.bias, f.specials, f.hasSign, f.table, f.tie, f.amax, f.nanCode, f.count);
}

void printRule(AsmPrinter &printer, CodecAttr codec) {
  printer << stringifyCodecKind(codec.getKind()) << "<";
  switch (codec.getKind()) {
  case CodecKind::Int:
    printer << stringifyIntStyle(codec.getIntStyle());
    if (codec.getIntStyle() == IntStyle::Offset)
      printer << " " << codec.getIntOffset();
    break;
  case CodecKind::Float:
    printer << codec.getExponentBits() << ", " << codec.getMantissaBits() << ", bias " << codec.getBias() << ", "
            << stringifyFloatSpecials(codec.getSpecials()) << (codec.getHasSign() ? ", sign" : "");
    break;
  case CodecKind::Table:
    printer << "[";
    llvm::interleaveComma(codec.getTable().asArrayRef(), printer.getStream(),
                          [&](double v) { printer.printFloat(APFloat(v)); });
    printer << "]";
    break;
  }
  printer << ">";
}

void printStructure(AsmPrinter &printer, CodecAttr codec) {
  printer << "<" << codec.getBits() << ", ";
  printRule(printer, codec);
  if (codec.getNarrow())
    printer << ", narrow";
  if (codec.getTie() != TieRule::Even)
    printer << ", tie = " << stringifyTieRule(codec.getTie());
  if (codec.getAmax()) {
    printer << ", amax = ";
    printer.printFloat(codec.getAmax().getValue());
  }
  if (codec.getNanCode())
    printer << ", nan = " << codec.getNanCode().getInt();
  if (codec.getCount())
    printer << ", count = " << codec.getCount();
  printer << ">";
}
} // namespace

Attribute CodecAttr::parse(AsmParser &parser, Type) {
  FailureOr<CodecAttr> codec = parseStructure(parser);
  return succeeded(codec) ? Attribute(*codec) : Attribute();
}

void CodecAttr::print(AsmPrinter &printer) const { printStructure(printer, *this); }

FailureOr<CodecAttr> CodecAttr::parseSpelling(AsmParser &parser) {
  SMLoc loc = parser.getCurrentLocation();
  StringRef name;
  if (parser.parseKeyword(&name))
    return failure();
  if (name == "codec")
    return parseStructure(parser);
  auto *dialect = parser.getContext()->getLoadedDialect<QTensorDialect>();
  if (Attribute codec = dialect->lookupCodec(name))
    return cast<CodecAttr>(codec);
  parser.emitError(loc) << "unknown codec '" << name << "'; write codec<...> or list the names with --list-formats";
  return failure();
}

void CodecAttr::printSpelling(AsmPrinter &printer) const {
  StringRef name = cast<QTensorDialect>(getDialect()).lookupCodecName(*this);
  if (!name.empty()) {
    printer << name;
    return;
  }
  printer << "codec";
  printStructure(printer, *this);
}

Type CodecAttr::getStorageType() const {
  return IntegerType::get(getContext(), getBits() <= 8 ? 8 : getBits() <= 16 ? 16 : 32);
}

CodecAttr CodecAttr::getForFloat(FloatType type) {
  const llvm::fltSemantics &semantics = type.getFloatSemantics();
  unsigned bits = type.getWidth(), mantissa = APFloat::semanticsPrecision(semantics) - 1;
  unsigned exponent = bits - 1 - mantissa;
  return CodecAttr::get(type.getContext(), bits, CodecKind::Float, IntStyle::Signed, 0, false, exponent, mantissa,
                        (int64_t(1) << (exponent - 1)) - 1, FloatSpecials::IEEE, true, {}, TieRule::Even, {}, {});
}

static LogicalResult verifyFloatRule(function_ref<InFlightDiagnostic()> emitError, unsigned bits, unsigned exponent,
                                     unsigned mantissa, int64_t bias, FloatSpecials specials, bool sign, TieRule tie) {
  if (exponent + mantissa + sign != bits)
    return emitError() << "codec clause E2: exponent, mantissa and sign bits make " << exponent + mantissa + sign
                       << ", not the codec's " << bits;
  if (exponent > 11 || mantissa > 52)
    return emitError() << "codec clause E2: at most 11 exponent and 52 mantissa bits decode exactly";
  if (bias < -1022 || bias > 1023)
    return emitError() << "codec clause E2: bias " << bias << " is outside [-1022, 1023]";
  if (bits > 8 && tie != TieRule::Even)
    return emitError() << "codec clause E2: float codecs of more than 8 bits round half to even";
  if (specials == FloatSpecials::IEEE && exponent == 0)
    return emitError() << "codec clause E2: 'ieee' specials need an exponent field";
  return success();
}

LogicalResult CodecAttr::verify(function_ref<InFlightDiagnostic()> emitError, unsigned bits, CodecKind kind,
                                IntStyle intStyle, int64_t intOffset, bool narrow, unsigned exponentBits,
                                unsigned mantissaBits, int64_t bias, FloatSpecials specials, bool hasSign,
                                DenseF64ArrayAttr table, TieRule tie, FloatAttr amax, IntegerAttr nanCode,
                                unsigned count) {
  if (bits < 1 || bits > 32)
    return emitError() << "codec clause E1: bits must be in 1..32, got " << bits;
  if (kind == CodecKind::Float &&
      failed(verifyFloatRule(emitError, bits, exponentBits, mantissaBits, bias, specials, hasSign, tie)))
    return failure();
  if (kind == CodecKind::Table) {
    if (bits > 16 || !table || table.size() != int64_t(1) << bits)
      return emitError() << "codec clause E3: a table of " << bits << " bits needs "
                         << (bits > 16 ? 0 : int64_t(1) << bits) << " entries and at most 16 bits, got "
                         << (table ? table.size() : 0) << " entries";
    for (double value : table.asArrayRef())
      if (!std::isfinite(value) || double(float(value)) != value)
        return emitError() << "codec clause E3: table entries must be finite f32 values; name a NaN code with "
                              "'nan = code'";
  }
  if (kind == CodecKind::Int && intStyle == IntStyle::Offset && std::abs(intOffset) >= int64_t(1) << 32)
    return emitError() << "codec clause E4: offset " << intOffset << " does not fit 32 bits";
  if (narrow && (kind != CodecKind::Int || bits < 2))
    return emitError() << "codec clause E4: 'narrow' is for integer codecs of at least 2 bits";
  if (amax && !(amax.getValueAsDouble() > 0))
    return emitError() << "codec clause E5: amax must be positive";
  if (nanCode && (nanCode.getInt() < 0 || nanCode.getInt() >= int64_t(1) << bits))
    return emitError() << "codec clause E6: NaN code " << nanCode.getInt() << " is not a code of " << bits << " bits";
  if (count && (kind != CodecKind::Int || intStyle == IntStyle::Signed || count < 2 || uint64_t(count) >> bits))
    return emitError() << "codec clause E7: 'count' is for unsigned and offset integers, and from 2 to less than 2^bits";
  return success();
}
