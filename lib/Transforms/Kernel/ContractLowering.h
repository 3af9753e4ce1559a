// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Private to this folder: the two ways of lowering a qtensor.contract on buffers, and its epilogue on vectors.
#pragma once
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Kernel/KernelSpec.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::qtensor {

/// One name for each distinct kernel of a module.
class KernelNames {
public:
  std::string get(StringRef key);

private:
  llvm::StringMap<std::string> names;
};

/// Emits, before `op`, the bytes of scratch that its kernel needs on any level. Fails with a reason when no kernel fits.
FailureOr<Value> emitContractScratch(ContractOp op, std::string &reason);

/// Whether the rows of the output follow each other in memory, as a kernel writes them.
bool hasRowsInMemory(ContractOp op);

/// Replaces a packed contraction by calls of its kernel, or says why there is none.
LogicalResult lowerPackedContract(ContractOp op, ArrayRef<TileMachine> machines, KernelNames &names, std::string &reason);

/// The scratch of lowerVectorContract(), emitted before `op`; or in `reason` why it is not for this contraction.
FailureOr<Value> emitVectorScratch(ContractOp op, std::string &reason);

/// Replaces a contraction without a packed weight by loops over vectors of `lanes` outputs, or says why it cannot.
LogicalResult lowerVectorContract(ContractOp op, int64_t lanes, std::string &reason);

/// Replaces any contraction by loops over single elements: right for every encoding and every indexing map.
LogicalResult lowerGenericContract(ContractOp op);

/// Whether the region holds elementwise operations only.
bool canVectorizeEpilogue(ContractOp op, std::string &reason);
/// The region's text, for the key of a kernel.
void printEpilogue(ContractOp op, llvm::raw_ostream &os);
/// The region on vectors of the shape of `sums`.
Value cloneEpilogue(ImplicitLocOpBuilder &b, ContractOp op, Value sums, ValueRange elements);
/// A vector of an operand's elements for the lanes of `sums`; `mask` may be null.
Value loadEpilogueVector(ImplicitLocOpBuilder &b, Value buffer, ValueRange index, Value mask, Value sums);
/// One element for all lanes; the first element when `index` is null.
Value broadcastEpilogueElement(ImplicitLocOpBuilder &b, Value buffer, Value index, Value sums);
/// The region on single values.
Value cloneEpilogueOnScalars(ImplicitLocOpBuilder &b, Region &region, Value sum, ValueRange elements);

} // namespace mlir::qtensor
