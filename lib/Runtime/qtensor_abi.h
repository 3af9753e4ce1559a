// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The interface of a compiled model, the same for every model and target. The header of a model contains this text.
#ifndef QTENSOR_ABI_VERSION
#define QTENSOR_ABI_VERSION 1
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Types of elements. Booleans are one byte, 0 or 1.
typedef enum qt_dtype {
  QT_BOOL = 1, QT_I8, QT_U8, QT_I16, QT_U16, QT_I32, QT_U32, QT_I64, QT_U64, QT_F16, QT_BF16, QT_F32, QT_F64,
  QT_OPAQUE8 /// any other element of one byte
} qt_dtype;

enum { QT_MAX_RANK = 8 };

/// A tensor in the caller's memory: contiguous, last dimension fastest, aligned to its element.
typedef struct qt_tensor {
  void *data;
  int32_t dtype; ///< a qt_dtype
  int32_t rank;
  int64_t shape[QT_MAX_RANK];
} qt_tensor;

/// Where the weights of a model are: a file, or bytes that stay valid until close (aligned to 64 bytes).
typedef struct qt_weights {
  const char *path; ///< NULL: use bytes
  const void *bytes;
  size_t size;
} qt_weights;

/// A piece of parallel work: do items begin <= i < end.
typedef void (*qt_task)(void *arg, int64_t begin, int64_t end);

/// All fields may be zero.
typedef struct qt_options {
  const char *level;  ///< processor level to use, by name; NULL: environment QTENSOR_CPU_LEVEL, else the best one
  int32_t threads;    ///< threads of the built-in pool, with the caller's; 0: as many as processors
  int32_t verify;     ///< not 0: check every byte of the weights at open
  /// Runs `task` over all of 0 <= i < n, in any split, and returns when all is done. NULL: the built-in pool. A task needs
  /// up to 192 KiB of stack.
  void (*parallel_for)(void *user, int64_t n, qt_task task, void *arg);
  void *parallel_user;
  /// Called with one line of text for each error, before the function returns. NULL: errors are codes only.
  void (*report)(void *user, const char *text);
  void *report_user;
} qt_options;

/// What every function returns. The text of a code: <model>_error_text.
typedef enum qt_status {
  QT_OK = 0,
  QT_ERROR_ARGUMENT,       ///< a required pointer is NULL or a field of a structure makes no sense
  QT_ERROR_MEMORY,         ///< the machine has no memory or thread left
  QT_ERROR_LEVEL,          ///< the processor level asked for is unknown, or this processor lacks it
  QT_ERROR_WEIGHTS_FILE,   ///< the weights file cannot be opened or mapped
  QT_ERROR_WEIGHTS_FORMAT, ///< the weights are no weights of this version, or shorter than they say
  QT_ERROR_WEIGHTS_DAMAGE, ///< a checksum of the weights is wrong
  QT_ERROR_WEIGHTS_MODEL,  ///< the weights belong to another model or another build of it
  QT_ERROR_DTYPE,          ///< an input or output has another type of element than the model
  QT_ERROR_SHAPE,          ///< an input or output has extents that the model does not take
  QT_ERROR_SCRATCH,        ///< scratch is NULL though it is needed, or not aligned to 64 bytes
  QT_ERROR_ALIAS,          ///< an output overlaps another buffer of the call
  QT_ERROR_STATE,          ///< the state is NULL though the model has one, or of another model
  QT_ERROR_VALUE           ///< an input holds a value that the model does not take (an index outside of a table)
} qt_status;

#ifdef __cplusplus
}
#endif
#endif
