// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the host measures: contenders, their samples, and the statistics that the tables show.
#pragma once
#include "contender.h"
#include <optional>
#include <sched.h>
#include <string>
#include <vector>

namespace race {

/// A loaded contender and the pattern its formats must match.
struct Library {
  std::string path, pattern;
  decltype(&qb_name) name = nullptr;
  decltype(&qb_formats) formats = nullptr;
  decltype(&qb_describe) describe = nullptr;
  decltype(&qb_create) create = nullptr;
  decltype(&qb_input) input = nullptr;
  decltype(&qb_run) run = nullptr;
  decltype(&qb_output) output = nullptr;
  decltype(&qb_wbytes) wbytes = nullptr;
  decltype(&qb_destroy) destroy = nullptr;

  /// Opens `path[:format-glob]`. False, with a line on stderr, when it cannot be opened or lacks a function.
  bool load(const std::string &argument);
};

/// One run. `clean`: the thread was not preempted in it. `burst` counts the entry's bursts.
struct Sample {
  double seconds;
  bool clean;
  size_t burst;
};

/// The limits of the machine: bytes read, int8 operations and f32 operations per second; 0: not measured.
struct Limits {
  double bandwidth = 0, operations = 0, floats = 0;
};

/// One format of one contender, in the race at one shape.
struct Entry {
  Library *library = nullptr;
  int index = 0;
  qb_format format{};
  void *handle = nullptr;
  int copies = 0, next = 0;
  bool takesPart = false;
  std::vector<Sample> samples;
  std::vector<Limits> limits; ///< Right before each burst.
  double estimate = 0, error = -1;

  bool isLimit() const { return format.flags & QB_ROOF; }
  /// Whether it does the whole job: f32 in, f32 out.
  bool isWhole() const { return !(format.flags & (QB_PREQUANT | QB_RAWOUT | QB_ROOF)); }
};

struct Statistics {
  double median, best;
  int clean, count;
  bool disturbed; ///< Several threads and fewer than three undisturbed samples: `median` is the lower quartile.
};
Statistics summarize(const std::vector<Sample> &samples, int threads);

struct Options {
  std::vector<std::pair<int64_t, int64_t>> shapes; ///< N, K.
  std::vector<int64_t> batches;                    ///< M.
  std::string csv, ours = "qtensor";
  cpu_set_t cpus;
  int threads = 1, group = 6;
  bool quick = false;
  double footprint = 400e6; ///< Bytes of weights each contender cycles through, so that they come from memory.
  double budget = 0.35;     ///< Seconds of samples per entry.
};

/// Weights, activations and the exact products of the first rows.
struct Problem {
  int64_t N, K, checkedRows;
  int64_t rowPeriod; ///< W repeats its first rows; divides N.
  std::vector<float> W, X, Y;
  std::vector<double> expected; ///< checkedRows x rowPeriod.

  Problem(int64_t N, int64_t K, int64_t maxM);
  /// Relative error of Y[0:M] in the Frobenius norm.
  double relativeError(int64_t M) const;
};

/// Runs the entries in turns, in short bursts, until each has `options.budget` seconds of samples.
void measure(std::vector<Entry *> &entries, Problem &problem, int64_t M, bool firstBatch, const Options &options);

/// The median time of a burst of an entry (all: of its bursts together), of its undisturbed runs where it has any.
double medianSeconds(const Entry &entry, std::optional<size_t> burst);
/// What runs of `seconds` of a limit say about the machine.
void setLimit(Limits &limits, const Entry &entry, double seconds, const Problem &problem, int64_t M);

/// Prints one table, appends its rows to `csv` (may be null).
void report(const std::vector<Entry *> &entries, const Problem &problem, int64_t M, const Options &options, FILE *csv);
void writeCsvHead(FILE *csv);

} // namespace race
