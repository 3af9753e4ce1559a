// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Decode attention: one token against a full cache, the bytes of cache read in a second as a fraction of the read
// bandwidth measured in the same run. usage: attention [--tokens 4096] [--threads 1] [--seconds 0.4] [--case TEXT] [--copies N]
// --case leaves the rows with that text, "32/8 int8" say; one copy of a short cache (--copies 1 --tokens 256) stays in the
// processor's and shows what the instructions cost.
// QB_COMPILER is the quant-compile to use, QB_MODELS a folder for the artifacts. What runs is a model that writes the token
// into its cache and attends to all tokens, compiled like any other and called through the C interface.
#include "lib/Runtime/qtensor_abi.h"
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <immintrin.h>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <time.h>
#include <vector>

namespace {
constexpr int kWidth = 128;
constexpr size_t kHugePage = 2 << 20;

struct Case {
  int heads, keyHeads;
  const char *name, *options;
  double bits; ///< Of an element of the cache, scales included.
};

struct model_handle;
struct Model {
  qt_status (*open)(const qt_weights *, const qt_options *, model_handle **);
  qt_status (*shapes)(const model_handle *, const qt_tensor *, qt_tensor *, size_t *);
  qt_status (*run)(const model_handle *, void *, const qt_tensor *, const qt_tensor *, void *);
  size_t (*stateSize)(const model_handle *);
  void (*stateInit)(const model_handle *, void *);
};

} // namespace

/// Where the position lies in a state: it is the first state, behind the head (lib/Runtime/qtrt.h).
constexpr int kPositionOffset = 64;

static void setPosition(char *state, int64_t position) { memcpy(state + kPositionOffset, &position, sizeof position); }

static const Case cases[] = {
    {32, 32, "f32", "", 32},
    {32, 32, "int8/token", "--caches=int8/token/f16 --activations=int8/token", 8.125},
    {32, 32, "int4/token", "--caches=int4/token/f16 --activations=int8/token", 4.125},
    {32, 32, "int4/32", "--caches=int4/32/f16 --activations=int8/token", 4.5},
    {32, 32, "int8/token, float", "--caches=int8/token/f16", 8.125},
    {32, 8, "f32", "", 32},
    {32, 8, "int8/token", "--caches=int8/token/f16 --activations=int8/token", 8.125},
    {32, 8, "int4/token", "--caches=int4/token/f16 --activations=int8/token", 4.125},
    {32, 8, "int4/32", "--caches=int4/32/f16 --activations=int8/token", 4.5},
    {32, 8, "int8/token, float", "--caches=int8/token/f16", 8.125},
};

static double now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

static char *allocate(size_t size) {
  size = (size + kHugePage - 1) / kHugePage * kHugePage;
  auto *p = static_cast<char *>(aligned_alloc(kHugePage, size));
  madvise(p, size, MADV_HUGEPAGE);
  memset(p, 1, size);
  return p;
}

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

static const char kModule[] = R"(#q = affine_map<(g, r, t, d) -> (g, r, d)>
#k = affine_map<(g, r, t, d) -> (g, t, d)>
#s = affine_map<(g, r, t, d) -> (g, r, t)>
#w = affine_map<(g, r, d, t) -> (g, r, t)>
#v = affine_map<(g, r, d, t) -> (g, t, d)>
#y = affine_map<(g, r, d, t) -> (g, r, d)>
#all = affine_map<(g, r, t) -> (g, r, t)>
#row = affine_map<(g, r, t) -> (g, r)>
func.func @main(%q: QUERY {qtensor.name = "q"}, %k: TOKEN {qtensor.name = "k"}, %v: TOKEN {qtensor.name = "v"},
    %position: tensor<1xi64> {qtensor.name = "position", qtensor.state = "position"},
    %keys: CACHE {qtensor.name = "keys", qtensor.state = "keys"}, %values: CACHE {qtensor.name = "values", qtensor.state = "values"})
    -> (QUERY {qtensor.name = "y"}, tensor<1xi64> {qtensor.name = "p", qtensor.state = "position"},
        CACHE {qtensor.name = "nk", qtensor.state = "keys"}, CACHE {qtensor.name = "nv", qtensor.state = "values"}) {
  %c0 = arith.constant 0 : index
  %one = arith.constant 1 : i64
  %zero = arith.constant 0.0 : f32
  %scale = arith.constant 0.088388346 : f32
  %low = arith.constant 0xFF800000 : f32
  %p = tensor.extract %position[%c0] : tensor<1xi64>
  %at = arith.index_cast %p : i64 to index
  %more = arith.addi %p, %one : i64
  %next = tensor.insert %more into %position[%c0] : tensor<1xi64>
  %allk = tensor.insert_slice %k into %keys[0, %at, 0] [KEYHEADS, 1, 128] [1, 1, 1] : TOKEN into CACHE
  %allv = tensor.insert_slice %v into %values[0, %at, 0] [KEYHEADS, 1, 128] [1, 1, 1] : TOKEN into CACHE
  %es = tensor.empty() : SCORES
  %er = tensor.empty() : ROWS
  %ey = tensor.empty() : QUERY
  %fs = linalg.fill ins(%zero : f32) outs(%es : SCORES) -> SCORES
  %fr = linalg.fill ins(%zero : f32) outs(%er : ROWS) -> ROWS
  %lr = linalg.fill ins(%low : f32) outs(%er : ROWS) -> ROWS
  %fy = linalg.fill ins(%zero : f32) outs(%ey : QUERY) -> QUERY
  %scores = linalg.generic {indexing_maps = [#q, #k, #s], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %allk : QUERY, CACHE) outs(%fs : SCORES) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %m = arith.mulf %a, %b : f32
      %r = arith.addf %o, %m : f32
      linalg.yield %r : f32
  } -> SCORES
  %masked = linalg.generic {indexing_maps = [#all, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%scores : SCORES) outs(%es : SCORES) {
    ^bb0(%a: f32, %o: f32):
      %j = linalg.index 2 : index
      %seen = arith.cmpi ule, %j, %at : index
      %m = arith.mulf %a, %scale : f32
      %r = arith.select %seen, %m, %low : f32
      linalg.yield %r : f32
  } -> SCORES
  %top = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%masked : SCORES) outs(%lr : ROWS) {
    ^bb0(%a: f32, %o: f32):
      %r = arith.maximumf %o, %a : f32
      linalg.yield %r : f32
  } -> ROWS
  %raised = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%masked, %top : SCORES, ROWS) outs(%es : SCORES) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %x = arith.subf %a, %b : f32
      %r = math.exp %x : f32
      linalg.yield %r : f32
  } -> SCORES
  %total = linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%raised : SCORES) outs(%fr : ROWS) {
    ^bb0(%a: f32, %o: f32):
      %r = arith.addf %o, %a : f32
      linalg.yield %r : f32
  } -> ROWS
  %weights = linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%raised, %total : SCORES, ROWS) outs(%es : SCORES) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %r = arith.divf %a, %b : f32
      linalg.yield %r : f32
  } -> SCORES
  %y = linalg.generic {indexing_maps = [#w, #v, #y], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%weights, %allv : SCORES, CACHE) outs(%fy : QUERY) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %m = arith.mulf %a, %b : f32
      %r = arith.addf %o, %m : f32
      linalg.yield %r : f32
  } -> QUERY
  return %y, %next, %allk, %allv : QUERY, tensor<1xi64>, CACHE, CACHE
}
)";

static void replaceAll(std::string &text, const std::string &from, const std::string &to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

static std::string tensor(std::initializer_list<int> shape) {
  std::string text = "tensor<";
  for (int extent : shape)
    text += std::to_string(extent) + "x";
  return text + "f32>";
}

/// Compiles the model of a case; the folder with its artifact, or empty after a line on stderr.
static std::string compile(const Case &c, int tokens) {
  const char *compiler = getenv("QB_COMPILER"), *models = getenv("QB_MODELS");
  std::string name = std::string("attention-") + std::to_string(c.heads) + "-" + std::to_string(c.keyHeads) + "-" + c.name;
  std::replace_if(name.begin(), name.end(), [](char x) { return x == '/' || x == ' ' || x == ','; }, '-');
  std::string folder = std::string(models ? models : ".") + "/" + name, text = kModule;
  int group = c.heads / c.keyHeads;
  replaceAll(text, "QUERY", tensor({c.keyHeads, group, kWidth}));
  replaceAll(text, "TOKEN", tensor({c.keyHeads, 1, kWidth}));
  replaceAll(text, "CACHE", tensor({c.keyHeads, tokens, kWidth}));
  replaceAll(text, "SCORES", tensor({c.keyHeads, group, tokens}));
  replaceAll(text, "ROWS", tensor({c.keyHeads, group}));
  replaceAll(text, "KEYHEADS", std::to_string(c.keyHeads));
  FILE *file = fopen((folder + ".mlir").c_str(), "w");
  if (!file)
    return fprintf(stderr, "attention: cannot write %s.mlir\n", folder.c_str()), "";
  fputs(text.c_str(), file);
  fclose(file);
  std::string command = std::string("'") + (compiler ? compiler : "quant-compile") + "' '" + folder + ".mlir' --name=step " + c.options +
                        " -o '" + folder + "'";
  if (system(command.c_str()) == 0)
    return folder;
  return fprintf(stderr, "attention: failed: %s\n", command.c_str()), "";
}

template <class Function>
static bool bind(void *object, const char *symbol, Function &function) {
  function = reinterpret_cast<Function>(dlsym(object, symbol));
  return function;
}

static bool load(const std::string &folder, Model &model) {
  void *object = dlopen((folder + "/libstep.so").c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!object)
    return fprintf(stderr, "attention: %s\n", dlerror()), false;
  return bind(object, "step_open", model.open) && bind(object, "step_shapes", model.shapes) && bind(object, "step_run", model.run) &&
         bind(object, "step_state_size", model.stateSize) && bind(object, "step_state_init", model.stateInit);
}

//===----------------------------------------------------------------------===//
// The race
//===----------------------------------------------------------------------===//

static volatile int sink;

/// Four streams, the fastest pattern on the machines we know.
static void readAll(const char *p, size_t size) {
  __m256i sums[4] = {};
  size_t part = size / 4 / 256 * 256;
  for (size_t i = 0; i < part; i += 128)
    for (int stream = 0; stream < 4; ++stream)
      for (int j = 0; j < 4; ++j)
        sums[j] = _mm256_or_si256(sums[j], _mm256_loadu_si256(reinterpret_cast<const __m256i *>(p + stream * part + i + 32 * j)));
  sink = _mm256_extract_epi32(_mm256_or_si256(_mm256_or_si256(sums[0], sums[1]), _mm256_or_si256(sums[2], sums[3])), 0);
}

static void readTogether(const char *p, size_t size, int threads) {
  std::vector<std::thread> others;
  for (int t = 1; t < threads; ++t)
    others.emplace_back([=] { readAll(p + t * (size / threads), size / threads); });
  readAll(p, size / threads);
  for (std::thread &other : others)
    other.join();
}

static double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Writes 512 tokens all over one cache and copies it; the others stay zero, which costs as much to read.
static bool fill(const Model &model, const model_handle *handle, std::vector<char *> &caches, qt_tensor *in, qt_tensor *out,
                 void *scratch, size_t size, int tokens) {
  uint32_t random = 1;
  model.stateInit(handle, caches[0]);
  for (int t = 0; t < 512; ++t) {
    for (int i = 0; i < 3; ++i)
      for (int64_t e = 0; e < in[i].shape[0] * in[i].shape[1] * in[i].shape[2]; ++e) {
        random = random * 1664525 + 1013904223;
        static_cast<float *>(in[i].data)[e] = static_cast<int32_t>(random) * 0x1p-31f;
      }
    setPosition(caches[0], int64_t(t) * tokens / 512);
    if (model.run(handle, caches[0], in, out, scratch) != QT_OK)
      return false;
  }
  for (size_t i = 1; i < caches.size(); ++i)
    memcpy(caches[i], caches[0], size);
  return true;
}

static void race(const Case &c, int tokens, int threads, double seconds, int copies) {
  std::string folder = compile(c, tokens);
  Model model;
  if (folder.empty() || !load(folder, model))
    return;
  std::string weightsFile = folder + "/step.weights";
  qt_weights weights{weightsFile.c_str(), nullptr, 0};
  qt_options options{};
  options.threads = threads;
  options.report = [](void *, const char *text) { fprintf(stderr, "attention: %s\n", text); };
  model_handle *handle = nullptr;
  if (model.open(&weights, &options, &handle) != QT_OK)
    return;
  int group = c.heads / c.keyHeads;
  std::vector<float> q(c.heads * kWidth), k(c.keyHeads * kWidth), v(c.keyHeads * kWidth), y(c.heads * kWidth);
  qt_tensor in[3] = {{q.data(), QT_F32, 3, {c.keyHeads, group, kWidth}}, {k.data(), QT_F32, 3, {c.keyHeads, 1, kWidth}},
                     {v.data(), QT_F32, 3, {c.keyHeads, 1, kWidth}}};
  qt_tensor out = {y.data(), QT_F32, 3, {c.keyHeads, group, kWidth}};
  size_t scratchBytes = 0, size = model.stateSize(handle);
  model.shapes(handle, in, nullptr, &scratchBytes);
  void *scratch = aligned_alloc(64, (scratchBytes + 64) / 64 * 64);
  double bytes = 2.0 * c.keyHeads * tokens * kWidth * c.bits / 8;
  if (!copies)
    copies = std::max(2, static_cast<int>(std::ceil(300e6 / bytes)));
  std::vector<char *> caches(copies);
  for (char *&cache : caches)
    cache = allocate(size);
  char *other = allocate(300 << 20);
  if (!fill(model, handle, caches, in, &out, scratch, size, tokens))
    return;
  std::vector<double> ours, reads, ratios;
  double begin = now();
  for (int r = 0; now() - begin < seconds || r < 20; ++r) {
    char *cache = caches[r % copies];
    setPosition(cache, tokens - 1); // every step writes the last token
    size_t part = static_cast<size_t>(bytes) / 4096 * 4096, slices = (300 << 20) / part;
    double t0 = now();
    if (model.run(handle, cache, in, &out, scratch) != QT_OK)
      return;
    double t1 = now();
    readTogether(other + r % slices * part, part, threads);
    double t2 = now();
    ours.push_back(bytes / (t1 - t0) / 1e9);
    reads.push_back(part / (t2 - t1) / 1e9);
    ratios.push_back(ours.back() / reads.back());
  }
  printf("| %d/%d | %-18s | %7.0f us | %6.1f GB/s | %6.1f GB/s | %5.2f |\n", c.heads, c.keyHeads, c.name,
         bytes / median(ours) / 1e3, median(ours), median(reads), median(ratios));
  fflush(stdout);
  for (char *cache : caches)
    free(cache);
  free(other);
  free(scratch);
}

int main(int argc, char **argv) {
  int tokens = 4096, threads = 1, copies = 0;
  std::string only;
  double seconds = 0.4;
  for (int i = 1; i + 1 < argc; i += 2) {
    std::string name = argv[i];
    if (name == "--tokens")
      tokens = atoi(argv[i + 1]);
    else if (name == "--threads")
      threads = std::max(1, atoi(argv[i + 1]));
    else if (name == "--seconds")
      seconds = atof(argv[i + 1]);
    else if (name == "--copies")
      copies = std::max(1, atoi(argv[i + 1]));
    else if (name == "--case")
      only = argv[i + 1];
    else
      return fprintf(stderr, "usage: attention [--tokens 4096] [--threads 1] [--seconds 0.4] [--case TEXT] [--copies N]\n"), 2;
  }
  printf("%d tokens of context, heads of %d, %d thread(s)\n\n| heads | cache              |      step  | cache read  | bandwidth B | of B  |\n"
         "|---|---|---|---|---|---|\n", tokens, kWidth, threads);
  for (const Case &c : cases)
    if ((std::to_string(c.heads) + "/" + std::to_string(c.keyHeads) + " " + c.name).find(only) != std::string::npos)
      race(c, tokens, threads, seconds, copies);
}
