// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the compiler produces: object code, a C header, a weights file and a manifest; as files or in memory.
#pragma once
#include "qtensor/Target.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include <functional>
#include <string>
#include <vector>

namespace mlir::qtensor {

/// What to make of a planned module, and what to write in the manifest about where it came from.
struct ArtifactOptions {
  std::string model;               ///< Name of the model; becomes a C identifier.
  const Target *target = nullptr;
  std::string sourceFile;          ///< As the user named it.
  uint64_t sourceHash = 0;         ///< XXH64 of its bytes; 0: unknown.
  std::vector<std::pair<std::string, std::string>> settings; ///< What the user chose, for the manifest.
  bool keepAssembly = false;       ///< Also keep the assembly of each level.
  bool emitC = false;              ///< Firmware: also write the code as C.
  bool verify = false;             ///< Check contracts around every pass.
  std::function<void(StringRef)> progress; ///< Called with what is being done. May be null.
};

/// One object file of the artifact.
struct ArtifactObject {
  std::string name; ///< "glue" or the name of a level.
  llvm::SmallVector<char, 0> bytes;
  std::string assembly; ///< Only with keepAssembly.
};

/// A compiled model in memory. The weights are written from the module, which must outlive it.
struct Artifact {
  std::string model; ///< The C identifier that all names of the interface begin with.
  std::vector<ArtifactObject> objects;
  std::string header;
  std::string manifest;
  uint64_t weightsBytes = 0; ///< Size of the weights file; 0: the model has none.
  std::function<void(llvm::raw_ostream &)> writeWeights;
};

/// Compiles a module at phase C5 for every level of the target, all levels in parallel. The module is not changed.
FailureOr<Artifact> compileArtifact(ModuleOp planned, const ArtifactOptions &options);

/// Writes <model>.o, lib<model>.a, lib<model>.so, <model>.h, <model>.weights (if any) and <model>.json to a folder,
/// which is created. The linker is looked for at run time: the error names what to install.
llvm::Error writeArtifact(const Artifact &artifact, const Target &target, StringRef folder);

} // namespace mlir::qtensor
