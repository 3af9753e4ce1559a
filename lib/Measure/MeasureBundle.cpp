// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Measure/MeasureBundle.h"
#include "lib/Emit/Firmware/BundleParts.h"
#include "lib/Measure/BuildProgram.h"
#include "lib/Measure/WatchSpec.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace mlir::qtensor;
using llvm::Error;

static llvm::Expected<std::string> readText(StringRef path) {
  auto text = llvm::MemoryBuffer::getFile(path);
  if (!text)
    return ioError("cannot read '" + path + "'", text.getError());
  return (*text)->getBuffer().str();
}

/// What must be there before anything is built.
static llvm::Expected<std::vector<std::string>> prepareEmulator(const Bundle &bundle, const std::string &plugin) {
  if (!bundle.board)
    return llvm::createStringError("the model cannot be measured: " + bundle.noBoard);
  if (bundle.board->emulator.empty())
    return llvm::createStringError("the model cannot be measured: " + bundle.board->remark);
  std::vector<std::string> command = emulatorCommand(*bundle.board);
  std::string emulator = findProgram(StringRef(command.front()));
  if (emulator.empty())
    return llvm::createStringError("'" + command.front() + "' was not found; on Debian it is in qemu-system-arm or qemu-system-misc");
  if (!llvm::sys::fs::exists(plugin))
    return llvm::createStringError("the emulator's plugin '" + plugin + "' was not found; build QTensor as a whole");
  command.front() = emulator;
  return command;
}

/// A model may not take the inputs; otherwise the error as it is.
static Error explain(Error error, StringRef printed) {
  auto text = readText(printed);
  if (!text)
    return llvm::joinErrors(std::move(error), text.takeError());
  if (!StringRef(*text).starts_with(kRefusal))
    return error;
  llvm::consumeError(std::move(error));
  return llvm::createStringError(StringRef(*text).trim() + " (see the header); put inputs that it takes into input0.bin and so on");
}

llvm::Expected<MeasuredRun> mlir::qtensor::measureBundle(const Bundle &bundle, const MeasureOptions &options) {
  constexpr unsigned kSeconds = 600;
  auto progress = [&](StringRef what) {
    if (options.progress)
      options.progress(what);
  };
  std::string plugin = (options.pluginFolder + "/" + bundle.target->firmware->plugin + ".so").str();
  auto command = prepareEmulator(bundle, plugin);
  if (!command)
    return command.takeError();
  ScratchFolder scratch;
  if (Error error = scratch.create("qtensor-measure"))
    return error;
  std::string program = scratch.file("example.elf"), seen = scratch.file("seen"), printed = scratch.file("printed");
  progress("building the example program");
  if (Error error = buildProgram(bundle, options.folder, program, scratch))
    return error;
  auto symbols = ProgramSymbols::read(program);
  if (!symbols)
    return symbols.takeError();
  auto spec = makeWatchSpec(bundle, *symbols);
  if (!spec)
    return spec.takeError();
  if (Error error = writeText(scratch.file("spec"), spec->text))
    return error;
  progress(("running in " + command->front()));
  command->insert(command->end(), {program, "-plugin", plugin + ",spec=" + scratch.file("spec") + ",out=" + seen});
  if (Error error = execute(*command, scratch.file("errors"), printed, kSeconds))
    return explain(std::move(error), printed);
  auto output = readText(printed), watched = readText(seen);
  if (!output || !watched)
    return llvm::joinErrors(output.takeError(), watched.takeError());
  auto measurement = readWatchOutput(*watched, *spec, bundle, *symbols);
  if (!measurement)
    return measurement.takeError();
  return MeasuredRun{std::move(*measurement), std::move(*output)};
}
