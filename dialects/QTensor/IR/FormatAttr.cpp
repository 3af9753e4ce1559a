// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Spelling and verification of formats. Lookup by name is in lib/Formats.
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
struct FormatFields {
  LayoutAttr layout;
  StringAttr encoder, summary;
  bool sized = false, flat = false;
  DictionaryAttr aliases;
};
} // namespace

/// One `, option` of a format.
static ParseResult parseOption(AsmParser &parser, FormatFields &f) {
  Builder &builder = parser.getBuilder();
  StringRef keyword;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&keyword))
    return failure();
  if (keyword == "sized" || keyword == "flat") {
    (keyword == "sized" ? f.sized : f.flat) = true;
    return success();
  }
  if (parser.parseEqual())
    return failure();
  if (keyword == "layout") {
    FailureOr<LayoutAttr> layout = LayoutAttr::parseBody(parser);
    if (failed(layout))
      return failure();
    f.layout = *layout;
    return success();
  }
  if (keyword == "aliases")
    return parser.parseAttribute(f.aliases);
  std::string text;
  if (keyword != "encoder" && keyword != "summary")
    return parser.emitError(loc) << "expected one of layout, encoder, sized, flat, aliases, summary, got '" << keyword
                                 << "'";
  if (parser.parseString(&text))
    return failure();
  (keyword == "encoder" ? f.encoder : f.summary) = builder.getStringAttr(text);
  return success();
}

Attribute FormatAttr::parse(AsmParser &parser, Type) {
  FormatFields f;
  if (parser.parseLess() || parser.parseKeyword("block"))
    return {};
  SMLoc loc = parser.getCurrentLocation();
  FailureOr<BlockAttr> encoding = BlockAttr::parseBody(parser);
  if (failed(encoding))
    return {};
  while (succeeded(parser.parseOptionalComma()))
    if (parseOption(parser, f))
      return {};
  if (parser.parseGreater())
    return {};
  return FormatAttr::getChecked([&] { return parser.emitError(loc); }, parser.getContext(), *encoding, f.layout,
                                f.encoder, f.sized, f.flat, f.aliases, f.summary);
}

void FormatAttr::print(AsmPrinter &printer) const {
  printer << "<block";
  getEncoding().printBody(printer);
  if (getLayout()) {
    printer << ", layout = ";
    getLayout().printBody(printer);
  }
  if (getEncoder())
    printer << ", encoder = " << getEncoder();
  if (getSized())
    printer << ", sized";
  if (getFlat())
    printer << ", flat";
  if (getAliases())
    printer << ", aliases = " << getAliases();
  if (getSummary())
    printer << ", summary = " << getSummary();
  printer << ">";
}

LogicalResult FormatAttr::verify(function_ref<InFlightDiagnostic()> emitError, BlockAttr encoding, LayoutAttr layout,
                                 StringAttr encoder, bool sized, bool flat, DictionaryAttr aliases,
                                 StringAttr summary) {
  if (encoding.getBlock().size() != 2)
    return emitError() << "format clause Y7: a format's encoding is written for a matrix, got rank "
                       << encoding.getBlock().size();
  if (!layout)
    return success();
  // Every component has its place: check on a record, or on any matrix of whole blocks.
  SmallVector<Component> components;
  int64_t length = layout.isWhole() ? 1024 : layout.getRecordLength();
  encoding.getComponents({layout.isWhole() ? 1024 : 1, length}, encoding.getContext(), components);
  for (const Component &component : components)
    if (llvm::none_of(layout.getFields(), [&](FieldAttr f) { return f.getComponent() == component.name; }))
      return emitError() << "format clause Y8: the layout has no field for component '" << component.name << "'";
  if (components.size() != layout.getFields().size())
    return emitError() << "format clause Y8: the layout has " << layout.getFields().size() << " fields for "
                       << components.size() << " components";
  return success();
}
