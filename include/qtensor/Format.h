// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Formats by name: what `--weights=<name>` means. Records are text in lib/Formats/<folder>/format.mlir; they are
// parsed when the dialect is loaded, and a name is only a spelling of what they say.
#pragma once
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <string>
#include <vector>

namespace mlir {
class MLIRContext;
}

namespace mlir::qtensor {
class BlockAttr;
class CodecAttr;
class FormatAttr;

using EmitErrorFn = llvm::function_ref<InFlightDiagnostic()>;

/// One named codec of the records, in the order of their folders.
struct NamedCodec {
  std::string name, folder;
  Attribute codec;
};

/// All codecs that have a name. Loads the dialect.
const std::vector<NamedCodec> &getNamedCodecs(MLIRContext *context);

/// One named format of the records.
struct NamedFormat {
  std::string name, folder;
  Attribute format; ///< A FormatAttr.
};
const std::vector<NamedFormat> &getNamedFormats(MLIRContext *context);

/// The format of that name, or null.
FormatAttr lookupFormat(MLIRContext *context, llvm::StringRef name);
/// The format that another project calls so: a name alone is any's, `<project>=<name>` that one's. Null when none is.
FormatAttr lookupFormatAlias(MLIRContext *context, llvm::StringRef alias);

/// Bits for one value of a tensor of `shape`, parameters included, packed as the codecs say.
double getBitsPerValue(BlockAttr encoding, llvm::ArrayRef<int64_t> shape);

/// The table of `--list-formats`: name, folder, bits, encoding, names elsewhere.
void printFormats(MLIRContext *context, llvm::raw_ostream &os);

/// What a spelling says about a tensor of a given rank.
struct FormatChoice {
  Attribute encoding;        ///< A BlockAttr of the tensor's rank.
  std::string encoder;       ///< "absmax" unless the format or the spelling names another.
  std::string weightEncoder; ///< The same where values are known while compiling: "signed_max" for integers of few bits.
  Attribute format;          ///< The FormatAttr it came from, or null for a codec with a block.
};

/// Reads `name[/block][/scale][@encoder]` for a tensor of `rank` dimensions that is reduced over `axes` (K of a weight;
/// input channel first, then the window, of a convolution).
///   name     a format, a codec, or else another project's name of a format, as for lookupFormatAlias
///   block    a number: that many values along axes[0], 1 along all others; `channel` or `token`: one block per index
///            of the axes that are not reduced; `tensor`: one block. Formats have a block of their own.
///   scale    f16 (default of numeric blocks), f32 (default of the others), bf16, or a codec
///   encoder  as in EncodeOptions
/// `shape`, where known, lets flat blocks span rows as the flattened tensor has them.
/// Unsigned integer codecs get a zero point of their own codec. One diagnostic on failure, with the nearest spelling.
FailureOr<FormatChoice> parseFormatSpelling(MLIRContext *context, llvm::StringRef text, unsigned rank,
                                            llvm::ArrayRef<int64_t> axes, EmitErrorFn emitError,
                                            llvm::ArrayRef<int64_t> shape = {});
} // namespace mlir::qtensor
