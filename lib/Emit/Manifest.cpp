// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/Manifest.h"
#include "lib/Runtime/qtensor_abi.h"
#include "lib/Transforms/Plan/Passes.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/Config/llvm-config.h"

using namespace mlir;
using namespace mlir::qtensor;
using llvm::json::OStream;

static std::string hex(uint64_t value) { return llvm::formatv("{0:x-16}", value); }

static void writeTensors(OStream &json, StringRef key, ArrayRef<TensorInterface> list) {
  json.attributeArray(key, [&] {
    for (const TensorInterface &tensor : list)
      json.object([&] {
        json.attribute("name", tensor.name);
        json.attribute("dtype", dtypeName(tensor.dtype));
        json.attribute("type", tensor.typeText);
        json.attributeArray("shape", [&] {
          for (auto [d, extent] : llvm::enumerate(tensor.shape))
            if (extent >= 0)
              json.value(extent);
            else
              json.value(tensor.dims[d].empty() ? "?" : tensor.dims[d]);
        });
      });
  });
}

static void writeWeightsTable(OStream &json, const WeightsFile &weights) {
  json.attributeObject("weights", [&] {
    json.attribute("bytes", static_cast<int64_t>(weights.entries.empty() ? 0 : weights.size()));
    json.attribute("payload_offset", static_cast<int64_t>(weights.payloadOffset));
    json.attribute("id", hex(weights.id));
    json.attributeArray("entries", [&] {
      for (const WeightEntry &entry : weights.entries)
        json.object([&] {
          json.attribute("name", entry.name);
          json.attribute("type", entry.type);
          if (!entry.format.empty())
            json.attribute("format", entry.format);
          json.attribute("offset", static_cast<int64_t>(entry.offset));
          json.attribute("bytes", static_cast<int64_t>(entry.size));
          json.attribute("xxh64", hex(entry.hash));
        });
    });
  });
}

static void writePlan(OStream &json, ModuleOp planned) {
  auto plan = planned->getAttrOfType<DictionaryAttr>(kPlanAttr);
  json.attributeObject("arena", [&] {
    for (NamedAttribute entry : plan ? plan.getValue() : ArrayRef<NamedAttribute>())
      if (auto value = dyn_cast<IntegerAttr>(entry.getValue()))
        json.attribute(entry.getName().strref(), value.getInt());
  });
}

std::string mlir::qtensor::makeManifest(ModuleOp planned, const ModelInterface &model, const WeightsFile &weights,
                                        const ArtifactOptions &options) {
  std::string text;
  llvm::raw_string_ostream os(text);
  OStream json(os, 2);
  json.object([&] {
    json.attribute("model", model.name);
    json.attribute("abi", QTENSOR_ABI_VERSION);
    json.attributeObject("source", [&] {
      json.attribute("file", options.sourceFile);
      json.attribute("xxh64", hex(options.sourceHash));
    });
    json.attributeObject("compiler", [&] {
      json.attribute("name", "QTensor " QTENSOR_VERSION);
      json.attribute("llvm", LLVM_VERSION_STRING);
      json.attributeObject("options", [&] {
        for (const auto &[key, value] : options.settings)
          json.attribute(key, value);
      });
    });
    json.attributeObject("target", [&] {
      json.attribute("name", options.target->name);
      json.attribute("triple", options.target->triple);
      json.attributeArray("levels", [&] {
        for (const TargetLevel &level : options.target->levels)
          json.value(level.name);
      });
    });
    writeTensors(json, "inputs", model.inputs);
    writeTensors(json, "outputs", model.outputs);
    writeTensors(json, "states", model.states);
    writePlan(json, planned);
    writeWeightsTable(json, weights);
  });
  os << "\n";
  return text;
}
