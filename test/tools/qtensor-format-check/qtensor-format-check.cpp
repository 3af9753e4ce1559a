// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Compares lib/Formats with the reference, which was written apart from it: every code and all 65536 half-precision
// inputs of every named codec, and the components and values of whole tensors of awkward shapes. All bits must agree.
#include "lib/Reference/Codec.h"
#include "lib/Reference/Encoding.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/MLIRContext.h"
#include "qtensor/Codec.h"
#include "qtensor/Encode.h"
#include "qtensor/InitAll.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>
#include <cstring>
#include <random>

using namespace mlir;
using namespace mlir::qtensor;

namespace {
class Checker {
public:
  explicit Checker(MLIRContext &context) : context(context), emit([this] { return this->error(); }) {}

  void checkCodec(const NamedCodec &named);
  void checkEmbedding(CodecAttr codec, const reference::Codec &expected);
  void checkTensors(const NamedCodec &named);
  int finish();

private:
  InFlightDiagnostic error() { return emitError(UnknownLoc::get(&context)) << subject << ": "; }
  void report(const Twine &what) {
    llvm::errs() << subject << ": " << what << "\n";
    ++failures;
  }
  void checkTensor(BlockAttr encoding, ArrayRef<int64_t> shape);
  void compareComponents(BlockAttr encoding, const reference::Tensor &values, StringRef what);

  MLIRContext &context;
  std::string subject;
  std::function<InFlightDiagnostic()> emit;
  std::mt19937 random{20261122};
  int64_t checks = 0, failures = 0;
};
} // namespace

static bool sameNumber(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

void Checker::checkCodec(const NamedCodec &named) {
  auto codec = cast<CodecAttr>(named.codec);
  subject = named.name;
  if (codec.getBits() > 16)
    return;
  reference::Codec expected(codec);
  for (uint32_t code = 0; code < codec.getNumCodes(); ++code, ++checks)
    if (!sameNumber(decodeCode(codec, code), expected.decode(toContainer(codec, code))))
      return report("code " + Twine(code) + " decodes differently");
  if (codec.getBits() <= 8)
    checkEmbedding(codec, expected);
  NearestCode nearest(codec);
  std::optional<reference::NumericFormat> half = reference::NumericFormat::get(Float16Type::get(&context));
  for (uint32_t bits = 0; bits < 65536; ++bits, ++checks) {
    auto value = static_cast<float>(half->decode(bits));
    if (toContainer(codec, nearest(value)) != expected.encode(value))
      return report("half-precision input " + Twine(bits) + " rounds to code " + Twine(nearest(value)) +
                    ", the reference gives container " + Twine(expected.encode(value)));
  }
}

/// Clauses M1 to M3 of the dialect: the integers that stand for codes, and how far from the values they are.
void Checker::checkEmbedding(CodecAttr codec, const reference::Codec &expected) {
  Embedding embedding = getEmbedding(codec);
  if (!expected.isInteger() && (embedding.scale != expected.getUnit() || float(embedding.scale) != embedding.scale))
    return report("the unit " + Twine(std::to_string(embedding.scale)) + " of its integers is another in the reference");
  double largest = 0;
  for (uint32_t code = 0; code < codec.getNumCodes(); ++code, ++checks) {
    int64_t lower = embedding.limb[0][code], upper = embedding.limbs == 2 ? embedding.limb[1][code] : 0;
    double value = expected.decode(toContainer(codec, code));
    if (embedding.limbs == 2 && (lower > 127 || upper > 127))
      return report("code " + Twine(code) + " has a limb of more than 7 bits");
    double multiple = double(128 * upper + lower - embedding.zero);
    if (!expected.isInteger() && multiple != double(expected.toMultiple(toContainer(codec, code))))
      return report("code " + Twine(code) + " is another integer in the reference");
    if (std::isfinite(value))
      largest = std::max(largest, std::fabs(value - multiple * embedding.scale));
  }
  if (largest != embedding.bound || embedding.bound > embedding.scale / 2 ||
      (embedding.bound == 0) != (expected.isInteger() || expected.isExactMultiple()))
    report("its integers are off by " + Twine(std::to_string(largest)) + ", the bound is " + Twine(std::to_string(embedding.bound)));
}

/// Values with ties, a block of zeros, and some that are not finite.
static reference::Tensor makeValues(MLIRContext &context, ArrayRef<int64_t> shape, std::mt19937 &random, bool special) {
  reference::Tensor values = *reference::Tensor::zeros(Float32Type::get(&context), shape);
  std::normal_distribution<float> normal(0.1f, 1.0f);
  for (int64_t position = 0, count = values.getNumElements(); position < count; ++position) {
    uint32_t kind = random() % 16;
    double value = kind == 0 ? 0.0 : kind == 1 ? std::round(normal(random) * 4) / 2 : normal(random);
    if (special && kind == 2)
      value = random() % 2 ? NAN : random() % 2 ? HUGE_VAL : -HUGE_VAL;
    values.setReal(position, position % 64 < 8 ? 0.0 : value);
  }
  return values;
}

void Checker::compareComponents(BlockAttr encoding, const reference::Tensor &values, StringRef what) {
  ArrayRef<int64_t> shape = values.getShape();
  ArrayRef<float> elements(reinterpret_cast<const float *>(values.getBytes().data()), values.getNumElements());
  FailureOr<std::vector<ComponentBytes>> actual = encodeTensor(elements, shape, encoding, {}, emit);
  FailureOr<SmallVector<reference::Tensor>> expected = reference::encodeTensor(encoding, values, {}, emit);
  if (failed(actual) || failed(expected))
    return report(what + ": was not encoded");
  SmallVector<Component> types = reference::getComponentTypes(encoding, shape);
  SmallVector<ArrayRef<char>> bytes;
  for (auto [mine, theirs, type] : llvm::zip_equal(*expected, *actual, types)) {
    ++checks;
    if (mine.getBytes() != ArrayRef<char>(theirs))
      return report(what + ": component '" + type.name + "' differs");
    bytes.push_back(theirs);
  }
  std::vector<float> decoded(elements.size());
  FailureOr<reference::Tensor> reread =
      reference::decodeTensor(encoding, shape, Float32Type::get(&context), *expected, emit);
  if (failed(decodeTensor(bytes, shape, encoding, decoded, emit)) || failed(reread))
    return report(what + ": was not decoded");
  for (auto [position, value] : llvm::enumerate(decoded)) {
    ++checks;
    if (llvm::bit_cast<uint32_t>(value) != reread->getBits(position) &&
        !(std::isnan(value) && std::isnan(reread->getReal(position))))
      return report(what + ": element " + Twine(position) + " decodes differently");
  }
}

void Checker::checkTensor(BlockAttr encoding, ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << encoding << " on ";
  llvm::interleave(shape, os, "x");
  compareComponents(encoding, makeValues(context, shape, random, false), text);
  compareComponents(encoding, makeValues(context, shape, random, true), text + " with specials");
}

void Checker::checkTensors(const NamedCodec &named) {
  auto codec = cast<CodecAttr>(named.codec);
  subject = named.name;
  if (codec.getBits() > 8)
    return;
  constexpr int64_t whole = ShapedType::kDynamic;
  auto param = [&](Attribute value) { return ParamAttr::get(&context, value, false, {}); };
  ParamAttr f32 = param(TypeAttr::get(Float32Type::get(&context)));
  ParamAttr f16 = param(TypeAttr::get(Float16Type::get(&context)));
  ParamAttr constant = param(FloatAttr::get(Float64Type::get(&context), 0.037));
  auto inner = cast<CodecAttr>(getNamedCodecs(&context).front().codec);
  for (const NamedCodec &other : getNamedCodecs(&context))
    if (cast<CodecAttr>(other.codec).getKind() == CodecKind::Int && cast<CodecAttr>(other.codec).getBits() == 8)
      inner = cast<CodecAttr>(other.codec);
  ParamAttr nested = param(BlockAttr::get(&context, inner, {1, 4}, f32, {}, {}));
  checkTensor(BlockAttr::get(&context, codec, {1, 32}, f16, {}, {}), {3, 77});
  checkTensor(BlockAttr::get(&context, codec, {1, 7}, f32, {}, {}), {5, 13});
  checkTensor(BlockAttr::get(&context, codec, {4, 3}, f32, {}, {}), {7, 11});
  checkTensor(BlockAttr::get(&context, codec, {whole, whole}, f32, {}, {}), {1, 1});
  checkTensor(BlockAttr::get(&context, codec, {1, whole}, f32, {}, {}), {11, 64});
  checkTensor(BlockAttr::get(&context, codec, {1, 8}, nested, {}, {}), {3, 65});
  checkTensor(BlockAttr::get(&context, codec, {whole, whole}, constant, {}, {}), {2, 129});
  if (codec.getKind() != CodecKind::Int)
    return;
  checkTensor(BlockAttr::get(&context, codec, {1, 16}, f16, param(codec), {}), {3, 50});
  checkTensor(BlockAttr::get(&context, codec, {1, 16}, f32, {}, f32), {3, 50});
  checkTensor(BlockAttr::get(&context, codec, {1, 16}, f16, {}, ParamAttr::get(&context, f16.getValue(), true, {})),
              {3, 50});
}

int Checker::finish() {
  llvm::outs() << checks << " comparisons, " << failures << " failures\n";
  return failures != 0;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  DialectRegistry registry;
  registerAll(registry);
  MLIRContext context(registry);
  context.loadDialect<QTensorDialect>();
  Checker checker(context);
  for (const NamedCodec &named : getNamedCodecs(&context)) {
    checker.checkCodec(named);
    checker.checkTensors(named);
  }
  return checker.finish();
}
