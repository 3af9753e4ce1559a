// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Feeds a reader the files of a corpus and a fixed number of deterministic mutations of them. A crash ends the process;
// a reader that fails without an error, or with more than one, is reported with the seed that shows it.
#include "mlir/IR/DialectRegistry.h"
#include "qtensor/InitAll.h"
#include "test/tools/qtensor-fuzz/Readers.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/PrettyStackTrace.h"
#include "llvm/Support/raw_ostream.h"
#include <memory>
#include <vector>

using namespace mlir;
namespace cl = llvm::cl;

namespace {
cl::opt<std::string> reader(cl::Positional, cl::desc("<onnx|tflite|safetensors|npy|mlir>"), cl::Required);
cl::list<std::string> corpus(cl::Positional, cl::desc("<file>..."), cl::OneOrMore);
cl::opt<unsigned> mutations("mutations", cl::desc("Mutations of each file"), cl::init(200));
cl::opt<uint64_t> seed("seed", cl::desc("The first seed; mutation i has seed + i"), cl::init(1));
cl::opt<bool> once("once", cl::desc("Only the mutation of --seed, to reproduce a finding"));
cl::opt<std::string> save("save", cl::desc("Where to write the bytes of the last mutation"), cl::value_desc("file"));

/// splitmix64: the same numbers everywhere.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed * 0x9e3779b97f4a7c15) {}
  uint64_t next() {
    state += 0x9e3779b97f4a7c15;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  size_t below(size_t limit) { return limit ? next() % limit : 0; }

private:
  uint64_t state;
};

void mutateOnce(std::string &bytes, Random &random) {
  static const uint64_t interesting[] = {
      0, 1, 0x7f, 0x80, 0xff, 0x7fffffff, 0x80000000, ~uint64_t(0), uint64_t(1) << 63};
  size_t at = random.below(bytes.size()), length = std::min(bytes.size() - at, 1 + random.below(16));
  if (bytes.empty())
    return;
  switch (random.below(6)) {
  case 0: // a flipped bit
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
    return;
  case 1: // any byte
    bytes[at] = static_cast<char>(random.next());
    return;
  case 2: { // a number at a limit
    uint64_t number = interesting[random.below(std::size(interesting))];
    std::memcpy(bytes.data() + at, &number, std::min<size_t>(length, sizeof(number)));
    return;
  }
  case 3:
    bytes.erase(at, length);
    return;
  case 4: // something twice
    bytes.insert(random.below(bytes.size()), bytes.substr(at, length));
    return;
  default: // the end is missing, rarely
    if (random.below(4) == 0)
      bytes.resize(at);
    else
      bytes[at] = static_cast<char>(bytes[at] + 1);
  }
}

std::string mutate(StringRef original, uint64_t seed) {
  Random random(seed);
  std::string bytes = original.str();
  for (size_t i = 0, count = 1 + random.below(4); i < count; ++i)
    mutateOnce(bytes, random);
  return bytes;
}

class Session {
public:
  Session() { qtensor::registerAll(registry); }

  bool check(StringRef file, StringRef bytes, StringRef what) {
    std::string trace = ("reading " + what + " of " + file).str();
    llvm::PrettyStackTraceString onCrash(trace.c_str());
    if (!context || runs % 64 == 0) // contexts keep what was read into them
      context = std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
    bool crashed = false;
    std::string complaint = qtensor::readUntrusted(reader, bytes, *context, crashed);
    ++runs;
    if (crashed) // in MLIR's parser: nothing can be said of the context any more
      (void)context.release();
    if (!complaint.empty())
      llvm::errs() << file << ", " << what << ": " << complaint << "\n";
    return complaint.empty();
  }

  unsigned runs = 0;

private:
  DialectRegistry registry;
  std::unique_ptr<MLIRContext> context;
};

void saveBytes(StringRef bytes) {
  std::error_code code;
  llvm::raw_fd_ostream os(save, code);
  if (!code)
    os << bytes;
}
} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv, "Feeds a reader damaged files\n");
  if (!qtensor::isReader(reader)) {
    llvm::errs() << "error: '" << reader << "' is no reader\n";
    return 1;
  }
  Session session;
  unsigned complaints = 0;
  for (const std::string &file : corpus) {
    auto buffer = llvm::MemoryBuffer::getFile(file, /*IsText=*/false, /*RequiresNullTerminator=*/false);
    if (!buffer) {
      llvm::errs() << "error: '" << file << "' can't be read: " << buffer.getError().message() << "\n";
      return 1;
    }
    StringRef original = (*buffer)->getBuffer();
    if (!once)
      complaints += !session.check(file, original, "the original");
    for (unsigned i = 0, count = once ? 1 : mutations; i < count; ++i) {
      std::string bytes = mutate(original, seed + i);
      if (!save.empty())
        saveBytes(bytes);
      complaints += !session.check(file, bytes, "mutation " + std::to_string(seed + i));
    }
  }
  llvm::outs() << reader << ": " << corpus.size() << " files, " << session.runs << " runs, " << complaints
               << " complaints\n";
  return complaints ? 1 : 0;
}
