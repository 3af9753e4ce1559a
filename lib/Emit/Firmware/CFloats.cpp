// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/Firmware/CFloats.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir::qtensor;

namespace mlir::qtensor {
extern const unsigned char floatSource[], helperProcessor[], helperFloats[], helperAngles[], helperHalves[],
    helperRoots[];
extern const size_t floatSourceSize, helperProcessorSize, helperFloatsSize, helperAnglesSize, helperHalvesSize,
    helperRootsSize;
} // namespace mlir::qtensor

static const CSpelling spellings[] = {
    {"llvm.intr.sin<f32>", "q_sine($0)"},
    {"llvm.intr.cos<f32>", "q_cosine($0)"},
    {"llvm.frem<f32>", "q_remainder($0, $1)"},
};

static const EmbeddedFile helpers[] = {{"processor.h", helperProcessor, &helperProcessorSize},
                                       {"floats.h", helperFloats, &helperFloatsSize},
                                       {"angles.c", helperAngles, &helperAnglesSize},
                                       {"halves.c", helperHalves, &helperHalvesSize},
                                       {"roots.c", helperRoots, &helperRootsSize}};

const CLibrary &mlir::qtensor::floatLibrary() {
  static const CLibrary library = {{"floats.c", floatSource, &floatSourceSize}, spellings};
  return library;
}

/// Appends a file, and where it includes one of the helpers, that one; each once.
static void append(llvm::StringRef text, llvm::StringSet<> &seen, std::string &made) {
  while (!text.empty()) {
    auto [line, rest] = text.split('\n');
    text = rest;
    llvm::StringRef name = line;
    if (name.consume_front("#include \"")) {
      name = name.drop_back();
      const EmbeddedFile *file =
          llvm::find_if(helpers, [&](const EmbeddedFile &helper) { return helper.name == name; });
      if (seen.insert(name).second)
        append(file->text(), seen, made);
    } else if (line != "#pragma once") {
      made += (line + "\n").str();
    }
  }
}

std::string mlir::qtensor::floatDefinitions() {
  llvm::StringSet<> seen;
  std::string made;
  append(floatLibrary().text.text(), seen, made);
  return made;
}
