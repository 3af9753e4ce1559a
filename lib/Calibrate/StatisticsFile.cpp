// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The file of statistics: JSON, one object a value. lib/Calibrate/README.md describes it.
#include "lib/Calibrate/Statistics.h"
#include "lib/Emit/Files.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace mlir::qtensor;

static constexpr int64_t kVersion = 1;

void Statistics::print(llvm::raw_ostream &os) const {
  llvm::json::OStream json(os, /*IndentSize=*/1);
  json.objectBegin();
  json.attribute("version", kVersion);
  json.attribute("model", modelHash);
  json.attributeBegin("values");
  json.objectBegin();
  for (const auto &entry : values) {
    const ValueStatistics &value = entry.second;
    json.attributeBegin(entry.first);
    json.objectBegin();
    json.attribute("count", value.count);
    json.attribute("finite", value.finite);
    json.attribute("min", value.min);
    json.attribute("max", value.max);
    // Only the bins that hold something: [bin, count] pairs.
    json.attributeArray("magnitudes", [&] {
      for (int bin = 0; bin < ValueStatistics::kBins; ++bin)
        if (value.histogram[bin])
          json.array([&] {
            json.value(bin);
            json.value(value.histogram[bin]);
          });
    });
    json.objectEnd();
    json.attributeEnd();
  }
  json.objectEnd();
  json.attributeEnd();
  json.objectEnd();
  os << "\n";
}

LogicalResult Statistics::save(MLIRContext *context, StringRef path) const {
  if (llvm::Error error = writeFile(path, [&](llvm::raw_ostream &os) { print(os); }))
    return emitError(UnknownLoc::get(context)) << "statistics: " << llvm::toString(std::move(error));
  return success();
}

/// [bin, count] pairs.
static bool readHistogram(const llvm::json::Array *pairs, ValueStatistics &value) {
  if (!pairs)
    return false;
  for (const llvm::json::Value &entry : *pairs) {
    const llvm::json::Array *pair = entry.getAsArray();
    if (!pair || pair->size() != 2)
      return false;
    std::optional<int64_t> bin = (*pair)[0].getAsInteger();
    std::optional<uint64_t> count = (*pair)[1].getAsUINT64();
    if (!bin || !count || *bin < 0 || *bin >= ValueStatistics::kBins)
      return false;
    value.histogram[*bin] = *count;
  }
  return true;
}

static bool readValue(const llvm::json::Object *object, ValueStatistics &value) {
  if (!object)
    return false;
  std::optional<int64_t> count = object->getInteger("count"), finite = object->getInteger("finite");
  std::optional<double> min = object->getNumber("min"), max = object->getNumber("max");
  if (!count || !finite || !min || !max || *count < *finite || *finite < 0 || *min > *max)
    return false;
  value.count = *count;
  value.finite = *finite;
  value.min = *min;
  value.max = *max;
  return readHistogram(object->getArray("magnitudes"), value);
}

FailureOr<Statistics> Statistics::parse(MLIRContext *context, StringRef text, StringRef name) {
  auto location = FileLineColLoc::get(context, name, 1, 1);
  llvm::Expected<llvm::json::Value> parsed = llvm::json::parse(text);
  if (!parsed)
    return emitError(location) << "statistics rule 1: the file is no JSON: " << llvm::toString(parsed.takeError());
  const llvm::json::Object *root = parsed->getAsObject();
  if (!root || root->getInteger("version") != kVersion)
    return emitError(location) << "statistics rule 2: the file is no object of version " << kVersion
                               << "; calibrate again with this compiler";
  std::optional<StringRef> model = root->getString("model");
  const llvm::json::Object *values = root->getObject("values");
  if (!model || !values)
    return emitError(location) << "statistics rule 3: 'model' (a string) and 'values' (an object) are missing";
  Statistics result;
  result.modelHash = model->str();
  for (const auto &[key, value] : *values)
    if (!readValue(value.getAsObject(), result[key]))
      return emitError(location) << "statistics rule 4: '" << key.str()
                                 << "' needs count >= finite >= 0, min <= max and magnitudes as [bin, count] pairs";
  return result;
}

FailureOr<Statistics> Statistics::load(MLIRContext *context, StringRef path) {
  if (path.empty())
    return Statistics();
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> file = openInputFile(path, &message);
  if (!file)
    return emitError(UnknownLoc::get(context)) << "statistics: " << message;
  return parse(context, file->getBuffer(), path);
}
