// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Progress.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

using namespace mlir::qtensor::tools;

struct Progress::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::string what;
  bool stop = false, shown = false;
  std::chrono::steady_clock::time_point since;
  std::thread thread;

  /// Wakes once a second; a step that ended by then was never worth a line.
  void show() {
    std::unique_lock<std::mutex> lock(mutex);
    while (!stop) {
      changed.wait_for(lock, std::chrono::seconds(1));
      auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - since).count();
      if (stop || what.empty() || seconds < 1)
        continue;
      llvm::errs() << "\r\033[K" << what << " (" << seconds << " s)";
      shown = true;
    }
  }
};

Progress::Progress() : state(std::make_unique<State>()) {
  if (!llvm::sys::Process::StandardErrIsDisplayed())
    return;
  state->since = std::chrono::steady_clock::now();
  state->thread = std::thread([this] { state->show(); });
}

Progress::~Progress() {
  if (!state->thread.joinable())
    return;
  {
    std::lock_guard<std::mutex> lock(state->mutex);
    state->stop = true;
  }
  state->changed.notify_all();
  state->thread.join();
  if (state->shown)
    llvm::errs() << "\r\033[K";
}

void Progress::operator()(llvm::StringRef what) {
  std::lock_guard<std::mutex> lock(state->mutex);
  state->what = what.str();
  state->since = std::chrono::steady_clock::now();
}
