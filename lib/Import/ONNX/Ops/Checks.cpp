// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/ONNX/Ops/Checks.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"

namespace mlir::qtensor::onnx {

void forbid(NodeContext &n, const Val &x, Body isBad, const Twine &what) {
  Val bad = n.e.reduce(x, allAxes(x.rank()), /*keep=*/false, Elem::I32, 0, [&](Scalar &s, ValueRange in) {
    return s.add(in[1], s.select(isBad(s, in), s.like(in[1], 1), s.like(in[1], 0)));
  });
  Value count = n.e.element(bad);
  Scalar s(n.e.b, n.e.loc);
  cf::AssertOp::create(n.e.b, n.e.loc, s.eq(count, s.like(count, 0)), (n.node.place() + what).str());
}

} // namespace mlir::qtensor::onnx
