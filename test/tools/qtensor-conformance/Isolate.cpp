// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Isolate.h"
#include "llvm/ADT/StringExtras.h"
#include <cstdio>
#include <cstring>
#include <deque>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::conformance;

static constexpr unsigned kSeconds = 120;

namespace {
struct Child {
  pid_t process;
  FILE *file; ///< Unnamed; the child writes its result there.
  ArrayRef<CellData> cells;
};
} // namespace

static void write(const CheckResult &result, FILE *file) {
  fprintf(file, "counts %u %u %u\n", result.passed, result.failed, result.integer);
  for (const std::string &level : result.levels)
    fprintf(file, "level %s\n", level.c_str());
  for (std::string message : result.messages) {
    std::replace(message.begin(), message.end(), '\n', ' ');
    fprintf(file, "message %s\n", message.c_str());
  }
  fflush(file);
}

static CheckResult read(FILE *file) {
  std::string text;
  rewind(file);
  for (int c; (c = fgetc(file)) != EOF;)
    text += char(c);
  CheckResult result;
  SmallVector<StringRef> lines;
  StringRef(text).split(lines, '\n', -1, false);
  for (StringRef line : lines) {
    auto [key, value] = line.split(' ');
    if (key == "counts")
      sscanf(value.str().c_str(), "%u %u %u", &result.passed, &result.failed, &result.integer);
    else if (key == "level")
      result.levels.push_back(value.str());
    else if (key == "message")
      result.messages.push_back(value.str());
  }
  return result;
}

static Child start(MLIRContext *context, ArrayRef<CellData> cells, const CheckOptions &options) {
  Child child{-1, tmpfile(), cells};
  fflush(stdout);
  llvm::outs().flush();
  if (!child.file || (child.process = fork()) != 0)
    return child;
  rlimit core{0, 0};
  setrlimit(RLIMIT_CORE, &core);
  for (int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE})
    ::signal(signal, SIG_DFL); // no stack is printed: a crash is a result here
  (void)!freopen("/dev/null", "w", stderr);
  alarm(kSeconds);
  write(checkCells(context, cells, options), child.file);
  _exit(0);
}

/// The result of a child; a crash of a single cell is a failure of that cell.
static std::optional<CheckResult> finish(const Child &child) {
  int status = 0;
  CheckResult result;
  bool ended = child.process > 0 && waitpid(child.process, &status, 0) == child.process;
  if (ended && WIFEXITED(status) && WEXITSTATUS(status) == 0)
    result = read(child.file);
  if (child.file)
    fclose(child.file);
  if (result.passed + result.failed == child.cells.size())
    return result;
  if (child.cells.size() > 1)
    return std::nullopt;
  result.failed = 1;
  std::string why = !ended                        ? "no process could be started"
                    : !WIFSIGNALED(status)        ? "the process ended early"
                    : WTERMSIG(status) == SIGALRM ? "takes more than " + std::to_string(kSeconds) + " s"
                                                  : "crashes: " + std::string(strsignal(WTERMSIG(status)));
  result.messages.push_back(child.cells.front().cell.getName() + ": " + why);
  return result;
}

CheckResult conformance::checkIsolated(MLIRContext *context, ArrayRef<CellData> cells, size_t groupSize, unsigned jobs,
                                       const CheckOptions &options,
                                       llvm::function_ref<void(const CheckResult &)> report) {
  CheckResult total;
  std::deque<ArrayRef<CellData>> waiting;
  for (size_t begin = 0; begin < cells.size(); begin += groupSize)
    waiting.push_back(cells.slice(begin, std::min(groupSize, cells.size() - begin)));
  std::deque<Child> running;
  while (!waiting.empty() || !running.empty()) {
    while (!waiting.empty() && running.size() < jobs) {
      running.push_back(start(context, waiting.front(), options));
      waiting.pop_front();
    }
    Child child = running.front();
    running.pop_front();
    if (std::optional<CheckResult> result = finish(child)) {
      report(*result);
      total.add(*result);
      continue;
    }
    for (size_t i = child.cells.size(); i--;)
      waiting.push_front(child.cells.slice(i, 1));
  }
  return total;
}
