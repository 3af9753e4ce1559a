// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A compiled library whose model is called `layer`, opened as any program would.
#pragma once
#include "lib/Runtime/qtensor_abi.h"
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <string>
#include <sys/stat.h>

namespace artifact {

struct model_handle;

/// The functions of a compiled library, whose model is called `layer`.
struct Model {
  qt_status (*open)(const qt_weights *, const qt_options *, model_handle **);
  qt_status (*shapes)(const model_handle *, const qt_tensor *, qt_tensor *, size_t *);
  qt_status (*run)(const model_handle *, void *, const qt_tensor *, const qt_tensor *, void *);
  void (*close)(model_handle *);
  const char *(*errorText)(qt_status);
};

template <class Function> inline bool bind(void *object, const char *symbol, Function &function) {
  function = reinterpret_cast<Function>(dlsym(object, symbol));
  return function;
}

/// Opens a library; false after a line on stderr.
inline bool load(const std::string &path, Model &model) {
  void *object = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!object) {
    fprintf(stderr, "qtensor: %s\n", dlerror());
    return false;
  }
  return bind(object, "layer_open", model.open) && bind(object, "layer_shapes", model.shapes) &&
         bind(object, "layer_run", model.run) && bind(object, "layer_close", model.close) &&
         bind(object, "layer_error_text", model.errorText);
}

/// A path from the environment.
inline std::string getPath(const char *variable, const char *otherwise) {
  const char *value = getenv(variable);
  return value ? value : otherwise;
}

/// When a file was written; 0: there is none.
inline time_t modified(const std::string &path) {
  struct stat status;
  return stat(path.c_str(), &status) ? 0 : status.st_mtime;
}

} // namespace artifact
