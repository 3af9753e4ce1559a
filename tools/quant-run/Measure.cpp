// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Measure.h"
#include <algorithm>
#include <chrono>
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

std::optional<uint64_t> tools::countInstructions(llvm::function_ref<void()> call) {
  perf_event_attr attributes = {};
  attributes.type = PERF_TYPE_HARDWARE;
  attributes.size = sizeof attributes;
  attributes.config = PERF_COUNT_HW_INSTRUCTIONS;
  attributes.disabled = 1;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  int counter = static_cast<int>(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
  if (counter < 0)
    return std::nullopt;
  call(); // Warm: page faults and lazy binding are not the model's.
  ioctl(counter, PERF_EVENT_IOC_RESET, 0);
  ioctl(counter, PERF_EVENT_IOC_ENABLE, 0);
  call();
  ioctl(counter, PERF_EVENT_IOC_DISABLE, 0);
  uint64_t count = 0;
  bool isRead = read(counter, &count, sizeof count) == sizeof count;
  close(counter);
  return isRead ? std::optional<uint64_t>(count) : std::nullopt;
}
