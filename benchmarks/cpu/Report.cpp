// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tables: times, ratios to the best peer of the same run, and the limit that is nearest.
#include "Race.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

using namespace race;

Limits race::readLimits(const std::vector<Entry *> &entries, const Problem &problem, int64_t M) {
  Limits limits;
  for (Entry *entry : entries) {
    if (!entry->isLimit() || !entry->takesPart)
      continue;
    std::vector<double> clean, times;
    for (const Sample &sample : entry->samples) {
      times.push_back(sample.seconds);
      if (sample.clean)
        clean.push_back(sample.seconds);
    }
    if (!clean.empty())
      times = clean;
    std::sort(times.begin(), times.end());
    double quartile = times[times.size() / 4];
    if (!strcmp(entry->format.name, "read"))
      limits.bandwidth = entry->library->wbytes(entry->handle) / quartile;
    else
      limits.operations = 2.0 * M * problem.N * problem.K / quartile;
  }
  return limits;
}

namespace {
/// The numbers of one row.
struct Row {
  Statistics time;
  double operations, bytes, ofBandwidth, ofOperations;
};
} // namespace

static Row makeRow(const Entry &entry, const Problem &problem, int64_t M, const Limits &limits, int threads) {
  Row row{summarize(entry.samples, threads), 0, 0, 0, 0};
  row.operations = 2.0 * M * problem.N * problem.K / row.time.median;
  row.bytes = entry.library->wbytes(entry.handle) / row.time.median;
  row.ofBandwidth = limits.bandwidth ? row.bytes / limits.bandwidth : 0;
  row.ofOperations = limits.operations ? row.operations / limits.operations : 0;
  return row;
}

/// The fastest peer that does the whole job and stores weights in about as many bits, or null.
static const Entry *bestPeer(const Entry &ours, const std::vector<Entry *> &entries, const Options &options) {
  const Entry *best = nullptr;
  for (const Entry *entry : entries)
    if (entry->takesPart && entry->isWhole() && entry->library->name() != options.ours &&
        std::fabs(entry->format.bits - ours.format.bits) < 1 &&
        (!best || summarize(entry->samples, options.threads).median < summarize(best->samples, options.threads).median))
      best = entry;
  return best;
}

void race::writeCsvHead(FILE *csv) {
  fprintf(csv, "contender,format,N,K,M,threads,median_ms,min_ms,clean,samples,disturbed,gops,weight_gbs,weight_bytes,"
               "relerr,read_gbs,of_read,peak_gops,of_peak,best_peer,ratio\n");
}

void race::report(const std::vector<Entry *> &entries, const Problem &problem, int64_t M, const Options &options,
                  FILE *csv) {
  Limits limits = readLimits(entries, problem, M);
  printf("\nN=%ld K=%ld M=%ld threads=%d   limits in this run: reads %.1f GB/s, int8 dot products %.0f GOP/s\n",
         long(problem.N), long(problem.K), long(M), options.threads, limits.bandwidth / 1e9, limits.operations / 1e9);
  printf("| %-9s | %-20s | %9s | %9s | %7s | %8s | %7s | %-16s | %-27s | %8s |\n", "contender", "format", "median ms",
         "best ms", "clean", "GOP/s", "GB/s w", "nearest limit", "against the best peer", "rel.err");
  for (const Entry *entry : entries) {
    if (!entry->takesPart || entry->isLimit())
      continue;
    Row row = makeRow(*entry, problem, M, limits, options.threads);
    bool memory = row.ofBandwidth >= row.ofOperations;
    char bound[32], against[48] = "", peer[32] = "";
    snprintf(bound, sizeof bound, "%s %.0f %%", memory ? "reads" : "int8",
             100 * (memory ? row.ofBandwidth : row.ofOperations));
    double ratio = 0;
    if (entry->library->name() == options.ours)
      if (const Entry *best = bestPeer(*entry, entries, options)) {
        ratio = summarize(best->samples, options.threads).median / row.time.median;
        snprintf(peer, sizeof peer, "%s %s", best->library->name(), best->format.name);
        snprintf(against, sizeof against, "%.2f x %s", ratio, peer);
      }
    if (!entry->isWhole())
      snprintf(against, sizeof against, "(part of the job)");
    printf("| %-9s | %-20s | %9.3f%s| %9.3f | %3d/%-3d | %8.1f | %7.2f | %-16s | %-27s | %8.2e |\n",
           entry->library->name(), entry->format.name, row.time.median * 1e3, row.time.disturbed ? "~" : " ",
           row.time.best * 1e3, row.time.clean, row.time.count, row.operations / 1e9, row.bytes / 1e9, bound, against,
           entry->error);
    if (csv)
      fprintf(csv, "%s,%s,%ld,%ld,%ld,%d,%.4f,%.4f,%d,%d,%d,%.2f,%.3f,%zu,%.3e,%.2f,%.4f,%.1f,%.4f,%s,%.3f\n",
              entry->library->name(), entry->format.name, long(problem.N), long(problem.K), long(M), options.threads,
              row.time.median * 1e3, row.time.best * 1e3, row.time.clean, row.time.count, row.time.disturbed,
              row.operations / 1e9, row.bytes / 1e9, entry->library->wbytes(entry->handle), entry->error,
              limits.bandwidth / 1e9, row.ofBandwidth, limits.operations / 1e9, row.ofOperations, peer, ratio);
  }
  fflush(stdout);
  if (csv)
    fflush(csv);
}
