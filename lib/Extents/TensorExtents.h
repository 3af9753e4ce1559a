// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the extents of the tensors inside of a function are, as arithmetic on the extents of its arguments.
#pragma once
#include "lib/Extents/DimMath.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include <unordered_map>

namespace mlir::qtensor {

/// A tensor that a loop carries from iteration to iteration, before it looks whether to go on.
struct CarriedTensor {
  Value init, argument, yielded;
};
/// Of scf.for and scf.while.
SmallVector<CarriedTensor> getCarriedTensors(Operation *loop);

/// Reads extents through whatever computes them: destinations, shapes that ops reify, index arithmetic, loops and
/// branches that leave an extent as it is. An extent that comes from elsewhere (data, a loop that grows a tensor) is an
/// unknown of its own. Arithmetic is written at the beginning of the function; what nobody uses goes with this object.
class TensorExtents {
public:
  /// What loops carry keeps its extents, where those of an iteration are known: with `Required` it is up to the caller
  /// to check that they are equal.
  enum class Loops { Proven, Required };
  explicit TensorExtents(func::FuncOp function, Loops loops = Loops::Proven);
  ~TensorExtents();

  /// The extent of dimension `dim` of a ranked tensor.
  OpFoldResult of(Value tensor, int64_t dim);

  /// Forgets in the end what was concluded since it was made.
  class Scope {
  public:
    explicit Scope(TensorExtents &extents);
    ~Scope() {
      if (!kept)
        restore();
    }
    void restore();
    void keep() { kept = true; }

  private:
    TensorExtents &extents;
    size_t extentCount, numberCount, enteredCount;
    bool kept = false;
  };
  /// In this scope a counter of a loop has that value.
  void setNumber(Value counter, OpFoldResult value) { numbers[counter] = value; }

  /// The number that a value of an index or integer type stands for.
  OpFoldResult number(OpFoldResult value);
  /// A truth value at the beginning of the function; null if it depends on more than extents.
  Value condition(Value value);
  /// Concludes what the results of an op are. Whoever does so in the order of ops never has to go far back for one.
  void visit(Operation *op);
  /// Whether an extent follows from those of the arguments: only then its value may be used, at the beginning of the
  /// function. What is not known is good for comparisons alone.
  bool isKnown(OpFoldResult extent);

  /// Takes as given what the runtime checks (extents that share a name of `qtensor.dims`) or an assertion of the
  /// function.
  void assumeNames();
  void assume(cf::AssertOp assertion);

  /// Where arithmetic is written.
  OpBuilder &getBuilder() { return b; }
  DimMath &getMath() { return math; }
  /// Of the ops that are written from here on.
  void setLoc(Location location);

private:
  /// Remembers what is written, to erase it again.
  struct Recorder : OpBuilder::Listener {
    explicit Recorder(TensorExtents &extents) : extents(extents) {}
    void notifyOperationInserted(Operation *op, OpBuilder::InsertPoint previous) override;
    TensorExtents &extents;
  };

  void assumeHolds(Value condition);
  OpFoldResult compute(Value tensor, int64_t dim);
  OpFoldResult ofResult(OpResult tensor, int64_t dim);
  OpFoldResult ofArgument(BlockArgument tensor, int64_t dim);
  OpFoldResult reify(OpResult tensor, int64_t dim);
  OpFoldResult evaluate(Value value);
  std::optional<OpFoldResult> arithmetic(Operation *op);
  std::optional<OpFoldResult> apply(AffineExpr expr, unsigned dims, ValueRange operands);
  OpFoldResult unknown(Value tensor, int64_t dim);
  OpFoldResult unknown(Value number);
  OpFoldResult either(Value first, Value second, OpResult result, int64_t dim);
  void enter(Operation *loop, ArrayRef<CarriedTensor> carried);
  void enter(Operation *loop);
  Value unique(Operation *op);
  Value copy(Value value);
  Value atEntry(Value value);

  func::FuncOp function;
  Loops loops;
  Recorder recorder;
  OpBuilder b;
  DimMath math;
  Location loc;
  SmallVector<Operation *> written;
  DenseSet<Operation *> atFront; // of these, what stands at the beginning of the function
  llvm::MapVector<std::pair<Value, int64_t>, OpFoldResult> extents;
  llvm::MapVector<Value, OpFoldResult> numbers;
  DenseMap<Value, Value> copies;
  std::unordered_multimap<size_t, Operation *> copied; // by hash
  DenseMap<Value, bool> known;
  SetVector<Operation *> entered;
};

} // namespace mlir::qtensor
