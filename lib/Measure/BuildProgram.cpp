// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Measure/BuildProgram.h"
#include "lib/Emit/Firmware/BundleParts.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace mlir::qtensor;
using llvm::Error;

static std::vector<std::string> commandOf(StringRef program, ArrayRef<StringRef> arguments) {
  std::vector<std::string> command = {program.str()};
  for (StringRef argument : arguments)
    command.push_back(argument.str());
  return command;
}

/// The path of the helper library; empty if the compiler that has one is not installed.
static llvm::Expected<std::string> findHelpers(const FirmwareRecord &record, const ScratchFolder &scratch) {
  std::string query = findProgram(record.helperQuery.front());
  if (query.empty())
    return "";
  std::string answer = scratch.file("helpers");
  if (Error error = execute(commandOf(query, record.helperQuery.drop_front()), scratch.file("errors"), answer))
    return error;
  auto text = llvm::MemoryBuffer::getFile(answer);
  if (!text)
    return ioError("cannot read '" + answer + "'", text.getError());
  return (*text)->getBuffer().trim().str();
}

Error mlir::qtensor::buildProgram(const Bundle &bundle, StringRef folder, StringRef program, const ScratchFolder &scratch) {
  const FirmwareRecord &record = *bundle.target->firmware;
  const FirmwareCompiler *compiler = nullptr;
  std::string path, names;
  for (const FirmwareCompiler &candidate : record.compilers) {
    names += (names.empty() ? "" : " or ") + candidate.command.str();
    if (!compiler && !(path = findProgram(candidate.command)).empty())
      compiler = &candidate;
  }
  if (!compiler)
    return llvm::createStringError("no compiler was found to build the example with: install " + names);
  auto helpers = findHelpers(record, scratch);
  if (!helpers)
    return helpers.takeError();
  std::vector<std::string> command = commandOf(path, compiler->flags);
  auto append = [&](ArrayRef<StringRef> arguments) {
    for (StringRef argument : arguments)
      command.push_back(argument.str());
  };
  append(exampleFlags());
  std::string example = (folder + "/example/").str();
  command.insert(command.end(), {"-I" + example, "-I" + folder.str(), example + "main.c", example + "board.c"});
  for (const EmbeddedFile &file : record.startup)
    command.push_back(example + file.name.str());
  command.push_back((folder + "/lib" + bundle.object.model.name + ".a").str());
  if (!helpers->empty())
    command.push_back(*helpers);
  append(compiler->linkFlags);
  append(exampleLinkFlags());
  command.insert(command.end(), {"-Wl,-T," + example + "board.ld", "-o", program.str()});
  return execute(command, scratch.file("errors"));
}
