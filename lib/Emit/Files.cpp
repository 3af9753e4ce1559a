// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/Files.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"

using namespace mlir;
using llvm::ArrayRef;
using llvm::Error;
using llvm::StringRef;

Error qtensor::ioError(const llvm::Twine &what, std::error_code code) {
  return llvm::createStringError(code, what + ": " + code.message());
}

Error qtensor::finishWriting(llvm::raw_fd_ostream &os, StringRef path) {
  os.flush();
  std::error_code code = os.error();
  os.clear_error(); // else LLVM ends the program
  return code ? ioError("cannot write '" + path + "'", code) : Error::success();
}

/// What is no regular file, as a pipe or /dev/null, must not become one.
static Error writeInPlace(StringRef path, llvm::function_ref<void(llvm::raw_ostream &)> write) {
  std::error_code code;
  llvm::raw_fd_ostream os(path, code, llvm::sys::fs::CD_OpenExisting);
  if (code)
    return qtensor::ioError("cannot write '" + path + "'", code);
  write(os);
  return qtensor::finishWriting(os, path);
}

// First under another name, then renamed.
Error qtensor::writeFile(StringRef path, llvm::function_ref<void(llvm::raw_ostream &)> write) {
  if (path == "-") {
    write(llvm::outs());
    return finishWriting(llvm::outs(), "standard output");
  }
  llvm::sys::fs::file_status status;
  if (!llvm::sys::fs::status(path, status) && !llvm::sys::fs::is_regular_file(status))
    return writeInPlace(path, write);
  auto file = llvm::sys::fs::TempFile::create(path + ".tmp%%%%%%", llvm::sys::fs::all_read | llvm::sys::fs::owner_write);
  if (!file)
    return llvm::joinErrors(llvm::createStringError("cannot write '" + path + "'"), file.takeError());
  auto fill = [&] {
    llvm::raw_fd_ostream os(file->FD, /*shouldClose=*/false);
    write(os);
    return finishWriting(os, path);
  };
  if (Error error = fill()) {
    llvm::consumeError(file->discard());
    return error;
  }
  if (Error kept = file->keep(path))
    return qtensor::ioError("cannot write '" + path + "'", llvm::errorToErrorCode(std::move(kept)));
  return Error::success();
}

Error qtensor::writeText(StringRef path, StringRef text) {
  return writeFile(path, [&](llvm::raw_ostream &os) { os << text; });
}

Error qtensor::writeLibrary(StringRef path, ArrayRef<llvm::NewArchiveMember> members) {
  return llvm::writeArchive(path, members, llvm::SymtabWritingMode::NormalSymtab, llvm::object::Archive::K_GNU,
                            /*Deterministic=*/true, /*Thin=*/false);
}

std::string qtensor::findProgram(ArrayRef<StringRef> names) {
  for (StringRef name : names)
    if (auto path = llvm::sys::findProgramByName(name))
      return *path;
  return "";
}

Error qtensor::execute(ArrayRef<std::string> command, StringRef errorFile, StringRef outputFile, unsigned seconds) {
  std::string message;
  llvm::SmallVector<StringRef> arguments(command.begin(), command.end());
  std::optional<StringRef> redirects[] = {StringRef(), std::nullopt, errorFile};
  if (!outputFile.empty())
    redirects[1] = outputFile;
  int status = llvm::sys::ExecuteAndWait(command.front(), arguments, std::nullopt, redirects, seconds, 0, &message);
  if (status == 0)
    return Error::success();
  std::string text = message;
  for (StringRef file : {outputFile, errorFile})
    if (auto output = llvm::MemoryBuffer::getFile(file.empty() ? "/dev/null" : file); output && !(*output)->getBuffer().empty())
      text += "\n" + (*output)->getBuffer().str();
  return llvm::createStringError("'" + llvm::join(command, " ") + "' failed with status " + llvm::Twine(status) + ": " + text);
}

qtensor::ScratchFolder::~ScratchFolder() {
  if (!path.empty())
    llvm::sys::fs::remove_directories(path);
}

Error qtensor::ScratchFolder::create(StringRef prefix) {
  llvm::SmallString<128> folder;
  if (std::error_code code = llvm::sys::fs::createUniqueDirectory(prefix, folder))
    return ioError("cannot make a temporary folder", code);
  path = folder.str().str();
  return Error::success();
}
