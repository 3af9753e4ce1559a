// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The files of an artifact. Objects and the archive need nothing; merging and the shared library need a linker.
#include "qtensor/Artifact.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::qtensor;
using llvm::Error;

static Error ioError(const llvm::Twine &what, std::error_code code) {
  return llvm::createStringError(code, what + ": " + code.message());
}

/// Writes a file whole or not at all: first under another name, then renamed.
static Error writeFile(StringRef path, llvm::function_ref<void(llvm::raw_ostream &)> write) {
  auto file = llvm::sys::fs::TempFile::create(path + ".tmp%%%%%%", llvm::sys::fs::all_read | llvm::sys::fs::owner_write);
  if (!file)
    return llvm::joinErrors(llvm::createStringError("cannot write '" + path + "'"), file.takeError());
  std::error_code code;
  {
    llvm::raw_fd_ostream os(file->FD, /*shouldClose=*/false);
    write(os);
    os.flush();
    code = os.error();
    os.clear_error();
  }
  if (code) {
    llvm::consumeError(file->discard());
    return ioError("cannot write '" + path + "'", code);
  }
  return file->keep(path);
}

static Error writeText(StringRef path, StringRef text) {
  return writeFile(path, [&](llvm::raw_ostream &os) { os << text; });
}

namespace {
/// Object files in a folder of their own, removed at the end.
struct Scratch {
  llvm::SmallString<128> folder;
  std::vector<std::string> files;

  Error fill(const Artifact &artifact) {
    if (std::error_code code = llvm::sys::fs::createUniqueDirectory("qtensor-link", folder))
      return ioError("cannot make a temporary folder", code);
    for (const ArtifactObject &object : artifact.objects) {
      files.push_back((folder + "/" + object.name + ".o").str());
      if (Error error = writeText(files.back(), StringRef(object.bytes.data(), object.bytes.size())))
        return error;
    }
    return Error::success();
  }
  ~Scratch() {
    if (!folder.empty())
      llvm::sys::fs::remove_directories(folder);
  }
};
} // namespace

/// The first of these programs that exists, with its path; empty if none does.
static std::string findProgram(ArrayRef<StringRef> names) {
  for (StringRef name : names)
    if (auto path = llvm::sys::findProgramByName(name))
      return *path;
  return "";
}

static Error execute(ArrayRef<std::string> command, StringRef errorFile) {
  std::string message;
  SmallVector<StringRef> arguments(command.begin(), command.end());
  std::optional<StringRef> redirects[] = {std::nullopt, std::nullopt, errorFile};
  if (llvm::sys::ExecuteAndWait(command.front(), arguments, std::nullopt, redirects, 0, 0, &message) == 0)
    return Error::success();
  auto output = llvm::MemoryBuffer::getFile(errorFile);
  return llvm::createStringError("'" + llvm::join(command, " ") + "' failed: " + message +
                                 (output ? "\n" + (*output)->getBuffer().str() : ""));
}

/// One relocatable object of all of them.
static Error mergeObjects(const Scratch &scratch, StringRef path) {
  std::string linker = findProgram({"ld.lld-22", "ld.lld", "ld"});
  if (linker.empty())
    return llvm::createStringError("no linker was found (ld.lld-22, ld.lld or ld); install the package lld-22 or binutils");
  std::vector<std::string> command = {linker, "-r", "-o", path.str()};
  llvm::append_range(command, scratch.files);
  return execute(command, (scratch.folder + "/errors").str());
}

static Error linkShared(const Scratch &scratch, StringRef path) {
  std::string driver = findProgram({"cc", "clang-22", "clang", "gcc"});
  if (driver.empty())
    return llvm::createStringError("no C compiler was found to link the shared library (cc, clang-22, clang or gcc); "
                                   "install the package gcc or clang-22, or link the static library yourself");
  std::vector<std::string> command = {driver, "-shared", "-o", path.str(),
                                      "-Wl,-soname," + llvm::sys::path::filename(path).str(), "-Wl,--gc-sections",
                                      "-Wl,--build-id=none"};
  llvm::append_range(command, scratch.files);
  command.insert(command.end(), {"-lm", "-lpthread"});
  return execute(command, (scratch.folder + "/errors").str());
}

static Error writeStatic(const Scratch &scratch, StringRef path) {
  std::vector<llvm::NewArchiveMember> members;
  for (const std::string &file : scratch.files) {
    auto member = llvm::NewArchiveMember::getFile(file, /*Deterministic=*/true);
    if (!member)
      return member.takeError();
    member->MemberName = llvm::sys::path::filename(file);
    members.push_back(std::move(*member));
  }
  return llvm::writeArchive(path, members, llvm::SymtabWritingMode::NormalSymtab, llvm::object::Archive::K_GNU,
                            /*Deterministic=*/true, /*Thin=*/false);
}

Error mlir::qtensor::writeArtifact(const Artifact &artifact, const Target &target, StringRef folder) {
  if (std::error_code code = llvm::sys::fs::create_directories(folder))
    return ioError("cannot make the folder '" + folder + "'", code);
  std::string base = (folder + "/" + artifact.model).str(), library = (folder + "/lib" + artifact.model).str();
  if (Error error = writeText(base + ".h", artifact.header))
    return error;
  if (Error error = writeText(base + ".json", artifact.manifest))
    return error;
  if (artifact.weightsBytes)
    if (Error error = writeFile(base + ".weights", artifact.writeWeights))
      return error;
  for (const ArtifactObject &object : artifact.objects)
    if (!object.assembly.empty())
      if (Error error = writeText(base + "." + object.name + ".s", object.assembly))
        return error;
  Scratch scratch;
  if (Error error = scratch.fill(artifact))
    return error;
  if (Error error = writeStatic(scratch, library + ".a"))
    return error;
  if (Error error = mergeObjects(scratch, base + ".o"))
    return error;
  return linkShared(scratch, library + ".so");
}
