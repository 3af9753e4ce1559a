// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How fast values become codes and parameters, and codes packed weights. usage: encoding-speed [--size=4096] [--repeat=5]
// [format ...]
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "lib/Formats/Lanes.h"
#include "lib/Transforms/Pack/Pack.h"
#include "qtensor/Codec.h"
#include "qtensor/Encode.h"
#include "qtensor/InitAll.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Parallel.h"
#include "llvm/Support/xxhash.h"
#include <chrono>
#include <cstring>
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

/// Seconds of the best run.
static double best(llvm::function_ref<bool()> run) {
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < repeat; ++i) {
    double start = now();
    if (!run())
      return std::numeric_limits<double>::infinity();
    least = std::min(least, now() - start);
  }
  return least;
}

/// Millions of values a second, 0 after a diagnostic; `hash` becomes that of all components.
static double measure(ArrayRef<float> values, const FormatChoice &format, bool parallel, uint64_t &hash,
                      EmitErrorFn emitError) {
  EncodeOptions options;
  options.encoder = format.encoder;
  options.parallel = parallel;
  FailureOr<std::vector<ComponentBytes>> components = failure();
  double seconds = best([&] {
    components = encodeTensor(values, {extent, extent}, cast<BlockAttr>(format.encoding), options, emitError);
    return succeeded(components);
  });
  hash = 0;
  for (const ComponentBytes &bytes : succeeded(components) ? *components : std::vector<ComponentBytes>())
    hash = hash * 31 + llvm::xxh3_64bits(StringRef(bytes.data(), bytes.size()));
  return double(values.size()) / seconds * 1e-6;
}

/// The same on one core from 16-bit numbers, a few rows at a time as the packer does it.
static double measureNarrow(ArrayRef<uint16_t> source, void (*read)(const char *, size_t, float *),
                            const FormatChoice &format, EmitErrorFn emitError) {
  auto encoding = cast<BlockAttr>(format.encoding);
  int64_t independent = getIndependentRows(encoding, format.encoder), rows = extent;
  for (; independent && rows > 16 && rows % 2 == 0 && rows / 2 % independent == 0;)
    rows /= 2;
  NearestCodes nearest;
  EncodeOptions options{format.encoder, /*parallel=*/false, &nearest};
  std::vector<float> values(rows * extent);
  double seconds = best([&] {
    for (int64_t row = 0; row < extent; row += rows) {
      read(reinterpret_cast<const char *>(source.data() + row * extent), values.size(), values.data());
      if (failed(encodeTensor(values, {rows, extent}, encoding, options, emitError)))
        return false;
    }
    return true;
  });
  return double(source.size()) / seconds * 1e-6;
}

/// Packs codes and f16 scales of a square matrix on one core; GB/s of what is read and written.
static double measurePacking(MLIRContext *context, unsigned bits, int64_t block, int64_t size) {
  std::vector<uint8_t> codes(size * size), scales(size * llvm::divideCeil(size, block) * 2);
  for (size_t i = 0; i < codes.size(); ++i)
    codes[i] = uint8_t(uint32_t(i) * 2654435761u >> 24) & ((1u << bits) - 1);
  auto layout = qtile::LayoutAttr::get(context, 64, std::min(block, size), IntegerType::get(context, bits),
                                       Float16Type::get(context), {}, {});
  PackSource source{size, size, codes, scales, {}, {}};
  std::vector<uint8_t> packed(layout.getBytes(size, size));
  std::string error;
  int64_t times = std::max<int64_t>(1, (int64_t(1) << 24) / (size * size));
  double seconds = best([&] {
    for (int64_t i = 0; i < times; ++i)
      if (failed(packWeight(layout, source, packed, error)))
        return false;
    return true;
  });
  return double(codes.size() + packed.size()) * double(times) / seconds * 1e-9;
}

/// The packer gets codes from the encoder, in the cache; alone it reads them from memory, as a copy does.
static void reportPacking(MLIRContext *context) {
  std::vector<char> from(extent * extent, 1), to(extent * extent);
  double copying = best([&] {
    std::memcpy(to.data(), from.data(), to.size());
    return to[to.size() / 2] == 1;
  });
  llvm::outs() << llvm::formatv("\nGB/s read and written   in the cache   in memory   (a copy in memory: {0:f1})\n",
                                2 * double(to.size()) / copying * 1e-9);
  llvm::parallel::strategy = llvm::hardware_concurrency(1);
  for (auto [bits, block] : {std::pair<unsigned, int64_t>(4, 32), {4, 64}, {3, 32}, {5, 32}, {6, 32}, {8, 4096}})
    llvm::outs() << llvm::formatv("packing {0} bits / {1,-6} {2,14:f1} {3,11:f1}\n", bits, block,
                                  measurePacking(context, bits, block, 512), measurePacking(context, bits, block, extent));
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv, "Times the encoding of a square matrix of weights\n");
  DialectRegistry registry;
  registerAll(registry);
  MLIRContext context(registry);
  context.loadDialect<QTensorDialect, qtile::QTileDialect>();
  std::vector<std::string> names(formats.begin(), formats.end());
  if (names.empty())
    names = {"int4/32", "int8/channel", "int8/32", "nf4/64", "dynamic8/256", "mxfp4", "int4/32@mse", "nf4/64@mse"};
  std::vector<float> values = makeValues(extent * extent);
  auto report = [&] { return mlir::emitError(UnknownLoc::get(&context)); };
  std::vector<uint16_t> halves(values.size()), brains(values.size());
  halvesOfFloats(values, halves.data());
  for (auto [brain, value] : llvm::zip_equal(brains, values))
    brain = uint16_t(llvm::bit_cast<uint32_t>(value) >> 16);
  llvm::outs() << "M values/s           one core   all cores   one core from f16   from bf16   hash of the components\n";
  for (const std::string &name : names) {
    FailureOr<FormatChoice> format = parseFormatSpelling(&context, name, 2, {1}, report);
    if (failed(format))
      return 1;
    uint64_t hash = 0, hashOfAll = 0;
    double one = measure(values, *format, false, hash, report), all = measure(values, *format, true, hashOfAll, report);
    double half = measureNarrow(halves, readHalves, *format, report), brain = measureNarrow(brains, readBrains, *format, report);
    if (one == 0 || all == 0 || half == 0 || brain == 0)
      return 1;
    if (hash != hashOfAll)
      return report() << name << ": one core and all cores do not agree", 1;
    llvm::outs() << llvm::formatv("{0,-20} {1,8:f0} {2,11:f0} {3,19:f0} {4,11:f0} {5,24:x-}\n", name, one, all, half, brain, hash);
  }
  reportPacking(&context);
  return 0;
}
