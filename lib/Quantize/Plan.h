// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which format each layer gets: a text file of patterns, one rule a line. README.md describes it.
#pragma once
#include "mlir/IR/Location.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Regex.h"
#include <optional>
#include <set>
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

  /// The same, or `rest`, which is for all that no rule decides.
  std::string decide(ArrayRef<StringRef> names, PlanKey key, StringRef rest);

  /// Warns where `rest` is not "none" and nothing took it: rules decide all that it could, or `why`.
  void warnUnused(Location model, PlanKey key, StringRef rest, StringRef why) const;

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
  std::set<PlanKey> asked; ///< What no rule decides has been asked for.
};

} // namespace mlir::qtensor
