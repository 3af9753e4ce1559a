// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The files of an artifact. Objects and the archive need nothing; merging and the shared library need a linker.
#include "qtensor/Artifact.h"
#include "lib/Emit/Files.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::qtensor;
using llvm::Error;

namespace {
/// Object files in a folder of their own, removed at the end.
struct Scratch {
  ScratchFolder folder;
  std::vector<std::string> files;

  Error fill(const Artifact &artifact) {
    if (Error error = folder.create("qtensor-link"))
      return error;
    for (const ArtifactObject &object : artifact.objects) {
      files.push_back(folder.file(object.name + ".o"));
      if (Error error = writeText(files.back(), StringRef(object.bytes.data(), object.bytes.size())))
        return error;
    }
    return Error::success();
  }
};
} // namespace

/// One relocatable object of all of them.
static Error mergeObjects(const Scratch &scratch, StringRef path) {
  std::string linker = findProgram({"ld.lld-22", "ld.lld", "ld"});
  if (linker.empty())
    return llvm::createStringError("no linker was found (ld.lld-22, ld.lld or ld); install the package lld-22 or binutils");
  std::vector<std::string> command = {linker, "-r", "-o", path.str()};
  llvm::append_range(command, scratch.files);
  return execute(command, scratch.folder.file("errors"));
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
  return execute(command, scratch.folder.file("errors"));
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
  return writeLibrary(path, members);
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
