// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Texts of errors, and one line of detail for who wants it.
#include "lib/Runtime/qtrt.h"
#include <stdarg.h>
#include <stdio.h>

void qtrt_report(const struct qtrt_handle *handle, const char *format, ...) {
  if (!handle->report)
    return;
  char text[512];
  int used = snprintf(text, sizeof text, "%s: ", handle->model->name);
  if (used < 0 || (size_t)used >= sizeof text)
    used = 0;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text + used, sizeof text - (size_t)used, format, arguments);
  va_end(arguments);
  handle->report(handle->report_user, text);
}

const char *qtrt_error_text(int status) {
  switch (status) {
  case QT_OK: return "no error";
  case QT_ERROR_ARGUMENT: return "a required pointer is NULL or an argument makes no sense";
  case QT_ERROR_MEMORY: return "out of memory or threads";
  case QT_ERROR_LEVEL: return "the processor level asked for is unknown or not supported by this processor";
  case QT_ERROR_WEIGHTS_FILE: return "the weights file cannot be opened or mapped";
  case QT_ERROR_WEIGHTS_FORMAT: return "the weights are not a weights file of this version, or are truncated";
  case QT_ERROR_WEIGHTS_DAMAGE: return "the weights are damaged: a checksum is wrong";
  case QT_ERROR_WEIGHTS_MODEL: return "the weights belong to another model or another build of it";
  case QT_ERROR_DTYPE: return "a tensor has another type of element than the model";
  case QT_ERROR_SHAPE: return "a tensor has a shape that the model does not take";
  case QT_ERROR_SCRATCH: return "scratch memory is missing or not aligned to 64 bytes";
  case QT_ERROR_ALIAS: return "an output overlaps another buffer of the call";
  case QT_ERROR_VALUE: return "an input holds a value that the model does not take, as an index outside of a table";
  case QT_ERROR_STATE: return "the state object is missing or belongs to another model";
  }
  return "unknown error code";
}
