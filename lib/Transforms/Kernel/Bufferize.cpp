// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The destination-style ops of qtensor on buffers.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Kernel/DestinationBufferization.h"
#include "lib/Transforms/Kernel/Passes.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace mlir::qtensor {
void registerKernelPasses(DialectRegistry &registry) {
  registerQTensorKernelPasses();
  registry.addExtension(+[](MLIRContext *context, QTensorDialect *) {
    EncodeOp::attachInterface<BufferizeDestination<EncodeOp>>(*context);
    DecodeOp::attachInterface<BufferizeDestination<DecodeOp>>(*context);
    ContractOp::attachInterface<BufferizeDestination<ContractOp>>(*context);
    EpilogueOp::attachInterface<BufferizeDestination<EpilogueOp, /*elementwise=*/true>>(*context);
    AttentionOp::attachInterface<BufferizeDestination<AttentionOp>>(*context);
  });
}
} // namespace mlir::qtensor
