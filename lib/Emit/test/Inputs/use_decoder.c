// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A decoder that keeps its cache as state: token by token from several threads, each with its own state, it gives the bits
// of the model that sees the whole sequence; a step writes its own rows of the cache and nothing else.
#define _GNU_SOURCE
#include "step.h"
#include "whole.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { T = 256, D = 64, STEPS = 40, THREADS = 4 };

static int failures;

static void expect(const char *what, int holds) {
  if (!holds) {
    printf("FAIL %s\n", what);
    ++failures;
  }
}

static void *allocate(size_t bytes) { return aligned_alloc(64, (bytes + 64) / 64 * 64); }

static void fill(float *x, int seed) {
  for (int i = 0; i < T * D; ++i)
    x[i] = (float)((i * 31 + seed * 7 + i / D) % 101) / 101 - 0.5f;
}

/// One step on one token.
static int run_step(const step_handle *handle, void *state, float *x, float *y, void *scratch) {
  qt_tensor in = {x, QT_F32, 2, {1, D}}, out = {y, QT_F32, 2, {1, D}};
  return step_run(handle, state, &in, &out, scratch);
}

struct job {
  const step_handle *handle;
  const whole_handle *whole;
  int seed, bad;
};

static void *run_thread(void *argument) {
  struct job *job = argument;
  static _Thread_local float x[T * D], y[T * D];
  float row[D];
  fill(x, job->seed);
  qt_tensor in = {x, QT_F32, 2, {T, D}}, out = {y, QT_F32, 2, {T, D}};
  size_t bytes = 0;
  whole_shapes(job->whole, &in, NULL, &bytes);
  void *scratch = allocate(bytes);
  job->bad += whole_run(job->whole, NULL, &in, &out, scratch) != QT_OK;
  free(scratch);

  qt_tensor one = {NULL, QT_F32, 2, {1, D}};
  step_shapes(job->handle, &one, NULL, &bytes);
  scratch = allocate(bytes);
  void *state = allocate(step_state_size(job->handle));
  for (int round = 0; round < 2; ++round) { // state_init also resets
    job->bad += step_state_init(job->handle, state) != QT_OK;
    for (int t = 0; t < STEPS; ++t) {
      job->bad += run_step(job->handle, state, x + t * D, row, scratch) != QT_OK;
      job->bad += memcmp(row, y + t * D, sizeof row) != 0;
    }
  }
  free(scratch), free(state);
  return NULL;
}

static void check_threads(const step_handle *handle, const whole_handle *whole) {
  pthread_t threads[THREADS];
  struct job jobs[THREADS];
  for (int i = 0; i < THREADS; ++i) {
    jobs[i] = (struct job){handle, whole, i, 0};
    pthread_create(&threads[i], NULL, run_thread, &jobs[i]);
  }
  for (int i = 0; i < THREADS; ++i) {
    pthread_join(threads[i], NULL);
    expect("step by step is the whole sequence", jobs[i].bad == 0);
  }
}

/// A run on a copy shows the pages that a step changes. The others are made read-only: the step must not touch them, not
/// even to write what is there.
static void check_in_place(const step_handle *handle) {
  static float x[T * D], y[D];
  size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = 0;
  size_t size = (step_state_size(handle) + page - 1) / page * page;
  qt_tensor one = {NULL, QT_F32, 2, {1, D}};
  step_shapes(handle, &one, NULL, &bytes);
  void *scratch = allocate(bytes);
  uint8_t *state = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *copy = allocate(size);
  fill(x, 9);
  expect("init", step_state_init(handle, state) == QT_OK);
  int kept = 0;
  for (int t = 0; t < STEPS; ++t) {
    memcpy(copy, state, size);
    expect("run on a copy", run_step(handle, copy, x + t * D, y, scratch) == QT_OK);
    for (size_t at = 0; at < size; at += page)
      if (!memcmp(copy + at, state + at, page)) {
        mprotect(state + at, page, PROT_READ);
        ++kept;
      }
    expect("run", run_step(handle, state, x + t * D, y, scratch) == QT_OK);
    mprotect(state, size, PROT_READ | PROT_WRITE);
    expect("the same as on the copy", !memcmp(copy, state, size));
  }
  printf("%zu pages, %.1f read-only in a step\n", size / page, (double)kept / STEPS);
  munmap(state, size), free(copy), free(scratch);
}

static void check_errors(const step_handle *handle, const whole_handle *whole) {
  static float x[D], y[D];
  size_t size = step_state_size(handle);
  uint8_t *state = allocate(size + 64);
  void *scratch = allocate(1 << 20);
  expect("no state of a model without", whole_state_size(whole) == 0 && whole_state_init(whole, NULL) == QT_OK);
  expect("NULL", run_step(handle, NULL, x, y, scratch) == QT_ERROR_STATE);
  expect("init of NULL", step_state_init(handle, NULL) == QT_ERROR_STATE);
  expect("unaligned", step_state_init(handle, state + 8) == QT_ERROR_STATE);
  memset(state, 0, size);
  expect("not filled", run_step(handle, state, x, y, scratch) == QT_ERROR_STATE);
  step_state_init(handle, state);
  expect("an output in the state", run_step(handle, state, x, (float *)(state + 64), scratch) == QT_ERROR_ALIAS);
  expect("an input in the state", run_step(handle, state, (float *)(state + 64), y, scratch) == QT_ERROR_ALIAS);
  expect("scratch in the state", run_step(handle, state, x, y, state) == QT_ERROR_ALIAS);
  expect("all is well", run_step(handle, state, x, y, scratch) == QT_OK);
  free(state), free(scratch);
}

int main(int argc, char **argv) {
  if (argc != 3)
    return 2;
  qt_weights weights = {argv[1], NULL, 0}, whole_weights = {argv[2], NULL, 0};
  step_handle *handle;
  whole_handle *whole;
  if (step_open(&weights, NULL, &handle) != QT_OK || whole_open(&whole_weights, NULL, &whole) != QT_OK)
    return 3;
  check_threads(handle, whole);
  check_in_place(handle);
  check_errors(handle, whole);
  step_close(handle);
  whole_close(whole);
  if (!failures)
    printf("all is well\n");
  return failures != 0;
}
