// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The vocabulary in which operators are imported: tensors with symbolic extents, elementwise maps with broadcasting,
// reductions and data movement, each as one linalg or tensor op.
#pragma once
#include "lib/Extents/DimMath.h"
#include "lib/Import/Graph/Tensor.h"
#include "lib/Import/Graph/Scalar.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include <set>

namespace mlir::qtensor::graph {

using Dims = SmallVector<OpFoldResult>;

/// A real tensor kept encoded (dialect qtensor), of which an integer tensor of the model holds the codes.
struct EncodedValue;

/// What the importer knows about one value of the model.
struct Val {
  Elem elem = Elem::Undefined;
  Dims dims;
  /// The tensor in IR; null while the value is only known at import (a constant or shape arithmetic) and unused.
  mutable Value tensor;
  /// The data of a constant.
  std::shared_ptr<const TensorData> constant;
  /// The elements in row-major order of an integer tensor whose elements are extents or numbers.
  std::optional<Dims> ints;
  /// For quantized tensors: the encoded tensor whose codes these are.
  std::shared_ptr<EncodedValue> encoded;

  int64_t rank() const { return static_cast<int64_t>(dims.size()); }
  bool isScalar() const { return dims.empty(); }
};

struct EncodedValue {
  Value value;
  mlir::Attribute encoding;
  SmallVector<Val> params;
};

/// The body of an elementwise op: scalars in, scalar out.
using Body = llvm::function_ref<Value(Scalar &, ValueRange)>;

class Emit {
public:
  Emit(OpBuilder &builder, DimMath &math) : b(builder), math(math), loc(builder.getUnknownLoc()) {}

  OpBuilder &b;
  DimMath &math;
  Location loc;

  /// Where the ops that follow come from, and how messages of the run begin that are about them.
  void setLoc(Location location, StringRef place = "");
  Type type(Elem elem) { return elemType(elem, b.getContext()); }
  RankedTensorType type(const Val &x) { return RankedTensorType::get(DimMath::shape(x.dims), type(x.elem)); }
  /// The tensor of a value, made on first use.
  Value tensor(const Val &x);
  /// The only element of a tensor with one element.
  Value element(const Val &x);

  Val wrap(Value tensor, Elem elem, ArrayRef<OpFoldResult> dims) {
    Val out;
    out.elem = elem, out.dims = Dims(dims), out.tensor = tensor;
    return out;
  }
  Val ints(ArrayRef<OpFoldResult> values, ArrayRef<int64_t> shape, Elem elem = Elem::I64);
  Val constant(std::shared_ptr<const TensorData> data);
  /// A constant of `values`, converted to `elem`.
  Val constant(ArrayRef<double> values, ArrayRef<int64_t> shape, Elem elem);

  Value empty(ArrayRef<OpFoldResult> dims, Type elem);
  /// A tensor filled with one scalar.
  Value filled(ArrayRef<OpFoldResult> dims, Value scalar);
  Value filled(ArrayRef<OpFoldResult> dims, Elem elem, double value);

  /// Elementwise with numpy's broadcasting. The caller has checked that the shapes broadcast.
  Val map(ArrayRef<Val> inputs, Elem elem, Body body);
  /// As above with the result's extents given.
  Val mapTo(ArrayRef<OpFoldResult> dims, ArrayRef<Val> inputs, Elem elem, Body body);
  /// Result extents of broadcasting; nothing when two extents differ and neither is 1.
  std::optional<Dims> broadcastDims(ArrayRef<Val> inputs);
  /// The given tensor read with broadcasting.
  Val broadcast(const Val &x, ArrayRef<OpFoldResult> dims);
  Val cast(const Val &x, Elem elem);

  /// Makes it an error of the run, saying `what`, that two extents differ, where they are not known to be equal.
  void requireEqual(OpFoldResult left, OpFoldResult right, const Twine &what);
  /// As above, that `left` is larger than `right`.
  void requireAtMost(OpFoldResult left, OpFoldResult right, const Twine &what);
  /// Requires that `x` broadcasts to extents that broadcastDims found.
  void requireBroadcast(ArrayRef<OpFoldResult> x, ArrayRef<OpFoldResult> dims);

  /// Reduces over `axes` (sorted, not negative); `body` gets (element, accumulator). Reduced axes stay with extent 1 if
  /// `keep`.
  Val reduce(const Val &x, ArrayRef<int64_t> axes, bool keep, Elem elem, double start, Body body);
  Val reduce(const Val &x, ArrayRef<int64_t> axes, bool keep, Elem elem, Value start, Body body);
  /// Sum, maximum or minimum, with an accumulator of x's type (f32 for sums of 16-bit floats).
  Val sum(const Val &x, ArrayRef<int64_t> axes, bool keep);
  Val maximum(const Val &x, ArrayRef<int64_t> axes, bool keep);
  Val minimum(const Val &x, ArrayRef<int64_t> axes, bool keep);
  Val mean(const Val &x, ArrayRef<int64_t> axes, bool keep);
  /// Product of the extents of `axes`.
  OpFoldResult extent(const Val &x, ArrayRef<int64_t> axes);
  /// An extent as a scalar of a numeric type.
  Value extentAs(OpFoldResult extent, Elem elem);

  /// A linalg.generic with one result. `maps` are those of the inputs and then of `init`.
  Value generic(ArrayRef<Value> inputs, Value init, ArrayRef<AffineMap> maps, ArrayRef<utils::IteratorType> iterators,
                Body body);

  Val transpose(const Val &x, ArrayRef<int64_t> permutation);
  /// Same elements in row-major order with other extents.
  Val reshape(const Val &x, ArrayRef<OpFoldResult> dims);
  Val unsqueeze(const Val &x, ArrayRef<int64_t> axes);
  /// Removes axes of extent 1.
  Val squeeze(const Val &x, ArrayRef<int64_t> axes);
  /// Strides are constant where one is negative.
  Val slice(const Val &x, ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes, ArrayRef<OpFoldResult> strides);
  /// x with one axis cut to [offset, offset + size).
  Val sliceAxis(const Val &x, int64_t axis, OpFoldResult offset, OpFoldResult size);
  Val pad(const Val &x, ArrayRef<OpFoldResult> low, ArrayRef<OpFoldResult> high, Value scalar);
  Val concat(ArrayRef<Val> parts, int64_t axis);

private:
  Val backwardSlice(const Val &x, ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes, ArrayRef<OpFoldResult> strides);
  Value codes(const Val &x);
  Value reshapeStep(Value from, ArrayRef<OpFoldResult> toDims, bool collapses, ArrayRef<unsigned> ends);
  void require(arith::CmpIPredicate predicate, OpFoldResult left, OpFoldResult right, const Twine &what);
  Value reshapeByShape(Value from, ArrayRef<OpFoldResult> dims);

  std::map<std::shared_ptr<const TensorData>, Value> constants; // made so far; keeps the data alive
  std::string place;
  std::set<std::tuple<Block *, arith::CmpIPredicate, void *, void *>> required; // so far
};

/// 0, 1, ... n-1.
SmallVector<int64_t> allAxes(int64_t rank);

} // namespace mlir::qtensor::graph
