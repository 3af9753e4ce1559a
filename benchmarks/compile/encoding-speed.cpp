// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How fast values become codes and parameters. usage: encoding-speed [--size=4096] [--repeat=5] [format ...]
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "qtensor/Encode.h"
#include "qtensor/InitAll.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/xxhash.h"
#include <chrono>
#include <limits>

namespace cl = llvm::cl;
using namespace mlir;
using namespace mlir::qtensor;

static cl::opt<int64_t> extent("size", cl::desc("N and K of the matrix (default 4096)"), cl::init(4096));
static cl::opt<int> repeat("repeat", cl::desc("The best of so many runs counts (default 5)"), cl::init(5));
static cl::list<std::string> formats(cl::Positional, cl::desc("formats, as --weights of quant-compile takes them"));

static double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Sums of four uniform numbers: about as weights are spread.
static std::vector<float> makeValues(int64_t count) {
  std::vector<float> values(count);
  uint32_t state = 1;
  for (float &value : values) {
    value = 0;
    for (int i = 0; i < 4; ++i) {
      state = state * 1664525 + 1013904223;
      value += float(int32_t(state)) * 0x1p-33f;
    }
  }
  return values;
}

/// Millions of values a second, 0 after a diagnostic; `hash` becomes that of all components.
static double measure(ArrayRef<float> values, const FormatChoice &format, bool parallel, uint64_t &hash,
                      EmitErrorFn emitError) {
  EncodeOptions options;
  options.encoder = format.encoder;
  options.parallel = parallel;
  double best = std::numeric_limits<double>::infinity();
  for (int run = 0; run < repeat; ++run) {
    double start = now();
    FailureOr<std::vector<ComponentBytes>> components =
        encodeTensor(values, {extent, extent}, cast<BlockAttr>(format.encoding), options, emitError);
    if (failed(components))
      return 0;
    best = std::min(best, now() - start);
    hash = 0;
    for (const ComponentBytes &bytes : *components)
      hash = hash * 31 + llvm::xxh3_64bits(StringRef(bytes.data(), bytes.size()));
  }
  return double(values.size()) / best * 1e-6;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv, "Times the encoding of a square matrix of weights\n");
  DialectRegistry registry;
  registerAll(registry);
  MLIRContext context(registry);
  context.loadDialect<QTensorDialect>();
  std::vector<std::string> names(formats.begin(), formats.end());
  if (names.empty())
    names = {"int4/32", "int8/channel", "int8/32", "nf4/64", "dynamic8/256", "mxfp4", "int4/32@mse", "nf4/64@mse"};
  std::vector<float> values = makeValues(extent * extent);
  auto report = [&] { return mlir::emitError(UnknownLoc::get(&context)); };
  llvm::outs() << "format               one core   all cores  (M values/s)   hash of the components\n";
  for (const std::string &name : names) {
    FailureOr<FormatChoice> format = parseFormatSpelling(&context, name, 2, {1}, report);
    if (failed(format))
      return 1;
    uint64_t hash = 0, hashOfAll = 0;
    double one = measure(values, *format, false, hash, report), all = measure(values, *format, true, hashOfAll, report);
    if (one == 0 || all == 0)
      return 1;
    if (hash != hashOfAll)
      return report() << name << ": one core and all cores do not agree", 1;
    llvm::outs() << llvm::formatv("{0,-20} {1,8:f0} {2,11:f0} {3,30:x-}\n", name, one, all, hash);
  }
  return 0;
}
