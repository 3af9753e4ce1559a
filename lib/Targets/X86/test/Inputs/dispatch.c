// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which level of a model a processor gets, and which of the level's own processors it is. With the weights: opens and
// runs the model on this processor, prints the level and
// a hash of the result's bits. With one more argument: asks about processors from a table, each described by the features
// of its manual.
#include "layer.h"
#include "lib/Runtime/qtrt.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { M = 5, K = 40, N = 24 };

// Words by Intel's and AMD's manuals: CPUID.1:EAX (family, model), CPUID.1:ECX, CPUID.7.0:EBX, CPUID.7.0:ECX, CPUID.7.1:EAX, XCR0.
enum feature {
  FMA = 1u << 12, OSXSAVE = 1u << 27, F16C = 1u << 29,
  BMI1 = 1u << 3, AVX2 = 1u << 5, BMI2 = 1u << 8, AVX512F = 1u << 16, AVX512DQ = 1u << 17, AVX512BW = 1u << 30,
  AVX512VBMI = 1u << 1, AVX512VNNI = 1u << 11,
  AVXVNNI = 1u << 4,
  SSE_STATE = 3, YMM_STATE = 7, ZMM_STATE = 0xE7
};
#define AVX512VL (1u << 31)
#define LEAF1 (FMA | OSXSAVE | F16C)
#define HASWELL (BMI1 | AVX2 | BMI2)
#define SKYLAKE_X (HASWELL | AVX512F | AVX512DQ | AVX512BW | AVX512VL)
#define ICE_LAKE (AVX512VBMI | AVX512VNNI)

struct processor {
  const char *name, *level;
  uint32_t leaf1, leaf7b, leaf7c, leaf71, state;
  uint32_t leaf1a;
  int core;
};

static const struct processor processors[] = {
    {"Nehalem", "baseline", 0, 0, 0, 0, 0, 0, 0},
    {"Sandy Bridge", "baseline", OSXSAVE, 0, 0, 0, YMM_STATE, 0, 0},
    {"Haswell", "avx2", LEAF1, HASWELL, 0, 0, YMM_STATE, 0, 0},
    {"Haswell without FMA", "baseline", LEAF1 & ~FMA, HASWELL, 0, 0, YMM_STATE, 0, 0},
    {"Haswell without F16C", "baseline", LEAF1 & ~F16C, HASWELL, 0, 0, YMM_STATE, 0, 0},
    {"Haswell without AVX2", "baseline", LEAF1, HASWELL & ~AVX2, 0, 0, YMM_STATE, 0, 0},
    {"Haswell without BMI1", "baseline", LEAF1, HASWELL & ~BMI1, 0, 0, YMM_STATE, 0, 0},
    {"Haswell without BMI2", "baseline", LEAF1, HASWELL & ~BMI2, 0, 0, YMM_STATE, 0, 0},
    {"Haswell under a system without XSAVE", "baseline", LEAF1 & ~OSXSAVE, HASWELL, 0, 0, YMM_STATE, 0, 0},
    {"Haswell under a system that loses ymm", "baseline", LEAF1, HASWELL, 0, 0, SSE_STATE, 0, 0},
    {"Alder Lake", "avx2vnni", LEAF1, HASWELL, 0, AVXVNNI, YMM_STATE, 0, 0},
    {"Alder Lake under a system that loses ymm", "baseline", LEAF1, HASWELL, 0, AVXVNNI, SSE_STATE, 0, 0},
    {"Skylake-X", "avx2", LEAF1, SKYLAKE_X, 0, 0, ZMM_STATE, 0, 0},
    {"Cascade Lake", "avx2", LEAF1, SKYLAKE_X, AVX512VNNI, 0, ZMM_STATE, 0, 0},
    {"Ice Lake", "avx512", LEAF1, SKYLAKE_X, ICE_LAKE, 0, ZMM_STATE, 0x606A6, 0},
    {"Zen 4", "avx512", LEAF1, SKYLAKE_X, ICE_LAKE, 0, ZMM_STATE, 0xA10F11, 0},
    {"Zen 5", "avx512", LEAF1, SKYLAKE_X, ICE_LAKE, AVXVNNI, ZMM_STATE, 0xB00F21, 1},
    {"Zen 5 under a system that loses zmm", "avx2vnni", LEAF1, SKYLAKE_X, ICE_LAKE, AVXVNNI, YMM_STATE, 0xB00F21, 1},
    {"Ice Lake without AVX512VL", "avx2", LEAF1, SKYLAKE_X & ~AVX512VL, ICE_LAKE, 0, ZMM_STATE, 0, 0},
    {"Ice Lake without AVX512BW", "avx2", LEAF1, SKYLAKE_X & ~AVX512BW, ICE_LAKE, 0, ZMM_STATE, 0, 0},
    {"Ice Lake without AVX512DQ", "avx2", LEAF1, SKYLAKE_X & ~AVX512DQ, ICE_LAKE, 0, ZMM_STATE, 0, 0},
    {"Ice Lake under a system that loses zmm", "avx2", LEAF1, SKYLAKE_X, ICE_LAKE, 0, YMM_STATE, 0, 0},
    {"Sapphire Rapids", "avx512", LEAF1, SKYLAKE_X, ICE_LAKE, AVXVNNI, ZMM_STATE, 0x806F8, 0},
    {"Sapphire Rapids under a system that loses zmm", "avx2vnni", LEAF1, SKYLAKE_X, ICE_LAKE, AVXVNNI, YMM_STATE, 0, 0},
    {"Sapphire Rapids under a system without XSAVE", "baseline", LEAF1 & ~OSXSAVE, SKYLAKE_X, ICE_LAKE, AVXVNNI, 0, 0, 0},
};

static const struct processor *asked;

static int ask(uint32_t leaf, uint32_t subleaf, uint32_t words[4]) {
  if (leaf == QTRT_ENABLED_STATE)
    words[0] = asked->leaf1 & OSXSAVE ? asked->state : 0;
  else if (leaf == 1)
    words[0] = asked->leaf1a, words[2] = asked->leaf1;
  else if (leaf == 7 && subleaf == 0)
    words[1] = asked->leaf7b, words[2] = asked->leaf7c;
  else if (leaf == 7 && subleaf == 1)
    words[0] = asked->leaf71;
  else
    return 0;
  return 1;
}

static void report(void *user, const char *text) {
  (void)user;
  printf("error: %s\n", text);
}

static int check_table(const struct qtrt_model *model) {
  int failures = 0;
  for (size_t i = 0; i < sizeof processors / sizeof *processors; ++i) {
    asked = &processors[i];
    const struct qtrt_level *best = NULL;
    for (int64_t l = 0; l < model->level_count; ++l)
      if (qtrt_supports(&model->levels[l], ask))
        best = &model->levels[l];
    int64_t core = best ? qtrt_find_core(best, ask) : 0;
    if (best && !strcmp(best->name, asked->level) && core == asked->core)
      continue;
    printf("FAIL %s gets %s and is core %d of it, should get %s and be core %d\n", asked->name, best ? best->name : "none",
           (int)core, asked->level, asked->core);
    ++failures;
  }
  printf("%d of the processors get something else\n", failures);
  return failures != 0;
}

static int run(layer_handle *handle) {
  static float x[M * K], z[M * N], y[M * N];
  for (int i = 0; i < M * K; ++i)
    x[i] = (float)(i * 31 % 101) / 101 - 0.5f;
  for (int i = 0; i < M * N; ++i)
    z[i] = (float)(i % 5) / 5;
  qt_tensor in[] = {{x, QT_F32, 2, {M, K}}, {z, QT_F32, 2, {M, N}}}, out[] = {{y, QT_F32, 2, {M, N}}};
  size_t bytes;
  if (layer_shapes(handle, in, out, &bytes) != QT_OK)
    return 1;
  out[0].data = y;
  void *scratch = aligned_alloc(64, (bytes + 64) / 64 * 64);
  int status = layer_run(handle, NULL, in, out, scratch);
  free(scratch);
  uint64_t hash = 1469598103934665603u;
  for (size_t i = 0; i < sizeof y; ++i)
    hash = (hash ^ ((unsigned char *)y)[i]) * 1099511628211u;
  printf("level %s, bits %016llx\n", layer_level(handle), (unsigned long long)hash);
  return status;
}

int main(int argc, char **argv) {
  qt_weights weights = {argc > 1 ? argv[1] : "", NULL, 0};
  qt_options options = {0};
  layer_handle *handle;
  options.threads = 1;
  options.report = report;
  if (layer_open(&weights, &options, &handle) != QT_OK)
    return 1;
  int status = argc > 2 ? check_table(((struct qtrt_handle *)handle)->model) : run(handle);
  layer_close(handle);
  return status;
}
