// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads the embedded records into the dialect. A record file is a list of attribute aliases, `#name = #qtensor...`,
// each starting in the first column: it is MLIR text that quant-opt and the language server read too.
#include "lib/Formats/Registry.h"
#include "lib/Formats/Records.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/DialectRegistry.h"

using namespace mlir;
using namespace mlir::qtensor;

/// One alias of a record file.
struct mlir::qtensor::RecordEntry {
  StringRef path, folder, name, text;
  unsigned line;
};

/// Cuts a file at the lines that start with '#'.
static void splitEntries(const RecordText &record, SmallVectorImpl<RecordEntry> &entries) {
  StringRef rest = record.text, folder = record.path.rsplit('/').first.rsplit('/').second;
  unsigned line = 0;
  while (!rest.empty()) {
    ++line;
    auto [current, next] = rest.split('\n');
    if (current.starts_with("#")) {
      size_t end = rest.find("\n#");
      StringRef entry = rest.substr(0, end);
      auto [name, text] = entry.drop_front().split('=');
      entries.push_back({record.path, folder, name.trim(), text.trim(), line});
      line += entry.count('\n');
      next = end == StringRef::npos ? StringRef() : rest.drop_front(end + 1);
    }
    rest = next;
  }
}

/// The attribute of an entry, or null after a diagnostic.
static Attribute parseEntry(const RecordEntry &entry, MLIRContext *context) {
  Attribute attribute = parseAttribute(entry.text, context);
  if (!attribute || !isa<CodecAttr, FormatAttr>(attribute)) {
    emitError(FileLineColLoc::get(context, entry.path, entry.line, 1))
        << "record '" << entry.name << "' is not a codec or a format" << (attribute ? "" : "; see the error before");
    return {};
  }
  return attribute;
}

void FormatRegistry::add(const RecordEntry &entry, Attribute attribute, QTensorDialect &dialect) {
  if (dialect.lookupCodec(entry.name) || formatsByName.contains(entry.name)) {
    emitError(FileLineColLoc::get(dialect.getContext(), entry.path, entry.line, 1))
        << "two records are named '" << entry.name << "'; rename one";
    return;
  }
  if (isa<CodecAttr>(attribute)) {
    dialect.registerCodecName(entry.name, attribute);
    codecs.push_back({entry.name.str(), entry.folder.str(), attribute});
    return;
  }
  formatsByName[entry.name] = formats.size();
  formats.push_back({entry.name.str(), entry.folder.str(), attribute});
}

void FormatRegistry::load(QTensorDialect &dialect) {
  SmallVector<RecordEntry> entries;
  for (const RecordText &record : getRecordTexts())
    splitEntries(record, entries);
  // Formats name codecs of any folder, so all codecs come first.
  auto isCodec = [](const RecordEntry &entry) { return entry.text.starts_with("#qtensor.codec<"); };
  for (bool codecsNow : {true, false})
    for (const RecordEntry &entry : entries)
      if (isCodec(entry) == codecsNow)
        if (Attribute attribute = parseEntry(entry, dialect.getContext()))
          add(entry, attribute, dialect);
}

const FormatRegistry &FormatRegistry::get(MLIRContext *context) {
  auto *dialect = context->getOrLoadDialect<QTensorDialect>();
  return *dialect->getRegisteredInterface<FormatRegistry>();
}

const std::vector<NamedCodec> &mlir::qtensor::getNamedCodecs(MLIRContext *context) {
  return FormatRegistry::get(context).codecs;
}

const std::vector<NamedFormat> &mlir::qtensor::getNamedFormats(MLIRContext *context) {
  return FormatRegistry::get(context).formats;
}

/// Whether `name` is how another project calls the format: an alias text, or `key=alias` for one of the keys.
static bool hasAlias(FormatAttr format, StringRef name) {
  if (!format.getAliases())
    return false;
  auto [key, value] = name.split('=');
  for (NamedAttribute alias : format.getAliases()) {
    if (auto text = dyn_cast<StringAttr>(alias.getValue()))
      if (text.getValue().equals_insensitive(name) || (alias.getName() == key && text.getValue() == value))
        return true;
    if (auto number = dyn_cast<IntegerAttr>(alias.getValue()))
      if (alias.getName() == key && std::to_string(number.getInt()) == value)
        return true;
  }
  return false;
}

FormatAttr mlir::qtensor::lookupFormat(MLIRContext *context, StringRef name) {
  const FormatRegistry &registry = FormatRegistry::get(context);
  auto found = registry.formatsByName.find(name);
  return found == registry.formatsByName.end() ? FormatAttr()
                                               : cast<FormatAttr>(registry.formats[found->second].format);
}

FormatAttr mlir::qtensor::lookupFormatAlias(MLIRContext *context, StringRef alias) {
  for (const NamedFormat &format : getNamedFormats(context))
    if (hasAlias(cast<FormatAttr>(format.format), alias))
      return cast<FormatAttr>(format.format);
  return {};
}

namespace mlir::qtensor {
void registerFormats(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *, QTensorDialect *dialect) {
    dialect->addInterface<FormatRegistry>().load(*dialect);
  });
}
} // namespace mlir::qtensor
