// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The reader of .tflite bytes alone, without MLIR, under the address and undefined-behaviour sanitizers: reads the files
// that it is given and damaged copies of them until the time is up. A sanitizer's report ends the process.
#include "lib/Import/TFLite/Composites.h"
#include "lib/Import/TFLite/Model.h"
#include "llvm/Support/MemoryBuffer.h"
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

using namespace mlir::qtensor::tflite;

/// A few edits: bytes, words that look like offsets or sizes, truncation, a stretch of the file over another one.
static std::string damage(const std::string &file, std::mt19937_64 &random) {
  std::string bytes = file;
  for (uint64_t edits = 1 + random() % 4; edits > 0 && !bytes.empty(); --edits) {
    size_t at = random() % bytes.size();
    static const uint32_t words[] = {0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFF, 4, 0x10000};
    uint32_t word = random() % 2 ? words[random() % std::size(words)] : uint32_t(random() % (2 * bytes.size()));
    switch (random() % 5) {
    case 0:
      bytes[at] = char(random());
      break;
    case 1:
      bytes[at] ^= char(1u << (random() % 8));
      break;
    case 2:
      at &= ~size_t(3);
      std::memcpy(bytes.data() + at, &word, std::min<size_t>(4, bytes.size() - at));
      break;
    case 3:
      if (random() % 4 == 0)
        bytes.resize(at);
      break;
    default: {
      size_t from = random() % bytes.size(), length = std::min(random() % 64, bytes.size() - std::max(at, from));
      std::memmove(bytes.data() + at, bytes.data() + from, length);
    }
    }
  }
  return bytes;
}

/// Reads an exact copy on the heap, so that one byte behind its end is found. True when the reader kept its word: a model
/// without a report, or nothing and one report.
static bool read(const std::string &bytes) {
  std::vector<char> copy(bytes.begin(), bytes.end());
  unsigned reports = 0;
  auto report = [&](const llvm::Twine &what) { reports += !what.str().empty(); };
  std::unique_ptr<Model> model = readModel("fuzz.tflite", llvm::StringRef(copy.data(), copy.size()), nullptr, report);
  if (!model)
    return reports == 1;
  if (!inlineComposites(*model, report))
    return reports == 1;
  // What the model refers to must be readable.
  unsigned sum = 0;
  for (const Graph &graph : model->graphs)
    for (const Tensor &tensor : graph.tensors)
      for (char byte : tensor.data)
        sum += uint8_t(byte);
  static volatile unsigned sink;
  sink = sum;
  return reports == 0;
}

int main(int argc, char **argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: qtensor-tflite-reader <seconds> <runs> <file>...   ends at whichever comes first\n");
    return 2;
  }
  double seconds = std::atof(argv[1]);
  long most = std::atol(argv[2]), runs = 0;
  std::vector<std::string> corpus;
  for (int i = 3; i < argc; ++i) {
    auto file = llvm::MemoryBuffer::getFile(argv[i], false, false);
    if (!file) {
      std::fprintf(stderr, "qtensor-tflite-reader: cannot read '%s'\n", argv[i]);
      return 2;
    }
    corpus.push_back((*file)->getBuffer().str());
    if (!read(corpus.back()))
      return std::printf("%s breaks the rule\n", argv[i]), 1;
  }
  std::mt19937_64 random(1);
  auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  for (; runs < most && std::chrono::steady_clock::now() < end; ++runs)
    if (!read(damage(corpus[random() % corpus.size()], random)))
      return std::printf("run %ld breaks the rule: a model, or one report\n", runs), 1;
  std::printf("%zu files, %ld damaged copies, no finding\n", corpus.size(), runs);
  return 0;
}
