// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Open, shapes, run, close: what the functions of every model's header do.
#include "lib/Runtime/qtrt.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* What LowerChecks.cpp and LowerCore.cpp take for granted. */
_Static_assert(offsetof(struct qtrt_context, failure) == 8 && offsetof(struct qtrt_context, core) == 16,
               "compiled code knows these offsets");

int qtrt_open(const struct qtrt_model *model, const qt_weights *weights, const qt_options *options,
              struct qtrt_handle **result) {
  static const qt_options defaults = {0};
  if (!result)
    return QT_ERROR_ARGUMENT;
  *result = NULL;
  if (!options)
    options = &defaults;
  struct qtrt_handle *handle = calloc(1, sizeof *handle);
  if (!handle)
    return QT_ERROR_MEMORY;
  handle->model = model;
  handle->report = options->report;
  handle->report_user = options->report_user;
  handle->context.parallel_for = qtrt_parallel_for;
  handle->context.user_parallel_for = options->parallel_for;
  handle->context.user = options->parallel_user;

  int status = QT_OK;
  if (options->threads < 0) {
    qtrt_report(handle, "open was asked for %d threads; 0 takes one for each processor", options->threads);
    status = QT_ERROR_ARGUMENT;
  }
  if (status == QT_OK && !(handle->level = qtrt_pick_level(handle, options->level)))
    status = QT_ERROR_LEVEL;
  if (status == QT_OK)
    handle->context.core = qtrt_find_core(handle->level, qtrt_ask_processor);
  if (status == QT_OK)
    status = qtrt_open_weights(handle, weights, options->verify);
  if (status == QT_OK && !options->parallel_for && options->threads != 1 &&
      !(handle->context.pool = qtrt_pool_create(options->threads))) {
    qtrt_report(handle, "no memory for the pool of threads, or a thread cannot be started");
    status = QT_ERROR_MEMORY;
  }
  if (status != QT_OK) {
    qtrt_close(handle);
    return status;
  }
  *result = handle;
  return QT_OK;
}

void qtrt_close(struct qtrt_handle *handle) {
  if (!handle)
    return;
  if (handle->context.pool)
    qtrt_pool_destroy(handle->context.pool);
  qtrt_close_weights(handle);
  free(handle);
}

/// Checks the inputs and computes the extents of the outputs and the bytes of scratch. `extents` has room for all
/// inputs and outputs; `results` for the outputs and the scratch.
static int infer(const struct qtrt_handle *handle, const qt_tensor *inputs, int64_t *extents, int64_t *results,
                 int need_data) {
  const struct qtrt_model *model = handle->model;
  int status = qtrt_check_tensors(handle, "input", model->inputs, model->input_count, inputs, extents, need_data);
  if (status == QT_OK)
    status = qtrt_check_symbols(handle, inputs);
  if (status != QT_OK)
    return status;
  handle->level->shapes(extents, results);
  for (int64_t i = 0; i <= model->output_extents; ++i)
    if (results[i] < 0) {
      qtrt_report(handle, "the extents of the inputs do not fit each other, or lead to a negative extent inside of the "
                          "model");
      return QT_ERROR_SHAPE;
    }
  return QT_OK;
}

int qtrt_shapes(const struct qtrt_handle *handle, const qt_tensor *inputs, qt_tensor *outputs, size_t *scratch) {
  if (!handle)
    return QT_ERROR_ARGUMENT;
  const struct qtrt_model *model = handle->model;
  int64_t extents[model->input_extents + 1], results[model->output_extents + 1];
  int status = infer(handle, inputs, extents, results, 0);
  if (status != QT_OK)
    return status;
  const int64_t *extent = results;
  for (int64_t i = 0; i < model->output_count; ++i) {
    const struct qtrt_tensor *info = &model->outputs[i];
    if (outputs) {
      outputs[i].dtype = info->dtype;
      outputs[i].rank = info->rank;
      memcpy(outputs[i].shape, extent, (size_t)info->rank * sizeof *extent);
    }
    extent += info->rank;
  }
  if (scratch)
    *scratch = (size_t)*extent;
  return QT_OK;
}

/// The extents of the given outputs must be those that follow from the inputs.
static int check_outputs(const struct qtrt_handle *handle, const qt_tensor *outputs, int64_t *extents,
                         const int64_t *expected) {
  const struct qtrt_model *model = handle->model;
  int status = qtrt_check_tensors(handle, "output", model->outputs, model->output_count, outputs, extents, 1);
  if (status != QT_OK)
    return status;
  for (int64_t i = 0; i < model->output_extents; ++i)
    if (extents[i] != expected[i]) {
      qtrt_report(handle, "an output has extent %lld where the inputs give %lld; ask shapes first",
                  (long long)extents[i], (long long)expected[i]);
      return QT_ERROR_SHAPE;
    }
  return QT_OK;
}

int qtrt_run(const struct qtrt_handle *handle, void *state, const qt_tensor *inputs, const qt_tensor *outputs,
             void *scratch) {
  if (!handle)
    return QT_ERROR_ARGUMENT;
  const struct qtrt_model *model = handle->model;
  int64_t extents[model->input_extents + model->output_extents + 1], results[model->output_extents + 1];
  int status = infer(handle, inputs, extents, results, 1);
  if (status == QT_OK)
    status = check_outputs(handle, outputs, extents + model->input_extents, results);
  if (status != QT_OK)
    return status;
  int64_t scratch_bytes = results[model->output_extents];
  if (scratch_bytes && (!scratch || (uintptr_t)scratch % 64 != 0)) {
    qtrt_report(handle, "this call needs %lld bytes of scratch, aligned to 64", (long long)scratch_bytes);
    return QT_ERROR_SCRATCH;
  }
  status = qtrt_check_state(handle, state);
  if (status == QT_OK)
    status = qtrt_check_overlap(handle, inputs, outputs, scratch, scratch_bytes, model->state_bytes ? state : NULL);
  if (status != QT_OK)
    return status;
  void *in[model->input_count + model->state_count + 1], *out[model->output_count + 1];
  for (int64_t i = 0; i < model->input_count; ++i)
    in[i] = inputs[i].data;
  for (int64_t i = 0; i < model->state_count; ++i)
    in[model->input_count + i] = (uint8_t *)state + model->state_offsets[i];
  for (int64_t i = 0; i < model->output_count; ++i)
    out[i] = outputs[i].data;
  struct qtrt_context context = handle->context;
  handle->level->run(&context, handle->payload, (int64_t)model->weights_bytes, scratch, scratch_bytes, in,
                     extents, out);
  if (!context.failure)
    return QT_OK;
  qtrt_report(handle, "%s", context.failure);
  return QT_ERROR_VALUE;
}

size_t qtrt_state_size(const struct qtrt_handle *handle) { return handle ? (size_t)handle->model->state_bytes : 0; }

int qtrt_state_init(const struct qtrt_handle *handle, void *state) {
  if (!handle)
    return QT_ERROR_ARGUMENT;
  if (!handle->model->state_bytes)
    return QT_OK;
  if (!state || (uintptr_t)state % 64) {
    qtrt_report(handle, "state_init needs %lld bytes, aligned to 64", (long long)handle->model->state_bytes);
    return QT_ERROR_STATE;
  }
  memset(state, 0, (size_t)handle->model->state_bytes);
  ((struct qtrt_state *)state)->id = handle->model->state_id;
  return QT_OK;
}

const char *qtrt_level_name(const struct qtrt_handle *handle) { return handle ? handle->level->name : ""; }
