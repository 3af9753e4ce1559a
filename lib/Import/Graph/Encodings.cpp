// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/Graph/Encodings.h"

using namespace mlir;
using namespace mlir::qtensor;

CodecAttr graph::integerCodec(MLIRContext *context, unsigned bits, bool isUnsigned) {
  return CodecAttr::get(context, bits, CodecKind::Int, isUnsigned ? IntStyle::Unsigned : IntStyle::Signed, 0, false, 0,
                        0, 0, FloatSpecials::Finite, false, {}, TieRule::Even, {}, {});
}

ParamAttr graph::scalarParam(OpBuilder &b, double value) {
  return ParamAttr::get(b.getContext(), b.getF64FloatAttr(value), false, {});
}

ParamAttr graph::dataParam(OpBuilder &b, Attribute kind) { return ParamAttr::get(b.getContext(), kind, false, {}); }

graph::Val graph::asContainer(Emit &e, const Val &x) {
  if (bitWidth(x.elem) >= 8)
    return x;
  Elem wide = isUnsigned(x.elem) ? Elem::U8 : Elem::I8;
  if (!x.constant)
    return e.cast(x, wide);
  auto data = std::make_shared<TensorData>(*x.constant); // such elements have a byte each already
  data->elem = wide;
  return e.constant(std::move(data));
}
