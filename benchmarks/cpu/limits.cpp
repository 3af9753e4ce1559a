// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The physical limits of one core and of several: reading by cache level, and the peak rates of the instructions that
// a quantized product is made of. usage: limits [--quick] [--cpus 0,1]
#ifdef __AVX512VNNI__
#include "Instructions.h"
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <immintrin.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <thread>
#include <time.h>
#include <vector>

using namespace limits;

static double readClock(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

static long preemptions() {
  rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

static void pin(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
}

struct Summary {
  double median, best;
};
static Summary summarize(std::vector<double> rates) {
  std::sort(rates.begin(), rates.end());
  return {rates[rates.size() / 2], rates.back()};
}

/// Runs work(thread, repetition) on all `cpus` at once. Seconds of each repetition, from the first start to the last
/// end; negative when a thread was preempted in it.
static std::vector<double> runTogether(const std::vector<int> &cpus, int repetitions,
                                       const std::function<void(int, int)> &work) {
  int count = cpus.size();
  struct Slice {
    double begin, end;
    long preempted;
  };
  std::vector<std::vector<Slice>> slices(count, std::vector<Slice>(repetitions));
  std::atomic<int> arrived{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < count; ++t)
    threads.emplace_back([&, t] {
      pin(cpus[t]);
      for (int r = 0; r < repetitions; ++r) {
        long before = preemptions();
        arrived.fetch_add(1);
        while (arrived.load(std::memory_order_acquire) < (r + 1) * count)
          _mm_pause();
        slices[t][r].begin = readClock(CLOCK_MONOTONIC);
        work(t, r);
        slices[t][r].end = readClock(CLOCK_MONOTONIC);
        slices[t][r].preempted = preemptions() - before;
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  std::vector<double> seconds(repetitions);
  for (int r = 0; r < repetitions; ++r) {
    double begin = HUGE_VAL, end = 0;
    long preempted = 0;
    for (int t = 0; t < count; ++t) {
      begin = std::min(begin, slices[t][r].begin);
      end = std::max(end, slices[t][r].end);
      preempted += slices[t][r].preempted;
    }
    seconds[r] = preempted ? begin - end : end - begin;
  }
  return seconds;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static char *allocate(size_t size, bool hugePages) {
  constexpr size_t kPage = 2u << 20;
  size = (size + kPage - 1) / kPage * kPage;
  void *raw = mmap(nullptr, size + kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) {
    perror("mmap");
    exit(1);
  }
  auto *p = reinterpret_cast<char *>((reinterpret_cast<uintptr_t>(raw) + kPage - 1) & ~(kPage - 1));
  madvise(p, size, hugePages ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  for (size_t i = 0; i < size; i += 64) // touch every line: no zero page
    *reinterpret_cast<volatile int *>(p + i) = int(i);
  return p;
}

static volatile int sink;

template <int Streams, int Prefetch> __attribute__((noinline)) static void readAll(const char *p, size_t size) {
  __m512i sums[4] = {};
  const size_t part = size / Streams / 256 * 256;
  for (size_t i = 0; i < part; i += 256)
    for (int stream = 0; stream < Streams; ++stream)
      for (int j = 0; j < 4; ++j) {
        const char *line = p + stream * part + i + 64 * j;
        if (Prefetch)
          _mm_prefetch(line + Prefetch, _MM_HINT_T0);
        sums[j] = _mm512_or_si512(sums[j], _mm512_load_si512(line));
      }
  alignas(64) int words[16];
  _mm512_store_si512(words, _mm512_or_si512(_mm512_or_si512(sums[0], sums[1]), _mm512_or_si512(sums[2], sums[3])));
  sink = words[0];
}

struct Pattern {
  const char *name;
  void (*read)(const char *, size_t);
};
static const Pattern patterns[] = {{"1 stream", readAll<1, 0>},
                                   {"4 streams", readAll<4, 0>},
                                   {"1 stream, prefetch 4 KiB ahead", readAll<1, 4096>},
                                   {"4 streams, prefetch 1 KiB ahead", readAll<4, 1024>}};

struct CacheLevel {
  const char *name;
  size_t bytes;
};
static const CacheLevel cacheLevels[] = {{"L1 (24 KiB/core)", 24u << 10},
                                         {"L2 (512 KiB/core)", 512u << 10},
                                         {"L3 (8 MiB/core)", 8u << 20},
                                         {"memory (512 MiB/core)", 512u << 20}};

/// Rates in GB/s of one pattern over its slices; the preempted ones count only when there are no others.
static std::vector<double> toRates(const std::vector<double> &seconds, double bytes) {
  std::vector<double> clean, all;
  for (double s : seconds) {
    all.push_back(bytes / std::fabs(s) / 1e9);
    if (s > 0)
      clean.push_back(all.back());
  }
  return clean.empty() ? all : clean;
}

static void measureReading(const std::vector<int> &cpus, const CacheLevel &level, bool hugePages, bool quick) {
  constexpr size_t kLarge = 64u << 20;
  std::vector<char *> buffers;
  for (size_t t = 0; t < cpus.size(); ++t)
    buffers.push_back(allocate(level.bytes + (64u << 10), hugePages));
  // From memory: every repetition reads another window, and slices are short, so that most are not preempted.
  const size_t window = std::min(level.bytes, kLarge / 4), windows = level.bytes / window;
  const int inner = windows > 1 ? 1 : std::max<size_t>(1, (8u << 20) / window), count = std::size(patterns);
  const int repetitions = quick ? 24 : 96;
  auto seconds = runTogether(cpus, (repetitions + 1) * count, [&](int t, int r) {
    for (int i = 0; i < inner; ++i)
      patterns[r % count].read(buffers[t] + r % windows * window, window);
  });
  Summary best{0, 0};
  const char *bestName = "";
  for (int k = 0; k < count; ++k) {
    std::vector<double> own;
    for (int r = 1; r <= repetitions; ++r) // the first of each warms up
      own.push_back(seconds[r * count + k]);
    Summary summary = summarize(toRates(own, double(window) * inner * cpus.size()));
    if (summary.median > best.median) {
      best = summary;
      bestName = patterns[k].name;
    }
  }
  printf("read  %zu core(s)  %-22s %s  median %6.1f GB/s  best %6.1f GB/s  (%s)\n", cpus.size(), level.name,
         hugePages ? "2M pages" : "4K pages", best.median, best.best, bestName);
  fflush(stdout);
  for (char *buffer : buffers)
    munmap(buffer, level.bytes + (64u << 10));
}

//===----------------------------------------------------------------------===//
// Computing
//===----------------------------------------------------------------------===//

static double clockRate(long iterations = 60000) {
  double start = readClock(CLOCK_THREAD_CPUTIME_ID);
  dependentChain(iterations);
  return double(kChainCycles) * iterations / (readClock(CLOCK_THREAD_CPUTIME_ID) - start);
}

static void measureInstruction(const std::vector<int> &cpus, const Instruction &instruction, bool quick) {
  const int count = cpus.size(), repetitions = quick ? 25 : 101;
  const long iterations = quick ? 60000 : 120000; // about half a millisecond a slice
  std::vector<std::vector<double>> seconds(count, std::vector<double>(repetitions)), clocks = seconds;
  // A slice of the clock loop follows each: instructions per cycle are then free of frequency drift and of preemption.
  runTogether(cpus, repetitions, [&](int t, int r) {
    instruction.loop(iterations / 10);
    double start = readClock(CLOCK_THREAD_CPUTIME_ID);
    instruction.loop(iterations);
    seconds[t][r] = readClock(CLOCK_THREAD_CPUTIME_ID) - start;
    clocks[t][r] = clockRate();
  });
  std::vector<double> rates, perCycle;
  for (int r = 0; r < repetitions; ++r) {
    double sum = 0;
    for (int t = 0; t < count; ++t) {
      double rate = kCopies * double(iterations) / seconds[t][r];
      sum += rate / 1e9;
      perCycle.push_back(rate / clocks[t][r]);
    }
    rates.push_back(sum);
  }
  Summary rate = summarize(rates);
  printf("issue %d core(s)  %-28s %6.2f G/s  %5.2f per cycle", count, instruction.name, rate.median,
         summarize(perCycle).median);
  if (instruction.operations)
    printf("  %7.1f G %s op/s (best %.1f)", rate.median * instruction.operations, instruction.unit,
           rate.best * instruction.operations);
  printf("\n");
  fflush(stdout);
}

int main(int argc, char **argv) {
  std::vector<int> cpus{0, 1};
  bool quick = false;
  for (int i = 1; i < argc; ++i) {
    if (!strcmp(argv[i], "--quick"))
      quick = true;
    else if (!strcmp(argv[i], "--cpus") && i + 1 < argc) {
      cpus.clear();
      for (char *word = strtok(argv[++i], ","); word; word = strtok(nullptr, ","))
        cpus.push_back(atoi(word));
    } else {
      fprintf(stderr, "usage: limits [--quick] [--cpus 0,1]\n");
      return 2;
    }
  }
  std::vector<std::vector<int>> sets{{cpus[0]}};
  if (cpus.size() > 1)
    sets.push_back(cpus);
  for (const std::vector<int> &set : sets) {
    for (const Instruction &instruction : kInstructions)
      if (set.size() == 1 || instruction.operations)
        measureInstruction(set, instruction, quick);
    for (const CacheLevel &level : cacheLevels)
      for (bool hugePages : {true, false})
        if (hugePages || level.bytes > (4u << 20))
          measureReading(set, level, hugePages, quick);
  }
}
#else
#include <cstdio>
int main() {
  fputs("limits: this machine lacks AVX-512 VNNI, whose instructions it would measure\n", stderr);
  return 1;
}
#endif
