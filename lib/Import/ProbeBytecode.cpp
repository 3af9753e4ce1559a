// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/ProbeBytecode.h"
#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/IR/Block.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include <csignal>
#include <fstream>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mlir;
using namespace mlir::qtensor;

/// Real files need a small part of these.
static constexpr uint64_t kSpareBytes = uint64_t(2) << 30, kBytesPerByte = 64, kSeconds = 10, kBytesPerSecond = 4 << 20;

/// Address space of this process in bytes.
static uint64_t addressSpace() {
  uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

static void limit(decltype(RLIMIT_AS) resource, uint64_t value) {
  rlimit bounds = {};
  getrlimit(resource, &bounds);
  bounds.rlim_cur = std::min<rlim_t>(bounds.rlim_max, value);
  setrlimit(resource, &bounds);
}

/// The child's work. Signals end it; whatever the reader says is for the parent to find again.
[[noreturn]] static void readAndExit(llvm::MemoryBufferRef bytes, const DialectRegistry &registry, uint64_t seconds) {
  for (int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE, SIGALRM, SIGXCPU})
    std::signal(signal, SIG_DFL);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_AS, addressSpace() + kSpareBytes + kBytesPerByte * bytes.getBufferSize());
  limit(RLIMIT_CPU, seconds);
  alarm(static_cast<unsigned>(10 * seconds)); // of a busy machine
  close(STDERR_FILENO);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
  Block block;
  (void)readBytecodeFile(bytes, &block, ParserConfig(&context));
  _exit(0);
}

ProbeResult mlir::qtensor::probeBytecode(llvm::MemoryBufferRef bytes, const DialectRegistry &registry) {
  uint64_t seconds = kSeconds + bytes.getBufferSize() / kBytesPerSecond;
  pid_t child = fork();
  if (child == 0)
    readAndExit(bytes, registry, seconds);
  int status = 0;
  // Without a process to spare the reader gets the bytes unseen.
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFSIGNALED(status))
    return ProbeResult::Returns;
  int signal = WTERMSIG(status);
  return signal == SIGXCPU || signal == SIGALRM || signal == SIGKILL ? ProbeResult::Endless : ProbeResult::Crashes;
}
