// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The table of --list-formats.
#include "lib/Formats/Params.h"
#include "lib/Formats/Registry.h"
#include "qtensor/Codec.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace mlir::qtensor;

double mlir::qtensor::getBitsPerValue(BlockAttr encoding, ArrayRef<int64_t> shape) {
  SmallVector<Component> components;
  SmallVector<CodecAttr> codecs;
  encoding.getComponents(shape, encoding.getContext(), components);
  getComponentCodecs(encoding, codecs);
  double bits = 0;
  for (auto [component, codec] : llvm::zip_equal(components, codecs))
    bits += double(codec.getBits()) * double(countElements(component.type.getShape()));
  return bits / double(std::max<int64_t>(1, countElements(shape)));
}

static std::string describeCodec(CodecAttr codec) {
  CodecRange range = getCodecRange(codec);
  std::string text = llvm::formatv("{0} .. {1}", llvm::format("%g", range.lowest), llvm::format("%g", range.highest));
  Embedding embedding = getEmbedding(codec);
  if (embedding.limbs != 0)
    text += llvm::formatv(", {0} limb{1}", embedding.limbs, embedding.limbs == 1 ? "" : "s");
  return text;
}

static std::string describeAliases(FormatAttr format) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (DictionaryAttr aliases = format.getAliases())
    llvm::interleaveComma(aliases, os, [&](NamedAttribute alias) {
      os << alias.getName().getValue() << "=";
      if (auto name = dyn_cast<StringAttr>(alias.getValue()))
        os << name.getValue();
      else
        alias.getValue().print(os, /*elideType=*/true);
    });
  return text;
}

/// Bits a value in the format's own records, else as the codecs say.
static double getFormatBits(FormatAttr format) {
  LayoutAttr layout = format.getLayout();
  if (layout && !layout.isWhole())
    return 8.0 * double(layout.getRecordBytes()) / double(layout.getRecordLength());
  return getBitsPerValue(format.getEncoding(), {4096, 4096});
}

void mlir::qtensor::printFormats(MLIRContext *context, llvm::raw_ostream &os) {
  os << "Formats: --weights=<name>, with /<block> where the block size can be chosen\n"
     << "  name                bits  folder          also known as\n";
  for (const NamedFormat &entry : getNamedFormats(context)) {
    auto format = cast<FormatAttr>(entry.format);
    std::string name = entry.name + (format.getSized() ? "[/n]" : "");
    os << llvm::formatv("  {0,-18}{1}  {2,-14}  {3}\n", name,
                        llvm::format("%6.3g", getFormatBits(format)), entry.folder,
                        describeAliases(format));
  }
  os << "Codecs: --weights=<name>/<block>[/<scale>], block = a number, channel, token or tensor\n"
     << "  name                bits  folder          values\n";
  for (const NamedCodec &entry : getNamedCodecs(context)) {
    auto codec = cast<CodecAttr>(entry.codec);
    os << llvm::formatv("  {0,-18}{1,6}  {2,-14}  {3}\n", entry.name, codec.getBits(), entry.folder,
                        describeCodec(codec));
  }
}
