// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Looks into lib/Formats for the tests beside it. `format-test <command> <arguments>`; every command prints what it
// checked and returns 1 at the first thing that is wrong.
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "qtensor/Codec.h"
#include "qtensor/Encode.h"
#include "qtensor/InitAll.h"
#include "qtensor/Pack.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace mlir::qtensor;

static InFlightDiagnostic emitTo(MLIRContext &context) { return emitError(UnknownLoc::get(&context)); }

static float floatOfHalf(uint32_t h) {
  double m = h & 0x3ff, e = (h >> 10) & 0x1f;
  double v = e == 31 ? (m == 0 ? INFINITY : NAN) : e == 0 ? m * 0x1p-24 : std::ldexp(1024 + m, int(e) - 25);
  return float(h & 0x8000 ? -v : v);
}

/// tables: `codec code f32-bits` of every named codec of at most 8 bits.
static int printTables(MLIRContext &context) {
  std::vector<NamedCodec> codecs = getNamedCodecs(&context);
  llvm::sort(codecs, [](const NamedCodec &a, const NamedCodec &b) { return a.name < b.name; });
  for (const NamedCodec &entry : codecs) {
    auto codec = cast<CodecAttr>(entry.codec);
    if (codec.getBits() > 8)
      continue;
    for (auto [code, value] : llvm::enumerate(getCodecTable(codec))) {
      llvm::outs() << entry.name << " " << code << " ";
      if (std::isnan(value))
        llvm::outs() << "nan\n";
      else
        llvm::outs() << llvm::format("%08x\n", llvm::bit_cast<uint32_t>(float(value)));
    }
  }
  return 0;
}

/// The code nearest to `v` by looking at all of them. Midpoints of f32 neighbours are exact in f64.
static uint32_t nearestByScan(CodecAttr codec, ArrayRef<double> table, double v) {
  CodecRange range = getCodecRange(codec);
  if (std::isnan(v) && codec.getNanCode())
    return uint32_t(codec.getNanCode().getInt());
  bool wantNaN = std::isnan(v) && llvm::any_of(table, [](double t) { return std::isnan(t); });
  bool wantInf = std::isinf(v) && codec.getBits() > 8;
  if (std::isnan(v) && !wantNaN)
    v = 0;
  int64_t best = -1;
  for (int64_t code = 0, count = int64_t(table.size()); code < count; ++code) {
    double t = table[code];
    if (wantNaN || wantInf) {
      if (wantNaN ? std::isnan(t) : t == v)
        best = best < 0 ? code : best;
      continue;
    }
    if (!std::isfinite(t) || t < range.lowest || t > range.highest)
      continue;
    if (best < 0) {
      best = code;
      continue;
    }
    double b = table[best], low = std::min(b, t), high = std::max(b, t), middle = low / 2 + high / 2;
    if (t == b) { // two zeros: the sign decides, else the lower code; in a table -0.0 is not negative
      bool negative = codec.getKind() == CodecKind::Table ? v < 0 : std::signbit(v);
      if (t == 0 && negative == std::signbit(t) && std::signbit(b) != std::signbit(t))
        best = code;
      continue;
    }
    bool takeHigh = v > middle;
    if (v == middle) {
      bool highEven = codec.getKind() == CodecKind::Int ? std::fmod(high, 2) == 0 : (t > b ? code : best) % 2 == 0;
      bool lowEven = codec.getKind() == CodecKind::Int ? std::fmod(low, 2) == 0 : (t > b ? best : code) % 2 == 0;
      switch (codec.getTie()) {
      case TieRule::Even: takeHigh = highEven && !lowEven; break;
      case TieRule::Low: takeHigh = false; break;
      case TieRule::Up: takeHigh = true; break;
      case TieRule::Away: takeHigh = std::fabs(high) > std::fabs(low); break;
      }
    }
    if (takeHigh == (t > b))
      best = code;
  }
  return uint32_t(best);
}

/// nearest <codec>: all 65536 half-precision inputs, one at a time and in runs, against a scan over all codes.
static int checkNearest(StringRef name, CodecAttr codec) {
  std::vector<double> table = getCodecTable(codec);
  NearestCode nearest(codec);
  std::vector<float> inputs(65536);
  for (uint32_t h = 0; h < 65536; ++h)
    inputs[h] = floatOfHalf(h);
  std::vector<int32_t> run(65536);
  nearest.encode(inputs, 1, 0, 0, run.data());
  for (uint32_t h = 0; h < 65536; ++h) {
    uint32_t expected = nearestByScan(codec, table, inputs[h]), actual = nearest(inputs[h]);
    bool sameNaN = std::isnan(inputs[h]) && std::isnan(table[actual]) && std::isnan(table[expected]);
    if ((expected != actual && !sameNaN) || run[h] != toContainer(codec, actual)) {
      llvm::errs() << name << ": " << inputs[h] << " has nearest code " << expected << ", got " << actual << " and "
                   << run[h] << "\n";
      return 1;
    }
  }
  llvm::outs() << name << ": 65536 inputs\n";
  return 0;
}

static void printBytes(StringRef name, ArrayRef<char> bytes) {
  llvm::outs() << name << ":";
  for (char byte : bytes)
    llvm::outs() << llvm::format(" %02x", unsigned(uint8_t(byte)));
  llvm::outs() << "\n";
}

/// encode <format> -- <values>: one row of values (with --column, a column); prints components, packed arrays and decoded values.
static int printEncoded(MLIRContext &context, StringRef text, ArrayRef<std::string> words, bool column) {
  auto emit = [&] { return emitTo(context); };
  std::vector<float> values(words.size());
  for (auto [value, word] : llvm::zip_equal(values, words))
    value = std::strtof(word.c_str(), nullptr);
  int64_t shape[] = {1, int64_t(values.size())};
  if (column)
    std::swap(shape[0], shape[1]);
  FailureOr<FormatChoice> choice = parseFormatSpelling(&context, text, 2, {column ? 0 : 1}, emit, shape);
  if (failed(choice))
    return 1;
  auto encoding = cast<BlockAttr>(choice->encoding);
  auto components = encodeTensor(values, shape, encoding, {choice->encoder, true}, emit);
  if (failed(components))
    return 1;
  llvm::outs() << encoding << "\n";
  SmallVector<Component> types;
  encoding.getComponents(shape, &context, types);
  for (auto [type, bytes] : llvm::zip_equal(types, *components))
    printBytes(type.name, bytes);
  SmallVector<ArrayRef<char>> views(components->begin(), components->end());
  if (auto format = dyn_cast_or_null<FormatAttr>(choice->format); format && format.getLayout()) {
    auto arrays = packTensor(format, encoding, shape, views, emit);
    if (failed(arrays))
      return 1;
    std::vector<ForeignView> foreign;
    for (const ForeignArray &array : *arrays) {
      printBytes("array '" + array.name + "'", array.bytes);
      foreign.push_back({array.name, array.bytes});
    }
    auto unpacked = unpackTensor(format, encoding, shape, foreign, emit);
    if (failed(unpacked) || *unpacked != *components)
      return emitTo(context) << "unpacking does not give the components back", 1;
  }
  if (failed(decodeTensor(views, shape, encoding, values, emit)))
    return 1;
  llvm::outs() << "values:";
  for (float value : values)
    llvm::outs() << llvm::format(" %.9g", value);
  llvm::outs() << "\n";
  return 0;
}

static FailureOr<std::vector<char>> readFile(MLIRContext &context, const llvm::Twine &path) {
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return emitTo(context) << path.str() << ": " << file.getError().message(), failure();
  return std::vector<char>((*file)->getBufferStart(), (*file)->getBufferEnd());
}

/// Prints whether two buffers are the same, and where they first differ.
static int report(StringRef what, ArrayRef<char> actual, ArrayRef<char> expected) {
  size_t differing = std::max(actual.size(), expected.size()) - std::min(actual.size(), expected.size());
  size_t first = std::min(actual.size(), expected.size());
  for (size_t i = std::min(actual.size(), expected.size()); i-- > 0;)
    if (actual[i] != expected[i]) {
      ++differing;
      first = i;
    }
  llvm::outs() << what << (differing ? ": WRONG" : ": exact") << "\n";
  if (differing)
    llvm::errs() << what << ": " << differing << " of " << expected.size() << " bytes differ, the first is " << first << "\n";
  return differing != 0;
}

/// gguf <folder> <format>...: unpacks and decodes <format>.bin, compares with <format>.f32, packs again, and encodes
/// src.f32; rows of 512.
static int checkFiles(MLIRContext &context, StringRef folder, StringRef name) {
  auto emit = [&] { return emitTo(context); };
  auto bytes = readFile(context, folder + "/" + name + ".bin"), floats = readFile(context, folder + "/" + name + ".f32"),
       source = readFile(context, folder + "/src.f32");
  FailureOr<FormatChoice> choice = parseFormatSpelling(&context, name, 2, {1}, emit);
  if (failed(bytes) || failed(floats) || failed(source) || failed(choice))
    return 1;
  int64_t shape[] = {int64_t(source->size() / 2048), 512};
  auto format = cast<FormatAttr>(choice->format);
  auto encoding = cast<BlockAttr>(choice->encoding);
  auto components = unpackTensor(format, encoding, shape, {{"", *bytes}}, emit);
  if (failed(components))
    return 1;
  SmallVector<ArrayRef<char>> views(components->begin(), components->end());
  std::vector<float> values(source->size() / 4);
  auto packed = packTensor(format, encoding, shape, views, emit);
  if (failed(packed) || failed(decodeTensor(views, shape, encoding, values, emit)))
    return 1;
  int result = report((name + " decode").str(), {reinterpret_cast<char *>(values.data()), values.size() * 4}, *floats);
  result |= report((name + " pack").str(), packed->front().bytes, *bytes);
  ArrayRef<float> input(reinterpret_cast<const float *>(source->data()), source->size() / 4);
  auto encoded = encodeTensor(input, shape, encoding, {choice->encoder, true}, emit);
  if (failed(encoded))
    return 1;
  SmallVector<ArrayRef<char>> encodedViews(encoded->begin(), encoded->end());
  packed = packTensor(format, encoding, shape, encodedViews, emit);
  return failed(packed) ? 1 : result | report((name + " encode").str(), packed->front().bytes, *bytes);
}

/// What encoding weights loses: the root of mean square error over that of mean square.
static FailureOr<double> computeError(MLIRContext &context, ArrayRef<float> values, int64_t columns, StringRef text) {
  auto emit = [&] { return emitTo(context); };
  int64_t shape[] = {int64_t(values.size()) / columns, columns};
  FailureOr<FormatChoice> choice = parseFormatSpelling(&context, text, 2, {1}, emit, shape);
  if (failed(choice))
    return failure();
  auto encoding = cast<BlockAttr>(choice->encoding);
  auto components = encodeTensor(values, shape, encoding, {choice->weightEncoder, true}, emit);
  if (failed(components))
    return failure();
  SmallVector<ArrayRef<char>> views(components->begin(), components->end());
  std::vector<float> decoded(values.size());
  if (failed(decodeTensor(views, shape, encoding, decoded, emit)))
    return failure();
  double error = 0, power = 0;
  for (auto [value, back] : llvm::zip_equal(values, decoded)) {
    error += (double(back) - value) * (double(back) - value);
    power += double(value) * value;
  }
  return std::sqrt(error / power);
}

/// errors <file of f32> <columns> <format> <other format>: fails where the first loses more than the second.
static int compareErrors(MLIRContext &context, ArrayRef<std::string> words) {
  auto bytes = readFile(context, words[0]);
  if (failed(bytes))
    return 1;
  std::vector<float> values(bytes->size() / 4);
  std::memcpy(values.data(), bytes->data(), values.size() * 4);
  int64_t columns = std::atoll(words[1].c_str());
  auto first = computeError(context, values, columns, words[2]), second = computeError(context, values, columns, words[3]);
  if (failed(first) || failed(second))
    return 1;
  llvm::outs() << llvm::format("%s %.4g: %s that of %s, %.4g\n", words[2].c_str(), *first,
                               *first <= *second ? "not above" : "ABOVE", words[3].c_str(), *second);
  return *first > *second;
}

/// arrays <folder> <case> <format> <rows> <columns>: unpacks the arrays <case>.<array>.bin, compares the values with
/// <case>.values.bin, and packs again. With --column, blocks lie along the columns.
static int checkArrays(MLIRContext &context, ArrayRef<std::string> words, bool column) {
  auto emit = [&] { return emitTo(context); };
  std::string prefix = words[0] + "/" + words[1] + ".";
  int64_t shape[] = {std::atoll(words[3].c_str()), std::atoll(words[4].c_str())};
  FailureOr<FormatChoice> choice = parseFormatSpelling(&context, words[2], 2, {column ? 0 : 1}, emit, shape);
  auto expected = readFile(context, prefix + "values.bin");
  if (failed(choice) || failed(expected))
    return 1;
  auto format = cast<FormatAttr>(choice->format);
  auto encoding = cast<BlockAttr>(choice->encoding);
  std::vector<ForeignArray> files;
  for (FieldAttr field : format.getLayout().getFields()) {
    std::string name = field.getArray().empty() ? field.getComponent().str() : field.getArray().str();
    auto bytes = readFile(context, prefix + name + ".bin");
    if (failed(bytes))
      return 1;
    files.push_back({field.getArray().str(), std::move(*bytes)});
  }
  std::vector<ForeignView> views;
  for (const ForeignArray &file : files)
    views.push_back({file.name, file.bytes});
  auto components = unpackTensor(format, encoding, shape, views, emit);
  if (failed(components))
    return 1;
  SmallVector<ArrayRef<char>> parts(components->begin(), components->end());
  std::vector<float> values(size_t(shape[0] * shape[1]));
  auto packed = packTensor(format, encoding, shape, parts, emit);
  if (failed(packed) || failed(decodeTensor(parts, shape, encoding, values, emit)))
    return 1;
  int result = report("decode", {reinterpret_cast<char *>(values.data()), values.size() * 4}, *expected);
  for (const ForeignArray &array : *packed)
    for (const ForeignArray &file : files)
      if (array.name == file.name)
        result |= report("pack", array.bytes, file.bytes);
  return result;
}

int main(int argc, char **argv) {
  llvm::cl::opt<std::string> command(llvm::cl::Positional, llvm::cl::Required, llvm::cl::desc("<command>"));
  llvm::cl::opt<bool> column("column", llvm::cl::desc("encode: the values are a column, reduced along it"));
  llvm::cl::list<std::string> arguments(llvm::cl::Positional, llvm::cl::desc("<arguments>"));
  llvm::cl::ParseCommandLineOptions(argc, argv, "Tests of lib/Formats\n");
  DialectRegistry registry;
  registerAll(registry);
  MLIRContext context(registry);
  auto *dialect = context.getOrLoadDialect<QTensorDialect>();
  int result = 0;
  if (command == "tables")
    return printTables(context);
  if (command == "list")
    return printFormats(&context, llvm::outs()), 0;
  if (command == "encode" && !arguments.empty()) {
    std::vector<std::string> words(arguments.begin() + 1, arguments.end());
    return printEncoded(context, arguments[0], words, column);
  }
  if (command == "arrays" && arguments.size() == 5)
    return checkArrays(context, SmallVector<std::string>(arguments.begin(), arguments.end()), column);
  if (command == "errors" && arguments.size() == 4)
    return compareErrors(context, SmallVector<std::string>(arguments.begin(), arguments.end()));
  if (command == "gguf") {
    for (size_t i = 1; i < arguments.size(); ++i)
      result |= checkFiles(context, arguments[0], arguments[i]);
    return result;
  }
  if (arguments.empty())
    for (const NamedCodec &codec : getNamedCodecs(&context))
      arguments.push_back(codec.name);
  for (const std::string &argument : arguments) {
    auto codec = cast_or_null<CodecAttr>(dialect->lookupCodec(argument));
    if (!codec)
      return emitTo(context) << "unknown codec " << argument, 1;
    if (command == "nearest")
      result |= codec.getBits() > 8 ? 0 : checkNearest(argument, codec);
    else
      return emitTo(context) << "unknown command " << command.getValue(), 1;
  }
  return result;
}
