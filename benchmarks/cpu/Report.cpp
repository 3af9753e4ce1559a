// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tables: times, ratios to the best peer of the same run, and the limit that is nearest.
#include "Race.h"
#include <algorithm>
#include <cmath>
#include <cstdio>

using namespace race;

static Limits readLimits(const std::vector<Entry *> &entries, const Problem &problem, int64_t M) {
  Limits limits;
  for (Entry *entry : entries)
    if (entry->isLimit() && entry->takesPart)
      setLimit(limits, *entry, medianSeconds(*entry, {}), problem, M);
  return limits;
}

/// The median, over an entry's bursts, of the share that they reached of a limit that was measured right before each.
static double ofLimit(const Entry &entry, double amount, double Limits::*limit) {
  std::vector<double> shares;
  for (size_t burst = 0; burst < entry.limits.size(); ++burst)
    if (entry.limits[burst].*limit > 0)
      shares.push_back(amount / medianSeconds(entry, burst) / (entry.limits[burst].*limit));
  std::sort(shares.begin(), shares.end());
  return shares.empty() ? 0 : shares[shares.size() / 2];
}

namespace {
/// The numbers of one row.
struct Row {
  Statistics time;
  double operations, bytes, ofBandwidth, ofOperations, ofFloats;
};
} // namespace

static Row makeRow(const Entry &entry, const Problem &problem, int64_t M, int threads) {
  Row row{summarize(entry.samples, threads), 0, 0, 0, 0, 0};
  row.operations = 2.0 * M * problem.N * problem.K / row.time.median;
  row.bytes = entry.library->wbytes(entry.handle) / row.time.median;
  row.ofBandwidth = ofLimit(entry, entry.library->wbytes(entry.handle), &Limits::bandwidth);
  row.ofOperations = ofLimit(entry, 2.0 * M * problem.N * problem.K, &Limits::operations);
  row.ofFloats = ofLimit(entry, 2.0 * M * problem.N * problem.K, &Limits::floats);
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
               "relerr,read_gbs,of_read,peak_gops,of_peak,best_peer,ratio,bits,whole,f32_gflops,of_f32\n");
}

void race::report(const std::vector<Entry *> &entries, const Problem &problem, int64_t M, const Options &options,
                  FILE *csv) {
  Limits limits = readLimits(entries, problem, M);
  printf("\nN=%ld K=%ld M=%ld threads=%d   limits in this run: reads %.1f GB/s, int8 dot products %.0f GOP/s, f32 %.0f GFLOP/s\n",
         long(problem.N), long(problem.K), long(M), options.threads, limits.bandwidth / 1e9, limits.operations / 1e9,
         limits.floats / 1e9);
  printf("| %-12s | %-20s | %9s | %9s | %7s | %8s | %7s | %-16s | %-32s | %8s |\n", "contender", "format", "median ms",
         "best ms", "clean", "GOP/s", "GB/s w", "nearest limit", "against the best peer", "rel.err");
  for (const Entry *entry : entries) {
    if (!entry->takesPart || entry->isLimit())
      continue;
    Row row = makeRow(*entry, problem, M, options.threads);
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
    printf("| %-12s | %-20s | %9.3f%s| %9.3f | %3d/%-3d | %8.1f | %7.2f | %-16s | %-32s | %8.2e |\n",
           entry->library->name(), entry->format.name, row.time.median * 1e3, row.time.disturbed ? "~" : " ",
           row.time.best * 1e3, row.time.clean, row.time.count, row.operations / 1e9, row.bytes / 1e9, bound, against,
           entry->error);
    if (csv)
      fprintf(csv, "%s,%s,%ld,%ld,%ld,%d,%.4f,%.4f,%d,%d,%d,%.2f,%.3f,%zu,%.3e,%.2f,%.4f,%.1f,%.4f,%s,%.3f,%g,%d,%.1f,%.4f\n",
              entry->library->name(), entry->format.name, long(problem.N), long(problem.K), long(M), options.threads,
              row.time.median * 1e3, row.time.best * 1e3, row.time.clean, row.time.count, row.time.disturbed,
              row.operations / 1e9, row.bytes / 1e9, entry->library->wbytes(entry->handle), entry->error,
              limits.bandwidth / 1e9, row.ofBandwidth, limits.operations / 1e9, row.ofOperations, peer, ratio,
              entry->format.bits, entry->isWhole(), limits.floats / 1e9, row.ofFloats);
  }
  fflush(stdout);
  if (csv)
    fflush(csv);
}
