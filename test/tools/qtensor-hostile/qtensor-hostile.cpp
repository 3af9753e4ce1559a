// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Breaks the modules of a corpus in many small ways and runs each through the parser, the verifiers and the passes to
// C3, in a process of its own: a crash, a hang or a failure without a diagnostic is reported with the broken file.
#include "Hostile.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cl = llvm::cl;
using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::hostile;

static cl::OptionCategory category("Options of qtensor-hostile");
static cl::list<std::string> files(cl::Positional, cl::OneOrMore, cl::desc("<.mlir files; `// -----` splits them>"),
                                   cl::cat(category));
static cl::opt<unsigned> count("count", cl::desc("Broken copies of each module (default 20)"), cl::init(20),
                               cl::cat(category));
static cl::opt<uint64_t> seed("seed", cl::desc("Other damage (default 1)"), cl::init(1), cl::cat(category));
static cl::opt<bool> bytecode("bytecode", cl::desc("Break the bytecode instead of the text"), cl::cat(category));
static cl::opt<bool> asIs("as-is", cl::desc("Do not break anything"), cl::cat(category));
static cl::opt<std::string> keep("keep", cl::desc("Write inputs that are not handled to this folder"),
                                 cl::value_desc("folder"), cl::cat(category));

static constexpr unsigned kSeconds = 20;
static constexpr rlim_t kBytes = rlim_t(8) << 30;

namespace {
struct Verdict {
  bool handled;
  std::string text;
};
struct Totals {
  unsigned accepted = 0, refused = 0, bad = 0;
};
} // namespace

/// Exit codes of the child that are no crash.
enum : int { kAccepted = 10, kRefused = 11, kSilent = 12 };

/// Processes `input` in a child with limited time and memory.
static int runChild(MLIRContext &context, StringRef input) {
  pid_t child = fork();
  if (child == 0) {
    rlimit memory{kBytes, kBytes}, core{0, 0};
    setrlimit(RLIMIT_AS, &memory);
    setrlimit(RLIMIT_CORE, &core);
    alarm(kSeconds);
    if (keep.empty()) { // else the stack of a crash is of interest
      (void)!freopen("/dev/null", "w", stderr);
    }
    std::string message;
    Outcome outcome = process(context, input, message);
    _exit(outcome == Outcome::Accepted ? kAccepted : outcome == Outcome::Refused ? kRefused : kSilent);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child)
    return -1;
  return status;
}

static Verdict judge(int status, Totals &totals) {
  if (status == -1)
    return {false, "no process could be started"};
  if (WIFSIGNALED(status)) {
    int signal = WTERMSIG(status);
    return {false, signal == SIGALRM ? "takes more than " + std::to_string(kSeconds) + " s"
                                     : "crashes: " + std::string(strsignal(signal))};
  }
  switch (WEXITSTATUS(status)) {
  case kAccepted:
    ++totals.accepted;
    return {true, ""};
  case kRefused:
    ++totals.refused;
    return {true, ""};
  case kSilent:
    return {false, "fails without a diagnostic"};
  default:
    return {false, "ends the process with code " + std::to_string(WEXITSTATUS(status))};
  }
}

static void keepInput(StringRef input, unsigned number) {
  std::error_code code = llvm::sys::fs::create_directories(keep);
  llvm::raw_fd_ostream os((keep + "/" + Twine(number) + (bytecode ? ".mlirbc" : ".mlir")).str(), code);
  if (!code)
    os << input;
}

/// The modules of all files.
static std::vector<std::string> readCorpus() {
  std::vector<std::string> modules;
  for (const std::string &path : files) {
    std::string error;
    auto buffer = openInputFile(path, &error);
    if (!buffer) {
      llvm::errs() << "qtensor-hostile: " << error << "\n";
      return {};
    }
    SmallVector<StringRef> parts;
    buffer->getBuffer().split(parts, "// -----");
    for (StringRef part : parts)
      modules.push_back(part.str());
  }
  return modules;
}

int main(int argc, char **argv) {
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, "Feeds broken IR to the compiler\n");
  std::unique_ptr<MLIRContext> context = makeContext();
  std::vector<std::string> corpus = readCorpus();
  if (corpus.empty())
    return 1;
  Totals totals;
  for (auto [index, text] : llvm::enumerate(corpus)) {
    std::string bytes = bytecode ? toBytecode(*context, text) : "";
    for (unsigned i = 0, last = asIs ? 1 : count; i < last && (!bytecode || !bytes.empty()); ++i) {
      uint64_t number = seed * 1000003 + i;
      std::string input = asIs       ? (bytecode ? bytes : text)
                          : bytecode ? mutateBytes(bytes, number)
                                     : mutateText(text, corpus, number);
      Verdict verdict = judge(runChild(*context, input), totals);
      if (verdict.handled)
        continue;
      llvm::outs() << "module " << index << ", copy " << i << ": " << verdict.text << "\n";
      if (!keep.empty())
        keepInput(input, totals.bad);
      ++totals.bad;
    }
  }
  llvm::outs() << totals.accepted << " accepted, " << totals.refused << " refused with a diagnostic, " << totals.bad
               << " not handled\n";
  return totals.bad || totals.accepted + totals.refused == 0 ? 1 : 0;
}
