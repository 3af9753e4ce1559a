// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops over the elements of tensors, for the kernels of sums and products.
#pragma once
#include "lib/Transforms/Firmware/FastMap.h"
#include "lib/Transforms/Firmware/LayerKernels.h"

namespace mlir::qtensor::firmware {

/// body(i, lanes) for i = 0, lanes, 2 * lanes, ..., then once for what is left.
void forLanes(KernelBuilder &k, int64_t count, int64_t lanes, llvm::function_ref<void(Value i, int64_t lanes)> body);
/// one(i) for every i, `unrolled` of them in a turn.
void forUnrolled(KernelBuilder &k, int64_t count, int64_t unrolled, llvm::function_ref<void(Value i)> one);

/// Loads so many factors of the second input; makes as many products with codes of the first.
using LoadFactors = llvm::function_ref<Value(Value from, int64_t lanes)>;
using MakeProducts = llvm::function_ref<void(Value from, Value factors, Value to, int64_t lanes)>;
/// All products of a layer, `lanes` neighbours at a time. Factors that rows share are loaded once.
void forProducts(KernelBuilder &k, const MulLayer &layer, const LayerPointers &at, int64_t lanes, LoadFactors load,
                 MakeProducts make);

/// The map of a product; nothing where codes are not of 8 bits, or it has no fast map.
std::optional<FastMap> findProductMap(const MulLayer &layer);

/// The same for kernels of vectors, which rows of few elements do not fill.
std::optional<FastMap> findVectorProductMap(const MulLayer &layer);

} // namespace mlir::qtensor::firmware
