// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/Firmware/EmitC.h"
#include "lib/Emit/Firmware/CFloats.h"
#include "lib/Emit/Firmware/CFunction.h"

using namespace mlir;
using namespace mlir::qtensor;

static void writeBytes(StringRef bytes, llvm::raw_ostream &os) {
  for (auto [i, byte] : llvm::enumerate(bytes))
    os << (i % 32 == 0 ? "\n  " : "") << unsigned(uint8_t(byte)) << ",";
}

/// The elements as they lie in memory, where a truth value has a byte.
static std::string bytesOf(DenseElementsAttr dense) {
  std::string bytes;
  if (dense.getElementType().isInteger(1)) {
    for (bool element : dense.getValues<bool>())
      bytes.push_back(char(element));
    return bytes;
  }
  ArrayRef<char> raw = dense.getRawData();
  for (int64_t i = 0, copies = dense.isSplat() ? dense.getNumElements() : 1; i < copies; ++i)
    bytes.append(raw.begin(), raw.end());
  return bytes;
}

/// Constants as bytes, whatever their elements are.
static LogicalResult writeGlobal(LLVM::GlobalOp global, ArrayRef<ConstantSection> sections, llvm::raw_ostream &os) {
  std::string bytes, section = (".rodata." + global.getSymName()).str();
  if (Attribute value = global.getValueOrNull()) {
    auto dense = dyn_cast<DenseElementsAttr>(value);
    if (!dense)
      return global.emitError("a constant that is no array of numbers has no C here");
    bytes = bytesOf(dense);
  } else {
    const auto *known = llvm::find_if(sections, [&](auto &s) { return s.symbol == global.getSymName(); });
    if (known == sections.end())
      return global.emitError("a constant without bytes");
    bytes = known->bytes.empty() ? std::string(1, '\0') : known->bytes.str();
    section = known->section;
  }
  os << "static const uint8_t " << global.getSymName() << "[" << bytes.size() << "] __attribute__((aligned("
     << std::max<uint64_t>(global.getAlignment().value_or(16), 1) << "))) Q_SECTION(\"" << section << "\") = {";
  writeBytes(bytes, os);
  os << "\n};\n";
  return success();
}

static constexpr StringLiteral kMacros = R"(
#define Q_INLINE static inline __attribute__((always_inline, unused))
#if defined(__ELF__)
#define Q_SECTION(name) __attribute__((section(name)))
#else
#define Q_SECTION(name)
#endif
/* Values that stay in registers, in this order with others; more than there are where nothing is optimised. */
#ifdef __OPTIMIZE__
#define Q_PIN(...) __asm__ volatile("" : __VA_ARGS__)
#else
#define Q_PIN(...) (void)0
#endif

)";

LogicalResult mlir::qtensor::emitC(ModuleOp module, const FirmwareRecord &target, StringRef entry,
                                   ArrayRef<ConstantSection> sections, llvm::raw_ostream &os) {
  CFile file(target.c);
  std::string prototypes, bodies;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
    CFunction emitter(function, file);
    if (function.isExternal()) {
      prototypes += emitter.getPrototype(function.getSymName(), "extern ") + ";\n";
      continue;
    }
    bool isEntry = function.getSymName() == entry;
    std::string prototype = emitter.getPrototype(isEntry ? StringRef(kSourceEntry) : function.getSymName(),
                                                 isEntry ? "static " : "static __attribute__((noinline)) ");
    if (failed(emitter.run()))
      return failure();
    prototypes += prototype + ";\n";
    bodies += "\n" + prototype + " {\n" + emitter.getBody() + "}\n";
  }
  os << kMacros;
  for (const CLibrary &library : target.c.libraries)
    if (file.libraries.count(&library))
      os << library.text.text() << "\n";
  if (file.libraries.count(&floatLibrary()))
    os << floatDefinitions() << "\n";
  for (auto &[name, text] : file.types.getDefinitions())
    os << text << "\n";
  os << "\n";
  for (auto global : module.getOps<LLVM::GlobalOp>())
    if (failed(writeGlobal(global, sections, os)))
      return failure();
  os << "\n" << prototypes << bodies;
  return success();
}
