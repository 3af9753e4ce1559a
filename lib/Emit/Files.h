// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files written whole, and other programs.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <string>

namespace mlir::qtensor {

/// An error that says what could not be done and what the system says about it.
llvm::Error ioError(const llvm::Twine &what, std::error_code code);

/// Flushes what was printed. The error names `path`; the stream has none afterwards.
llvm::Error finishWriting(llvm::raw_fd_ostream &os, llvm::StringRef path);

/// Writes a file whole or not at all; "-" is standard output.
llvm::Error writeFile(llvm::StringRef path, llvm::function_ref<void(llvm::raw_ostream &)> write);
llvm::Error writeText(llvm::StringRef path, llvm::StringRef text);

/// Writes a library of objects whose bytes depend on nothing else.
llvm::Error writeLibrary(llvm::StringRef path, llvm::ArrayRef<llvm::NewArchiveMember> members);

/// The first of these programs that exists, with its path; empty if none does.
std::string findProgram(llvm::ArrayRef<llvm::StringRef> names);

/// Runs a program and waits for it. Its output goes to `outputFile`, if that is not empty, what it complains about to
/// `errorFile`. Fails with the command and that file's text if it does. `seconds` 0: it may take as long as it wants.
llvm::Error execute(llvm::ArrayRef<std::string> command, llvm::StringRef errorFile, llvm::StringRef outputFile = "",
                    unsigned seconds = 0);

/// A folder of temporary files, removed with all that is in it.
class ScratchFolder {
public:
  ~ScratchFolder();
  llvm::Error create(llvm::StringRef prefix);
  std::string file(llvm::StringRef name) const { return path + "/" + name.str(); }

private:
  std::string path;
};

} // namespace mlir::qtensor
