// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/QTensor/IR/ModuleAttrs.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// What a value has to be, in words for the error.
struct Form {
  llvm::StringLiteral text;
  bool (*holds)(Attribute);
};
/// A key of a dictionary.
struct Field {
  llvm::StringLiteral key;
  const Form &form;
  bool required = true;
};
} // namespace

static bool isNumber(Attribute value) {
  auto number = dyn_cast<IntegerAttr>(value);
  return number && number.getType().isSignlessInteger(64);
}

template <typename Kind> static bool is(Attribute value) { return isa<Kind>(value); }

static const Form kString = {"a string", is<StringAttr>};
static const Form kArray = {"an array", is<ArrayAttr>};
static const Form kBool = {"true or false", is<BoolAttr>};
static const Form kFloat = {"a float", is<FloatAttr>};
static const Form kElements = {"a constant tensor", is<ElementsAttr>};
static const Form kNumber = {"an i64", isNumber};
static const Form kCount = {"an i64 that is not negative",
                            [](Attribute value) { return isNumber(value) && cast<IntegerAttr>(value).getInt() >= 0; }};
static const Form kTensorType = {"a ranked tensor type", [](Attribute value) {
                                   auto type = dyn_cast<TypeAttr>(value);
                                   return type && isa<RankedTensorType>(type.getValue());
                                 }};

static const Form kStrings = {"an array of strings", [](Attribute value) -> bool {
                                auto array = dyn_cast<ArrayAttr>(value);
                                return array && llvm::all_of(array, is<StringAttr>);
                              }};

static const Field kTensorFields[] = {{"name", kString},         {"type", kTensorType},   {"dims", kArray, false},
                                      {"scale", kFloat, false},  {"zero", kNumber, false}};
static const Field kWeightFields[] = {
    {"name", kString}, {"offset", kCount}, {"size", kCount}, {"value", kElements}, {"format", kString, false}};
static const Field kPlanFields[] = {{"bound", kCount, false},   {"buffers", kCount, false}, {"bytes", kCount, false},
                                    {"slots", kCount, false},   {"greedy", kCount, false},  {"regions", kArray, false},
                                    {"constants", kArray, false}, {"places", kArray, false}};
static const Field kRegionFields[] = {{"name", kString}, {"base", kCount}, {"bytes", kCount}};
static const Field kConstantFields[] = {{"name", kString}, {"base", kCount}, {"bytes", kCount}, {"copied", kBool}};
static const Field kPlaceFields[] = {{"region", kCount}, {"offset", kCount}};

static LogicalResult verifyFields(Operation *op, StringRef where, Attribute value, ArrayRef<Field> fields) {
  auto entry = dyn_cast<DictionaryAttr>(value);
  if (!entry)
    return op->emitError() << where << ": expected a dictionary, got " << value;
  for (const Field &field : fields) {
    Attribute found = entry.get(field.key);
    if (!found && field.required)
      return op->emitError() << where << ": expected '" << field.key << "', " << field.form.text;
    if (found && !field.form.holds(found))
      return op->emitError() << where << ": '" << field.key << "' must be " << field.form.text << ", got " << found;
  }
  return success();
}

/// An array of dictionaries.
static LogicalResult verifyEntries(Operation *op, StringRef where, Attribute value, ArrayRef<Field> fields) {
  auto entries = dyn_cast<ArrayAttr>(value);
  if (!entries)
    return op->emitError() << where << ": expected an array, got " << value;
  for (auto [i, entry] : llvm::enumerate(entries))
    if (failed(verifyFields(op, (where + "[" + Twine(i) + "]").str(), entry, fields)))
      return failure();
  return success();
}

static LogicalResult verifyPlan(Operation *op, Attribute value) {
  if (failed(verifyFields(op, kPlanAttr, value, kPlanFields)))
    return failure();
  auto plan = cast<DictionaryAttr>(value);
  for (auto [key, fields] : {std::pair<StringRef, ArrayRef<Field>>("regions", kRegionFields), {"constants", kConstantFields},
                             {"places", kPlaceFields}})
    if (Attribute entries = plan.get(key);
        entries && failed(verifyEntries(op, (kPlanAttr + " " + key).str(), entries, fields)))
      return failure();
  auto regions = plan.getAs<ArrayAttr>("regions"), places = plan.getAs<ArrayAttr>("places");
  for (Attribute place : places ? places.getValue() : ArrayRef<Attribute>()) {
    int64_t region = cast<DictionaryAttr>(place).getAs<IntegerAttr>("region").getInt();
    if (!regions || region >= int64_t(regions.size()))
      return op->emitError() << kPlanAttr << " places: there is no region " << region;
  }
  return success();
}

static LogicalResult verifyWeights(Operation *op, Attribute value) {
  if (failed(verifyEntries(op, kWeightsAttr, value, kWeightFields)))
    return failure();
  for (auto entry : cast<ArrayAttr>(value).getAsRange<DictionaryAttr>()) {
    int64_t offset = entry.getAs<IntegerAttr>("offset").getInt(), size = entry.getAs<IntegerAttr>("size").getInt();
    if (offset > std::numeric_limits<int64_t>::max() - size)
      return op->emitError() << kWeightsAttr << ": " << entry.get("name") << " ends behind 2^63 bytes";
  }
  return success();
}

static LogicalResult verifyOverlaps(Operation *op, Attribute value) {
  auto isOverlap = [&](Attribute entry) {
    auto numbers = dyn_cast<DenseI64ArrayAttr>(entry);
    auto isOperand = [&](int64_t index) { return index >= 0 && index < int64_t(op->getNumOperands()); };
    return numbers && numbers.size() == 4 && isOperand(numbers[0]) && isOperand(numbers[1]);
  };
  auto entries = dyn_cast<ArrayAttr>(value);
  if (entries && llvm::all_of(entries, isOverlap))
    return success();
  return op->emitError() << kOverlapsAttr << ": expected arrays of four i64, the first two indices of operands, got " << value;
}

bool qtensor::isFirmwarePlan(DictionaryAttr plan) { return plan && plan.contains("regions"); }

LogicalResult qtensor::verifyRounding(Operation *op, StringRef mode) {
  if (isRounding(mode))
    return success();
  return op->emitError() << "rounding is double, single or real, got '" << mode << "'";
}

LogicalResult qtensor::verifyModuleAttribute(Operation *op, NamedAttribute attribute) {
  StringRef name = attribute.getName();
  Attribute value = attribute.getValue();
  auto expect = [&](const Form &form) -> LogicalResult {
    if (form.holds(value))
      return success();
    return op->emitError() << name << ": expected " << form.text << ", got " << value;
  };
  if (name == kInputsAttr || name == kOutputsAttr || name == kStatesAttr)
    return verifyEntries(op, name, value, kTensorFields);
  if (name == kWeightsAttr)
    return verifyWeights(op, value);
  if (name == kPlanAttr)
    return verifyPlan(op, value);
  if (name == kOverlapsAttr)
    return verifyOverlaps(op, value);
  if (name == kLiveAttr || name == kGreedyAttr)
    return expect(kCount);
  if (name == kRoundingAttr)
    return failed(expect(kString)) ? failure() : verifyRounding(op, cast<StringAttr>(value).getValue());
  return name == kChecksAttr ? expect(kStrings) : success();
}
