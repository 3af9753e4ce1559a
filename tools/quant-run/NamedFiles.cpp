// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "NamedFiles.h"
#include "lib/Emit/Files.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir::qtensor;
using llvm::StringRef;
using llvm::Twine;

/// Names may have equal signs themselves, so that a text is held against each of them.
static llvm::Expected<tools::NamedFile> resolve(StringRef text, size_t position, llvm::ArrayRef<std::string> names,
                                                StringRef what) {
  for (auto [i, name] : llvm::enumerate(names)) {
    StringRef file = text;
    if (file.consume_front(name) && file.consume_front("="))
      return tools::NamedFile{unsigned(i), file};
  }
  // A misspelt name must not become a file of the next tensor.
  if (text.contains('='))
    return llvm::createStringError("--" + what + " " + text + ": no " + what + " of the model has this name; it has '" +
                                   llvm::join(names, "', '") + "' (before a file with '=' in its path write name=)");
  if (position >= names.size())
    return llvm::createStringError("--" + what + " " + text + ": the model has only " + Twine(names.size()) + " of these");
  return tools::NamedFile{unsigned(position), text};
}

llvm::Expected<std::vector<tools::NamedFile>> tools::resolveFiles(llvm::ArrayRef<std::string> texts,
                                                                  llvm::ArrayRef<std::string> names, StringRef what) {
  std::vector<NamedFile> files;
  std::vector<bool> given(names.size());
  for (auto [position, text] : llvm::enumerate(texts)) {
    auto file = resolve(text, position, names, what);
    if (!file)
      return file.takeError();
    if (given[file->index])
      return llvm::createStringError("--" + what + " " + text + ": '" + names[file->index] + "' is given twice");
    given[file->index] = true;
    files.push_back(*file);
  }
  return files;
}

llvm::Expected<std::vector<std::optional<NpyArray>>> tools::readInputs(llvm::ArrayRef<std::string> texts,
                                                                       llvm::ArrayRef<std::string> names) {
  auto files = resolveFiles(texts, names, "input");
  if (!files)
    return files.takeError();
  std::vector<std::optional<NpyArray>> arrays(names.size());
  for (auto [index, file] : *files) {
    auto array = readNpy(file);
    if (!array)
      return array.takeError();
    arrays[index] = std::move(*array);
  }
  return arrays;
}

llvm::Error tools::missingInput(StringRef name) {
  return llvm::createStringError("input '" + name + "' is not given: --input " + name + "=file.npy");
}

llvm::Error tools::writeArray(const NpyArray &array, StringRef file) {
  return writeFile(file, [&](llvm::raw_ostream &os) { writeNpy(array, os); });
}
