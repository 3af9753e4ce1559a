// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/Firmware/ObjectFacts.h"
#include "lib/Emit/Firmware/FrameRules.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/DebugInfo/DWARF/DWARFContext.h"
#include "llvm/DebugInfo/DWARF/DWARFDebugFrame.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/LEB128.h"
#include "llvm/Support/MathExtras.h"
#include <map>

using namespace mlir::qtensor;
using namespace llvm;
using namespace llvm::object;

namespace {
/// One function's place in its section.
struct Place {
  uint64_t end;
  StringRef name;
};

class Reader {
public:
  Reader(const ELFObjectFileBase &file, const ScaledFrames &scaled) : file(file), scaled(scaled) {}
  Expected<ObjectFacts> read();

private:
  Error readSymbols();
  Error readSection(const ELFSectionRef &section);
  /// Calls `visit` for each section that has relocations, with its name and these.
  Error forRelocated(function_ref<Error(const ELFSectionRef &, StringRef, const SectionRef &)> visit);
  Error readFrames(const ELFSectionRef &frames, const SectionRef &relocations);
  Error addVectors();
  Error addVectors(const DWARFDebugFrame &frames, const SectionRef &relocations);
  Error readCalls(const ELFSectionRef &code, const SectionRef &relocations);
  /// The name of the function at this offset of a section; empty: there is none.
  StringRef functionAt(uint64_t section, uint64_t offset) const;
  /// What a relocation refers to, functions by name; empty: neither a function nor undefined.
  Expected<StringRef> referenceOf(const RelocationRef &relocation) const;

  const ELFObjectFileBase &file;
  const ScaledFrames &scaled;
  ObjectFacts facts;
  std::map<uint64_t, std::map<uint64_t, Place>> places; ///< By section and offset.
};
} // namespace

Error Reader::readSymbols() {
  for (const ELFSymbolRef &symbol : file.symbols()) {
    auto name = symbol.getName();
    auto flags = symbol.getFlags();
    if (!name || !flags)
      return joinErrors(name.takeError(), flags.takeError());
    if (*flags & SymbolRef::SF_Undefined && !name->empty())
      facts.undefined.push_back(name->str());
    if (symbol.getELFType() != ELF::STT_FUNC)
      continue;
    auto section = symbol.getSection();
    auto address = symbol.getValue();
    if (!section || !address)
      return joinErrors(section.takeError(), address.takeError());
    if (*section == file.section_end())
      continue;
    // Bit 0 of an address may say how its instructions are encoded.
    uint64_t offset = *address & ~uint64_t(1);
    places[(*section)->getIndex()][offset] = {offset + symbol.getSize(), *name};
    facts.functions[*name].size = symbol.getSize();
  }
  llvm::sort(facts.undefined);
  return Error::success();
}

StringRef Reader::functionAt(uint64_t section, uint64_t offset) const {
  auto found = places.find(section);
  if (found == places.end())
    return "";
  auto place = found->second.upper_bound(offset);
  return place != found->second.begin() && offset < std::prev(place)->second.end ? std::prev(place)->second.name : "";
}

Expected<StringRef> Reader::referenceOf(const RelocationRef &relocation) const {
  ELFSymbolRef symbol = *relocation.getSymbol();
  if (symbol == *file.symbol_end())
    return StringRef();
  auto name = symbol.getName();
  auto flags = symbol.getFlags();
  if (!name || !flags)
    return joinErrors(name.takeError(), flags.takeError());
  if (*flags & SymbolRef::SF_Undefined || symbol.getELFType() == ELF::STT_FUNC)
    return *name;
  // A local function may be named by its section or by a label. REL entries keep the addend in the code: with a section for
  // each function it is 0.
  auto section = symbol.getSection();
  auto value = symbol.getValue();
  if (!section || !value)
    return joinErrors(section.takeError(), value.takeError());
  auto addend = ELFRelocationRef(relocation).getAddend();
  uint64_t offset = *value;
  if (addend)
    offset += *addend;
  else
    consumeError(addend.takeError());
  return *section == file.section_end() ? StringRef() : functionAt((*section)->getIndex(), offset);
}

/// Pairs of an address, which a relocation names, and a size in LEB128.
Error Reader::readFrames(const ELFSectionRef &frames, const SectionRef &relocations) {
  auto contents = frames.getContents();
  if (!contents)
    return contents.takeError();
  const auto *end = contents->bytes_end();
  for (const RelocationRef &relocation : relocations.relocations()) {
    auto function = referenceOf(relocation);
    if (!function)
      return function.takeError();
    uint64_t at = relocation.getOffset() + file.getBytesInAddress();
    const char *problem = at < contents->size() ? nullptr : "it ends early";
    uint64_t size = problem ? 0 : decodeULEB128(contents->bytes_begin() + at, nullptr, end, &problem);
    if (problem)
      return createStringError(Twine("section .stack_sizes of the object is broken: ") + problem);
    if (!function->empty())
      facts.functions[*function].frame = size;
  }
  return Error::success();
}

/// Frames as .stack_sizes has them leave out the vector registers that they hold.
Error Reader::addVectors() {
  std::unique_ptr<DWARFContext> context = DWARFContext::create(file);
  auto frames = context->getDebugFrame();
  if (!frames)
    return frames.takeError();
  bool isSaid = false;
  auto visit = [&](const ELFSectionRef &, StringRef name, const SectionRef &relocations) -> Error {
    if (isSaid || name != ".debug_frame")
      return Error::success();
    isSaid = true;
    return addVectors(**frames, relocations);
  };
  if (Error error = forRelocated(visit))
    return error;
  return isSaid
             ? Error::success()
             : createStringError("the object does not say which frames hold vector registers (section .debug_frame)");
}

/// The function of an entry is what the first relocation of its start refers to, behind a length and a pointer.
Error Reader::addVectors(const DWARFDebugFrame &frames, const SectionRef &relocations) {
  constexpr uint64_t kStart = 8;
  std::map<uint64_t, StringRef> functions;
  for (const RelocationRef &relocation : relocations.relocations()) {
    auto function = referenceOf(relocation);
    if (!function)
      return function.takeError();
    functions.try_emplace(relocation.getOffset(), *function);
  }
  std::set<StringRef> known;
  for (const dwarf::FrameEntry &entry : frames) {
    const auto *rules = dyn_cast<dwarf::FDE>(&entry);
    if (!rules)
      continue;
    StringRef name = functions[rules->getOffset() + kStart];
    auto size = measureFrame(*rules, scaled);
    if (!size)
      return joinErrors(createStringError("function '" + name + "' of the object has a stack without bound"),
                        size.takeError());
    FunctionFacts &function = facts.functions[name];
    function.vectorLengths = size->lengths;
    if (function.frame)
      *function.frame = std::max(*function.frame, size->bytes) + size->lengths * scaled.assumedBytes;
    known.insert(name);
  }
  for (auto &entry : facts.functions)
    if (!known.count(entry.first()))
      entry.second.frame.reset();
  return Error::success();
}

Error Reader::readCalls(const ELFSectionRef &code, const SectionRef &relocations) {
  for (const RelocationRef &relocation : relocations.relocations()) {
    auto callee = referenceOf(relocation);
    if (!callee)
      return callee.takeError();
    StringRef caller = functionAt(code.getIndex(), relocation.getOffset());
    if (!caller.empty() && !callee->empty())
      facts.functions[caller].calls.insert(callee->str());
  }
  return Error::success();
}

Error Reader::readSection(const ELFSectionRef &section) {
  if (!(section.getFlags() & ELF::SHF_ALLOC))
    return Error::success();
  uint64_t bytes = alignTo(section.getSize(), section.getAlignment());
  if (section.getFlags() & ELF::SHF_WRITE)
    facts.writtenBytes += bytes;
  else if (section.getFlags() & ELF::SHF_EXECINSTR)
    facts.codeBytes += bytes;
  else
    facts.constantBytes += bytes;
  return Error::success();
}

Error Reader::forRelocated(function_ref<Error(const ELFSectionRef &, StringRef, const SectionRef &)> visit) {
  for (const SectionRef &relocations : file.sections()) {
    auto place = relocations.getRelocatedSection();
    if (!place)
      return place.takeError();
    if (*place == file.section_end())
      continue;
    auto name = (*place)->getName();
    if (!name)
      return name.takeError();
    if (Error error = visit(**place, *name, relocations))
      return error;
  }
  return Error::success();
}

Expected<ObjectFacts> Reader::read() {
  if (Error error = readSymbols())
    return error;
  for (const ELFSectionRef section : file.sections())
    if (Error error = readSection(section))
      return error;
  auto visit = [&](const ELFSectionRef &section, StringRef name, const SectionRef &relocations) -> Error {
    if (name == ".stack_sizes")
      return readFrames(section, relocations);
    if (section.getFlags() & ELF::SHF_EXECINSTR)
      return readCalls(section, relocations);
    return Error::success();
  };
  if (Error error = forRelocated(visit))
    return error;
  if (scaled.assumedBytes)
    if (Error error = addVectors())
      return error;
  return std::move(facts);
}

Expected<ObjectFacts> mlir::qtensor::readObjectFacts(StringRef bytes, const ScaledFrames &scaled) {
  auto file = ObjectFile::createELFObjectFile(MemoryBufferRef(bytes, "the object"));
  if (!file)
    return file.takeError();
  return Reader(cast<ELFObjectFileBase>(**file), scaled).read();
}

namespace {
/// Depth-first walk over the calls, for the largest sum of what frames have.
struct StackWalk {
  const ObjectFacts &facts;
  uint64_t helperBytes;
  llvm::function_ref<uint64_t(const FunctionFacts &)> sizeOf;
  StringMap<std::optional<uint64_t>> known; ///< None: being walked.

  Expected<uint64_t> depth(StringRef name) {
    auto function = facts.functions.find(name);
    if (function == facts.functions.end())
      return helperBytes;
    auto [entry, isNew] = known.try_emplace(name, std::nullopt);
    if (!isNew) {
      if (entry->second)
        return *entry->second;
      return createStringError("function '" + name + "' of the object calls itself: its stack has no bound");
    }
    if (!function->second.frame)
      return createStringError("function '" + name + "' of the object has no static frame size (section .stack_sizes)");
    uint64_t deepest = 0;
    for (const std::string &callee : function->second.calls) {
      if (callee == name)
        continue; // a table of its own jumps
      auto below = depth(callee);
      if (!below)
        return below;
      deepest = std::max(deepest, *below);
    }
    return *(known[name] = sizeOf(function->second) + deepest);
  }
};
} // namespace

Expected<uint64_t> mlir::qtensor::deepestStack(const ObjectFacts &facts, StringRef function, uint64_t helperBytes) {
  if (!facts.functions.contains(function))
    return createStringError("the object has no function '" + function + "'");
  return StackWalk{facts, helperBytes, [](const FunctionFacts &facts) { return *facts.frame; }, {}}.depth(function);
}

Expected<uint64_t> mlir::qtensor::mostVectorLengths(const ObjectFacts &facts, StringRef function) {
  return StackWalk{facts, 0, [](const FunctionFacts &facts) { return facts.vectorLengths; }, {}}.depth(function);
}
