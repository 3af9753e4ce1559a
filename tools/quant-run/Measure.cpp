// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Measure.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

using namespace mlir::qtensor;

double tools::medianSeconds(unsigned repeats, llvm::function_ref<void()> call) {
  call();
  std::vector<double> seconds;
  for (unsigned i = 0; i < std::max(repeats, 1u); ++i) {
    auto start = std::chrono::steady_clock::now();
    call();
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(seconds.begin(), seconds.begin() + seconds.size() / 2, seconds.end());
  return seconds[seconds.size() / 2];
}

/// A stopped counter of one event of this thread outside of the kernel; negative if there is none.
static int openCounter(uint64_t event) {
  perf_event_attr attributes = {};
  attributes.type = PERF_TYPE_HARDWARE;
  attributes.size = sizeof attributes;
  attributes.config = event;
  attributes.disabled = 1;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  return static_cast<int>(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
}

llvm::Expected<std::vector<tools::EventCount>> tools::countEvents(llvm::function_ref<void()> call) {
  static constexpr std::pair<llvm::StringLiteral, uint64_t> events[] = {
      {"instructions", PERF_COUNT_HW_INSTRUCTIONS},
      {"cycles", PERF_COUNT_HW_CPU_CYCLES},
      {"branch misses", PERF_COUNT_HW_BRANCH_MISSES},
      {"cache misses", PERF_COUNT_HW_CACHE_MISSES}};
  call(); // Warm: page faults and lazy binding are not the model's.
  std::vector<EventCount> counts;
  int reason = 0;
  for (auto [name, event] : events) {
    int counter = openCounter(event);
    if (counter < 0)
      reason = errno;
    counts.push_back({name, std::nullopt});
    if (counter < 0)
      continue;
    // One event a call: a processor with few counters would share them out by time.
    ioctl(counter, PERF_EVENT_IOC_RESET, 0);
    ioctl(counter, PERF_EVENT_IOC_ENABLE, 0);
    call();
    ioctl(counter, PERF_EVENT_IOC_DISABLE, 0);
    uint64_t number = 0;
    if (read(counter, &number, sizeof number) == sizeof number)
      counts.back().number = number;
    close(counter);
  }
  if (llvm::none_of(counts, [](const EventCount &count) { return count.number.has_value(); }))
    return llvm::createStringError(llvm::Twine("this kernel or machine lets us count nothing: ") + std::strerror(reason) +
                                   " (see perf_event_paranoid in perf_event_open(2))");
  return counts;
}
