// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tensors kept in files beside the model. The path comes from an untrusted file: only what lies below its folder is
// read.
#include "lib/Import/ONNX/Model.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

namespace mlir::qtensor::onnx {
namespace {
/// True if `location` can not leave the folder it is relative to.
bool staysBelow(StringRef location) {
  if (location.empty() || location.contains('\0') || location.contains('\\') || llvm::sys::path::is_absolute(location))
    return false;
  return llvm::none_of(llvm::make_range(llvm::sys::path::begin(location), llvm::sys::path::end(location)),
                       [](StringRef part) { return part == ".."; });
}
} // namespace

ExternalBytes readExternalData(StringRef modelPath, StringRef location, int64_t offset, int64_t length,
                               ReportFn report) {
  if (!staysBelow(location)) {
    report("external data path '" + location +
           "' is not a relative path below the model's folder; move the data beside the model and save it again");
    return {};
  }
  SmallString<128> folder(llvm::sys::path::parent_path(modelPath));
  if (folder.empty())
    folder = ".";
  SmallString<128> path(folder);
  llvm::sys::path::append(path, location);
  SmallString<128> realFolder, realPath;
  if (llvm::sys::fs::real_path(folder, realFolder) || llvm::sys::fs::real_path(path, realPath)) {
    report("external data file '" + path + "' does not exist; put it beside the model");
    return {};
  }
  if (!StringRef(realPath).starts_with(realFolder)) {
    report("external data file '" + path + "' is a link that leaves the model's folder; copy the data instead");
    return {};
  }
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer) {
    report("external data file '" + path + "' can't be read: " + buffer.getError().message());
    return {};
  }
  auto size = static_cast<int64_t>((*buffer)->getBufferSize());
  if (length < 0 && offset >= 0 && offset <= size)
    length = size - offset;
  if (offset < 0 || offset > size || length > size - offset) {
    report("external data [" + llvm::Twine(offset) + ", +" + llvm::Twine(length) + ") lies outside '" + path +
           "', which has " + llvm::Twine(size) + " bytes; the file is truncated or of another model");
    return {};
  }
  std::shared_ptr<llvm::MemoryBuffer> owner = std::move(*buffer);
  return {ArrayRef<char>(owner->getBufferStart() + offset, length), owner};
}

} // namespace mlir::qtensor::onnx
