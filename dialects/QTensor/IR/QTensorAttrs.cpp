// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Storage of all attributes, and the spelling of those that ops carry: strategy and final map.
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

#include "dialects/QTensor/IR/QTensorEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/QTensor/IR/QTensorAttrs.cpp.inc"

using namespace mlir;
using namespace mlir::qtensor;

void QTensorDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/QTensor/IR/QTensorAttrs.cpp.inc"
      >();
}

template <typename EnumT>
static FailureOr<EnumT> parseKeywordEnum(AsmParser &parser, std::optional<EnumT> (*symbolize)(StringRef),
                                         StringRef what) {
  StringRef keyword;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&keyword))
    return failure();
  if (std::optional<EnumT> value = symbolize(keyword))
    return *value;
  parser.emitError(loc) << "unknown " << what << " '" << keyword << "'";
  return failure();
}

Attribute StrategyAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  unsigned limbs = 0;
  if (parser.parseLess())
    return {};
  FailureOr<StrategyKind> kind = parseKeywordEnum(parser, symbolizeStrategyKind, "strategy");
  if (failed(kind))
    return {};
  if (*kind == StrategyKind::Integer && (parser.parseLess() || parser.parseInteger(limbs) || parser.parseGreater()))
    return {};
  if (parser.parseGreater())
    return {};
  return StrategyAttr::getChecked([&] { return parser.emitError(loc); }, parser.getContext(), *kind, limbs);
}

void StrategyAttr::print(AsmPrinter &printer) const {
  printer << "<" << stringifyStrategyKind(getKind());
  if (getKind() == StrategyKind::Integer)
    printer << "<" << getLimbs() << ">";
  printer << ">";
}

LogicalResult StrategyAttr::verify(function_ref<InFlightDiagnostic()> emitError, StrategyKind kind, unsigned limbs) {
  if (kind == StrategyKind::Integer && (limbs < 1 || limbs > 2))
    return emitError() << "an integer strategy has one or two limbs, got " << limbs;
  if (kind == StrategyKind::Float && limbs != 0)
    return emitError() << "the float strategy has no limbs";
  return success();
}

Attribute FinalMapAttr::parse(AsmParser &parser, Type) {
  StringRef form;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseKeyword(&form) || parser.parseLess())
    return {};
  RoundingMode rounding = RoundingMode::HalfEven;
  FixedMode mode = FixedMode::Double;
  if (form == "real") {
    FailureOr<RoundingMode> parsed = parseKeywordEnum(parser, symbolizeRoundingMode, "rounding");
    if (failed(parsed))
      return {};
    rounding = *parsed;
  } else if (form == "fixed") {
    FailureOr<FixedMode> parsed = parseKeywordEnum(parser, symbolizeFixedMode, "fixed-point mode");
    if (failed(parsed))
      return {};
    mode = *parsed;
  } else {
    parser.emitError(loc) << "expected 'real<...>' or 'fixed<...>', got '" << form << "'";
    return {};
  }
  if (parser.parseGreater() || parser.parseGreater())
    return {};
  return FinalMapAttr::get(parser.getContext(), form == "fixed", rounding, mode);
}

void FinalMapAttr::print(AsmPrinter &printer) const {
  if (getFixed())
    printer << "<fixed<" << stringifyFixedMode(getMode()) << ">>";
  else
    printer << "<real<" << stringifyRoundingMode(getRounding()) << ">>";
}
