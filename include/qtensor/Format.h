// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Formats by name: what `--weights=int4/32` means. Records are text in lib/Formats/<folder>/format.mlir; they are
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

using EmitErrorFn = llvm::function_ref<InFlightDiagnostic()>;

/// One named codec of the records, in the order of their folders.
struct NamedCodec {
  std::string name, folder;
  Attribute codec;
};

/// All codecs that have a name. Loads the dialect.
const std::vector<NamedCodec> &getNamedCodecs(MLIRContext *context);

/// What a spelling says about a tensor of a given rank.
struct FormatChoice {
  Attribute encoding;  ///< A BlockAttr of the tensor's rank.
  std::string encoder; ///< "absmax" unless the format or the spelling names another.
};

/// Reads `name[/block][/scale][@encoder]` for a tensor of `rank` dimensions that is reduced over `axes` (K of a weight;
/// input channel first, then the window, of a convolution).
///   name     a codec (`int4`, `nf4`) or a format (`q4_k`)
///   block    a number: that many values along axes[0], 1 along all others; `channel` or `token`: one block per index
///            of the axes that are not reduced; `tensor`: one block. Formats have a block of their own.
///   scale    f16 (default of numeric blocks), f32 (default of the others), bf16, or a codec
///   encoder  as in EncodeOptions
/// Unsigned integer codecs get a zero point of their own codec. One diagnostic on failure, with the nearest spelling.
FailureOr<FormatChoice> parseFormatSpelling(MLIRContext *context, llvm::StringRef text, unsigned rank,
                                            llvm::ArrayRef<int64_t> axes, EmitErrorFn emitError);
} // namespace mlir::qtensor
