// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/Graph/Emit.h"
#include "dialects/QTensor/IR/QTensorOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

namespace mlir::qtensor::graph {
namespace {
/// Constants up to this size are printed in place and seen by upstream's folders; larger ones are resources.
constexpr size_t kInlineBytes = 256;

using utils::IteratorType;

TypedAttr constantAttr(const TensorData &data, RankedTensorType type) {
  if (data.elem == Elem::Bool) {
    SmallVector<bool> values = llvm::map_to_vector(data.bytes, [](char byte) { return byte != 0; });
    return cast<TypedAttr>(Attribute(DenseElementsAttr::get(type, values)));
  }
  if (data.bytes.size() <= kInlineBytes || type.getNumElements() == 1)
    return cast<TypedAttr>(Attribute(DenseElementsAttr::getFromRawBuffer(type, data.bytes)));
  // The blob refers to the bytes of the file as long as they are aligned; it keeps them alive.
  size_t align = std::max<size_t>(1, llvm::divideCeil(type.getElementTypeBitWidth(), 8));
  StringRef name = data.name.empty() ? "constant" : StringRef(data.name);
  if (reinterpret_cast<uintptr_t>(data.bytes.data()) % align != 0)
    return DenseResourceElementsAttr::get(type, name, HeapAsmResourceBlob::allocateAndCopyWithAlign(data.bytes, align));
  auto release = [keep = data.owner](void *, size_t, size_t) {};
  return DenseResourceElementsAttr::get(
      type, name, UnmanagedAsmResourceBlob::allocateWithAlign(data.bytes, align, std::move(release)));
}

std::shared_ptr<TensorData> packConstant(ArrayRef<double> values, ArrayRef<int64_t> shape, Elem elem) {
  auto data = std::make_shared<TensorData>();
  unsigned size = std::max(1u, bitWidth(elem) / 8);
  auto buffer = std::make_shared<std::vector<char>>(values.size() * size);
  for (auto [i, value] : llvm::enumerate(values)) {
    uint64_t bits = value < 0 ? static_cast<uint64_t>(static_cast<int64_t>(value)) : static_cast<uint64_t>(value);
    if (elem == Elem::F32)
      bits = llvm::bit_cast<uint32_t>(static_cast<float>(value));
    else if (elem == Elem::F64)
      bits = llvm::bit_cast<uint64_t>(value);
    std::memcpy(buffer->data() + i * size, &bits, size);
  }
  data->elem = elem;
  data->dims.assign(shape.begin(), shape.end());
  data->bytes = ArrayRef<char>(buffer->data(), buffer->size());
  data->owner = buffer;
  return data;
}
} // namespace

SmallVector<int64_t> allAxes(int64_t rank) { return llvm::to_vector(llvm::seq<int64_t>(0, rank)); }

void Emit::setLoc(Location location, StringRef about) {
  loc = location;
  place = about.str();
  math.setLoc(location);
}

Value Emit::tensor(const Val &x) {
  if (x.tensor)
    return x.tensor;
  if (x.constant) {
    Value &made = constants[x.constant];
    if (!made) {
      Location where = loc;
      if (!x.constant->name.empty())
        where = NameLoc::get(b.getStringAttr(x.constant->name));
      made = arith::ConstantOp::create(b, where, constantAttr(*x.constant, type(x)));
    }
    return x.tensor = made;
  }
  if (x.encoded)
    return x.tensor = codes(x);
  Type integer = type(x.elem);
  SmallVector<Attribute> numbers;
  for (OpFoldResult value : *x.ints)
    if (auto number = DimMath::number(value))
      numbers.push_back(b.getIntegerAttr(integer, *number));
  if (numbers.size() == x.ints->size())
    return x.tensor = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type(x), numbers));
  SmallVector<Value> elements = llvm::map_to_vector(*x.ints, [&](OpFoldResult value) -> Value {
    return arith::IndexCastOp::create(b, loc, integer, math.value(value, loc));
  });
  return x.tensor = tensor::FromElementsOp::create(b, loc, type(x), elements);
}

Value Emit::codes(const Val &x) {
  // Codes below a byte have a byte each in the component.
  Type stored = b.getIntegerType(std::max(8u, bitWidth(x.elem)));
  auto shape = DimMath::shape(x.dims);
  Value codes = ComponentOp::create(b, loc, RankedTensorType::get(shape, stored), x.encoded->value, "codes");
  if (stored == type(x.elem))
    return codes;
  AffineMap maps[] = {b.getMultiDimIdentityMap(x.rank()), b.getMultiDimIdentityMap(x.rank())};
  SmallVector<IteratorType> iterators(x.rank(), IteratorType::parallel);
  return generic(codes, empty(x.dims, type(x.elem)), maps, iterators,
                 [&](Scalar &s, ValueRange in) { return s.widen(in[0], type(x.elem)); });
}

Value Emit::element(const Val &x) {
  SmallVector<Value> zeros(x.rank(), Value());
  for (Value &zero : zeros)
    zero = arith::ConstantIndexOp::create(b, loc, 0);
  return tensor::ExtractOp::create(b, loc, tensor(x), zeros);
}

Val Emit::ints(ArrayRef<OpFoldResult> values, ArrayRef<int64_t> shape, Elem elem) {
  Dims dims = llvm::map_to_vector(shape, [&](int64_t dim) { return math.constant(dim); });
  Val out = wrap(Value(), elem, dims);
  out.ints = Dims(values);
  return out;
}

Val Emit::constant(std::shared_ptr<const TensorData> data) {
  Val x;
  x.elem = data->elem;
  for (int64_t dim : data->dims)
    x.dims.push_back(math.constant(dim));
  // Small integer constants may be shapes or axes.
  if (isInteger(data->elem) && data->numElements() <= 64) {
    x.ints.emplace();
    for (int64_t i = 0, e = data->numElements(); i < e; ++i)
      x.ints->push_back(math.constant(data->intAt(i)));
  }
  x.constant = std::move(data);
  return x;
}

Val Emit::constant(ArrayRef<double> values, ArrayRef<int64_t> shape, Elem elem) {
  return constant(packConstant(values, shape, elem));
}

Value Emit::empty(ArrayRef<OpFoldResult> dims, Type elem) { return tensor::EmptyOp::create(b, loc, dims, elem); }

Value Emit::filled(ArrayRef<OpFoldResult> dims, Value scalar) {
  return linalg::FillOp::create(b, loc, scalar, empty(dims, scalar.getType())).getResult(0);
}

Value Emit::filled(ArrayRef<OpFoldResult> dims, Elem elem, double value) {
  return filled(dims, Scalar(b, loc).number(type(elem), value));
}

Value Emit::generic(ArrayRef<Value> inputs, Value init, ArrayRef<AffineMap> maps, ArrayRef<IteratorType> iterators,
                    Body body) {
  auto build = [&](OpBuilder &builder, Location where, ValueRange arguments) {
    Scalar scalar(builder, where);
    linalg::YieldOp::create(builder, where, body(scalar, arguments));
  };
  return linalg::GenericOp::create(b, loc, init.getType(), inputs, init, maps, iterators, build).getResult(0);
}

std::optional<Dims> Emit::broadcastDims(ArrayRef<Val> inputs) {
  int64_t rank = 0;
  for (const Val &x : inputs)
    rank = std::max(rank, x.rank());
  Dims dims(rank, math.constant(1));
  for (const Val &x : inputs) {
    for (auto [i, dim] : llvm::enumerate(x.dims)) {
      OpFoldResult &out = dims[rank - x.rank() + i];
      std::optional<int64_t> known = DimMath::number(dim), have = DimMath::number(out);
      if (known == 1)
        continue;
      if (have && *have != 1 && known && *known != *have)
        return std::nullopt;
      // An unknown extent beside a number has to be equal to it (requireBroadcast).
      if (!have ? known.has_value() : *have == 1)
        out = dim;
    }
  }
  return dims;
}

void Emit::require(arith::CmpIPredicate predicate, OpFoldResult left, OpFoldResult right, const Twine &what) {
  if (!required.insert({b.getInsertionBlock(), predicate, left.getOpaqueValue(), right.getOpaqueValue()}).second)
    return;
  Value holds = arith::CmpIOp::create(b, loc, predicate, math.value(left, loc), math.value(right, loc));
  cf::AssertOp::create(b, loc, holds, (place + what).str());
}

void Emit::requireEqual(OpFoldResult left, OpFoldResult right, const Twine &what) {
  if (math.equal(left, right) != true)
    require(arith::CmpIPredicate::eq, left, right, what);
}

void Emit::requireAtMost(OpFoldResult left, OpFoldResult right, const Twine &what) {
  if (!DimMath::same(left, right) && math.less(right, left) != false)
    require(arith::CmpIPredicate::sle, left, right, what);
}

void Emit::requireBroadcast(ArrayRef<OpFoldResult> x, ArrayRef<OpFoldResult> dims) {
  for (auto [dim, out] : llvm::zip_equal(x, dims.take_back(x.size())))
    if (DimMath::number(dim) != 1)
      requireEqual(dim, out, "extents that broadcast against each other differ");
}

Val Emit::mapTo(ArrayRef<OpFoldResult> dims, ArrayRef<Val> inputs, Elem elem, Body body) {
  unsigned rank = dims.size();
  SmallVector<Value> tensors;
  SmallVector<AffineMap> maps;
  for (const Val &x : inputs) {
    requireBroadcast(x.dims, dims);
    SmallVector<AffineExpr> exprs;
    for (auto [i, dim] : llvm::enumerate(x.dims)) {
      unsigned target = rank - x.rank() + i;
      bool repeats = DimMath::number(dim) == 1 && DimMath::number(dims[target]) != 1;
      exprs.push_back(repeats ? b.getAffineConstantExpr(0) : b.getAffineDimExpr(target));
    }
    maps.push_back(AffineMap::get(rank, 0, exprs, b.getContext()));
    tensors.push_back(tensor(x));
  }
  maps.push_back(b.getMultiDimIdentityMap(rank));
  SmallVector<IteratorType> iterators(rank, IteratorType::parallel);
  return wrap(generic(tensors, empty(dims, type(elem)), maps, iterators, body), elem, dims);
}

Val Emit::map(ArrayRef<Val> inputs, Elem elem, Body body) { return mapTo(*broadcastDims(inputs), inputs, elem, body); }

Val Emit::broadcast(const Val &x, ArrayRef<OpFoldResult> dims) {
  if (x.dims.size() == dims.size() && llvm::all_of(llvm::zip(x.dims, dims), [](auto pair) {
        return DimMath::same(std::get<0>(pair), std::get<1>(pair));
      }))
    return x;
  return mapTo(dims, x, x.elem, [](Scalar &, ValueRange in) { return in[0]; });
}

Val Emit::cast(const Val &x, Elem elem) {
  if (x.elem == elem)
    return x;
  if (x.ints && isInteger(elem) && bitWidth(elem) >= 32) {
    Val out = x;
    out.elem = elem;
    out.tensor = nullptr;
    out.constant = nullptr;
    return out;
  }
  return mapTo(x.dims, x, elem, [&](Scalar &s, ValueRange in) { return s.cast(in[0], x.elem, elem); });
}

Val Emit::reduce(const Val &x, ArrayRef<int64_t> axes, bool keep, Elem elem, double start, Body body) {
  return reduce(x, axes, keep, elem, Scalar(b, loc).number(type(elem), start), body);
}

Val Emit::reduce(const Val &x, ArrayRef<int64_t> axes, bool keep, Elem elem, Value start, Body body) {
  SmallVector<AffineExpr> exprs;
  SmallVector<IteratorType> iterators;
  Dims reduced, kept;
  for (auto [i, dim] : llvm::enumerate(x.dims)) {
    bool gone = llvm::is_contained(axes, static_cast<int64_t>(i));
    iterators.push_back(gone ? IteratorType::reduction : IteratorType::parallel);
    kept.push_back(gone ? math.constant(1) : dim);
    if (gone)
      continue;
    exprs.push_back(b.getAffineDimExpr(i));
    reduced.push_back(dim);
  }
  AffineMap maps[] = {b.getMultiDimIdentityMap(x.rank()), AffineMap::get(x.rank(), 0, exprs, b.getContext())};
  Val out = wrap(generic(tensor(x), filled(reduced, start), maps, iterators, body), elem, reduced);
  return keep ? reshape(out, kept) : out;
}

Val Emit::sum(const Val &x, ArrayRef<int64_t> axes, bool keep) {
  bool narrow = isFloat(x.elem) && bitWidth(x.elem) < 32;
  Elem accumulator = narrow ? Elem::F32 : x.elem;
  Val out = reduce(x, axes, keep, accumulator, 0,
                   [&](Scalar &s, ValueRange in) { return s.add(in[1], s.widen(in[0], in[1].getType())); });
  return cast(out, x.elem);
}

Val Emit::maximum(const Val &x, ArrayRef<int64_t> axes, bool keep) {
  double start = isFloat(x.elem)    ? -std::numeric_limits<double>::infinity()
                 : isSigned(x.elem) ? -std::ldexp(1.0, bitWidth(x.elem) - 1)
                                    : 0;
  return reduce(x, axes, keep, x.elem, start,
                [&](Scalar &s, ValueRange in) { return s.max(in[1], in[0], !isSigned(x.elem)); });
}

Val Emit::minimum(const Val &x, ArrayRef<int64_t> axes, bool keep) {
  // The largest number of 64 bits is no double.
  unsigned width = bitWidth(x.elem);
  APInt most = isSigned(x.elem) ? APInt::getSignedMaxValue(width) : APInt::getMaxValue(width);
  Scalar scalar(b, loc);
  Value start = isFloat(x.elem) ? scalar.number(type(x.elem), std::numeric_limits<double>::infinity())
                                : scalar.make<arith::ConstantOp>(b.getIntegerAttr(type(x.elem), most));
  return reduce(x, axes, keep, x.elem, start,
                [&](Scalar &s, ValueRange in) { return s.min(in[1], in[0], !isSigned(x.elem)); });
}

OpFoldResult Emit::extent(const Val &x, ArrayRef<int64_t> axes) {
  return math.product(llvm::map_to_vector(axes, [&](int64_t axis) { return x.dims[axis]; }));
}

Value Emit::extentAs(OpFoldResult extent, Elem elem) {
  Scalar s(b, loc);
  if (auto number = DimMath::number(extent))
    return s.number(type(elem), static_cast<double>(*number));
  Value wide = s.make<arith::IndexCastOp>(b.getI64Type(), math.value(extent, loc));
  return s.cast(wide, Elem::I64, elem);
}

Val Emit::mean(const Val &x, ArrayRef<int64_t> axes, bool keep) {
  Val total = sum(x, axes, keep);
  Value count = extentAs(extent(x, axes), x.elem);
  return mapTo(total.dims, total, x.elem,
               [&](Scalar &s, ValueRange in) { return s.div(in[0], count, isUnsigned(x.elem)); });
}

} // namespace mlir::qtensor::graph
