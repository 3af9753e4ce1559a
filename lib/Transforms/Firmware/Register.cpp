// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Passes, and how layers become ops on buffers: like other ops with destinations.
#include "dialects/QNN/IR/QNN.h"
#include "lib/Transforms/Firmware/Passes.h"
#include "lib/Transforms/Kernel/DestinationBufferization.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace mlir::qtensor {
void registerFirmwarePasses(DialectRegistry &registry) {
  registerQTensorFirmwarePasses();
  registry.addExtension(+[](MLIRContext *context, qnn::QNNDialect *) {
    qnn::Conv2DOp::attachInterface<BufferizeDestination<qnn::Conv2DOp>>(*context);
    qnn::DepthwiseConv2DOp::attachInterface<BufferizeDestination<qnn::DepthwiseConv2DOp>>(*context);
    qnn::FullyConnectedOp::attachInterface<BufferizeDestination<qnn::FullyConnectedOp>>(*context);
    qnn::Pool2DOp::attachInterface<BufferizeDestination<qnn::Pool2DOp>>(*context);
    qnn::AddOp::attachInterface<BufferizeDestination<qnn::AddOp>>(*context);
    qnn::MulOp::attachInterface<BufferizeDestination<qnn::MulOp>>(*context);
    qnn::SoftmaxOp::attachInterface<BufferizeDestination<qnn::SoftmaxOp>>(*context);
  });
}
} // namespace mlir::qtensor
