// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks what the caller passes against what the model was compiled for.
#include "lib/Runtime/qtrt.h"

int64_t qtrt_element_bytes(int32_t dtype) {
  switch (dtype) {
  case QT_I16: case QT_U16: case QT_F16: case QT_BF16: return 2;
  case QT_I32: case QT_U32: case QT_F32: return 4;
  case QT_I64: case QT_U64: case QT_F64: return 8;
  default: return 1;
  }
}

static int check_extent(const struct qtrt_handle *handle, const char *what, const struct qtrt_tensor *info, int32_t d,
                        int64_t extent) {
  if (extent >= 0 && (info->shape[d] < 0 || info->shape[d] == extent))
    return QT_OK;
  if (extent < 0)
    qtrt_report(handle, "%s '%s' has extent %lld in dimension %d", what, info->name, (long long)extent, d);
  else
    qtrt_report(handle, "%s '%s' has extent %lld in dimension %d, the model takes %lld", what, info->name,
                (long long)extent, d, (long long)info->shape[d]);
  return QT_ERROR_SHAPE;
}

int qtrt_check_tensors(const struct qtrt_handle *handle, const char *what, const struct qtrt_tensor *infos,
                       int64_t count, const qt_tensor *tensors, int64_t *extents, int need_data) {
  if (count && !tensors) {
    qtrt_report(handle, "the %ss are missing: give an array of %lld tensors, not NULL", what, (long long)count);
    return QT_ERROR_ARGUMENT;
  }
  for (int64_t i = 0; i < count; ++i) {
    const struct qtrt_tensor *info = &infos[i];
    const qt_tensor *tensor = &tensors[i];
    if (tensor->dtype != info->dtype) {
      qtrt_report(handle, "%s '%s' has element type %d, the model takes %d", what, info->name, tensor->dtype, info->dtype);
      return QT_ERROR_DTYPE;
    }
    if (tensor->rank != info->rank) {
      qtrt_report(handle, "%s '%s' has rank %d, the model takes %d", what, info->name, tensor->rank, info->rank);
      return QT_ERROR_SHAPE;
    }
    int64_t elements = 1;
    for (int32_t d = 0; d < info->rank; ++d) {
      int status = check_extent(handle, what, info, d, tensor->shape[d]);
      if (status != QT_OK)
        return status;
      if (__builtin_mul_overflow(elements, tensor->shape[d], &elements) || elements > INT64_MAX / 64) {
        qtrt_report(handle, "%s '%s' has more elements than memory can hold", what, info->name);
        return QT_ERROR_SHAPE;
      }
      *extents++ = tensor->shape[d];
    }
    if (need_data && elements && (!tensor->data || (uintptr_t)tensor->data % (uintptr_t)qtrt_element_bytes(info->dtype))) {
      qtrt_report(handle, "%s '%s' has no data, or data that is not aligned to its elements", what, info->name);
      return QT_ERROR_ARGUMENT;
    }
  }
  return QT_OK;
}

/// Looks for an earlier extent with the same symbol as extent `d` of input `i` and another value.
static int find_conflict(const struct qtrt_handle *handle, const qt_tensor *inputs, int64_t i, int32_t d) {
  const struct qtrt_tensor *infos = handle->model->inputs;
  for (int64_t j = 0; j <= i; ++j)
    for (int32_t e = 0; e < (j == i ? d : infos[j].rank); ++e)
      if (infos[j].symbols[e] == infos[i].symbols[d] && inputs[j].shape[e] != inputs[i].shape[d]) {
        qtrt_report(handle, "extent %d of '%s' is %lld but extent %d of '%s' is %lld; the model needs them equal", e,
                    infos[j].name, (long long)inputs[j].shape[e], d, infos[i].name, (long long)inputs[i].shape[d]);
        return QT_ERROR_SHAPE;
      }
  return QT_OK;
}

int qtrt_check_symbols(const struct qtrt_handle *handle, const qt_tensor *inputs) {
  const struct qtrt_tensor *infos = handle->model->inputs;
  for (int64_t i = 0; i < handle->model->input_count; ++i)
    for (int32_t d = 0; d < infos[i].rank; ++d) {
      int status = infos[i].symbols[d] < 0 ? QT_OK : find_conflict(handle, inputs, i, d);
      if (status != QT_OK)
        return status;
    }
  return QT_OK;
}

struct range {
  uintptr_t begin, end;
};

static struct range range_of(const qt_tensor *tensor) {
  int64_t bytes = qtrt_element_bytes(tensor->dtype);
  for (int32_t d = 0; d < tensor->rank; ++d)
    bytes *= tensor->shape[d];
  struct range range = {(uintptr_t)tensor->data, (uintptr_t)tensor->data + (uintptr_t)bytes};
  return range;
}

static int overlap(struct range a, struct range b) { return a.begin < b.end && b.begin < a.end; }

int qtrt_check_overlap(const struct qtrt_handle *handle, const qt_tensor *inputs, const qt_tensor *outputs,
                       const void *scratch, int64_t scratch_bytes, const void *state) {
  const struct qtrt_model *model = handle->model;
  struct range arena = {(uintptr_t)scratch, (uintptr_t)scratch + (uintptr_t)scratch_bytes};
  struct range kept = {(uintptr_t)state, (uintptr_t)state + (uintptr_t)(state ? model->state_bytes : 0)};
  int shares = overlap(kept, arena);
  for (int64_t i = 0; i < model->input_count && !shares; ++i)
    shares = overlap(kept, range_of(&inputs[i]));
  if (shares) {
    qtrt_report(handle, "the state overlaps another buffer of this call");
    return QT_ERROR_ALIAS;
  }
  for (int64_t i = 0; i < model->output_count; ++i) {
    struct range out = range_of(&outputs[i]);
    int bad = overlap(out, arena) || overlap(out, kept);
    for (int64_t j = 0; j < model->input_count && !bad; ++j)
      bad = overlap(out, range_of(&inputs[j]));
    for (int64_t j = 0; j < i && !bad; ++j)
      bad = overlap(out, range_of(&outputs[j]));
    if (bad) {
      qtrt_report(handle, "output '%s' overlaps another buffer of this call", model->outputs[i].name);
      return QT_ERROR_ALIAS;
    }
  }
  return QT_OK;
}

int qtrt_check_state(const struct qtrt_handle *handle, const void *state) {
  const struct qtrt_model *model = handle->model;
  if (!model->state_bytes)
    return QT_OK;
  const struct qtrt_state *head = state;
  if (!state || (uintptr_t)state % 64)
    qtrt_report(handle, "this model has a state: give %lld bytes, aligned to 64, that state_init has filled",
                (long long)model->state_bytes);
  else if (head->id != model->state_id)
    qtrt_report(handle, "the state belongs to another model or was not filled by state_init");
  else
    return QT_OK;
  return QT_ERROR_STATE;
}
