// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/BindConstants.h"
#include "lib/Import/Safetensors/Safetensors.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/Alignment.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// A tensor and where it lies.
struct Found {
  const Safetensors *file;
  StringRef path;
  const SafetensorsEntry *entry;
};
} // namespace

/// Whether safetensors calls an element type `dtype`; signedness is a matter of the ops here.
static bool isCalled(Type element, StringRef dtype) {
  if (isa<IntegerType>(element) && element.getIntOrFloatBitWidth() >= 8)
    return dtype.size() > 1 && StringRef("IU").contains(dtype[0]) &&
           dtype.drop_front() == std::to_string(element.getIntOrFloatBitWidth());
  return llvm::TypeSwitch<Type, StringRef>(element)
             .Case([](Float64Type) { return "F64"; })
             .Case([](Float32Type) { return "F32"; })
             .Case([](Float16Type) { return "F16"; })
             .Case([](BFloat16Type) { return "BF16"; })
             .Case([](Float8E4M3FNType) { return "F8_E4M3"; })
             .Case([](Float8E5M2Type) { return "F8_E5M2"; })
             .Case([](Float8E8M0FNUType) { return "F8_E8M0"; })
             .Default([](Type) { return StringRef(); }) == dtype;
}

/// A blob that points into the file and keeps it mapped.
static AsmResourceBlob lendBlob(const SafetensorsEntry &entry, std::shared_ptr<llvm::MemoryBuffer> file) {
  size_t alignment = 64;
  while (!llvm::isAddrAligned(llvm::Align(alignment), entry.data.data()))
    alignment /= 2;
  auto release = [file = std::move(file)](void *, size_t, size_t) mutable { file.reset(); };
  return AsmResourceBlob(entry.data, alignment, std::move(release), /*dataIsMutable=*/false);
}

static LogicalResult bindConstant(Operation *op, DenseResourceElementsAttr attr, const std::map<StringRef, Found> &tensors) {
  DenseResourceElementsHandle handle = attr.getRawHandle();
  auto at = tensors.find(handle.getKey());
  if (at == tensors.end())
    return op->emitError() << "dense_resource<" << handle.getKey()
                           << "> has no bytes in the module, and no file of constants has a tensor of that name";
  const auto &[file, path, entry] = at->second;
  auto type = cast<ShapedType>(attr.getType());
  if (type.getShape() != ArrayRef(entry->shape) || !isCalled(type.getElementType(), entry->dtype)) {
    InFlightDiagnostic diagnostic = op->emitError() << "dense_resource<" << handle.getKey() << "> is " << type << ", but in '"
                                                    << path << "' the tensor is " << entry->dtype << " [";
    llvm::interleaveComma(entry->shape, diagnostic);
    return diagnostic << "]";
  }
  handle.getResource()->setBlob(lendBlob(*entry, file->buffer));
  return success();
}

LogicalResult mlir::qtensor::bindConstants(ModuleOp module, ArrayRef<std::string> paths) {
  if (paths.empty())
    return success();
  std::vector<Safetensors> files;
  files.reserve(paths.size());
  std::map<StringRef, Found> tensors;
  for (const std::string &path : paths) {
    llvm::Expected<Safetensors> file = readSafetensors(path);
    if (!file)
      return module.emitError() << llvm::toString(file.takeError());
    files.push_back(std::move(*file));
    for (const auto &[name, entry] : files.back().tensors)
      if (auto [known, isNew] = tensors.insert({name, {&files.back(), path, &entry}}); !isNew)
        return module.emitError() << "tensor '" << name << "' is in '" << known->second.path << "' and in '" << path << "'";
  }
  WalkResult walk = module.walk([&](Operation *op) {
    for (NamedAttribute named : op->getAttrs())
      if (auto attr = dyn_cast<DenseResourceElementsAttr>(named.getValue()); attr && !attr.getRawHandle().getBlob())
        if (failed(bindConstant(op, attr, tensors)))
          return WalkResult::interrupt();
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}
