// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the compiler tells the runtime about a model: constant tables in the artifact. lib/Emit/Glue.cpp writes them;
// the two sides must agree field by field.
#pragma once
#include "lib/Runtime/qtensor_abi.h"

/// An input or output.
struct qtrt_tensor {
  const char *name;
  const int64_t *shape;   ///< -1: any extent
  const int32_t *symbols; ///< extents with the same number must be equal; -1: no condition
  int32_t dtype, rank;
};

/// A question to the processor: all `bits` of word `word` of this identification leaf must be set.
struct qtrt_probe {
  uint32_t leaf, subleaf, word, bits;
};
enum { QTRT_ENABLED_STATE = 0xFFFFFFFFu }; ///< The leaf that stands for what the operating system saves.

struct qtrt_context;

/// Processors that run other kernels than the rest of a level.
struct qtrt_core {
  const struct qtrt_probe *probes;
  int64_t probe_count;
};

/// The code of one level.
struct qtrt_level {
  const char *name;
  const struct qtrt_probe *probes;
  int64_t probe_count;
  void (*run)(struct qtrt_context *context, const void *weights, int64_t weights_bytes, void *scratch,
              int64_t scratch_bytes, void *const *inputs, const int64_t *extents, void *const *outputs);
  /// Extents of all inputs -> extents of all outputs, then bytes of scratch.
  void (*shapes)(const int64_t *input_extents, int64_t *results);
  const struct qtrt_core *cores;
  int64_t core_count;
};

struct qtrt_model {
  const char *name;
  const struct qtrt_tensor *inputs, *outputs;
  const struct qtrt_level *levels; ///< ascending
  int64_t input_count, output_count, level_count;
  int64_t input_extents, output_extents; ///< sums of ranks
  int64_t symbol_count;
  uint64_t weights_bytes; ///< size of the payload; 0: the model has no weights
  uint64_t weights_id;    ///< identity of the payload, as in the header of the file
  /// What the model keeps between calls: tensors of fixed extents at these offsets of the caller's state object, each
  /// a multiple of 64, behind a struct qtrt_state. No states: state_bytes is 0.
  const int64_t *state_offsets;
  int64_t state_count, state_bytes;
  uint64_t state_id; ///< differs between models whose states differ in layout or meaning
};

/// The head of a state object.
struct qtrt_state {
  uint64_t id;
};
enum { QTRT_STATE_HEAD = 64 };

/// What compiled code gets to see: a copy for each run. It knows the offsets of the first three fields: it calls the first,
/// stores to the second, and reads the third.
struct qtrt_context {
  void (*parallel_for)(const struct qtrt_context *context, int64_t n, qt_task task, void *arg);
  const char *failure; ///< What was wrong with the values of the inputs; NULL: nothing.
  int64_t core; ///< Which of the level's cores this is, counted from 1; 0: none of them.
  void (*user_parallel_for)(void *user, int64_t n, qt_task task, void *arg);
  void *user;
  struct qtrt_pool *pool;
};

/// An open model. Nothing in it changes between open and close, but for the pool, which guards itself.
struct qtrt_handle {
  struct qtrt_context context;
  const struct qtrt_model *model;
  const struct qtrt_level *level;
  void (*report)(void *user, const char *text);
  void *report_user;
  const uint8_t *file; ///< start of the weights file, mapped or the caller's
  size_t file_size;
  int mapped;
  const uint8_t *payload;
};

// error.c
void qtrt_report(const struct qtrt_handle *handle, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *qtrt_error_text(int status);

// cpu.c
/// The four words of an identification leaf, which are zero before; 0: there is no such leaf.
typedef int qtrt_ask(uint32_t leaf, uint32_t subleaf, uint32_t words[4]);
/// Asks the processor that this runs on.
int qtrt_ask_processor(uint32_t leaf, uint32_t subleaf, uint32_t words[4]);
/// Whether a processor that answers like `ask` can run a level.
int qtrt_supports(const struct qtrt_level *level, qtrt_ask *ask);
/// Which of the level's cores a processor that answers like `ask` is, counted from 1; 0: none of them.
int64_t qtrt_find_core(const struct qtrt_level *level, qtrt_ask *ask);
/// Picks by name, environment or probes. NULL after a report: no such level here.
const struct qtrt_level *qtrt_pick_level(const struct qtrt_handle *handle, const char *name);

// weights.c
/// Maps or adopts the weights and checks header and index (with `verify`, the payload too).
int qtrt_open_weights(struct qtrt_handle *handle, const qt_weights *weights, int verify);
void qtrt_close_weights(struct qtrt_handle *handle);
uint64_t qtrt_hash(const void *bytes, size_t size);

// pool.c
/// `threads` in all; NULL: no memory or no thread.
struct qtrt_pool *qtrt_pool_create(int threads);
void qtrt_pool_destroy(struct qtrt_pool *pool);
void qtrt_parallel_for(const struct qtrt_context *context, int64_t n, qt_task task, void *arg);

// check.c
/// Checks tensors against the model. `extents` receives the extents of all of them.
int qtrt_check_tensors(const struct qtrt_handle *handle, const char *what, const struct qtrt_tensor *infos,
                       int64_t count, const qt_tensor *tensors, int64_t *extents, int need_data);
int qtrt_check_symbols(const struct qtrt_handle *handle, const qt_tensor *inputs);
int qtrt_check_overlap(const struct qtrt_handle *handle, const qt_tensor *inputs, const qt_tensor *outputs,
                       const void *scratch, int64_t scratch_bytes, const void *state);
int qtrt_check_state(const struct qtrt_handle *handle, const void *state);
int64_t qtrt_element_bytes(int32_t dtype);

// model.c: the functions behind <model>_open and its sisters.
int qtrt_open(const struct qtrt_model *model, const qt_weights *weights, const qt_options *options,
              struct qtrt_handle **result);
int qtrt_shapes(const struct qtrt_handle *handle, const qt_tensor *inputs, qt_tensor *outputs, size_t *scratch);
int qtrt_run(const struct qtrt_handle *handle, void *state, const qt_tensor *inputs, const qt_tensor *outputs,
             void *scratch);
void qtrt_close(struct qtrt_handle *handle);
size_t qtrt_state_size(const struct qtrt_handle *handle);
int qtrt_state_init(const struct qtrt_handle *handle, void *state);
/// The name of the processor level in use.
const char *qtrt_level_name(const struct qtrt_handle *handle);
