// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The door for IR of unknown origin.
#include "lib/Import/ProbeBytecode.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "qtensor/Import.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace mlir::qtensor;

/// Deeper brackets are refused: the parser recurses for each. Real models stay below a few dozen.
static constexpr int64_t kMaxNesting = 512;
/// More diagnostic handlers than a parser registers.
static constexpr unsigned kParserHandlers = 8;
/// Of the thread that parses; enough for kMaxNesting.
static constexpr unsigned kStackBytes = 64u << 20;

/// The offset at which brackets nest too deeply, or nothing. Brackets in strings count too, which is harmless.
static std::optional<size_t> findDeepNesting(StringRef text) {
  int64_t depth = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (StringRef("([{<").contains(c))
      ++depth;
    else if (StringRef(")]}>").contains(c) && depth && !(c == '>' && i && text[i - 1] == '-'))
      --depth;
    if (depth > kMaxNesting)
      return i;
  }
  return std::nullopt;
}

/// Bytecode wants its buffer aligned as its sections are; files that are read, not mapped, lie anywhere.
static std::unique_ptr<llvm::MemoryBuffer> align(std::unique_ptr<llvm::MemoryBuffer> buffer) {
  const llvm::Align wanted(4096);
  if (llvm::isAddrAligned(wanted, buffer->getBufferStart()))
    return buffer;
  auto copy = llvm::WritableMemoryBuffer::getNewUninitMemBuffer(buffer->getBufferSize(), buffer->getBufferIdentifier(),
                                                                wanted);
  llvm::copy(buffer->getBuffer(), copy->getBufferStart());
  return copy;
}

OwningOpRef<ModuleOp> mlir::qtensor::readIR(std::unique_ptr<llvm::MemoryBuffer> buffer, MLIRContext *context) {
  Location file = FileLineColLoc::get(context, buffer->getBufferIdentifier(), 0, 0);
  constexpr StringLiteral kBytecodeMagic("ML\xefR");
  bool isText = !buffer->getBuffer().starts_with(kBytecodeMagic);
  if (isText)
    if (std::optional<size_t> offset = findDeepNesting(buffer->getBuffer())) {
      emitError(file) << "at byte " << *offset << ": more than " << kMaxNesting << " open brackets";
      return nullptr;
    }
  if (!isText) {
    buffer = align(std::move(buffer));
    ProbeResult probe = probeBytecode(*buffer, context->getDialectRegistry());
    if (probe != ProbeResult::Returns) {
      emitError(file) << "the bytecode reader of MLIR "
                      << (probe == ProbeResult::Crashes ? "crashes on it" : "does not come to an end with it")
                      << ": this is no valid bytecode";
      return nullptr;
    }
  }
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  OwningOpRef<ModuleOp> module;
  // Handlers that the parser registers lie on its stack, which a crash leaves: their numbers follow this one's.
  DiagnosticEngine &engine = context->getDiagEngine();
  DiagnosticEngine::HandlerID first = engine.registerHandler([](Diagnostic &) { return failure(); });
  llvm::CrashRecoveryContext::Enable();
  llvm::CrashRecoveryContext recovery;
  recovery.DumpStackAndCleanupOnFailure = false;
  bool survived =
      recovery.RunSafelyOnThread([&] { module = parseSourceFile<ModuleOp>(sources, context); }, kStackBytes);
  llvm::CrashRecoveryContext::Disable();
  engine.eraseHandler(first);
  if (survived)
    return module;
  for (unsigned next = 1; next <= kParserHandlers; ++next)
    engine.eraseHandler(first + next);
  emitError(file) << "the parser of MLIR crashed on it: this is no valid " << (isText ? "IR" : "bytecode");
  return nullptr;
}
