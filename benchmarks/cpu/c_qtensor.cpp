// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// QTensor's contender: writes y = x . W^T as a module, has quant-compile make a library of it, and calls that through
// the C interface that every user gets. The host's environment says where things are:
//   QB_COMPILER  the quant-compile to use
//   QB_MODELS    a folder for the artifacts; one that is newer than the compiler is used again
//   QB_FORMATS   a file with one row `bits weights activations [bias]` per format (formats.txt)
#include "Artifact.h"
#include "contender.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

using namespace artifact;

namespace {
struct Format {
  std::string name, weights, activations;
  double bits;
  bool hasBias; ///< A bias is added to the output, as most layers of models do.
};

struct Layer {
  Model model;
  int64_t N, K;
  int threads = 1;
  size_t weightBytes = 0;
  std::vector<void *> weights; ///< Copies of the weights file in memory.
  std::vector<model_handle *> handles;
  std::vector<float> y;
  qt_tensor input{}, output{};
  void *scratch = nullptr;
};
} // namespace

static std::vector<Format> &getFormats() {
  static std::vector<Format> formats = [] {
    std::vector<Format> list;
    const char *path = getenv("QB_FORMATS");
    std::ifstream file(path ? path : "formats.txt");
    for (std::string line; std::getline(file, line);) {
      std::istringstream words(line);
      Format format;
      if (line[0] != '#' && words >> format.bits >> format.weights >> format.activations) {
        std::string word;
        format.hasBias = words >> word && word == "bias";
        format.name = (format.weights == "none" ? "float" : format.weights) +
                      (format.activations == "none" ? "" : " x " + format.activations) + (format.hasBias ? " + bias" : "");
        list.push_back(format);
      }
    }
    return list;
  }();
  return formats;
}

/// Writes `count` floats as the hexadecimal text of a resource.
static void writeHex(FILE *file, const float *values, int64_t count) {
  std::string hex(count * 8, '0');
  const auto *bytes = reinterpret_cast<const unsigned char *>(values);
  for (int64_t i = 0; i < count * 4; ++i) {
    hex[2 * i] = "0123456789ABCDEF"[bytes[i] >> 4];
    hex[2 * i + 1] = "0123456789ABCDEF"[bytes[i] & 15];
  }
  fwrite(hex.data(), 1, hex.size(), file);
}

static void writeBias(FILE *file, long N) {
  fprintf(file,
          "  %%b = arith.constant dense_resource<b> : tensor<%ldxf32>\n"
          "  %%r = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (n)>,\n"
          "      affine_map<(m, n) -> (m, n)>], iterator_types = [\"parallel\", \"parallel\"]}\n"
          "      ins(%%y, %%b : tensor<?x%ldxf32>, tensor<%ldxf32>) outs(%%e : tensor<?x%ldxf32>) {\n"
          "  ^bb0(%%p: f32, %%q: f32, %%o: f32):\n"
          "    %%s = arith.addf %%p, %%q : f32\n"
          "    linalg.yield %%s : f32\n"
          "  } -> tensor<?x%ldxf32>\n",
          N, N, N, N, N);
}

/// One matmul on a constant weight, the module that any front end would write.
static bool writeModule(const std::string &path, const qb_config &c, bool hasBias) {
  FILE *file = fopen(path.c_str(), "w");
  if (!file)
    return false;
  long N = c.N, K = c.K;
  fprintf(
      file,
      "func.func @main(%%x: tensor<?x%ldxf32> {qtensor.name = \"x\"}) -> (tensor<?x%ldxf32> {qtensor.name = \"y\"}) {\n"
      "  %%c0 = arith.constant 0 : index\n"
      "  %%zero = arith.constant 0.0 : f32\n"
      "  %%w = arith.constant dense_resource<w> : tensor<%ldx%ldxf32>\n"
      "  %%m = tensor.dim %%x, %%c0 : tensor<?x%ldxf32>\n"
      "  %%e = tensor.empty(%%m) : tensor<?x%ldxf32>\n"
      "  %%f = linalg.fill ins(%%zero : f32) outs(%%e : tensor<?x%ldxf32>) -> tensor<?x%ldxf32>\n"
      "  %%y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>,\n"
      "      affine_map<(m, n, k) -> (m, n)>] ins(%%x, %%w : tensor<?x%ldxf32>, tensor<%ldx%ldxf32>)\n"
      "      outs(%%f : tensor<?x%ldxf32>) -> tensor<?x%ldxf32>\n",
      K, N, N, K, K, N, N, N, K, N, K, N, N);
  if (hasBias)
    writeBias(file, N);
  fprintf(file, "  return %%%c : tensor<?x%ldxf32>\n}\n{-#\n  dialect_resources: { builtin: { w: \"0x04000000", hasBias ? 'r' : 'y',
          N);
  for (int64_t n = 0; n < N; ++n)
    writeHex(file, c.W + n * K, K);
  if (hasBias) {
    fputs("\", b: \"0x04000000", file);
    // Too small to change a sum: the results stay comparable.
    std::vector<float> bias(N, 1e-30f);
    writeHex(file, bias.data(), N);
  }
  fputs("\" } }\n#-}\n", file);
  return fclose(file) == 0;
}

/// The folder with the artifact of this layer, compiled if need be; empty after a line on stderr.
static std::string compile(const qb_config &c, const Format &format) {
  std::string compiler = getPath("QB_COMPILER", "quant-compile"),
              folder = getPath("QB_MODELS", ".") + "/" + format.name;
  for (char &character : folder)
    if (character == ' ' || character == ':' || character == '+')
      character = '_';
  for (size_t i = folder.size() - format.name.size(); i < folder.size(); ++i)
    if (folder[i] == '/')
      folder[i] = '-';
  folder += "-" + std::to_string(c.N) + "x" + std::to_string(c.K);
  std::string library = folder + "/liblayer.so", module = folder + ".mlir";
  if (modified(library) > modified(compiler))
    return folder;
  fprintf(stderr, "compiling %s for %ldx%ld\n", format.name.c_str(), long(c.N), long(c.K));
  if (!writeModule(module, c, format.hasBias)) {
    fprintf(stderr, "qtensor: cannot write %s\n", module.c_str());
    return "";
  }
  std::string command = "'" + compiler + "' '" + module + "' --name=layer -o '" + folder + "'";
  if (format.weights != "none")
    command += " --weights='" + format.weights + "'";
  if (format.activations != "none")
    command += " --activations='" + format.activations + "'";
  bool done = system(command.c_str()) == 0;
  remove(module.c_str());
  if (!done)
    fprintf(stderr, "qtensor: failed: %s\n", command.c_str());
  return done ? folder : "";
}

/// The user's parallel-for: one team of threads for all handles.
static void parallelFor(void *user, int64_t n, qt_task task, void *arg) {
  int64_t threads = *static_cast<int *>(user);
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int64_t t = 0; t < threads; ++t)
    if (n * t / threads < n * (t + 1) / threads)
      task(arg, n * t / threads, n * (t + 1) / threads);
}

/// Opens `copies` handles on copies of the weights at different addresses.
static bool openCopies(Layer &layer, const std::string &folder, const qb_config &c) {
  std::ifstream file(folder + "/layer.weights", std::ios::binary);
  std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  layer.weightBytes = bytes.size();
  qt_options options{};
  options.threads = layer.threads = c.threads;
  if (c.threads > 1) {
    options.parallel_for = parallelFor;
    options.parallel_user = &layer.threads;
  }
  options.report = [](void *, const char *text) { fprintf(stderr, "qtensor: %s\n", text); };
  for (int i = 0; i < c.copies; ++i) {
    void *copy = aligned_alloc(QB_PAGE, (bytes.size() + QB_PAGE - 1) / QB_PAGE * QB_PAGE);
    memcpy(copy, bytes.data(), bytes.size());
    layer.weights.push_back(copy);
    qt_weights weights{nullptr, copy, bytes.size()};
    model_handle *handle = nullptr;
    if (layer.model.open(&weights, &options, &handle) != QT_OK)
      return false;
    layer.handles.push_back(handle);
  }
  return true;
}

extern "C" {
const char *qb_name() { return "qtensor"; }

int qb_formats() { return int(getFormats().size()); }

int qb_describe(int f, qb_format *out) {
  *out = {getFormats()[f].name.c_str(), getFormats()[f].bits, 0};
  return 0;
}

void qb_destroy(void *handle) {
  auto *layer = static_cast<Layer *>(handle);
  for (model_handle *opened : layer->handles)
    layer->model.close(opened);
  for (void *copy : layer->weights)
    free(copy);
  free(layer->scratch);
  delete layer;
}

void *qb_create(const qb_config *c) {
  std::string folder = compile(*c, getFormats()[c->fmt]);
  if (folder.empty())
    return nullptr;
  auto *layer = new Layer{};
  layer->N = c->N;
  layer->K = c->K;
  if (load(folder + "/liblayer.so", layer->model) && openCopies(*layer, folder, *c))
    return layer;
  qb_destroy(layer);
  return nullptr;
}

int qb_input(void *handle, int64_t M, const float *X) {
  auto *layer = static_cast<Layer *>(handle);
  layer->y.assign(M * layer->N, 0);
  layer->input = {const_cast<float *>(X), QT_F32, 2, {M, layer->K}};
  size_t scratchBytes = 0;
  if (layer->model.shapes(layer->handles[0], &layer->input, &layer->output, &scratchBytes) != QT_OK)
    return 1;
  layer->output.data = layer->y.data();
  free(layer->scratch);
  layer->scratch = aligned_alloc(64, (scratchBytes + 64) / 64 * 64);
  return 0;
}

int qb_run(void *handle, int copy) {
  auto *layer = static_cast<Layer *>(handle);
  qt_status status = layer->model.run(layer->handles[copy], nullptr, &layer->input, &layer->output, layer->scratch);
  if (status != QT_OK)
    fprintf(stderr, "qtensor: %s\n", layer->model.errorText(status));
  return status;
}

void qb_output(void *handle, float *Y) {
  auto *layer = static_cast<Layer *>(handle);
  memcpy(Y, layer->y.data(), layer->y.size() * sizeof(float));
}

size_t qb_wbytes(void *handle) { return static_cast<Layer *>(handle)->weightBytes; }
}
