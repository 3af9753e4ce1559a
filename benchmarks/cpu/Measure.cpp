// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Interleaved timing that survives a machine shared with other work.
#include "Race.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <dlfcn.h>
#include <limits>
#include <sys/resource.h>
#include <time.h>

using namespace race;

/// Of an entry's runs in a row, and of the runs of a limit before them.
static constexpr double kBurstSeconds = 0.02, kLimitSeconds = 0.005;

static double readClock(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}
static double wallTime() { return readClock(CLOCK_MONOTONIC); }
static double cpuTime() { return readClock(CLOCK_THREAD_CPUTIME_ID); }
static long preemptions() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nivcsw;
}

template <class Function> static bool bind(void *object, const char *symbol, Function &function) {
  function = reinterpret_cast<Function>(dlsym(object, symbol));
  return function;
}

bool Library::load(const std::string &argument) {
  size_t colon = argument.find(':');
  path = argument.substr(0, colon);
  pattern = colon == std::string::npos ? "*" : argument.substr(colon + 1);
  void *object =
      dlopen(path.find('/') == std::string::npos ? ("./" + path).c_str() : path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!object) {
    fprintf(stderr, "skipped: %s\n", dlerror());
    return false;
  }
  bool complete = bind(object, "qb_name", name) && bind(object, "qb_formats", formats) &&
                  bind(object, "qb_describe", describe) && bind(object, "qb_create", create) &&
                  bind(object, "qb_input", input) && bind(object, "qb_run", run) && bind(object, "qb_output", output) &&
                  bind(object, "qb_wbytes", wbytes) && bind(object, "qb_destroy", destroy);
  if (!complete)
    fprintf(stderr, "skipped: %s lacks a function of contender.h\n", path.c_str());
  return complete;
}

Statistics race::summarize(const std::vector<Sample> &samples, int threads) {
  std::vector<double> clean, all;
  for (const Sample &sample : samples) {
    all.push_back(sample.seconds);
    if (sample.clean)
      clean.push_back(sample.seconds);
  }
  Statistics result{0, 0, int(clean.size()), int(all.size()), false};
  if (all.empty())
    return result;
  // One thread: a disturbed sample carries the thread's own CPU time, so all count. More: undisturbed ones only.
  result.disturbed = threads > 1 && clean.size() < 3;
  std::vector<double> &used = threads == 1 || result.disturbed ? all : clean;
  std::sort(used.begin(), used.end());
  result.best = used.front();
  result.median = used[used.size() / (result.disturbed ? 4 : 2)];
  return result;
}

Problem::Problem(int64_t N, int64_t K, int64_t maxM)
    : N(N), K(K), checkedRows(std::min<int64_t>(maxM, 3)), rowPeriod(N % 256 ? N : 256), W(N * K), X(maxM * K),
      Y(maxM * N), expected(checkedRows * rowPeriod) {
  uint64_t state = 88172645463325252ull;
  auto nextNormal = [&] { // sum of four uniforms, variance 1
    float sum = 0;
    for (int i = 0; i < 4; ++i) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      sum += float(state >> 40) / 16777216.f - 0.5f;
    }
    return sum * 1.732f;
  };
  std::generate_n(W.begin(), rowPeriod * K, [&] { return nextNormal() / sqrtf(K); });
  for (int64_t n = rowPeriod; n < N; ++n)
    memcpy(&W[n * K], &W[n % rowPeriod * K], K * sizeof(float));
  std::generate(X.begin(), X.end(), nextNormal);
  for (int64_t m = 0; m < checkedRows; ++m)
    for (int64_t n = 0; n < rowPeriod; ++n)
      for (int64_t k = 0; k < K; ++k)
        expected[m * rowPeriod + n] += double(X[m * K + k]) * W[n * K + k];
}

double Problem::relativeError(int64_t M) const {
  double error = 0, norm = 0;
  for (int64_t m = 0; m < std::min(M, checkedRows); ++m)
    for (int64_t n = 0; n < N; ++n) {
      double value = expected[m * rowPeriod + n % rowPeriod], difference = Y[m * N + n] - value;
      error += difference * difference;
      norm += value * value;
    }
  return std::sqrt(error / norm);
}

/// Checks the result, touches every copy once, and estimates the time of a run.
static void warmUp(Entry &entry, Problem &problem, int64_t M, bool touchAll) {
  entry.samples.clear();
  entry.error = -1;
  entry.takesPart =
      entry.handle && !entry.library->input(entry.handle, M, problem.X.data()) && !entry.library->run(entry.handle, 0);
  if (!entry.takesPart)
    return;
  if (!entry.isLimit()) {
    std::fill_n(problem.Y.begin(), M * problem.N, std::numeric_limits<float>::quiet_NaN());
    entry.library->output(entry.handle, problem.Y.data());
    entry.error = problem.relativeError(M);
  }
  // The first reading of fresh memory is many times slower on a virtual machine: read every copy before timing.
  double start = wallTime();
  for (int i = 0; touchAll && i < entry.copies && wallTime() - start < 5; ++i)
    entry.library->run(entry.handle, i);
  start = wallTime();
  entry.library->run(entry.handle, 1 % entry.copies);
  entry.estimate = std::max(1e-6, wallTime() - start);
}

static bool hasEnough(const Entry &entry, const Options &options) {
  double sum = 0;
  int clean = 0;
  for (const Sample &sample : entry.samples) {
    sum += sample.seconds;
    clean += sample.clean;
  }
  int least = options.quick || entry.estimate > 0.1 ? 5 : 9;
  bool undisturbed = options.threads == 1 || clean >= (options.quick ? 3 : 5);
  return sum >= options.budget && int(entry.samples.size()) >= least &&
         (undisturbed || sum >= 4 * options.budget + 10 * entry.estimate);
}

static void runBurst(Entry &entry, double seconds, bool firstRound, const Options &options) {
  int burst = std::clamp(int(seconds / entry.estimate), 1, 64);
  if (burst > 1 || firstRound) // threads wake up in the first run after a pause; it does not count
    entry.library->run(entry.handle, entry.next++ % entry.copies);
  size_t number = entry.samples.empty() ? 0 : entry.samples.back().burst + 1;
  for (int i = 0; i < burst; ++i) {
    int copy = entry.next++ % entry.copies;
    long before = preemptions();
    double cpu = cpuTime(), wall = wallTime();
    entry.library->run(entry.handle, copy);
    wall = wallTime() - wall;
    cpu = cpuTime() - cpu;
    bool clean = preemptions() == before;
    entry.samples.push_back({options.threads == 1 && !clean ? cpu : wall, clean, number});
  }
  std::vector<double> times;
  for (const Sample &sample : entry.samples)
    times.push_back(sample.seconds);
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  entry.estimate = std::max(1e-6, times[times.size() / 2]);
}

double race::medianSeconds(const Entry &entry, std::optional<size_t> burst) {
  std::vector<double> clean, all;
  for (const Sample &sample : entry.samples)
    if (!burst || sample.burst == *burst) {
      all.push_back(sample.seconds);
      if (sample.clean)
        clean.push_back(sample.seconds);
    }
  std::vector<double> &used = clean.empty() ? all : clean;
  std::sort(used.begin(), used.end());
  return used.empty() ? 0 : used[used.size() / 2];
}

void race::setLimit(Limits &limits, const Entry &entry, double seconds, const Problem &problem, int64_t M) {
  if (!strcmp(entry.format.name, "read"))
    limits.bandwidth = entry.library->wbytes(entry.handle) / seconds;
  else if (!strcmp(entry.format.name, "int8"))
    limits.operations = 2.0 * M * problem.N * problem.K / seconds;
  else
    limits.floats = 2.0 * M * problem.N * problem.K / QB_ROOF_FLOAT_SHARE / seconds;
}

/// The limits at this moment: neighbours on the machine move them from one second to the next.
static Limits measureLimits(std::vector<Entry *> &entries, const Problem &problem, int64_t M, const Options &options) {
  Limits limits;
  for (Entry *entry : entries)
    if (entry->isLimit() && entry->takesPart) {
      runBurst(*entry, kLimitSeconds, /*firstRound=*/false, options);
      setLimit(limits, *entry, medianSeconds(*entry, entry->samples.back().burst), problem, M);
    }
  return limits;
}

void race::measure(std::vector<Entry *> &entries, Problem &problem, int64_t M, bool firstBatch,
                   const Options &options) {
  for (Entry *entry : entries) {
    entry->limits.clear();
    warmUp(*entry, problem, M, firstBatch);
  }
  measureLimits(entries, problem, M, options);
  bool more = true;
  for (int round = 0; round < 200 && more; ++round) {
    more = false;
    for (Entry *entry : entries)
      if (!entry->isLimit() && entry->takesPart && !hasEnough(*entry, options)) {
        entry->limits.push_back(measureLimits(entries, problem, M, options));
        runBurst(*entry, kBurstSeconds, round == 0, options);
        more = true;
      }
  }
}
