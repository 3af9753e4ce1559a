// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/ONNX/NodeContext.h"

namespace mlir::qtensor::onnx {

SmallVector<Val> NodeContext::allInputs() const {
  return llvm::map_to_vector(inputs, [](Val *value) { return *value; });
}

void NodeContext::locateOutput(unsigned i) const {
  if (i < node.outputs.size() && !node.outputs[i].empty())
    e.setLoc(NameLoc::get(e.b.getStringAttr(node.outputs[i])), node.place());
}

LogicalResult NodeContext::set(unsigned i, Val value) {
  if (i < outputs.size())
    outputs[i] = std::move(value);
  return success();
}

LogicalResult NodeContext::fail(const Twine &what) const {
  // A value of the wrong kind read as absent; what was concluded from that would mislead.
  std::string place = node.place();
  if (mistypedName)
    report(place + "attribute '" + *mistypedName + "' has a value of another kind than the operator defines");
  else
    report(place + what);
  return failure();
}

const NodeAttribute *NodeContext::attr(StringRef name, NodeAttribute::Kind kind) const {
  auto found = node.attributes.find(name.str());
  if (found == node.attributes.end())
    return nullptr;
  if (found->second.kind == kind)
    return &found->second;
  mistypedName = &found->first;
  return nullptr;
}

int64_t NodeContext::attrInt(StringRef name, int64_t otherwise) const {
  const NodeAttribute *found = attr(name, NodeAttribute::Kind::Int);
  return found ? found->i : otherwise;
}

double NodeContext::attrFloat(StringRef name, double otherwise) const {
  const NodeAttribute *found = attr(name, NodeAttribute::Kind::Float);
  return found ? found->f : otherwise;
}

StringRef NodeContext::attrString(StringRef name, StringRef otherwise) const {
  const NodeAttribute *found = attr(name, NodeAttribute::Kind::String);
  return found ? StringRef(found->s) : otherwise;
}

SmallVector<int64_t> NodeContext::attrInts(StringRef name) const {
  const NodeAttribute *found = attr(name, NodeAttribute::Kind::Ints);
  return found ? SmallVector<int64_t>(found->ints.begin(), found->ints.end()) : SmallVector<int64_t>();
}

SmallVector<double> NodeContext::attrFloats(StringRef name) const {
  const NodeAttribute *found = attr(name, NodeAttribute::Kind::Floats);
  return found ? SmallVector<double>(found->floats.begin(), found->floats.end()) : SmallVector<double>();
}

FailureOr<Dims> NodeContext::extents(unsigned i, StringRef what) const {
  const Val &x = in(i);
  if (x.ints)
    return *x.ints;
  if (x.constant && isInteger(x.elem) && x.constant->numElements() <= (1 << 16))
    return llvm::map_to_vector(llvm::seq<int64_t>(0, x.constant->numElements()),
                               [&](int64_t k) { return e.math.constant(x.constant->intAt(k)); });
  return fail(what +
              " must be a constant or computed from shapes, not from the data of the model; fold it before export");
}

FailureOr<SmallVector<int64_t>> NodeContext::numbers(unsigned i, StringRef what) const {
  FailureOr<Dims> values = extents(i, what);
  if (failed(values))
    return failure();
  SmallVector<int64_t> out;
  for (OpFoldResult value : *values) {
    std::optional<int64_t> number = DimMath::number(value);
    if (!number)
      return fail(what + " must be constant; it depends on the extents of the inputs");
    out.push_back(*number);
  }
  return out;
}

FailureOr<SmallVector<double>> NodeContext::reals(unsigned i, StringRef what) const {
  const Val &x = in(i);
  if (!x.constant)
    return fail(what + " must be a constant; fold it before export");
  SmallVector<double> out;
  for (int64_t k = 0, count = x.constant->numElements(); k < count; ++k)
    out.push_back(x.constant->realAt(k));
  return out;
}

FailureOr<std::optional<SmallVector<int64_t>>> NodeContext::numbersFrom(StringRef name, unsigned i) const {
  if (hasAttr(name))
    return std::optional(attrInts(name));
  if (!has(i))
    return std::optional<SmallVector<int64_t>>();
  FailureOr<SmallVector<int64_t>> values = numbers(i, name);
  if (failed(values))
    return failure();
  return std::optional(*values);
}

FailureOr<int64_t> NodeContext::axis(int64_t axis, int64_t rank) const {
  if (axis < -rank || axis >= rank)
    return fail("axis " + Twine(axis) + " is outside the " + Twine(rank) + " dimensions of its tensor");
  return axis < 0 ? axis + rank : axis;
}

FailureOr<SmallVector<int64_t>> NodeContext::axes(ArrayRef<int64_t> list, int64_t rank) const {
  SmallVector<int64_t> out;
  for (int64_t entry : list) {
    FailureOr<int64_t> normal = axis(entry, rank);
    if (failed(normal))
      return failure();
    if (llvm::is_contained(out, *normal))
      return fail("axis " + Twine(entry) + " is given twice");
    out.push_back(*normal);
  }
  llvm::sort(out);
  return out;
}

LogicalResult NodeContext::requireRank(unsigned i, int64_t min, int64_t max) const {
  int64_t rank = in(i).rank();
  if (rank >= min && rank <= max)
    return success();
  return fail("input " + Twine(i) + " has rank " + Twine(rank) + ", which must be between " + Twine(min) + " and " +
              Twine(max));
}

LogicalResult NodeContext::requireFloat(unsigned i) const {
  if (isFloat(in(i).elem))
    return success();
  return fail("input " + Twine(i) + " has element type " + elemName(in(i).elem) + ", which must be a float type");
}

LogicalResult NodeContext::requireSame(unsigned i, unsigned j) const {
  if (in(i).elem == in(j).elem)
    return success();
  return fail("inputs " + Twine(i) + " and " + Twine(j) + " have element types " + elemName(in(i).elem) + " and " +
              elemName(in(j).elem) + ", which must be the same");
}

LogicalResult NodeContext::requireBroadcast(ArrayRef<Val> values) const {
  if (e.broadcastDims(values))
    return success();
  return fail("the shapes of its inputs don't broadcast");
}

} // namespace mlir::qtensor::onnx
