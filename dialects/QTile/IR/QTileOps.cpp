// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/QTile/IR/QTile.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;
using namespace mlir::qtile;

//===----------------------------------------------------------------------===//
// unpack
//===----------------------------------------------------------------------===//

static ParseResult parseWidths(OpAsmParser &parser, DenseI64ArrayAttr &widths) {
  SmallVector<int64_t> values;
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                     [&] { return parser.parseInteger(values.emplace_back()); }))
    return failure();
  widths = parser.getBuilder().getDenseI64ArrayAttr(values);
  return success();
}

static void printWidths(OpAsmPrinter &printer, Operation *, DenseI64ArrayAttr widths) {
  printer << '[';
  llvm::interleaveComma(widths.asArrayRef(), printer);
  printer << ']';
}

/// All vectors of an unpack have one type, printed once; the number of results follows from the widths.
static ParseResult parseSameVectors(OpAsmParser &parser, SmallVectorImpl<Type> &pieces, DenseI64ArrayAttr widths,
                                    SmallVectorImpl<Type> &groups) {
  Type type;
  int64_t operands = 0, results = 0;
  if (parser.parseInteger(operands) || parser.parseArrow() || parser.parseInteger(results) ||
      parser.parseKeyword("x") || parser.parseType(type))
    return failure();
  if (operands < 0 || operands > 64 || results < 0 || results > 64)
    return parser.emitError(parser.getCurrentLocation(), "at most 64 vectors on a side");
  pieces.assign(operands, type);
  groups.assign(results, type);
  return success();
}

static void printSameVectors(OpAsmPrinter &printer, Operation *, TypeRange pieces, DenseI64ArrayAttr,
                             TypeRange groups) {
  printer << pieces.size() << " -> " << groups.size() << " x ";
  if (!groups.empty())
    printer << groups.front();
}

LogicalResult UnpackOp::verify() {
  int64_t total = 0;
  for (int64_t width : getWidths()) {
    if (width != 8 && width != 4 && width != 2 && width != 1)
      return emitOpError("clause V1: a piece is 8, 4, 2 or 1 bits wide, not ") << width;
    total += width;
  }
  if (getAlternate() && (getWidths().size() != 1 || total == 8))
    return emitOpError("clause V1: only codes of one piece of 1, 2 or 4 bits alternate");
  if (total < 1 || total > 8)
    return emitOpError("clause V1: the pieces of a code must add up to 1 to 8 bits, not ") << total;
  int64_t groups = getGroups().size();
  for (int64_t width : getWidths())
    if (groups == 0 || groups * width % 8)
      return emitOpError() << "clause V1: " << groups << " groups do not fill whole vectors of a " << width << "-bit piece";
  if (groups * total / 8 != static_cast<int64_t>(getPieces().size()))
    return emitOpError() << "clause V1: " << groups << " groups of " << total << " bits need " << groups * total / 8
                         << " operands, not " << getPieces().size();
  if (!llvm::all_equal(llvm::concat<const Type>(getPieces().getTypes(), getGroups().getTypes())))
    return emitOpError("clause V1: all vectors must have one type");
  return success();
}

//===----------------------------------------------------------------------===//
// lookup, dot4, dot2
//===----------------------------------------------------------------------===//

LogicalResult LookupOp::verify() {
  auto table = dyn_cast<DenseElementsAttr>(getTable());
  if (!table || table.getType().getRank() != 1)
    return emitOpError("clause V2: the table must be a dense tensor of rank 1");
  int64_t entries = table.getNumElements();
  if (entries < 2 || entries > 256 || !llvm::isPowerOf2_64(entries))
    return emitOpError("clause V2: the table must have a power of two of entries from 2 to 256, not ") << entries;
  Type result = cast<VectorType>(getResult().getType()).getElementType();
  if (table.getElementType() != result)
    return emitOpError("clause V2: the table holds ") << table.getElementType() << ", the result " << result;
  bool bytes = cast<VectorType>(getCodes().getType()).getElementType().isInteger(8);
  if (bytes != result.isInteger(8))
    return emitOpError("clause V2: i8 codes give i8 values, i32 codes give f32 values");
  return success();
}

LogicalResult Dot4Op::verify() {
  int64_t lanes = cast<VectorType>(getResult().getType()).getNumElements();
  int64_t bytes = cast<VectorType>(getLhs().getType()).getNumElements();
  if (bytes != 4 * lanes)
    return emitOpError() << "clause V3: " << lanes << " sums need " << 4 * lanes << " bytes a side, not " << bytes;
  if (getMax() < 1 || getMax() > 255)
    return emitOpError("clause V3: max must be from 1 to 255, not ") << getMax();
  return success();
}

LogicalResult Dot2Op::verify() {
  auto sums = cast<VectorType>(getResult().getType()), factors = cast<VectorType>(getLhs().getType());
  if (factors.getNumElements() != 2 * sums.getNumElements())
    return emitOpError() << "clause V4: " << sums.getNumElements() << " sums need " << 2 * sums.getNumElements()
                         << " elements a side, not " << factors.getNumElements();
  if (sums.getElementTypeBitWidth() != 2 * factors.getElementTypeBitWidth())
    return emitOpError("clause V4: bytes add into i16 and i16 into i32");
  return success();
}

LogicalResult PrefetchOp::verify() {
  if (getLevel() < 1 || getLevel() > 3)
    return emitOpError() << "clause V5: level must be a cache from 1 to 3, not " << getLevel();
  return success();
}

#define GET_OP_CLASSES
#include "dialects/QTile/IR/QTileOps.cpp.inc"
