// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A parallel-for on pthreads. The calling thread works too; one job at a time uses the workers, and a caller that finds
// them busy (another thread runs the same handle, or a nested call) does its work alone rather than wait. Waking a thread
// takes longer than a small layer, and the next job is mostly near: who waits looks for a while before it sleeps.
#define _POSIX_C_SOURCE 200809L // clock_gettime
#include "lib/Runtime/qtrt.h"
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct qtrt_pool {
  pthread_mutex_t mutex;
  pthread_cond_t wake, done;
  qt_task task;
  void *arg;
  int64_t n, next; ///< next: first item that nobody has taken
  _Atomic int64_t running;     ///< workers inside of the current job; changes under the mutex
  _Atomic uint64_t generation; ///< counts jobs; changes under the mutex
  int busy, stop, worker_count;
  pthread_t workers[];
};

/// How long a thread looks before it sleeps. A thread that slept was seen to start 4 ms late, when the system put it on
/// the processor of the one that woke it and moved it away at the next tick. It offers its processor to others each time.
enum { LOOK_NANOSECONDS = 1000000 };

static int64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

static void look_for_job(const struct qtrt_pool *pool, uint64_t seen) {
  int64_t end = nanoseconds() + LOOK_NANOSECONDS;
  while (atomic_load(&pool->generation) == seen && nanoseconds() < end)
    sched_yield();
}

static void look_for_end(const struct qtrt_pool *pool) {
  int64_t end = nanoseconds() + LOOK_NANOSECONDS;
  while (atomic_load(&pool->running) != 0 && nanoseconds() < end)
    sched_yield();
}

/// Takes items until none is left: a share of what is left each time, so that pieces are few, and small at the end, where
/// they even out threads of different speed and items of different cost. Called with the mutex held; returns with it held.
static void work(struct qtrt_pool *pool) {
  while (pool->next < pool->n) {
    int64_t left = pool->n - pool->next, shares = (int64_t)(pool->worker_count + 1) * 3;
    int64_t begin = pool->next, end = begin + (left + shares - 1) / shares;
    pool->next = end;
    pthread_mutex_unlock(&pool->mutex);
    pool->task(pool->arg, begin, end);
    pthread_mutex_lock(&pool->mutex);
  }
}

static void *worker_main(void *argument) {
  struct qtrt_pool *pool = argument;
  uint64_t seen = 0;
  pthread_mutex_lock(&pool->mutex);
  while (!pool->stop) {
    if (pool->generation == seen) {
      pthread_mutex_unlock(&pool->mutex);
      look_for_job(pool, seen);
      pthread_mutex_lock(&pool->mutex);
      if (pool->generation == seen && !pool->stop)
        pthread_cond_wait(&pool->wake, &pool->mutex);
      continue;
    }
    seen = pool->generation;
    if (pool->next >= pool->n)
      continue;
    ++pool->running;
    work(pool);
    if (--pool->running == 0)
      pthread_cond_signal(&pool->done);
  }
  pthread_mutex_unlock(&pool->mutex);
  return NULL;
}

struct qtrt_pool *qtrt_pool_create(int threads) {
  if (threads == 0) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    threads = processors > 0 ? (int)processors : 1;
  }
  struct qtrt_pool *pool = calloc(1, sizeof *pool + (size_t)threads * sizeof(pthread_t));
  if (!pool)
    return NULL;
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->wake, NULL);
  pthread_cond_init(&pool->done, NULL);
  for (int i = 0; i + 1 < threads; ++i) {
    if (pthread_create(&pool->workers[i], NULL, worker_main, pool) != 0) {
      qtrt_pool_destroy(pool);
      return NULL;
    }
    ++pool->worker_count;
  }
  return pool;
}

void qtrt_pool_destroy(struct qtrt_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  pool->stop = 1;
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
  for (int i = 0; i < pool->worker_count; ++i)
    pthread_join(pool->workers[i], NULL);
  pthread_cond_destroy(&pool->done);
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->mutex);
  free(pool);
}

/// Whether the job was taken; if not, the caller does it alone.
static int run_job(struct qtrt_pool *pool, int64_t n, qt_task task, void *arg) {
  pthread_mutex_lock(&pool->mutex);
  if (pool->busy) {
    pthread_mutex_unlock(&pool->mutex);
    return 0;
  }
  pool->busy = 1;
  pool->task = task;
  pool->arg = arg;
  pool->n = n;
  pool->next = 0;
  ++pool->generation;
  pthread_cond_broadcast(&pool->wake);
  work(pool);
  if (pool->running) {
    pthread_mutex_unlock(&pool->mutex);
    look_for_end(pool);
    pthread_mutex_lock(&pool->mutex);
  }
  while (pool->running)
    pthread_cond_wait(&pool->done, &pool->mutex);
  pool->busy = 0;
  pthread_mutex_unlock(&pool->mutex);
  return 1;
}

void qtrt_parallel_for(const struct qtrt_context *context, int64_t n, qt_task task, void *arg) {
  if (n <= 0)
    return;
  if (n > 1 && context->user_parallel_for) {
    context->user_parallel_for(context->user, n, task, arg);
    return;
  }
  if (n > 1 && context->pool && context->pool->worker_count && run_job(context->pool, n, task, arg))
    return;
  task(arg, 0, n);
}
