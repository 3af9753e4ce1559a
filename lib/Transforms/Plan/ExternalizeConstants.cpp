// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Moves large constants of @main to the weights file, which the compiled code sees as one flat buffer.
#include "lib/Transforms/Plan/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/xxhash.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_EXTERNALIZECONSTANTS
#include "lib/Transforms/Plan/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

static int64_t byteWidth(Type element) { return llvm::divideCeil(element.getIntOrFloatBitWidth(), 8); }

/// The bytes behind a constant, one element after the other; empty if there is no such view of them (packed booleans).
static ArrayRef<char> rawBytes(ElementsAttr value) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    return blob ? blob->getData() : ArrayRef<char>();
  }
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense || value.getElementType().isInteger(1))
    return {};
  return dense.getRawData();
}

/// The source names in a location, innermost first; "" if there is none.
static StringRef sourceName(Location loc) {
  StringRef name;
  loc->walk([&](Location at) {
    if (auto named = dyn_cast<NameLoc>(at)) {
      name = named.getName().getValue();
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return name;
}

namespace {
/// Collects the entries of the weights file.
class Weights {
public:
  Weights(MLIRContext *context, int64_t alignment) : b(context), alignment(alignment) {}

  /// The offset of a constant's bytes, shared with an earlier equal one.
  int64_t place(arith::ConstantOp op, ElementsAttr value, ArrayRef<char> bytes) {
    auto &candidates =
        byHash[llvm::xxh3_64bits(ArrayRef(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()))];
    for (auto [known, offset] : candidates)
      if (known == bytes)
        return offset;
    int64_t offset = llvm::alignTo(end, alignment);
    end = offset + bytes.size();
    candidates.push_back({bytes, offset});
    NamedAttrList entry;
    StringRef name = sourceName(op.getLoc());
    entry.set("name", b.getStringAttr(name.empty() ? "constant" + std::to_string(entries.size()) : name.str()));
    entry.set("offset", b.getI64IntegerAttr(offset));
    entry.set("size", b.getI64IntegerAttr(bytes.size()));
    entry.set("value", value);
    if (Attribute format = op->getDiscardableAttr("qtensor.format"))
      entry.set("format", format);
    entries.push_back(entry.getDictionary(b.getContext()));
    return offset;
  }

  ArrayAttr getEntries() { return b.getArrayAttr(entries); }

private:
  Builder b;
  int64_t alignment, end = 0;
  SmallVector<Attribute> entries;
  DenseMap<uint64_t, SmallVector<std::pair<ArrayRef<char>, int64_t>, 1>> byHash;
};

struct ExternalizeConstants : mlir::qtensor::impl::ExternalizeConstantsBase<ExternalizeConstants> {
  using ExternalizeConstantsBase::ExternalizeConstantsBase;

  void runOnOperation() override {
    auto main = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!main || main.getNumArguments() < kFirstTensorArgument || !getOperation()->hasAttr(kInputsAttr)) {
      getOperation().emitError("@main has no %weights argument; qtensor-make-entry must run first");
      return signalPassFailure();
    }
    Weights weights(&getContext(), alignment);
    WalkResult walk = main.walk([&](arith::ConstantOp op) {
      return failed(convert(op, main, weights)) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (walk.wasInterrupted())
      return signalPassFailure();
    getOperation()->setAttr(kWeightsAttr, weights.getEntries());
  }

private:
  LogicalResult convert(arith::ConstantOp op, func::FuncOp main, Weights &weights);
};
} // namespace

/// A constant of one repeated value is cheaper to write than to load from a file.
static void fillSplat(arith::ConstantOp op, DenseElementsAttr value) {
  OpBuilder b(op);
  auto type = cast<RankedTensorType>(op.getType());
  Value scalar = arith::ConstantOp::create(b, op.getLoc(), value.getSplatValue<TypedAttr>());
  Value empty = tensor::EmptyOp::create(b, op.getLoc(), type.getShape(), type.getElementType());
  op.replaceAllUsesWith(linalg::FillOp::create(b, op.getLoc(), scalar, empty).getResult(0));
  op.erase();
}

LogicalResult ExternalizeConstants::convert(arith::ConstantOp op, func::FuncOp main, Weights &weights) {
  auto type = dyn_cast<RankedTensorType>(op.getType());
  auto value = dyn_cast<ElementsAttr>(op.getValue());
  if (!type || !value || !type.getElementType().isIntOrFloat())
    return success();
  int64_t size = type.getNumElements() * byteWidth(type.getElementType());
  if (size <= maxInlineBytes && !isa<DenseResourceElementsAttr>(value))
    return success();
  if (auto dense = dyn_cast<DenseElementsAttr>(value); dense && dense.isSplat()) {
    fillSplat(op, dense);
    return success();
  }
  ArrayRef<char> bytes = rawBytes(value);
  if (bytes.empty() && isa<DenseElementsAttr>(value))
    return success(); // Bits, not bytes: they stay in the code.
  if (static_cast<int64_t>(bytes.size()) != size)
    return op.emitError() << "the constant has " << bytes.size() << " bytes, its type " << type << " needs " << size
                          << "; the resource is missing or truncated";
  OpBuilder b(op);
  auto offset = arith::ConstantIndexOp::create(b, op.getLoc(), weights.place(op, value, bytes));
  auto bufferType = MemRefType::get(type.getShape(), type.getElementType());
  Value view =
      memref::ViewOp::create(b, op.getLoc(), bufferType, main.getArgument(kWeightsArgument), offset, ValueRange());
  op.replaceAllUsesWith(bufferization::ToTensorOp::create(b, op.getLoc(), type, view, /*restrict=*/true).getResult());
  op.erase();
  return success();
}
