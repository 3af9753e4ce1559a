// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// `int4/32`, `nf4/64/f32`, `int8/token`: spellings of encodings.
#include "lib/Formats/Instantiate.h"
#include "lib/Formats/Registry.h"
#include "qtensor/Codec.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
struct SpellingParts {
  StringRef name, block, scale, encoder;
};
} // namespace

static FailureOr<SpellingParts> splitSpelling(StringRef text, EmitErrorFn emitError) {
  auto [body, encoder] = text.split('@');
  SmallVector<StringRef> parts;
  body.split(parts, '/');
  if (parts.size() > 3 || llvm::is_contained(parts, "") || (text.contains('@') && encoder.empty()))
    return emitError() << "format '" << text << "': expected name[/block][/scale][@encoder]", failure();
  parts.resize(3);
  return SpellingParts{parts[0], parts[1], parts[2], encoder};
}

static InFlightDiagnostic emitUnknownName(MLIRContext *context, StringRef name, EmitErrorFn emitError) {
  StringRef nearest;
  size_t best = 7;
  auto consider = [&](StringRef known) {
    // Edits count double, so that a name of the same length wins a tie.
    if (size_t distance = 2 * name.edit_distance_insensitive(known) + (known.size() != name.size()); distance < best) {
      best = distance;
      nearest = known;
    }
  };
  for (const NamedCodec &codec : getNamedCodecs(context))
    consider(codec.name);
  for (const NamedFormat &format : getNamedFormats(context))
    consider(format.name);
  InFlightDiagnostic diag = emitError() << "unknown format '" << name << "'";
  if (!nearest.empty())
    diag << "; did you mean '" << nearest << "'?";
  else
    diag << "; --list-formats prints all";
  return diag;
}

/// Block extents of a tensor of `rank` that is reduced over `axes`.
static FailureOr<SmallVector<int64_t>> parseBlock(StringRef block, StringRef text, unsigned rank,
                                                  ArrayRef<int64_t> axes, EmitErrorFn emitError) {
  SmallVector<int64_t> extents(rank, 1);
  int64_t size;
  if (block == "tensor") {
    extents.assign(rank, ShapedType::kDynamic);
  } else if (block == "channel" || block == "token") {
    for (int64_t axis : axes)
      extents[axis] = ShapedType::kDynamic;
  } else if (!block.getAsInteger(10, size) && size > 0 && size <= int64_t(1) << 31) {
    if (axes.empty())
      return emitError() << "format '" << text << "': a numeric block needs a reduced dimension", failure();
    extents[axes.front()] = size;
  } else {
    return emitError() << "format '" << text << "': a block is a positive number, 'channel', 'token' or 'tensor', got '"
                       << block << "'",
           failure();
  }
  return extents;
}

/// Codecs that reach further than this have scales in f32: an ordinary value divided by their largest one has few bits
/// left in f16, or none.
static constexpr double kMaxReachOfHalfScales = 1024;

static Attribute parseScale(MLIRContext *context, StringRef scale, bool numericBlock, CodecAttr codec) {
  if (scale.empty())
    scale = numericBlock && getCodecRange(codec).amax <= kMaxReachOfHalfScales ? "f16" : "f32";
  Type type = scale == "f32"    ? Type(Float32Type::get(context))
              : scale == "f16"  ? Type(Float16Type::get(context))
              : scale == "bf16" ? Type(BFloat16Type::get(context))
                                : Type();
  return type ? Attribute(TypeAttr::get(type)) : context->getOrLoadDialect<QTensorDialect>()->lookupCodec(scale);
}

/// Integers of few bits have a lowest code that absmax never makes; signed_max uses it, which costs scales of either
/// sign and brings an eighth of the error of 4 bits, half of that of 2. At 8 bits nothing is left to gain.
static bool prefersSignedMax(CodecAttr codec) {
  return codec.getKind() == CodecKind::Int && codec.getIntStyle() == IntStyle::Signed && codec.getBits() <= 6 &&
         !codec.getNarrow() && !codec.getAmax();
}

/// A codec with a block and a scale.
static FailureOr<FormatChoice> makeCodecChoice(CodecAttr codec, const SpellingParts &parts, StringRef text,
                                               unsigned rank, ArrayRef<int64_t> axes, EmitErrorFn emitError) {
  MLIRContext *context = codec.getContext();
  if (parts.block.empty())
    return emitError() << "format '" << text << "': a codec needs a block; write '" << text << "/32', '" << text
                       << "/channel', '" << text << "/token' or '" << text << "/tensor'",
           failure();
  FailureOr<SmallVector<int64_t>> block = parseBlock(parts.block, text, rank, axes, emitError);
  if (failed(block))
    return failure();
  Attribute scale = parseScale(context, parts.scale, llvm::isDigit(parts.block.front()), codec);
  if (!scale)
    return emitUnknownName(context, parts.scale, emitError), failure();
  ParamAttr zero;
  if (codec.getKind() == CodecKind::Int && codec.getIntStyle() == IntStyle::Unsigned)
    zero = ParamAttr::get(context, codec, false, {});
  std::string encoder = parts.encoder.empty() ? "absmax" : parts.encoder.str();
  bool signedMax = parts.encoder.empty() && isa<TypeAttr>(scale) && prefersSignedMax(codec);
  return FormatChoice{BlockAttr::get(context, codec, *block, ParamAttr::get(context, scale, false, {}), zero, {}),
                      encoder, signedMax ? "signed_max" : encoder, {}};
}

static FailureOr<FormatChoice> makeFormatChoice(FormatAttr format, const SpellingParts &parts, StringRef text,
                                                unsigned rank, ArrayRef<int64_t> axes, ArrayRef<int64_t> shape,
                                                EmitErrorFn emitError) {
  int64_t size = 0;
  if (!parts.scale.empty() || (!parts.block.empty() && !format.getSized()))
    return emitError() << "format '" << text << "': '" << parts.name << "' has its own block and scale", failure();
  if (!parts.block.empty() && (parts.block.getAsInteger(10, size) || size < 1 || size > int64_t(1) << 31))
    return emitError() << "format '" << text << "': a block is a positive number, got '" << parts.block << "'",
           failure();
  if (axes.empty())
    return emitError() << "format '" << text << "': a block format needs a reduced dimension", failure();
  BlockAttr encoding = instantiateFormat(format, rank, axes.front(), size, shape);
  StringRef encoder = !parts.encoder.empty()      ? parts.encoder
                      : format.getEncoder()       ? format.getEncoder().getValue()
                                                  : StringRef("absmax");
  return FormatChoice{encoding, encoder.str(), encoder.str(), format};
}

FailureOr<FormatChoice> mlir::qtensor::parseFormatSpelling(MLIRContext *context, StringRef text, unsigned rank,
                                                           ArrayRef<int64_t> axes, EmitErrorFn emitError,
                                                           ArrayRef<int64_t> shape) {
  for (int64_t axis : axes)
    if (axis < 0 || axis >= int64_t(rank))
      return emitError() << "format '" << text << "': axis " << axis << " is outside rank " << rank, failure();
  FailureOr<SpellingParts> parts = splitSpelling(text, emitError);
  if (failed(parts))
    return failure();
  // A codec with a block is what it says, even where a format has that name as an alias (`int8`).
  auto codec = cast_or_null<CodecAttr>(context->getOrLoadDialect<QTensorDialect>()->lookupCodec(parts->name));
  FormatAttr format = lookupFormat(context, parts->name);
  if (format && !(codec && !parts->block.empty()))
    return makeFormatChoice(format, *parts, text, rank, axes, shape, emitError);
  if (codec)
    return makeCodecChoice(codec, *parts, text, rank, axes, emitError);
  if (FormatAttr format = lookupFormatAlias(context, parts->name))
    return makeFormatChoice(format, *parts, text, rank, axes, shape, emitError);
  return emitUnknownName(context, parts->name, emitError), failure();
}
