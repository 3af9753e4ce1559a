// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads the embedded records into the dialect. A record file is a list of attribute aliases, `#name = #qtensor...`, each
// starting in the first column: it is MLIR text that quant-opt and the language server read too.
#include "lib/Formats/Registry.h"
#include "lib/Formats/Records.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/DialectRegistry.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
struct RecordEntry {
  StringRef path, folder, name, text;
  unsigned line;
};
} // namespace

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

void FormatRegistry::load(QTensorDialect &dialect) {
  MLIRContext *context = dialect.getContext();
  SmallVector<RecordEntry> entries;
  for (const RecordText &record : getRecordTexts())
    splitEntries(record, entries);
  for (const RecordEntry &entry : entries) {
    Attribute attribute = parseAttribute(entry.text, context);
    Location loc = FileLineColLoc::get(context, entry.path, entry.line, 1);
    auto codec = dyn_cast_or_null<CodecAttr>(attribute);
    if (!codec) {
      emitError(loc) << "record '" << entry.name << "' is not a codec or format; the error before names the cause";
      continue;
    }
    if (dialect.lookupCodec(entry.name)) {
      emitError(loc) << "two records are named '" << entry.name << "'; rename one";
      continue;
    }
    dialect.registerCodecName(entry.name, codec);
    codecs.push_back({entry.name.str(), entry.folder.str(), codec});
  }
}

const FormatRegistry &FormatRegistry::get(MLIRContext *context) {
  auto *dialect = context->getOrLoadDialect<QTensorDialect>();
  return *dialect->getRegisteredInterface<FormatRegistry>();
}

const std::vector<NamedCodec> &mlir::qtensor::getNamedCodecs(MLIRContext *context) {
  return FormatRegistry::get(context).codecs;
}

namespace mlir::qtensor {
void registerFormats(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *, QTensorDialect *dialect) {
    dialect->addInterface<FormatRegistry>().load(*dialect);
  });
}
} // namespace mlir::qtensor
