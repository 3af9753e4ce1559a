// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A contender is a shared library that exports the functions below. It multiplies
//   Y[M,N] = X[M,K] * W[N,K]^T
// with W stored in one of its formats. X and Y are row-major f32. Everything inside qb_run is timed; nothing else is.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Weights begin on such a boundary and fill such pages, so that none of them is in small pages at its ends. */
#define QB_PAGE ((size_t)2 << 20)

enum {
  QB_PREQUANT = 1, /* activations arrive quantized or in another type */
  QB_RAWOUT = 2,   /* the output is left as s32 or bf16 */
  QB_ROOF = 4      /* not a multiplication: a limit of the machine */
};

typedef struct {
  const char *name;
  double bits; /* stored bits per weight */
  int flags;
} qb_format;

/* The f32 limit of contender `roof` does this part of a multiplication, which would take too long at its rate. */
enum { QB_ROOF_FLOAT_SHARE = 8 };

typedef struct {
  int fmt;
  int64_t N, K;
  int copies, threads;
  int64_t row_period;
  const float *W;
} qb_config;

/* Short name for the tables. */
const char *qb_name(void);

/* Number of formats. */
int qb_formats(void);

/* Describes format `f`. 0 = ok, else the format is skipped. */
int qb_describe(int f, qb_format *out);

/* Holds `copies` weight matrices in distinct memory, all made from W (valid during the call only). Rows n and
   n + row_period of W are equal (row_period divides N): a contender may quantize only the first row_period rows and
   repeat the result. NULL = this format or shape is not supported. */
void *qb_create(const qb_config *config);

/* Chooses M and the activations of the following runs (X stays valid). Not timed: a contender with QB_PREQUANT may
   convert X to its own type here. 0 = ok, else this M is not supported. */
int qb_input(void *handle, int64_t M, const float *X);

/* One multiplication with matrix `copy`. 0 = ok. */
int qb_run(void *handle, int copy);

/* The result of the last run as f32 (M*N). Not timed: contenders with QB_RAWOUT may rescale here. */
void qb_output(void *handle, float *Y);

/* Bytes of one stored weight matrix: what one run must read at least. */
size_t qb_wbytes(void *handle);

void qb_destroy(void *handle);

#ifdef __cplusplus
}
#endif
