// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Activation functions: elementwise on floats, with parameters in attributes.
#include "lib/Import/ONNX/Registry.h"

namespace mlir::qtensor::onnx {
namespace {
using ActivationFn = Value (*)(Scalar &, Value, ArrayRef<double>);

/// One float input; `parameters` are attributes with their defaults, in the order the body wants them.
LogicalResult activation(NodeContext &n, ActivationFn fn,
                         std::initializer_list<std::pair<const char *, double>> parameters = {}) {
  const Val &x = n.in(0);
  if (failed(n.requireFloat(0)))
    return failure();
  SmallVector<double> values;
  for (auto [name, otherwise] : parameters)
    values.push_back(n.attrFloat(name, otherwise));
  return n.set(0, n.e.map(x, x.elem, [&](Scalar &s, ValueRange in) { return fn(s, in[0], values); }));
}

LogicalResult importRelu(NodeContext &n) {
  const Val &x = n.in(0);
  return n.set(0, n.e.map(x, x.elem, [&](Scalar &s, ValueRange in) {
    return s.max(in[0], s.like(in[0], 0), isUnsigned(x.elem));
  }));
}

Value positivePart(Scalar &s, Value x, Value positive, Value otherwise) {
  return s.select(s.lt(x, s.like(x, 0)), otherwise, positive);
}

LogicalResult importLeakyRelu(NodeContext &n) {
  return activation(
      n, [](Scalar &s, Value x, ArrayRef<double> p) { return positivePart(s, x, x, s.mul(x, s.like(x, p[0]))); },
      {{"alpha", 0.01f}});
}

LogicalResult importElu(NodeContext &n) {
  return activation(n,
                    [](Scalar &s, Value x, ArrayRef<double> p) {
                      return positivePart(s, x, x, s.mul(s.like(x, p[0]), s.make<math::ExpM1Op>(x)));
                    },
                    {{"alpha", 1.0}});
}

LogicalResult importSelu(NodeContext &n) {
  return activation(n,
                    [](Scalar &s, Value x, ArrayRef<double> p) {
                      Value gamma = s.like(x, p[1]);
                      Value negative = s.mul(s.like(x, p[0]), s.make<math::ExpM1Op>(x));
                      return s.mul(gamma, positivePart(s, x, x, negative));
                    },
                    {{"alpha", 1.67326319217681884765625}, {"gamma", 1.05070102214813232421875}});
}

LogicalResult importCelu(NodeContext &n) {
  return activation(n,
                    [](Scalar &s, Value x, ArrayRef<double> p) {
                      Value alpha = s.like(x, p[0]);
                      return positivePart(s, x, x, s.mul(alpha, s.make<math::ExpM1Op>(s.div(x, alpha))));
                    },
                    {{"alpha", 1.0}});
}

LogicalResult importThresholdedRelu(NodeContext &n) {
  return activation(
      n, [](Scalar &s, Value x, ArrayRef<double> p) { return s.select(s.lt(s.like(x, p[0]), x), x, s.like(x, 0)); },
      {{"alpha", 1.0}});
}

LogicalResult importSigmoid(NodeContext &n) {
  return activation(n, [](Scalar &s, Value x, ArrayRef<double>) { return s.sigmoid(x); });
}

LogicalResult importHardSigmoid(NodeContext &n) {
  return activation(n,
                    [](Scalar &s, Value x, ArrayRef<double> p) {
                      return s.clamp(s.add(s.mul(x, s.like(x, p[0])), s.like(x, p[1])), s.like(x, 0), s.like(x, 1));
                    },
                    {{"alpha", 0.2f}, {"beta", 0.5}});
}

LogicalResult importHardSwish(NodeContext &n) {
  return activation(n, [](Scalar &s, Value x, ArrayRef<double>) {
    Value gate = s.add(s.mul(x, s.like(x, 1.0 / 6)), s.like(x, 0.5));
    return s.mul(x, s.clamp(gate, s.like(x, 0), s.like(x, 1)));
  });
}

LogicalResult importSoftplus(NodeContext &n) {
  return activation(n, [](Scalar &s, Value x, ArrayRef<double>) { return s.softplus(x); });
}

LogicalResult importSoftsign(NodeContext &n) {
  return activation(n, [](Scalar &s, Value x, ArrayRef<double>) { return s.div(x, s.add(s.like(x, 1), s.abs(x))); });
}

LogicalResult importMish(NodeContext &n) {
  return activation(n, [](Scalar &s, Value x, ArrayRef<double>) { return s.mul(x, s.tanh(s.softplus(x))); });
}

LogicalResult importSwish(NodeContext &n) {
  return activation(
      n, [](Scalar &s, Value x, ArrayRef<double> p) { return s.mul(x, s.sigmoid(s.mul(x, s.like(x, p[0])))); },
      {{"alpha", 1.0}});
}

Value geluExact(Scalar &s, Value x, ArrayRef<double>) {
  Value half = s.mul(x, s.like(x, 0.5));
  return s.mul(half, s.add(s.like(x, 1), s.erf(s.mul(x, s.like(x, 0.70710678118654752)))));
}

Value geluTanh(Scalar &s, Value x, ArrayRef<double>) {
  Value cube = s.mul(x, s.mul(x, x));
  Value inner = s.mul(s.like(x, 0.79788456080286536), s.add(x, s.mul(s.like(x, 0.044715), cube)));
  return s.mul(s.mul(x, s.like(x, 0.5)), s.add(s.like(x, 1), s.tanh(inner)));
}

LogicalResult importGelu(NodeContext &n) {
  StringRef approximate = n.attrString("approximate", "none");
  if (approximate != "none" && approximate != "tanh")
    return n.fail("'approximate' must be none or tanh");
  return activation(n, approximate == "tanh" ? geluTanh : geluExact);
}

LogicalResult importSwiGLU(NodeContext &n) {
  Val inputs[] = {n.in(0), n.in(1)};
  double alpha = n.attrFloat("alpha", 1);
  if (failed(n.requireFloat(0)) || failed(n.requireSame(0, 1)) || failed(n.requireBroadcast(inputs)))
    return failure();
  return n.set(0, n.e.map(inputs, n.in(0).elem, [&](Scalar &s, ValueRange in) {
    return s.mul(s.mul(in[0], s.sigmoid(s.mul(in[0], s.like(in[0], alpha)))), in[1]);
  }));
}

LogicalResult importShrink(NodeContext &n) {
  const Val &x = n.in(0);
  double lambda = n.attrFloat("lambd", 0.5), bias = n.attrFloat("bias", 0);
  return n.set(0, n.e.map(x, x.elem, [&](Scalar &s, ValueRange in) {
    Value low = s.like(in[0], -lambda), high = s.like(in[0], lambda), shift = s.like(in[0], bias);
    Value above = s.select(s.lt(high, in[0]), s.sub(in[0], shift), s.like(in[0], 0));
    return s.select(s.lt(in[0], low), s.add(in[0], shift), above);
  }));
}

LogicalResult importPRelu(NodeContext &n) {
  if (failed(n.requireSame(0, 1)))
    return failure();
  const Val &x = n.in(0);
  Val slope = n.in(1);
  // Before operator set 7 a vector of slopes meant one per channel (axis 1).
  if (n.opset < 7 && slope.rank() == 1 && x.rank() > 2 && DimMath::number(slope.dims[0]) != 1) {
    Dims dims = slope.dims;
    dims.append(x.rank() - 2, n.e.math.constant(1));
    slope = n.e.reshape(slope, dims);
  }
  Val inputs[] = {x, slope};
  if (failed(n.requireBroadcast(inputs)))
    return failure();
  return n.set(0, n.e.map(inputs, x.elem, [&](Scalar &s, ValueRange in) {
    return s.select(s.lt(in[0], s.like(in[0], 0), isUnsigned(x.elem)), s.mul(in[0], in[1]), in[0]);
  }));
}

/// Bounds are attributes up to operator set 10, then optional scalar inputs.
LogicalResult importClip(NodeContext &n) {
  const Val &x = n.in(0);
  SmallVector<Val> inputs = {x};
  auto bound = [&](unsigned i, StringRef name) -> std::optional<unsigned> {
    if (n.opset >= 11 ? !n.has(i) : !n.hasAttr(name))
      return std::nullopt;
    Val scalar = n.opset >= 11 ? n.in(i) : n.e.constant(n.attrFloat(name, 0), {}, Elem::F32);
    inputs.push_back(n.e.cast(scalar, x.elem));
    return inputs.size() - 1;
  };
  std::optional<unsigned> low = bound(1, "min"), high = bound(2, "max");
  for (const Val &limit : ArrayRef(inputs).drop_front())
    if (limit.rank() > 1 || (limit.rank() == 1 && DimMath::number(limit.dims[0]) != 1))
      return n.fail("its bounds must be scalars");
  return n.set(0, n.e.mapTo(x.dims, inputs, x.elem, [&](Scalar &s, ValueRange in) {
    Value result = in[0];
    if (low)
      result = s.max(result, in[*low], isUnsigned(x.elem));
    return high ? s.min(result, in[*high], isUnsigned(x.elem)) : result;
  }));
}
} // namespace

void registerActivation(Registry &r) {
  constexpr const char *legacy = "consumed_inputs";
  r.add({
      {"", "Relu", 1, kNewest, 1, 1, legacy, importRelu},
      {"", "LeakyRelu", 1, kNewest, 1, 1, "alpha consumed_inputs", importLeakyRelu},
      {"", "Elu", 1, kNewest, 1, 1, "alpha consumed_inputs", importElu},
      {"", "Selu", 1, kNewest, 1, 1, "alpha gamma consumed_inputs", importSelu},
      {"", "Celu", 12, kNewest, 1, 1, "alpha", importCelu},
      {"", "ThresholdedRelu", 10, kNewest, 1, 1, "alpha", importThresholdedRelu},
      {"", "Sigmoid", 1, kNewest, 1, 1, legacy, importSigmoid},
      {"", "HardSigmoid", 1, kNewest, 1, 1, "alpha beta consumed_inputs", importHardSigmoid},
      {"", "HardSwish", 14, kNewest, 1, 1, "", importHardSwish},
      {"", "Softplus", 1, kNewest, 1, 1, "", importSoftplus},
      {"", "Softsign", 1, kNewest, 1, 1, "", importSoftsign},
      {"", "Mish", 18, kNewest, 1, 1, "", importMish},
      {"", "Swish", 24, kNewest, 1, 1, "alpha", importSwish},
      {"", "SwiGLU", 27, kNewest, 2, 2, "alpha", importSwiGLU},
      {"", "Gelu", 20, kNewest, 1, 1, "approximate", importGelu},
      {"com.microsoft", "Gelu", 1, 1, 1, 1, "", importGelu},
      {"", "Shrink", 9, kNewest, 1, 1, "bias lambd", importShrink},
      {"", "PRelu", 1, kNewest, 2, 2, legacy, importPRelu},
      {"", "Clip", 1, kNewest, 1, 3, "min max consumed_inputs", importClip},
  });
}

} // namespace mlir::qtensor::onnx
