// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads plans, and answers what they say about a layer.
#include "lib/Quantize/Plan.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Support/FileUtilities.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace mlir::qtensor;

static constexpr StringLiteral kKeys[] = {"weights", "activations", "tables", "strategy", "caches"};

static FileLineColLoc at(FileLineColLoc start, size_t column) {
  return FileLineColLoc::get(start.getFilename(), start.getLine(), start.getColumn() + column);
}

FailureOr<Plan::Rule> Plan::parseRule(StringRef line, FileLineColLoc location) {
  size_t patternStart = line.find_first_not_of(" \t");
  size_t patternEnd = std::min(line.find_first_of(" \t", patternStart), line.size());
  StringRef pattern = line.slice(patternStart, patternEnd);
  Rule rule{pattern.str(), llvm::Regex(pattern), at(location, patternStart), {}, false};
  std::string message;
  if (!rule.pattern.isValid(message))
    return emitError(rule.location) << "plan rule 1: '" << pattern << "' is no regular expression: " << message;
  bool decides = false;
  for (size_t position = line.find_first_not_of(" \t", patternEnd); position != StringRef::npos;
       position = line.find_first_not_of(" \t", position)) {
    size_t end = std::min(line.find_first_of(" \t", position), line.size());
    auto [key, value] = line.slice(position, end).split('=');
    const auto *known = llvm::find(kKeys, key);
    if (known == std::end(kKeys))
      return emitError(at(location, position)) << "plan rule 2: expected one of " << llvm::join(ArrayRef<StringLiteral>(kKeys), ", ")
                                               << " followed by '=' and a format, got '" << key << "'";
    if (value.empty())
      return emitError(at(location, position)) << "plan rule 3: '" << key << "' has no value; write " << key
                                               << "=<format>, or " << key << "=none";
    std::optional<std::string> &slot = rule.values[known - std::begin(kKeys)];
    if (slot)
      return emitError(at(location, position)) << "plan rule 4: '" << key << "' stands twice in one rule";
    slot = value.str();
    decides = true;
    position = end;
  }
  if (!decides)
    return emitError(rule.location) << "plan rule 5: '" << pattern << "' decides nothing; add one of "
                                    << llvm::join(ArrayRef<StringLiteral>(kKeys), "=, ") << "=";
  return rule;
}

FailureOr<Plan> Plan::parse(MLIRContext *context, StringRef text, StringRef name) {
  Plan plan;
  for (unsigned number = 1; !text.empty(); ++number) {
    StringRef line;
    std::tie(line, text) = text.split('\n');
    line = line.split('#').first.rtrim();
    if (line.ltrim().empty())
      continue;
    FailureOr<Rule> rule = parseRule(line, FileLineColLoc::get(context, name, number, 1));
    if (failed(rule))
      return failure();
    plan.rules.push_back(std::move(*rule));
  }
  return plan;
}

FailureOr<Plan> Plan::load(MLIRContext *context, StringRef path) {
  if (path.empty())
    return Plan();
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> file = openInputFile(path, &message);
  if (!file)
    return emitError(UnknownLoc::get(context)) << "plan: " << message;
  return parse(context, file->getBuffer(), path);
}

std::optional<std::string> Plan::lookup(ArrayRef<StringRef> names, PlanKey key) {
  for (Rule &rule : rules) {
    const std::optional<std::string> &value = rule.values[static_cast<unsigned>(key)];
    if (!value || !llvm::any_of(names, [&](StringRef name) { return rule.pattern.match(name); }))
      continue;
    rule.matched = true;
    return value;
  }
  return std::nullopt;
}

std::string Plan::decide(ArrayRef<StringRef> names, PlanKey key, StringRef rest) {
  if (std::optional<std::string> decided = lookup(names, key))
    return *decided;
  asked.insert(key);
  return rest.str();
}

void Plan::warnUnused(Location model, PlanKey key, StringRef rest, StringRef why) const {
  if (rest == "none" || asked.count(key))
    return;
  auto number = static_cast<unsigned>(key);
  bool isPlanned = llvm::any_of(rules, [&](const Rule &rule) { return rule.matched && rule.values[number]; });
  emitWarning(model) << kKeys[number] << "=" << rest
                     << " has no effect: " << (isPlanned ? "the plan decides all that it could" : why);
}

void Plan::warnUnmatched(ArrayRef<PlanKey> keys) const {
  for (const Rule &rule : rules) {
    bool decides = llvm::any_of(keys, [&](PlanKey key) { return rule.values[static_cast<unsigned>(key)].has_value(); });
    if (decides && !rule.matched)
      emitWarning(rule.location) << "'" << rule.text << "' decides no layer: it matches no source name, or earlier rules "
                                 << "decide all that it matches";
  }
}
