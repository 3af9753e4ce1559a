// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which format each layer gets: a text file of patterns, one rule a line. README.md describes it.
#pragma once
#include "mlir/IR/Location.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Regex.h"
#include <optional>
#include <string>
#include <vector>

namespace mlir::qtensor {

/// What a rule may decide.
enum class PlanKey { Weights, Activations, Tables, Strategy, Caches };

class Plan {
public:
  /// An empty plan: every lookup fails.
  Plan() = default;

  /// Reads the plan in file `path`; errors name file, line and column. An empty path gives an empty plan.
  static FailureOr<Plan> load(MLIRContext *context, StringRef path);

  /// Reads a plan from text; `name` is what errors call it.
  static FailureOr<Plan> parse(MLIRContext *context, StringRef text, StringRef name);

  /// What the first rule that matches one of `names` and decides `key` says, or nullopt.
  std::optional<std::string> lookup(ArrayRef<StringRef> names, PlanKey key);

  /// Warns about every rule that decides one of `keys` and has matched nothing.
  void warnUnmatched(ArrayRef<PlanKey> keys) const;

private:
  struct Rule {
    std::string text;
    llvm::Regex pattern;
    Location location;
    std::optional<std::string> values[5];
    bool matched = false;
  };
  static FailureOr<Rule> parseRule(StringRef line, FileLineColLoc location);

  std::vector<Rule> rules;
};

} // namespace mlir::qtensor
