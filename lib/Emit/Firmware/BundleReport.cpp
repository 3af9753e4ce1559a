// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What each layer costs: as a table for people and as JSON for programs.
#include "lib/Emit/Firmware/BundleParts.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace mlir::qtensor;
using llvm::json::OStream;

namespace {
/// One layer with what the object and the emulator say about it.
struct LayerCost {
  const FirmwareLayer *layer;
  std::optional<uint64_t> code, stack;
  std::optional<InstructionCount> measured;
};

/// What is left beside the layers: the run function with all that is no layer, and the helper functions that the object has.
struct RestCost {
  uint64_t code, stack;
  int64_t constants;
  std::optional<InstructionCount> measured;
};
} // namespace

/// A layer without a function is part of the run function: its code and stack are not told apart.
static std::vector<LayerCost> listCosts(const Bundle &bundle) {
  std::vector<LayerCost> costs;
  for (auto [i, layer] : llvm::enumerate(bundle.object.layers)) {
    LayerCost &cost = costs.emplace_back();
    cost.layer = &layer;
    auto function = bundle.facts.functions.find(layer.function);
    if (function != bundle.facts.functions.end()) {
      cost.code = function->second.size;
      if (auto stack = deepestStack(bundle.facts, layer.function, bundle.target->firmware->helperStack))
        cost.stack = *stack;
      else
        llvm::consumeError(stack.takeError());
    }
    if (bundle.measurement)
      cost.measured = bundle.measurement->layers[i];
  }
  return costs;
}

static RestCost costOfRest(const Bundle &bundle) {
  llvm::StringSet<> seen;
  RestCost rest{bundle.facts.codeBytes, 0, static_cast<int64_t>(bundle.facts.constantBytes), std::nullopt};
  if (bundle.measurement)
    rest.measured = bundle.measurement->total;
  for (const LayerCost &cost : listCosts(bundle)) {
    rest.constants -= cost.layer->constantBytes;
    if (cost.code && seen.insert(cost.layer->function).second)
      rest.code -= std::min(rest.code, *cost.code);
    if (rest.measured && cost.measured) {
      rest.measured->raw -= cost.measured->raw;
      rest.measured->weighted -= cost.measured->weighted;
    }
  }
  rest.constants = std::max<int64_t>(rest.constants, 0);
  auto run = bundle.facts.functions.find(bundle.object.model.name + "_run");
  rest.stack = run != bundle.facts.functions.end() ? run->second.frame.value_or(0) : 0;
  return rest;
}

static void printCount(OStream &json, const std::optional<InstructionCount> &count) {
  if (!count)
    return;
  json.attribute("instructions", static_cast<int64_t>(count->raw));
  json.attribute("weighted_instructions", static_cast<int64_t>(count->weighted));
}

/// What the line beside the layers is.
static std::string describeRest(const Bundle &bundle) {
  llvm::StringSet<> functions;
  bool inside = false;
  for (const FirmwareLayer &layer : bundle.object.layers) {
    functions.insert(layer.function);
    inside |= layer.function.empty();
  }
  size_t helpers = llvm::count_if(bundle.facts.functions, [&](const auto &entry) {
    return !functions.contains(entry.first()) && entry.first() != bundle.object.model.name + "_run";
  });
  std::string text = inside ? "calls and lines without code of their own" : "calls";
  return text + (helpers ? ", " + std::to_string(helpers) + " helper functions" : "");
}

static void printLayers(OStream &json, const Bundle &bundle) {
  json.attributeArray("layers", [&] {
    for (const LayerCost &cost : listCosts(bundle))
      json.object([&] {
        const FirmwareLayer &layer = *cost.layer;
        json.attribute("source", layer.source);
        json.attribute("kind", layer.kind);
        json.attribute("kernel", layer.kernel);
        json.attribute("function", layer.function);
        json.attribute("macs", layer.macs);
        json.attribute("constant_bytes", layer.constantBytes);
        json.attribute("live_bytes", layer.liveBytes);
        json.attribute("scratch_bytes", layer.scratchBytes);
        if (cost.code)
          json.attribute("code_bytes", static_cast<int64_t>(*cost.code));
        if (cost.stack)
          json.attribute("stack_bytes", static_cast<int64_t>(*cost.stack));
        printCount(json, cost.measured);
      });
  });
}

static void printTensors(OStream &json, const FirmwareObject &object) {
  json.attributeArray("arguments", [&] {
    for (const BundleArgument &argument : listArguments(object))
      json.object([&] {
        json.attribute("kind", argument.kind);
        json.attribute("name", argument.tensor->name);
        json.attribute("type", elementInfo(argument.tensor->dtype).type);
        json.attribute("shape", llvm::json::Array(argument.tensor->shape));
        if (argument.tensor->scale) {
          json.attribute("scale", *argument.tensor->scale);
          json.attribute("zero_point", argument.tensor->zero);
        }
      });
  });
}

void mlir::qtensor::printReportJson(const Bundle &bundle, llvm::raw_ostream &os) {
  OStream json(os, /*IndentSize=*/2);
  json.object([&] {
    json.attribute("model", bundle.object.model.name);
    json.attribute("source", bundle.sourceFile);
    json.attribute("target", bundle.target->name);
    json.attributeObject("settings", [&] {
      for (const auto &[key, value] : bundle.settings)
        json.attribute(key, value);
    });
    json.attribute("code_bytes", static_cast<int64_t>(bundle.facts.codeBytes));
    json.attribute("constant_bytes", static_cast<int64_t>(bundle.facts.constantBytes));
    json.attribute("flash_bytes", static_cast<int64_t>(bundle.flashBytes()));
    json.attribute("arena_bytes", bundle.arenaBytes());
    json.attributeObject("arenas", [&] {
      for (const FirmwareArena &arena : bundle.object.arenas)
        json.attribute(arena.name, arena.bytes);
    });
    if (!bundle.object.constants.front().memory.empty())
      json.attributeObject("constants", [&] {
        for (const FirmwareConstants &region : bundle.object.constants)
          json.attributeObject(region.memory, [&] {
            json.attribute("bytes", region.bytes);
            json.attribute("section", region.section);
            json.attribute("copied", region.copied);
          });
      });
    json.attribute("arena_lower_bound", bundle.object.arenaBound);
    if (bundle.object.greedyArena)
      json.attribute("arena_of_greedy_plan", *bundle.object.greedyArena);
    json.attribute("stack_bytes", static_cast<int64_t>(bundle.stackBytes));
    if (bundle.stackLengths)
      json.attribute("stack_bytes_of_longer_vectors", static_cast<int64_t>(bundle.stackLengths));
    json.attribute("undefined", llvm::json::Array(bundle.facts.undefined));
    printTensors(json, bundle.object);
    if (const auto &seen = bundle.measurement)
      json.attributeObject("measured", [&] {
        json.attribute("board", seen->board);
        printCount(json, seen->total);
        json.attribute("stack_bytes", static_cast<int64_t>(seen->stackBytes));
        json.attribute("arena_bytes", llvm::json::Array(seen->arenaBytes));
        json.attribute("loads", static_cast<int64_t>(seen->loads));
        json.attribute("stores", static_cast<int64_t>(seen->stores));
      });
    printLayers(json, bundle);
    json.attributeObject("rest", [&] {
      RestCost rest = costOfRest(bundle);
      json.attribute("function", bundle.object.model.name + "_run");
      json.attribute("operations", describeRest(bundle));
      json.attribute("code_bytes", static_cast<int64_t>(rest.code));
      json.attribute("constant_bytes", rest.constants);
      json.attribute("frame_bytes", static_cast<int64_t>(rest.stack));
      printCount(json, rest.measured);
    });
  });
  os << "\n";
}

template <typename T>
static std::string cell(const std::optional<T> &value) {
  return value ? std::to_string(*value) : "-";
}

static std::string perMac(uint64_t count, int64_t macs) {
  return macs ? llvm::formatv("{0:f3}", double(count) / double(macs)).str() : "-";
}

/// Fused values carry all their names; the last one tells layers apart.
static std::string shortName(StringRef source) {
  std::string name = source.substr(source.rfind(';') + 1).str();
  llvm::replace(name, '|', '/');
  return name;
}

void mlir::qtensor::printReportTable(const Bundle &bundle, llvm::raw_ostream &os) {
  const FirmwareObject &object = bundle.object;
  os << "# " << object.model.name << " for " << bundle.target->name << "\n\n"
     << "Flash " << bundle.flashBytes() << " bytes (code " << bundle.facts.codeBytes << ", constants "
     << bundle.facts.constantBytes << "), arena " << bundle.arenaBytes() << " (lower bound " << object.arenaBound;
  if (object.greedyArena)
    os << ", the planner of TFLite Micro: " << *object.greedyArena;
  os << "), stack " << bundle.stackBytes << stackRemark(bundle) << ".\n";
  std::string arenaUse;
  for (uint64_t bytes : bundle.measurement ? bundle.measurement->arenaBytes : std::vector<uint64_t>())
    arenaUse += (arenaUse.empty() ? "" : " + ") + std::to_string(bytes);
  if (const auto &seen = bundle.measurement)
    os << "Measured on " << seen->board << ": " << seen->total.raw << " instructions, weighted " << seen->total.weighted
       << "; stack " << seen->stackBytes << " bytes, arena " << arenaUse << "; " << seen->loads << " loads and "
       << seen->stores << " stores, all of them in flash, arena, stack, inputs and outputs.\n";
  else
    os << "Instructions are counted by `quant-compile --measure`.\n";
  os << "\n| layer | kind | kernel | MACs | instructions | per MAC | weighted | per MAC | code | constants | arena | scratch | "
        "stack |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n";
  int64_t macs = 0;
  for (const LayerCost &cost : listCosts(bundle)) {
    const FirmwareLayer &layer = *cost.layer;
    std::string name = shortName(layer.source);
    macs += layer.macs;
    auto counts = [&](uint64_t InstructionCount::*which) {
      return cost.measured ? std::to_string((*cost.measured).*which) + " | " + perMac((*cost.measured).*which, layer.macs) : "- | -";
    };
    os << "| " << name << " | " << layer.kind << " | " << layer.kernel << " | " << layer.macs << " | "
       << counts(&InstructionCount::raw) << " | " << counts(&InstructionCount::weighted) << " | " << cell(cost.code) << " | "
       << layer.constantBytes << " | " << layer.liveBytes << " | " << layer.scratchBytes << " | " << cell(cost.stack) << " |\n";
  }
  RestCost rest = costOfRest(bundle);
  os << "| no layer: " << describeRest(bundle) << " | " << object.model.name << "_run | | - | "
     << (rest.measured ? std::to_string(rest.measured->raw) : "-") << " | - | "
     << (rest.measured ? std::to_string(rest.measured->weighted) : "-") << " | - | " << rest.code << " | " << rest.constants
     << " | | | " << rest.stack << " |\n";
  os << "| total | | | " << macs << " | ";
  if (const auto &seen = bundle.measurement)
    os << seen->total.raw << " | " << perMac(seen->total.raw, macs) << " | " << seen->total.weighted << " | "
       << perMac(seen->total.weighted, macs);
  else
    os << "- | - | - | -";
  os << " | " << bundle.facts.codeBytes << " | " << bundle.facts.constantBytes << " | " << bundle.arenaBytes() << " | | "
     << bundle.stackBytes << " |\n\nCode of layers that are the same is shared: it stands at each of them, and once in the total. Stack is what a layer takes with\nwhat it calls; of what is no layer it is the run function's own, below which the deepest layer lies.\n";
}
