// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What emits one call of a published integer rule. Private to this folder.
#pragma once
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Reference/IntegerRules.h"
#include "lib/Transforms/Integer/EmitFixedPoint.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::integer {

/// Emits one call of a rule.
class RuleEmitter {
public:
  RuleEmitter(AsOp op) : op(op), b(op.getLoc(), op) {}

  /// Failure comes with an error.
  LogicalResult run();

private:
  using Body = llvm::function_ref<Value(Wide, ValueRange)>;

  LogicalResult emitTable();
  LogicalResult emitAdd(int sign);
  using PairBody = llvm::function_ref<Value(Wide, Value, Value)>;
  LogicalResult emitPairs(int64_t activation, PairBody body);
  LogicalResult emitProduct();
  LogicalResult emitQuotient();
  LogicalResult emitAddMany();
  LogicalResult emitCumulate();
  void finishSums(ArrayRef<Value> inputs, Body sum);
  LogicalResult emitSquaredDifference();
  LogicalResult emitPrelu();
  LogicalResult emitScaled(double positive, double negative);
  LogicalResult emitMagnitude(double ratio);
  LogicalResult emitClamped(double ratio);
  LogicalResult emitWide(bool narrow);
  LogicalResult emitCodes(int64_t low, int64_t high, llvm::function_ref<Value(Wide, Value)> body);
  LogicalResult emitAveragePool();
  LogicalResult emitMean();
  LogicalResult emitResizeBilinear();
  LogicalResult emitSoftmax();
  LogicalResult emitByTable(bool isTanh);

  int64_t rank() const { return int64_t(call.output.shape.size()); }
  AffineMap identity() { return AffineMap::getMultiDimIdentityMap(rank(), b.getContext()); }
  AffineMap broadcastMap(ArrayRef<int64_t> from);
  Value codes(unsigned input) { return ComponentOp::create(b, op.getInputs()[input], "codes"); }
  Value constant(ArrayRef<int64_t> values, Type element, ArrayRef<int64_t> shape);
  Value extend(Wide w, Value code, const reference::CodeTensor &of);
  Value scaled(Wide w, Value value, double real);
  Value generic(ArrayRef<Value> inputs, Value init, ArrayRef<AffineMap> maps, ArrayRef<utils::IteratorType> iterators,
                Body body);
  /// An elementwise op over the output's shape; the body yields i64 codes, which are clamped to [low, high].
  void finish(ArrayRef<Value> inputs, ArrayRef<AffineMap> maps, int64_t low, int64_t high, Body body);

  AsOp op;
  ImplicitLocOpBuilder b;
  reference::RuleCall call;
  SmallVector<bool> isUnsigned; ///< Of the inputs' codes.
};

} // namespace mlir::qtensor::integer
