// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Formats/MapProgram.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::qtensor;

void MapProgram::compile(AffineExpr expr) {
  if (auto binary = dyn_cast<AffineBinaryOpExpr>(expr)) {
    compile(binary.getLHS());
    compile(binary.getRHS());
    steps.push_back({expr.getKind(), 0});
  } else if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    steps.push_back({expr.getKind(), constant.getValue()});
  } else if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    steps.push_back({expr.getKind(), int64_t(dim.getPosition())});
  } else {
    steps.push_back({expr.getKind(), int64_t(cast<AffineSymbolExpr>(expr).getPosition())});
  }
}

static int64_t apply(AffineExprKind kind, int64_t a, int64_t b) {
  switch (kind) {
  case AffineExprKind::Add:
    return a + b;
  case AffineExprKind::Mul:
    return a * b;
  case AffineExprKind::Mod:
    return b > 0 ? llvm::mod(a, b) : -1;
  case AffineExprKind::FloorDiv:
    return b > 0 ? llvm::divideFloorSigned(a, b) : -1;
  default:
    return b > 0 ? llvm::divideCeilSigned(a, b) : -1;
  }
}

int64_t MapProgram::operator()(ArrayRef<int64_t> dims, ArrayRef<int64_t> symbols) const {
  SmallVector<int64_t, 16> stack;
  for (const Step &step : steps) {
    switch (step.kind) {
    case AffineExprKind::Constant:
      stack.push_back(step.value);
      break;
    case AffineExprKind::DimId:
      stack.push_back(dims[step.value]);
      break;
    case AffineExprKind::SymbolId:
      stack.push_back(symbols[step.value]);
      break;
    default:
      int64_t b = stack.pop_back_val();
      stack.back() = apply(step.kind, stack.back(), b);
    }
  }
  return stack.back();
}
