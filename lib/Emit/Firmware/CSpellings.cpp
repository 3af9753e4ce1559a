// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/Firmware/CSpellings.h"
#include "lib/Emit/Firmware/CFloats.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::qtensor;

static StringRef nameOf(Operation *op) {
  if (auto call = dyn_cast<LLVM::CallIntrinsicOp>(op))
    return call.getIntrin();
  if (auto assembly = dyn_cast<LLVM::InlineAsmOp>(op))
    return assembly.getAsmString().split(' ').first;
  return op->getName().getStringRef();
}

/// "4xi32" of vector<4xi32>, else the type as it is printed.
static std::string textOf(Type type) {
  std::string text;
  llvm::raw_string_ostream(text) << type;
  StringRef inner = text;
  if (inner.consume_front("vector<"))
    return inner.drop_back().str();
  return text;
}

namespace {
/// An operand, or one of the numbers that an op has as attributes.
struct Argument {
  Value value;
  int64_t number = 0;
};

/// Reads a pattern from left to right, along the ops.
class Matcher {
public:
  Matcher(StringRef pattern, CMatch &match) : text(pattern), match(match) {}
  bool matchOp(Operation *op, bool isRoot);

private:
  bool matchArgument(const Argument &argument, Operation *user);
  bool matchBelow(Value value, Operation *user);
  StringRef takeWord() {
    StringRef word = text.take_until([](char c) { return StringRef("<>(), ").contains(c); });
    text = text.drop_front(word.size());
    return word;
  }

  StringRef text;
  CMatch &match;
};
} // namespace

static SmallVector<Argument> argumentsOf(Operation *op) {
  SmallVector<Argument> arguments;
  for (Value operand : op->getOperands())
    arguments.push_back({operand});
  if (auto shuffle = dyn_cast<LLVM::ShuffleVectorOp>(op))
    for (int32_t lane : shuffle.getMask())
      arguments.push_back({Value(), lane});
  return arguments;
}

/// Whether `below` may be computed where `user` is: nothing is written between the two that it could read.
static bool mayMove(Operation *below, Operation *user) {
  if (below->getBlock() != user->getBlock())
    return false;
  if (isPure(below))
    return true;
  for (Operation *op = below->getNextNode(); op != user; op = op->getNextNode())
    if (!isa<LLVM::LoadOp>(op) && !isPure(op))
      return false;
  return true;
}

bool Matcher::matchBelow(Value value, Operation *user) {
  Operation *below = value.getDefiningOp();
  bool isFree = isa_and_nonnull<LLVM::PoisonOp>(below);
  if (!below || (!isFree && (!value.hasOneUse() || !mayMove(below, user))))
    return false;
  match.folded.push_back(below);
  return matchOp(below, /*isRoot=*/false);
}

bool Matcher::matchArgument(const Argument &argument, Operation *user) {
  StringRef before = text, word = takeWord();
  int64_t number;
  if (!word.getAsInteger(10, number)) {
    auto constant = argument.value ? argument.value.getDefiningOp<LLVM::ConstantOp>() : LLVM::ConstantOp();
    auto value = constant ? dyn_cast<IntegerAttr>(constant.getValue()) : IntegerAttr();
    return argument.value ? value && value.getInt() == number : argument.number == number;
  }
  if (!argument.value)
    return false;
  if (word == "*")
    return true;
  bool isVector = isa<VectorType>(argument.value.getType());
  if (word == "_" || (word == "v" && isVector) || (word == "x" && !isVector)) {
    match.captured.push_back(argument.value);
    return true;
  }
  text = before;
  return matchBelow(argument.value, user);
}

bool Matcher::matchOp(Operation *op, bool isRoot) {
  if (takeWord() != nameOf(op))
    return false;
  if (text.consume_front("<")) {
    auto [type, rest] = text.split('>');
    Type have = op->getNumResults() ? op->getResult(0).getType() : Type();
    if (!have || textOf(have) != type)
      return false;
    text = rest;
  }
  if (!text.consume_front("(")) {
    if (isRoot)
      match.captured.append(op->operand_begin(), op->operand_end());
    return true;
  }
  for (const Argument &argument : argumentsOf(op)) {
    if (!matchArgument(argument, op))
      return false;
    text.consume_front(", ");
  }
  return text.consume_front(")");
}

static std::optional<CMatch> matchSpelling(Operation *op, const CLibrary &library) {
  for (const CSpelling &spelling : library.spellings) {
    CMatch match{&library, &spelling, {}, {}};
    if (Matcher(spelling.match, match).matchOp(op, /*isRoot=*/true))
      return match;
  }
  return std::nullopt;
}

std::optional<CMatch> mlir::qtensor::matchSpelling(Operation *op, const CDialect &c) {
  for (const CLibrary &library : c.libraries)
    if (std::optional<CMatch> match = ::matchSpelling(op, library))
      return match;
  return ::matchSpelling(op, floatLibrary());
}

std::string mlir::qtensor::registerGroup(Type type, const CDialect &c) {
  auto vector = dyn_cast<VectorType>(type);
  if (!vector || !vector.isScalable() || !c.scalableBits)
    return "";
  unsigned bits = vector.getNumElements() * vector.getElementTypeBitWidth();
  return bits >= c.scalableBits ? "m" + std::to_string(bits / c.scalableBits) : "mf" + std::to_string(c.scalableBits / bits);
}

std::string mlir::qtensor::spell(const CMatch &match, Operation *op, const CDialect &c,
                                 llvm::function_ref<std::string(Value, bool)> name) {
  std::string made;
  StringRef text = match.spelling->c;
  auto bitsOf = [](Value value) { return getElementTypeOrSelf(value.getType()).getIntOrFloatBitWidth(); };
  while (!text.empty()) {
    auto [plain, rest] = text.split('$');
    made += plain;
    char kind = rest.empty() ? ' ' : rest.front();
    bool isNumber = llvm::isDigit(kind);
    char which = rest.empty() || isNumber ? kind : rest[1];
    text = rest.drop_front(rest.empty() ? 0 : isNumber ? 1 : 2);
    if (rest.empty())
      break;
    Value value = which == 'r' ? op->getResult(0) : match.captured[which - '0'];
    switch (kind) {
    case 'e': made += std::to_string(bitsOf(value)); break;
    case 'f': made += std::to_string(bitsOf(value) / bitsOf(match.captured[0])); break;
    case 'm': made += registerGroup(value.getType(), c); break;
    case 'k': made += isa<VectorType>(value.getType()) ? "v" : "x"; break;
    default: made += name(value, kind == 's');
    }
  }
  return made;
}
