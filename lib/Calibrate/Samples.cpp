// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Calibrate/Samples.h"
#include "lib/Import/Npy/Npy.h"
#include "lib/Import/Npy/NpyTypes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// Reads sources one after the other.
class SampleReader {
public:
  explicit SampleReader(func::FuncOp main) : main(main) {}

  LogicalResult readSource(StringRef path);
  std::vector<Sample> samples;

private:
  InFlightDiagnostic fail(StringRef path, const Twine &what) {
    return emitError(UnknownLoc::get(main.getContext())) << "calibration: '" << path << "': " << what;
  }
  LogicalResult readFile(StringRef path);
  LogicalResult readFolder(StringRef path);
  LogicalResult readManifest(StringRef path);
  LogicalResult readLine(StringRef folder, StringRef line, StringRef place);
  /// The pieces of the array that input `index` takes, one for each sample.
  FailureOr<std::vector<TensorData>> cut(unsigned index, StringRef path);
  /// The input that `field` gives, and its file.
  std::pair<unsigned, StringRef> parseField(StringRef field, unsigned position);

  func::FuncOp main;
};
} // namespace

/// How many tensors of shape `wanted` lie in one of shape `given`, along the first extent; 0 if it doesn't fit.
static int64_t countPieces(ArrayRef<int64_t> wanted, ArrayRef<int64_t> given) {
  if (wanted.size() != given.size())
    return 0;
  for (auto [d, extent] : llvm::enumerate(wanted))
    if (d && !ShapedType::isDynamic(extent) && extent != given[d])
      return 0;
  if (wanted.empty() || ShapedType::isDynamic(wanted[0]))
    return 1;
  return wanted[0] && given[0] % wanted[0] == 0 ? given[0] / wanted[0] : 0;
}

FailureOr<std::vector<TensorData>> SampleReader::cut(unsigned index, StringRef path) {
  llvm::Expected<NpyArray> array = readNpy(path);
  if (!array)
    return emitError(UnknownLoc::get(main.getContext())) << "calibration: " << llvm::toString(array.takeError()),
           failure();
  auto type = dyn_cast<RankedTensorType>(main.getArgumentTypes()[index]);
  if (!type || !fitsNpyType(type.getElementType(), array->dtype))
    return fail(path, "elements of type " + array->dtype + " do not fit input " + Twine(index));
  int64_t pieces = countPieces(type.getShape(), array->shape);
  if (!pieces)
    return fail(path, "the shape does not fit input " + Twine(index) + " of the model");
  SmallVector<int64_t> shape(array->shape);
  if (!shape.empty())
    shape[0] /= pieces;
  size_t bytes = array->data.size() / pieces;
  std::vector<TensorData> result;
  for (int64_t i = 0; i < pieces; ++i) {
    auto begin = array->data.begin() + i * bytes;
    result.push_back({RankedTensorType::get(shape, type.getElementType()), std::vector<char>(begin, begin + bytes)});
  }
  return result;
}

LogicalResult SampleReader::readFile(StringRef path) {
  if (main.getNumArguments() != 1)
    return fail(path, "the model has " + Twine(main.getNumArguments()) +
                          " inputs; give a manifest with lines of [name=]file.npy for each input");
  FailureOr<std::vector<TensorData>> pieces = cut(0, path);
  if (failed(pieces))
    return failure();
  for (TensorData &piece : *pieces)
    samples.push_back({std::move(piece)});
  return success();
}

LogicalResult SampleReader::readFolder(StringRef path) {
  std::vector<std::string> files;
  std::error_code code;
  for (llvm::sys::fs::directory_iterator it(path, code), end; it != end && !code; it.increment(code))
    if (llvm::sys::path::extension(it->path()) == ".npy")
      files.push_back(it->path());
  if (code)
    return fail(path, code.message());
  if (files.empty())
    return fail(path, "the folder has no .npy file");
  llvm::sort(files);
  return success(llvm::all_of(files, [&](const std::string &file) { return succeeded(readFile(file)); }));
}

std::pair<unsigned, StringRef> SampleReader::parseField(StringRef field, unsigned position) {
  for (unsigned i = 0; i < main.getNumArguments(); ++i) {
    auto name = main.getArgAttrOfType<StringAttr>(i, "qtensor.name");
    StringRef file = field;
    if (name && file.consume_front(name.getValue()) && file.consume_front("="))
      return {i, file};
  }
  return {position, field};
}

LogicalResult SampleReader::readLine(StringRef folder, StringRef line, StringRef place) {
  SmallVector<StringRef> fields;
  llvm::SplitString(line, fields);
  if (fields.size() != main.getNumArguments())
    return fail(place, "expected a file for each of " + Twine(main.getNumArguments()) + " inputs, got " +
                           Twine(fields.size()));
  std::vector<Sample> made;
  std::vector<bool> given(fields.size());
  for (auto [position, field] : llvm::enumerate(fields)) {
    auto [index, file] = parseField(field, position);
    if (given[index])
      return fail(place, "input " + Twine(index) + " is given twice");
    given[index] = true;
    llvm::SmallString<128> path(file);
    if (llvm::sys::path::is_relative(path)) {
      path = folder;
      llvm::sys::path::append(path, file);
    }
    FailureOr<std::vector<TensorData>> pieces = cut(index, path);
    if (failed(pieces))
      return failure();
    if (made.empty())
      made.resize(pieces->size(), Sample(fields.size()));
    if (made.size() != pieces->size())
      return fail(place, "the files hold different numbers of samples");
    for (auto [sample, piece] : llvm::zip_equal(made, *pieces))
      sample[index] = std::move(piece);
  }
  llvm::append_range(samples, made);
  return success();
}

LogicalResult SampleReader::readManifest(StringRef path) {
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!file)
    return fail(path, file.getError().message());
  SmallVector<StringRef> lines;
  (*file)->getBuffer().split(lines, '\n');
  for (auto [number, line] : llvm::enumerate(lines)) {
    StringRef text = line.split('#').first.trim();
    std::string place = (path + ":" + Twine(number + 1)).str();
    if (!text.empty() && failed(readLine(llvm::sys::path::parent_path(path), text, place)))
      return failure();
  }
  return success();
}

LogicalResult SampleReader::readSource(StringRef path) {
  if (llvm::sys::fs::is_directory(path))
    return readFolder(path);
  return llvm::sys::path::extension(path) == ".npy" ? readFile(path) : readManifest(path);
}

FailureOr<std::vector<Sample>> qtensor::readSamples(ModuleOp module, ArrayRef<std::string> sources) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main)
    return module.emitError("calibration needs a function @main"), failure();
  SampleReader reader(main);
  for (const std::string &source : sources)
    if (failed(reader.readSource(source)))
      return failure();
  if (reader.samples.empty())
    return emitError(UnknownLoc::get(module.getContext())) << "calibration: no samples were given", failure();
  return std::move(reader.samples);
}
