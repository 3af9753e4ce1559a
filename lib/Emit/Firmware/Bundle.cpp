// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/Firmware/Bundle.h"
#include "lib/Emit/Files.h"
#include "lib/Emit/Firmware/BundleParts.h"
#include "lib/Runtime/qtensor_abi.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::qtensor;
using llvm::Error;

ElementInfo mlir::qtensor::elementInfo(int32_t dtype) {
  static constexpr ElementInfo infos[] = {
      {"uint8_t", 1}, {"int8_t", 1},   {"uint8_t", 1}, {"int16_t", 2},  {"uint16_t", 2}, {"int32_t", 4}, {"uint32_t", 4},
      {"int64_t", 8}, {"uint64_t", 8}, {"uint16_t", 2}, {"uint16_t", 2}, {"float", 4},    {"double", 8},  {"uint8_t", 1}};
  return infos[dtype - QT_BOOL];
}

int64_t mlir::qtensor::countElements(const TensorInterface &tensor) {
  int64_t count = 1;
  for (int64_t extent : tensor.shape)
    count *= extent;
  return count;
}

int64_t Bundle::arenaBytes() const {
  int64_t bytes = 0;
  for (const FirmwareArena &arena : object.arenas)
    bytes += arena.bytes;
  return bytes;
}

int64_t Bundle::copiedBytes() const {
  int64_t bytes = 0;
  for (const FirmwareConstants &region : object.constants)
    bytes += region.copied ? region.bytes : 0;
  return bytes;
}

SmallVector<BundleArgument> mlir::qtensor::listArguments(const FirmwareObject &object) {
  SmallVector<BundleArgument> arguments;
  auto append = [&](StringRef kind, bool written, ArrayRef<TensorInterface> list, ArrayRef<FirmwarePlace> places) {
    for (auto [i, tensor] : llvm::enumerate(list))
      arguments.push_back({kind, kind.str() + std::to_string(i), written, &tensor, i < places.size() ? &places[i] : nullptr});
  };
  append("input", !object.inputs.empty(), object.model.inputs, object.inputs);
  append("state", true, object.model.states, {});
  append("output", true, object.model.outputs, object.outputs);
  return arguments;
}

/// What a program with the model alone takes of a board, and what of that is whose.
static void chooseBoard(Bundle &bundle) {
  // The example's own code, stack and variables: its linker script checks that they fit.
  constexpr uint64_t kProgramFlash = 4096, kProgramRam = 1536;
  uint64_t tensors = 0;
  for (const BundleArgument &argument : listArguments(bundle.object))
    if (!argument.place)
      tensors += countElements(*argument.tensor) * elementInfo(argument.tensor->dtype).bytes + kGuardBytes;
  uint64_t flash = bundle.flashBytes() + kProgramFlash;
  uint64_t ram = bundle.arenaBytes() + bundle.copiedBytes() + bundle.stackBytes + tensors + kProgramRam;
  for (const FirmwareBoard &board : bundle.target->firmware->boards) {
    const auto *rom = llvm::find_if(board.memory, [](const MemoryRegion &region) { return region.flash; });
    const auto *data = llvm::find_if(board.memory, [](const MemoryRegion &region) { return !region.flash; });
    if (flash <= rom->length && ram <= data->length) {
      bundle.board = &board;
      return;
    }
    if (flash > rom->length)
      bundle.noBoard += llvm::formatv("{0} has {1} bytes of flash, {2} are needed ({3} of them code, {4} constants); ", board.name,
                                      rom->length, flash, bundle.facts.codeBytes, bundle.facts.constantBytes);
    if (ram > data->length)
      bundle.noBoard += llvm::formatv("{0} has {1} bytes of RAM, {2} are needed ({3} of them arena, {4} stack, {5} inputs "
                                      "and outputs); ",
                                      board.name, data->length, ram, bundle.arenaBytes(), bundle.stackBytes, tensors);
  }
  bundle.noBoard = StringRef(bundle.noBoard).rtrim("; ").str();
}

/// Words that no parameter of a function in C or C++ may be called where <stdint.h> is included.
static bool isKeyword(StringRef name) {
  static const llvm::StringSet<> words = {
      "alignas",   "alignof",  "and",      "asm",      "auto",     "bitand",   "bitor",    "bool",     "break",    "case",
      "catch",     "char",     "class",    "compl",    "concept",  "const",    "continue", "default",  "delete",   "do",
      "double",    "else",     "enum",     "explicit", "export",   "extern",   "false",    "float",    "for",      "friend",
      "goto",      "if",       "inline",   "int",      "long",     "mutable",  "namespace", "new",     "noexcept", "not",
      "nullptr",   "operator", "or",       "private",  "protected", "public",  "register", "requires", "restrict", "return",
      "short",     "signed",   "sizeof",   "static",   "struct",   "switch",   "template", "this",     "throw",    "true",
      "try",       "typedef",  "typeid",   "typename", "typeof",   "union",    "unsigned", "using",    "virtual",  "void",
      "volatile",  "while",    "xor"};
  return words.contains(name) || name.starts_with("__") || (name.ends_with("_t") && name.contains("int"));
}

/// Memories give names to constants of the header, parameters of the entry and arrays of the example, beside those of stack,
/// flash and arguments.
static Error checkNames(const FirmwareObject &object) {
  llvm::StringSet<> taken = {"STACK", "FLASH", "ARGUMENTS"};
  for (const BundleArgument &argument : listArguments(object))
    taken.insert(StringRef(argument.name).upper());
  for (const FirmwareConstants &region : object.constants)
    taken.insert("WEIGHTS_" + StringRef(region.memory).upper());
  for (const FirmwareArena &arena : object.arenas)
    if (isKeyword(toIdentifier(arena.name)) || !taken.insert(StringRef(toIdentifier(arena.name)).upper()).second)
      return llvm::createStringError("the memory '" + arena.name + "' has a name that the header has for something else, or "
                                     "that C or C++ has; choose another one (--memory)");
  return Error::success();
}

/// The model gives its name to a CMake target, a header and files beside those of the bundle.
static Error checkModelName(StringRef name) {
  static const llvm::StringSet<> taken = {
      // Targets that CMake has.
      "all", "clean", "edit_cache", "help", "install", "package", "package_source", "rebuild_cache", "test", "ALL_BUILD", "RUN_TESTS",
      // Headers of C and of the example.
      "assert", "board", "complex", "ctype", "errno", "fenv", "float", "inttypes", "iso646", "limits", "locale", "math", "setjmp",
      "signal", "stdalign", "stdarg", "stdatomic", "stdbool", "stddef", "stdint", "stdio", "stdlib", "stdnoreturn", "string", "tgmath",
      "threads", "time", "uchar", "wchar", "wctype",
      // Files of the bundle.
      "README"};
  if (!taken.contains(name))
    return Error::success();
  return llvm::createStringError("the model is called '" + name +
                                 "', as a header of C, a target of CMake or a file of the bundle is; choose another name (--name)");
}

llvm::Expected<Bundle> mlir::qtensor::makeBundle(FirmwareObject object, const ArtifactOptions &options) {
  const FirmwareRecord &record = *options.target->firmware;
  Bundle bundle;
  bundle.target = options.target;
  bundle.sourceFile = options.sourceFile;
  bundle.settings = options.settings;
  if (Error error = llvm::joinErrors(checkModelName(object.model.name), checkNames(object)))
    return error;
  auto facts = readObjectFacts(StringRef(object.object.data(), object.object.size()), record.scaledFrames);
  if (!facts)
    return facts.takeError();
  bundle.facts = std::move(*facts);
  if (bundle.facts.writtenBytes)
    return llvm::createStringError("the object has %llu bytes of variables; all that firmware writes must lie in the arena",
                                   static_cast<unsigned long long>(bundle.facts.writtenBytes));
  auto stack = deepestStack(bundle.facts, object.model.name + "_run", record.helperStack);
  if (!stack)
    return stack.takeError();
  bundle.stackBytes = llvm::alignTo(*stack, record.stackAlignment);
  auto lengths = mostVectorLengths(bundle.facts, object.model.name + "_run");
  if (!lengths)
    return lengths.takeError();
  bundle.stackLengths = *lengths;
  bundle.object = std::move(object);
  chooseBoard(bundle);
  return bundle;
}

/// The fragments, the page for people and the header: text alone.
static Error writeTexts(const Bundle &bundle, const std::string &base, StringRef folder) {
  struct File {
    std::string path;
    void (*print)(const Bundle &, llvm::raw_ostream &);
  };
  for (const File &file : {File{base + ".h", printBundleHeader}, File{base + ".mk", printMakeFragment},
                           File{base + ".cmake", printCMakeFragment}, File{(folder + "/README.md").str(), printBundleReadme}})
    if (Error error = writeFile(file.path, [&](llvm::raw_ostream &os) { file.print(bundle, os); }))
      return error;
  return Error::success();
}

Error mlir::qtensor::writeReport(const Bundle &bundle, StringRef folder) {
  std::string base = (folder + "/" + bundle.object.model.name).str();
  if (Error error = writeFile(base + ".json", [&](llvm::raw_ostream &os) { printReportJson(bundle, os); }))
    return error;
  return writeFile(base + ".md", [&](llvm::raw_ostream &os) { printReportTable(bundle, os); });
}

Error mlir::qtensor::writeBundle(const Bundle &bundle, StringRef folder) {
  if (std::error_code code = llvm::sys::fs::create_directories(folder))
    return ioError("cannot make the folder '" + folder + "'", code);
  const std::string &model = bundle.object.model.name;
  std::string base = (folder + "/" + model).str();
  StringRef bytes(bundle.object.object.data(), bundle.object.object.size());
  if (Error error = writeText(base + ".o", bytes))
    return error;
  if (!bundle.object.source.empty())
    if (Error error = writeFile(base + ".c", [&](llvm::raw_ostream &os) { printBundleSource(bundle, os); }))
      return error;
  if (!bundle.object.assembly.empty())
    if (Error error = writeText(base + ".s", bundle.object.assembly))
      return error;
  std::string member = model + ".o";
  if (Error error = writeLibrary((folder + "/lib" + model + ".a").str(), llvm::NewArchiveMember(llvm::MemoryBufferRef(bytes, member))))
    return error;
  if (Error error = writeTexts(bundle, base, folder))
    return error;
  if (Error error = writeReport(bundle, folder))
    return error;
  return bundle.board ? writeExample(bundle, (folder + "/example").str()) : Error::success();
}
