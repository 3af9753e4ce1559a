// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Says what selection decided and why.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Select/Contraction.h"
#include "lib/Transforms/Select/Passes.h"
#include "qtensor/Report.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_EXPLAIN
#include "lib/Transforms/Select/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

static std::string layerName(Operation *op) {
  std::string result;
  op->getLoc()->walk([&](Location part) {
    auto name = dyn_cast<NameLoc>(part);
    if (!name)
      return WalkResult::advance();
    result = name.getName().str();
    return WalkResult::interrupt();
  });
  return result.empty() ? op->getName().getStringRef().str() : result;
}

static std::string describe(std::optional<BlockAttr> encoding, Value plain) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (encoding && *encoding)
    os << *encoding;
  else
    os << cast<ShapedType>(plain.getType()).getElementType();
  return text;
}

/// The ops of the epilogue by name, or an empty string.
static std::string describeEpilogue(ContractOp op) {
  std::string text;
  for (Operation &inner : op.getEpilogue().front().without_terminator())
    text += (text.empty() ? "; then " : ", ") + inner.getName().stripDialect().str();
  return text;
}

static ReportLine explainContract(ContractOp op) {
  auto reason = op->getAttrOfType<StringAttr>(kReasonAttr);
  bool isFloat = op.getStrategy().getKind() == StrategyKind::Float;
  bool encoded = op.getLhsEncoding() || op.getRhsEncoding();
  std::string text = isFloat ? "float" : llvm::formatv("integer<{0}>", op.getStrategy().getLimbs()).str();
  text += ", " + describe(op.getLhsEncoding(), op.getLhs()[0]) + " x " +
          (op.getRhsLayout() && !op.getRhsEncoding() ? "packed weight" : describe(op.getRhsEncoding(), op.getRhs()[0])) +
          describeEpilogue(op);
  if (isFloat && encoded && reason)
    text += (" (not integer: " + reason.getValue() + ")").str();
  return {encoded ? ReportLine::Fused : ReportLine::Plain, layerName(op), text, !isFloat || !encoded || bool(reason)};
}

std::vector<ReportLine> qtensor::collectReport(ModuleOp module) {
  std::vector<ReportLine> lines;
  module.walk([&](Operation *op) {
    if (auto contract = dyn_cast<ContractOp>(op)) {
      lines.push_back(explainContract(contract));
    } else if (isa<DecodeOp>(op)) {
      auto reason = op->getAttrOfType<StringAttr>(kReasonAttr);
      bool explained = reason && !reason.empty();
      lines.push_back({ReportLine::Decoded, layerName(op),
                       "decoded in memory: " + (explained ? reason.getValue().str() : "no reason was given"), explained});
    } else if (FailureOr<Contraction> contraction = matchContraction(op); succeeded(contraction)) {
      lines.push_back({ReportLine::Plain, layerName(op),
                       isWeight(contraction->rhs->get()) ? "not selected: its weight is not encoded"
                                                         : "not selected: it has no constant side",
                       true});
    }
  });
  return lines;
}

void qtensor::printReport(ModuleOp module, llvm::raw_ostream &os) {
  unsigned counts[3] = {}, unexplained = 0;
  for (const ReportLine &line : collectReport(module)) {
    ++counts[line.kind];
    unexplained += !line.explained;
    os << line.layer << ": " << line.text << "\n";
  }
  os << counts[ReportLine::Fused] << " fused, " << counts[ReportLine::Decoded] << " decoded in memory, "
     << counts[ReportLine::Plain] << " plain, " << unexplained << " unexplained\n";
}

namespace {
struct Explain : mlir::qtensor::impl::ExplainBase<Explain> {
  using ExplainBase::ExplainBase;
  void runOnOperation() override {
    printReport(getOperation(), llvm::errs());
    if (!rows.empty())
      getOperation()->setAttr(kExplainRows, DenseI64ArrayAttr::get(&getContext(), llvm::to_vector(rows)));
  }
};
} // namespace
