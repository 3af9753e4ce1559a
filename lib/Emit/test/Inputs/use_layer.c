// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Uses a compiled model as any C program would: opens it, asks for shapes, runs it from several threads that share the
// handle, and checks every result against the plain computation and every documented error.
#include "layer.h"
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { K = 40, N = 24, THREADS = 4, RUNS = 50 };

static int failures;
static char last_report[512];

static void report(void *user, const char *text) {
  (void)user;
  snprintf(last_report, sizeof last_report, "%s", text);
}

static void expect(const char *what, int status, int want, const char *text) {
  if (status == want && (!text || strstr(last_report, text)))
    return;
  printf("FAIL %s: status %d (%s), wanted %d; report: %s\n", what, status, layer_error_text(status), want, last_report);
  ++failures;
}

static float reference(const float *x, const float *z, int n) {
  double sum = n / 32.0;
  for (int k = 0; k < K; ++k)
    sum += x[k] * (((7 * k + 3 * n) % 17 - 8) / 64.0);
  return (float)(tanh(sum) + z[n]);
}

struct job {
  layer_handle *handle;
  int batch, bad;
};

static void *run_thread(void *argument) {
  struct job *job = argument;
  int m = job->batch;
  float *x = malloc(sizeof(float) * m * K), *z = malloc(sizeof(float) * m * N), *y = malloc(sizeof(float) * m * N);
  qt_tensor in[LAYER_INPUTS] = {{x, QT_F32, 2, {m, K}}, {z, QT_F32, 2, {m, N}}}, out[LAYER_OUTPUTS];
  size_t bytes;
  if (layer_shapes(job->handle, in, out, &bytes) != QT_OK || out[0].rank != 2 || out[0].shape[0] != m || out[0].shape[1] != N)
    ++job->bad;
  out[0].data = y;
  void *scratch = aligned_alloc(64, (bytes + 64) / 64 * 64);
  for (int run = 0; run < RUNS; ++run) {
    for (int i = 0; i < m * K; ++i)
      x[i] = (float)((i * 31 + run * 7 + m) % 101) / 101 - 0.5f;
    for (int i = 0; i < m * N; ++i)
      z[i] = (float)(i % 5) / 5;
    if (layer_run(job->handle, NULL, in, out, scratch) != QT_OK)
      ++job->bad;
    for (int i = 0; i < m * N; ++i)
      if (!(fabsf(y[i] - reference(x + i / N * K, z + i / N * N, i % N)) < 2e-6f))
        ++job->bad;
  }
  free(x), free(z), free(y), free(scratch);
  return NULL;
}

static void check_threads(layer_handle *handle) {
  pthread_t threads[THREADS];
  struct job jobs[THREADS];
  for (int i = 0; i < THREADS; ++i) {
    jobs[i] = (struct job){handle, 1 + 3 * i, 0};
    pthread_create(&threads[i], NULL, run_thread, &jobs[i]);
  }
  for (int i = 0; i < THREADS; ++i) {
    pthread_join(threads[i], NULL);
    expect("results of a thread", jobs[i].bad, 0, NULL);
  }
}

static void check_errors(layer_handle *handle) {
  static float x[2 * K], z[3 * N], y[3 * N];
  static _Alignas(64) char scratch[4096];
  qt_tensor in[] = {{x, QT_F32, 2, {2, K}}, {z, QT_F32, 2, {2, N}}}, out[] = {{y, QT_F32, 2, {2, N}}};
  expect("a run", layer_run(handle, NULL, in, out, scratch), QT_OK, NULL);
  in[0].dtype = QT_I32;
  expect("dtype", layer_run(handle, NULL, in, out, scratch), QT_ERROR_DTYPE, "input 'x' has element type");
  in[0].dtype = QT_F32, in[0].rank = 1;
  expect("rank", layer_run(handle, NULL, in, out, scratch), QT_ERROR_SHAPE, "input 'x' has rank 1, the model takes 2");
  in[0].rank = 2, in[0].shape[1] = K - 1;
  expect("extent", layer_run(handle, NULL, in, out, scratch), QT_ERROR_SHAPE, "extent 39 in dimension 1, the model takes 40");
  in[0].shape[1] = K, in[1].shape[0] = 3;
  expect("batch", layer_run(handle, NULL, in, out, scratch), QT_ERROR_SHAPE, "the model needs them equal");
  in[1].shape[0] = 2, out[0].shape[0] = 3;
  expect("output", layer_run(handle, NULL, in, out, scratch), QT_ERROR_SHAPE, "ask shapes first");
  in[0].shape[0] = -1, out[0].shape[0] = 2;
  expect("negative", layer_run(handle, NULL, in, out, scratch), QT_ERROR_SHAPE, "extent -1");
  in[0].shape[0] = 2, in[0].data = NULL;
  expect("no data", layer_run(handle, NULL, in, out, scratch), QT_ERROR_ARGUMENT, "no data");
  in[0].data = x, out[0].data = z;
  expect("alias", layer_run(handle, NULL, in, out, scratch), QT_ERROR_ALIAS, "output 'y' overlaps");
  out[0].data = y;
  expect("scratch", layer_run(handle, NULL, in, out, scratch + 4), QT_ERROR_SCRATCH, "aligned to 64");
  expect("no inputs", layer_run(handle, NULL, NULL, out, scratch), QT_ERROR_ARGUMENT, "the inputs are missing: give an array of 2");
  expect("no outputs", layer_run(handle, NULL, in, NULL, scratch), QT_ERROR_ARGUMENT, "the outputs are missing: give an array of 1");
  last_report[0] = 0;
  expect("shapes of nothing", layer_shapes(handle, NULL, out, NULL), QT_ERROR_ARGUMENT, "the inputs are missing");
  expect("no handle", layer_run(NULL, NULL, in, out, scratch), QT_ERROR_ARGUMENT, NULL);
  in[0].shape[0] = in[1].shape[0] = out[0].shape[0] = 0;
  expect("an empty batch", layer_run(handle, NULL, in, out, scratch), QT_OK, NULL);
}

static void serial_for(void *user, int64_t n, qt_task task, void *arg) {
  ++*(int *)user;
  for (int64_t i = n; i-- > 0;)
    task(arg, i, i + 1);
}

int main(int argc, char **argv) {
  if (argc != 2)
    return 2;
  qt_weights weights = {argv[1], NULL, 0};
  qt_options options = {0};
  options.report = report;
  options.verify = 1;
  layer_handle *handle;
  static const char *const levels[] = {NULL, "baseline"};
  for (int i = 0; i < 2; ++i) {
    options.level = levels[i];
    options.threads = i ? 1 : 3;
    expect("open", layer_open(&weights, &options, &handle), QT_OK, NULL);
    check_threads(handle);
    check_errors(handle);
    layer_close(handle);
  }
  int calls = 0;
  options.parallel_for = serial_for;
  options.parallel_user = &calls;
  expect("open with a parallel-for of one's own", layer_open(&weights, &options, &handle), QT_OK, NULL);
  check_threads(handle);
  layer_close(handle);
  options.threads = -1;
  expect("threads", layer_open(&weights, &options, &handle), QT_ERROR_ARGUMENT, "open was asked for -1 threads");
  options.threads = 0;
  options.level = "z80";
  expect("level", layer_open(&weights, &options, &handle), QT_ERROR_LEVEL, "no code for processor level 'z80'");
  expect("no weights", layer_open(NULL, NULL, &handle), QT_ERROR_ARGUMENT, NULL);
  weights.path = "no such file";
  options.level = NULL;
  expect("no file", layer_open(&weights, &options, &handle), QT_ERROR_WEIGHTS_FILE, "cannot open the weights file");
  expect("handle after an error", handle != NULL, 0, NULL);
  puts(failures ? "failed" : "all is well");
  return failures != 0;
}
