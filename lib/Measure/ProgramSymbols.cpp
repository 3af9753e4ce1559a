// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Measure/ProgramSymbols.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELFObjectFile.h"

using namespace mlir;
using namespace mlir::qtensor;
using llvm::StringRef;

llvm::Expected<ProgramSymbols> ProgramSymbols::read(StringRef program) {
  auto file = llvm::object::ObjectFile::createObjectFile(program);
  if (!file)
    return file.takeError();
  const auto *elf = llvm::dyn_cast<llvm::object::ELFObjectFileBase>(file->getBinary());
  if (!elf)
    return llvm::createStringError("'" + program + "' is no ELF file");
  ProgramSymbols made;
  for (const llvm::object::ELFSymbolRef symbol : elf->symbols()) {
    auto name = symbol.getName();
    auto value = symbol.getValue();
    if (!name || !value)
      return llvm::joinErrors(name.takeError(), value.takeError());
    // Bit 0 of a function's address may say how its instructions are encoded.
    uint64_t low = symbol.getELFType() == llvm::ELF::STT_FUNC ? *value & ~uint64_t(1) : *value;
    if (!name->empty())
      made.symbols[*name] = {low, low + symbol.getSize()};
  }
  return made;
}

llvm::Expected<AddressRange> ProgramSymbols::lookup(StringRef name) const {
  auto found = symbols.find(name);
  if (found == symbols.end())
    return llvm::createStringError("the example program has no symbol '" + name + "'");
  return found->second;
}

std::string ProgramSymbols::describe(uint64_t address) const {
  std::string text = "0x" + llvm::utohexstr(address, /*LowerCase=*/true);
  StringRef best;
  for (const auto &entry : symbols)
    if (address >= entry.second.low && address < entry.second.high && (best.empty() || entry.first() < best))
      best = entry.first();
  if (best.empty())
    return text;
  return (best + "+0x" + llvm::utohexstr(address - symbols.lookup(best).low, /*LowerCase=*/true) + " (" + text + ")").str();
}
