// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Measure/WatchSpec.h"
#include "lib/Emit/Firmware/BundleParts.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::qtensor;
using llvm::Error;

namespace {
/// Writes the lines of a specification.
class SpecWriter {
public:
  SpecWriter(const ProgramSymbols &symbols, WatchSpec &spec) : symbols(symbols), spec(spec) {}

  size_t memories = 0;

  void add(StringRef kind, AddressRange range) {
    spec.text += llvm::formatv("{0} {1:x-} {2:x-}\n", kind, range.low, range.high);
    memories += kind == "read" || kind == "write";
  }
  /// A whole symbol, or its first `bytes`. Returns its address.
  llvm::Expected<uint64_t> addSymbol(StringRef kind, StringRef name, std::optional<uint64_t> bytes = std::nullopt) {
    auto range = symbols.lookup(name);
    if (!range)
      return range.takeError();
    add(kind, {range->low, bytes ? range->low + *bytes : range->high});
    return range->low;
  }
  Error addBetween(StringRef kind, StringRef first, StringRef last) {
    auto low = symbols.lookup(first), high = symbols.lookup(last);
    if (!low || !high)
      return llvm::joinErrors(low.takeError(), high.takeError());
    add(kind, {low->low, high->low});
    return Error::success();
  }

private:
  const ProgramSymbols &symbols;
  WatchSpec &spec;
};
} // namespace

/// The buffers of the example program, without the guards behind them.
static Error addMemories(const Bundle &bundle, SpecWriter &writer, WatchSpec &spec) {
  uint64_t stack = exampleStack(bundle);
  spec.stack = writer.memories;
  auto place = writer.addSymbol("write", "model_stack", stack);
  if (!place)
    return place.takeError();
  spec.stackTop = *place + stack;
  spec.stackCaller = callerStack(bundle);
  spec.firstArena = writer.memories;
  for (const FirmwareArena &arena : bundle.object.arenas) {
    auto start = writer.addSymbol("write", "model_" + toIdentifier(arena.name), arena.bytes);
    if (!start)
      return start.takeError();
    spec.arenaStarts.push_back(*start);
  }
  for (const BundleArgument &argument : listArguments(bundle.object)) {
    uint64_t bytes = countElements(*argument.tensor) * elementInfo(argument.tensor->dtype).bytes;
    if (argument.place)
      continue;
    if (auto start = writer.addSymbol(argument.written ? "write" : "read", "model_" + argument.name, bytes); !start)
      return start.takeError();
  }
  if (bundle.copiedBytes())
    if (Error error = writer.addBetween("read", "__model_data_start", "__model_data_end"))
      return error;
  return writer.addBetween("read", "__model_start", "__model_end");
}

llvm::Expected<WatchSpec> mlir::qtensor::makeWatchSpec(const Bundle &bundle, const ProgramSymbols &symbols) {
  WatchSpec spec;
  SpecWriter writer(symbols, spec);
  if (auto run = writer.addSymbol("run", bundle.object.model.name + "_run"); !run)
    return run.takeError();
  for (const FirmwareLayer &layer : bundle.object.layers) {
    if (layer.function.empty() || llvm::is_contained(spec.functions, layer.function))
      continue;
    spec.functions.push_back(layer.function);
    if (auto place = writer.addSymbol("layer", layer.function); !place)
      return place.takeError();
  }
  if (auto after = writer.addSymbol("end", "board_run_on"); !after)
    return after.takeError();
  if (Error error = writer.addBetween("helpers", "__model_end", "__flash_end"))
    return error;
  if (Error error = addMemories(bundle, writer, spec))
    return error;
  return spec;
}

namespace {
/// The plugin's output, line by line.
struct WatchOutput {
  struct Call {
    int layer;
    InstructionCount count;
  };
  struct Memory {
    uint64_t loads, stores, lowest, end;
  };
  std::vector<Call> calls;
  std::vector<Memory> memories;
  std::vector<std::string> accesses; ///< For people.
  uint64_t outside = 0, unknown = 0, complete = 0;
};
} // namespace

static bool parseLine(StringRef line, const ProgramSymbols &symbols, WatchOutput &out) {
  SmallVector<StringRef> words;
  line.split(words, ' ');
  StringRef kind = words.front();
  auto number = [&](size_t i, unsigned base, uint64_t &to) { return i < words.size() && !words[i].getAsInteger(base, to); };
  if (kind == "call") {
    auto &call = out.calls.emplace_back();
    return words.size() == 4 && !words[1].getAsInteger(10, call.layer) && number(2, 10, call.count.raw) &&
           number(3, 10, call.count.weighted);
  }
  if (kind == "memory") {
    auto &memory = out.memories.emplace_back();
    return number(2, 10, memory.loads) && number(3, 10, memory.stores) && number(4, 16, memory.lowest) &&
           number(5, 16, memory.end);
  }
  if (kind == "access") {
    uint64_t pc, address;
    if (words.size() != 5 || !number(1, 16, pc) || !number(2, 16, address))
      return false;
    out.accesses.push_back(llvm::formatv("{0} {1}s {2} bytes at {3}", symbols.describe(pc), words[4], words[3],
                                         symbols.describe(address)));
    return true;
  }
  if (kind == "outside")
    return number(1, 10, out.outside);
  if (kind == "complete")
    return number(1, 10, out.complete);
  return kind == "unknown" && number(1, 10, out.unknown);
}

/// Gives the calls to the layers: both come in the order of execution.
static Error assignCalls(const WatchOutput &out, const WatchSpec &spec, const Bundle &bundle, FirmwareMeasurement &made) {
  size_t next = 0;
  made.layers.resize(bundle.object.layers.size());
  for (const WatchOutput::Call &call : out.calls) {
    made.total.raw += call.count.raw;
    made.total.weighted += call.count.weighted;
    if (call.layer < 0)
      continue;
    while (next < made.layers.size() && bundle.object.layers[next].function != spec.functions[call.layer])
      ++next;
    if (next == made.layers.size())
      return llvm::createStringError("the program called '" + spec.functions[call.layer] + "' where no layer has its turn");
    made.layers[next++] = call.count;
  }
  return Error::success();
}

llvm::Expected<FirmwareMeasurement> mlir::qtensor::readWatchOutput(StringRef text, const WatchSpec &spec, const Bundle &bundle,
                                                                   const ProgramSymbols &symbols) {
  WatchOutput out;
  SmallVector<StringRef> lines;
  text.split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (StringRef line : lines)
    if (!parseLine(line, symbols, out))
      return llvm::createStringError("the emulator's plugin wrote a line that nobody understands: " + line);
  if (out.outside)
    return llvm::createStringError("the model touched memory that is not its own, " + llvm::Twine(out.outside) +
                                   " times; the first: " + llvm::join(out.accesses, "; "));
  if (!out.complete || out.memories.size() <= spec.firstArena)
    return llvm::createStringError("the emulator saw no complete call of the model");
  if (out.unknown)
    return llvm::createStringError(llvm::Twine(out.unknown) + " instructions have no known weight: a vector length was set from "
                                                              "a register");
  FirmwareMeasurement made;
  made.board = bundle.board->name.str();
  if (Error error = assignCalls(out, spec, bundle, made))
    return error;
  for (const WatchOutput::Memory &memory : out.memories) {
    made.loads += memory.loads;
    made.stores += memory.stores;
  }
  const WatchOutput::Memory &stack = out.memories[spec.stack];
  uint64_t deepest = stack.loads + stack.stores ? spec.stackTop - stack.lowest : 0;
  made.stackBytes = deepest > spec.stackCaller ? deepest - spec.stackCaller : 0;
  for (auto [i, start] : llvm::enumerate(spec.arenaStarts)) {
    const WatchOutput::Memory &arena = out.memories[spec.firstArena + i];
    made.arenaBytes.push_back(arena.end ? arena.end - start : 0);
  }
  return made;
}
