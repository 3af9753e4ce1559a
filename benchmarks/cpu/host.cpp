// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loads contenders, races them interleaved on the same shapes, prints tables and writes CSV.
#include "Race.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fnmatch.h>
#include <unistd.h>

using namespace race;

static const char kUsage[] = "usage: host [options] contender.so[:format-glob] ...\n"
                             "  --quick            4096x4096, M = 1 and 128, short samples\n"
                             "  --shapes NxK,...   --m 1,8,...   --threads T   --cpus 0,1   --csv FILE\n"
                             "  --ours NAME        the contender whose rows show ratios (qtensor)\n"
                             "  --group G          how many formats race at once (6)\n"
                             "  --footprint MB     bytes of weights each one cycles through (400)\n"
                             "  --budget S         seconds of samples for each (0.35)\n";

static std::vector<std::string> split(const std::string &text, char separator) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= text.size();) {
    size_t end = std::min(text.find(separator, at), text.size());
    if (end > at)
      parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

static void setShapes(Options &options, const std::string &text) {
  options.shapes.clear();
  for (const std::string &shape : split(text, ',')) {
    long N = 0, K = 0;
    if (sscanf(shape.c_str(), "%ldx%ld", &N, &K) != 2 || N < 1 || K < 1) {
      fprintf(stderr, "host: '%s' is no shape; write NxK\n", shape.c_str());
      exit(2);
    }
    options.shapes.push_back({N, K});
  }
}

static void setBatches(Options &options, const std::string &text) {
  options.batches.clear();
  for (const std::string &batch : split(text, ','))
    options.batches.push_back(std::max(1l, atol(batch.c_str())));
}

static void setCpus(Options &options, const std::string &text) {
  CPU_ZERO(&options.cpus);
  for (const std::string &cpu : split(text, ','))
    CPU_SET(atoi(cpu.c_str()), &options.cpus);
}

static Options parse(int argc, char **argv, std::vector<std::string> &contenders) {
  Options options;
  setShapes(options, "4096x4096,11008x4096,4096x11008");
  setBatches(options, "1,8,32,128,512");
  setCpus(options, "1");
  for (int i = 1; i < argc; ++i) {
    std::string name = argv[i];
    if (name == "--quick") {
      options.quick = true;
      options.budget = 0.08;
      setShapes(options, "4096x4096");
      setBatches(options, "1,128");
      continue;
    }
    if (name[0] != '-') {
      contenders.push_back(name);
      continue;
    }
    std::string value = i + 1 < argc ? argv[++i] : "";
    if (name == "--shapes")
      setShapes(options, value);
    else if (name == "--m")
      setBatches(options, value);
    else if (name == "--threads")
      options.threads = std::max(1, atoi(value.c_str()));
    else if (name == "--cpus")
      setCpus(options, value);
    else if (name == "--csv")
      options.csv = value;
    else if (name == "--ours")
      options.ours = value;
    else if (name == "--group")
      options.group = std::max(1, atoi(value.c_str()));
    else if (name == "--footprint")
      options.footprint = atof(value.c_str()) * 1e6;
    else if (name == "--budget")
      options.budget = atof(value.c_str());
    else {
      fputs(kUsage, stderr);
      exit(2);
    }
  }
  return options;
}

/// An OpenMP runtime with OMP_PROC_BIND ties a thread to one CPU as soon as it is loaded; pools that are made later
/// must not inherit that.
static void *createUnbound(Entry &entry, const qb_config &config, const Options &options) {
  cpu_set_t bound;
  sched_getaffinity(0, sizeof bound, &bound);
  sched_setaffinity(0, sizeof options.cpus, &options.cpus);
  void *handle = entry.library->create(&config);
  sched_setaffinity(0, sizeof bound, &bound);
  return handle;
}

static void raceGroup(std::vector<Entry *> entries, Problem &problem, const Options &options, FILE *csv) {
  for (Entry *entry : entries) {
    double bytes = problem.N * double(problem.K) * entry->format.bits / 8;
    entry->copies = std::clamp(int(std::ceil(options.footprint / bytes)), 2, 256);
    entry->next = 0;
    entry->handle = createUnbound(
        *entry,
        {entry->index, problem.N, problem.K, entry->copies, options.threads, problem.rowPeriod, problem.W.data()},
        options);
    if (!entry->handle)
      fprintf(stderr, "%s %s: not created for %ldx%ld\n", entry->library->name(), entry->format.name, long(problem.N),
              long(problem.K));
  }
  bool first = true;
  for (int64_t M : options.batches) {
    measure(entries, problem, M, first, options);
    report(entries, problem, M, options, csv);
    first = false;
  }
  for (Entry *entry : entries)
    if (entry->handle)
      entry->library->destroy(entry->handle);
}

int main(int argc, char **argv) {
  std::vector<std::string> contenders;
  Options options = parse(argc, argv, contenders);
  if (sched_setaffinity(0, sizeof options.cpus, &options.cpus)) // before anything is loaded: pools inherit the mask
    perror("sched_setaffinity");
  std::deque<Library> libraries;
  std::vector<Entry> limits, ours, peers;
  for (const std::string &contender : contenders) {
    libraries.emplace_back();
    Library &library = libraries.back();
    sched_setaffinity(0, sizeof options.cpus, &options.cpus);
    if (!library.load(contender)) {
      libraries.pop_back();
      continue;
    }
    for (int index = 0; index < library.formats(); ++index) {
      Entry entry;
      entry.library = &library;
      entry.index = index;
      if (library.describe(index, &entry.format))
        continue;
      if (entry.isLimit())
        limits.push_back(entry);
      else if (!fnmatch(library.pattern.c_str(), entry.format.name, 0))
        (library.name() == options.ours ? ours : peers).push_back(entry);
    }
  }
  FILE *csv = options.csv.empty() ? nullptr : fopen(options.csv.c_str(), "a");
  if (csv && ftell(csv) == 0)
    writeCsvHead(csv);
  int64_t maxM = *std::max_element(options.batches.begin(), options.batches.end());
  // Ours race in every group, so that each ratio has both its times from one interleaved run.
  size_t step = std::max<size_t>(1, options.group > int(ours.size()) ? options.group - ours.size() : 1);
  for (auto [N, K] : options.shapes) {
    Problem problem(N, K, maxM);
    for (size_t begin = 0; begin < std::max<size_t>(peers.size(), 1); begin += step) {
      std::vector<Entry *> entries;
      for (Entry &entry : limits)
        entries.push_back(&entry);
      for (Entry &entry : ours)
        entries.push_back(&entry);
      for (size_t i = begin; i < std::min(peers.size(), begin + step); ++i)
        entries.push_back(&peers[i]);
      raceGroup(entries, problem, options, csv);
    }
  }
  if (csv)
    fclose(csv);
  fflush(stdout);
  _exit(0); // some thread pools do not like to be unloaded
}
