// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Not a multiplication: the limits of the machine, measured interleaved with the contenders.
#include "contender.h"
#include <cstring>
#include <immintrin.h>
#include <sys/mman.h>
#include <vector>

namespace {
struct Roof {
  int format, threads;
  size_t bytes;
  std::vector<char *> buffers;
  int64_t N, K, M = 1;
};
} // namespace

static constexpr size_t kHugePage = QB_PAGE;
static constexpr double kBits = 4.5; // of a weight whose reading is imitated
static volatile int sink;

#if defined(__AVX512F__)
using Vector = __m512i;
static Vector orWith(Vector a, const char *p) { return _mm512_or_si512(a, _mm512_loadu_si512(p)); }
#else
using Vector = __m256i;
static Vector orWith(Vector a, const char *p) {
  return _mm256_or_si256(a, _mm256_loadu_si256(reinterpret_cast<const Vector *>(p)));
}
#endif

/// Reads `size` bytes as four streams, which is the fastest pattern on the machines we know.
static void readAll(const char *p, size_t size) {
  Vector sums[4] = {};
  size_t part = size / 4 / 256 * 256;
  for (size_t i = 0; i < part; i += 4 * sizeof(Vector))
    for (int stream = 0; stream < 4; ++stream)
      for (int j = 0; j < 4; ++j)
        sums[j] = orWith(sums[j], p + stream * part + i + sizeof(Vector) * j);
  int word;
  memcpy(&word, &sums[0], sizeof word);
  int others[3];
  for (int j = 1; j < 4; ++j)
    memcpy(&others[j - 1], &sums[j], sizeof(int));
  sink = word | others[0] | others[1] | others[2];
}

// Twelve independent accumulators hide the latency of every dot product instruction we know.
#define REPEAT12(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define CLOBBERS "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11"
#if defined(__AVX512VNNI__)
static constexpr double kOperations = 128;
#define DOT(n) "vpdpbusd %0, %1, %%zmm" #n "\n"
#elif defined(__AVXVNNI__)
static constexpr double kOperations = 64;
#define DOT(n) "{vex} vpdpbusd %0, %1, %%ymm" #n "\n"
#else
static constexpr double kOperations = 64.0 / 3; // vpmaddubsw needs vpmaddwd and vpaddd behind it
#define DOT(n) "vpmaddubsw %0, %1, %%ymm" #n "\n"
#endif

/// Does `operations` multiplications and additions of 8-bit integers, at the peak.
static void multiplyAll(double operations) {
  Vector x{}, y{};
  for (long i = 0, count = long(operations / (12 * kOperations)) + 1; i < count; ++i)
    asm volatile(REPEAT12(DOT)::"v"(x), "v"(y) : CLOBBERS);
}

#if defined(__AVX512F__)
static constexpr double kFloatOperations = 32;
#define FMA(n) "vfmadd231ps %0, %1, %%zmm" #n "\n"
#else
static constexpr double kFloatOperations = 16;
#define FMA(n) "vfmadd231ps %0, %1, %%ymm" #n "\n"
#endif

/// The same for f32, as fused multiply-adds.
static void multiplyFloats(double operations) {
  Vector x{}, y{};
  for (long i = 0, count = long(operations / (12 * kFloatOperations)) + 1; i < count; ++i)
    asm volatile(REPEAT12(FMA)::"v"(x), "v"(y) : CLOBBERS);
}

static const qb_format limits[] = {{"read", kBits, QB_ROOF}, {"int8", 64, QB_ROOF}, {"f32", 64, QB_ROOF}};
enum { Read, Int8, Float };

extern "C" {
const char *qb_name() { return "roof"; }

int qb_formats() { return 3; }

int qb_describe(int f, qb_format *out) {
  *out = limits[f];
  return 0;
}

void *qb_create(const qb_config *c) {
  auto *roof = new Roof{c->fmt, c->threads, size_t(c->N * c->K * kBits / 8), {}, c->N, c->K};
  for (int i = 0; roof->format == Read && i < c->copies; ++i) {
    size_t size = (roof->bytes + kHugePage - 1) / kHugePage * kHugePage;
    void *raw = mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED)
      return nullptr;
    auto *p = reinterpret_cast<char *>((reinterpret_cast<uintptr_t>(raw) + kHugePage - 1) & ~(kHugePage - 1));
    madvise(p, size, MADV_HUGEPAGE);
    memset(p, 1, size);
    roof->buffers.push_back(p);
  }
  return roof;
}

int qb_input(void *handle, int64_t M, const float *) {
  static_cast<Roof *>(handle)->M = M;
  return 0;
}

int qb_run(void *handle, int copy) {
  auto *roof = static_cast<Roof *>(handle);
  int threads = roof->threads;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int t = 0; t < threads; ++t) {
    size_t part = roof->bytes / threads / 64 * 64;
    double operations = 2.0 * roof->M * roof->N * roof->K / threads;
    if (roof->format == Read)
      readAll(roof->buffers[copy] + t * part, part);
    else if (roof->format == Int8)
      multiplyAll(operations);
    else
      multiplyFloats(operations / QB_ROOF_FLOAT_SHARE);
  }
  return 0;
}

void qb_output(void *, float *) {}

size_t qb_wbytes(void *handle) { return static_cast<Roof *>(handle)->bytes; }

void qb_destroy(void *handle) {
  auto *roof = static_cast<Roof *>(handle);
  for (char *p : roof->buffers)
    munmap(p, (roof->bytes + kHugePage - 1) / kHugePage * kHugePage);
  delete roof;
}
}
