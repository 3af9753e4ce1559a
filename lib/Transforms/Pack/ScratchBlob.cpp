// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Written, not stored to through a mapping: a first store to a page of a file costs a fault and a note in the file
// system's journal, twenty times what the copy costs. And a full disk is an error of the write, not a signal.
#include "lib/Transforms/Pack/ScratchBlob.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::qtensor;
namespace fs = llvm::sys::fs;

/// Writes the bytes to a new file that has lost its name by then, and maps it.
static std::error_code writeAndMap(StringRef pattern, StringRef bytes, fs::mapped_file_region &region) {
  int descriptor;
  llvm::SmallString<128> path;
  if (std::error_code code = fs::createUniqueFile(pattern, descriptor, path))
    return code;
  llvm::raw_fd_ostream os(descriptor, /*shouldClose=*/true, /*unbuffered=*/true);
  std::error_code code = fs::remove(path);
  if (code)
    return code;
  os << bytes;
  code = os.error();
  os.clear_error();
  if (!code)
    region = fs::mapped_file_region(fs::convertFDToNativeFile(descriptor), fs::mapped_file_region::readonly, bytes.size(),
                                    0, code);
  return code;
}

MutableArrayRef<uint8_t> ScratchSpace::open(size_t wanted) {
  size = wanted;
  if (size <= left) {
    blob = HeapAsmResourceBlob::allocate(size, 64, /*dataIsMutable=*/true);
    return {reinterpret_cast<uint8_t *>(blob.getMutableData().data()), size};
  }
  if (size > capacity) {
    page.reset(); // before the new one
    page.reset(new uint8_t[size]);
    capacity = size;
  }
  return {page.get(), size};
}

llvm::Expected<AsmResourceBlob> ScratchSpace::close() {
  if (size <= left) {
    left -= size;
    return std::move(blob);
  }
  llvm::SmallString<128> folder;
  llvm::sys::path::system_temp_directory(/*ErasedOnReboot=*/true, folder);
  auto region = std::make_shared<fs::mapped_file_region>();
  StringRef text(reinterpret_cast<const char *>(page.get()), size);
  if (std::error_code code = writeAndMap((folder + "/qtensor-weight-%%%%%%").str(), text, *region))
    return llvm::createStringError(code, llvm::formatv("cannot put {0} bytes of packed weights into a temporary file in "
                                                       "'{1}': {2}; point TMPDIR to a folder with more room",
                                                       size, folder, code.message()));
  ArrayRef<char> mapped(region->const_data(), size);
  auto release = [region = std::move(region)](void *, size_t, size_t) mutable { region.reset(); };
  return AsmResourceBlob(mapped, 64, std::move(release), /*dataIsMutable=*/false);
}
