// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The part of an artifact that is not computation: the tables that describe the model, the functions of its header, and
// a private copy of the runtime.
#pragma once
#include "lib/Emit/Interface.h"
#include "lib/Emit/NativeCode.h"
#include "lib/Emit/WeightsFile.h"

namespace mlir::qtensor {

/// Builds and compiles it. The code of the levels is referred to by name.
llvm::Expected<ObjectBytes> compileGlue(const ModelInterface &model, const WeightsFile &weights, const Target &target);

} // namespace mlir::qtensor
