// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace mlir::qtensor {

/// Addresses of a linked program, the end excluded.
struct AddressRange {
  uint64_t low = 0, high = 0;
};

/// The symbols of a linked program, local ones included.
class ProgramSymbols {
public:
  static llvm::Expected<ProgramSymbols> read(llvm::StringRef program);

  /// Fails if the program has no such symbol.
  llvm::Expected<AddressRange> lookup(llvm::StringRef name) const;
  /// "function+0x12", or the address alone.
  std::string describe(uint64_t address) const;

private:
  llvm::StringMap<AddressRange> symbols;
};

} // namespace mlir::qtensor
