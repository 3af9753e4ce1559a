// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gives @main the calling convention of an artifact, and derives @shapes from it.
#include "lib/Transforms/Plan/LoopExtents.h"
#include "lib/Transforms/Plan/Passes.h"
#include "lib/Transforms/Plan/States.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_MAKEENTRY
#include "lib/Transforms/Plan/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

/// Whether a buffer of this type can cross the C interface: ranked, of a byte-sized element or a one-byte truth value.
static LogicalResult checkBoundaryType(func::FuncOp main, Type type, const Twine &what) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return main.emitError() << what.str() << " has type " << type << "; inputs and results must be ranked tensors";
  Type element = tensor.getElementType();
  if (tensor.getEncoding())
    return main.emitError() << what.str() << " still has an encoding: " << type << "; run the selection passes first";
  if (!element.isIntOrIndexOrFloat() ||
      (element.isIntOrFloat() && element.getIntOrFloatBitWidth() % 8 && !element.isInteger(1)))
    return main.emitError() << what.str() << " has elements of type " << element << ", which fill no whole bytes";
  return success();
}

/// {name, type, dims, unsigned, scale, zero} of one input or result.
static Attribute describe(func::FuncOp main, DictionaryAttr attrs, Type type, const Twine &fallback) {
  Builder b(main.getContext());
  NamedAttrList entry;
  auto name = attrs ? attrs.getAs<StringAttr>("qtensor.name") : StringAttr();
  entry.set("name", name ? name : b.getStringAttr(fallback));
  entry.set("type", TypeAttr::get(type));
  if (auto dims = attrs ? attrs.getAs<ArrayAttr>("qtensor.dims") : ArrayAttr())
    entry.set("dims", dims);
  if (auto stored = attrs ? attrs.getAs<TypeAttr>("qtensor.dtype") : TypeAttr();
      stored && stored.getValue().isUnsignedInteger())
    entry.set("unsigned", b.getUnitAttr());
  for (StringRef key : {"scale", "zero"})
    if (Attribute number = attrs ? attrs.get(("qtensor." + key).str()) : Attribute())
      entry.set(key, number);
  return entry.getDictionary(main.getContext());
}

/// The last `states` arguments and results are states.
static LogicalResult describeBoundary(func::FuncOp main, unsigned states) {
  SmallVector<Attribute> inputs, outputs, kept;
  unsigned inputCount = main.getNumArguments() - states;
  for (auto [i, type] : llvm::enumerate(main.getArgumentTypes())) {
    if (failed(checkBoundaryType(main, type, "input " + Twine(i))))
      return failure();
    (i < inputCount ? inputs : kept).push_back(describe(main, main.getArgAttrDict(i), type, "input" + Twine(i)));
  }
  for (auto [i, type] : llvm::enumerate(main.getResultTypes().drop_back(states))) {
    if (failed(checkBoundaryType(main, type, "result " + Twine(i))))
      return failure();
    outputs.push_back(describe(main, main.getResultAttrDict(i), type, "output" + Twine(i)));
  }
  Builder b(main.getContext());
  auto module = main->getParentOfType<ModuleOp>();
  module->setAttr(kInputsAttr, b.getArrayAttr(inputs));
  module->setAttr(kOutputsAttr, b.getArrayAttr(outputs));
  if (states)
    module->setAttr(kStatesAttr, b.getArrayAttr(kept));
  return success();
}

/// Replaces the return of a copy of @main by the extents of what it returned, states aside.
static void returnExtents(func::FuncOp shapes, unsigned states) {
  auto ret = cast<func::ReturnOp>(shapes.front().getTerminator());
  OpBuilder b(ret);
  SmallVector<Value> extents;
  for (Value result : ret.getOperands().drop_back(states))
    for (auto [i, extent] : llvm::enumerate(cast<RankedTensorType>(result.getType()).getShape()))
      if (ShapedType::isDynamic(extent))
        extents.push_back(tensor::DimOp::create(b, ret.getLoc(), result, i));
      else
        extents.push_back(arith::ConstantIndexOp::create(b, ret.getLoc(), extent));
  ret.getOperandsMutable().assign(extents);
}

/// Turns extents of inputs into index arguments; those of states are constants. Fails on any other use: the extent
/// depends on data.
static LogicalResult takeExtents(func::FuncOp shapes, unsigned states) {
  OpBuilder b(shapes.getContext());
  Block &body = shapes.front();
  unsigned tensors = body.getNumArguments();
  for (unsigned i = 0; i < tensors; ++i) {
    BlockArgument tensor = body.getArgument(i);
    SmallVector<Value> extents;
    int64_t rank = i < tensors - states ? cast<RankedTensorType>(tensor.getType()).getRank() : 0;
    for (int64_t d = 0; d < rank; ++d)
      extents.push_back(body.addArgument(b.getIndexType(), tensor.getLoc()));
    for (Operation *user : llvm::make_early_inc_range(tensor.getUsers())) {
      auto dim = dyn_cast<tensor::DimOp>(user);
      if (!dim || !dim.getConstantIndex() || !rank)
        return user->emitError("an extent of a result depends on the values of an input; only extents that follow from "
                               "the extents of the inputs can be compiled (fix the shape in the model)");
      dim.replaceAllUsesWith(extents[*dim.getConstantIndex()]);
      dim.erase();
    }
  }
  body.eraseArguments(0, tensors);
  return success();
}

/// Fails after an error where an extent that is asked for is that of the one or the other side of a branch.
static LogicalResult checkBranches(func::FuncOp shapes) {
  for (auto dim : shapes.front().getOps<tensor::DimOp>())
    if (Operation *op = dim.getSource().getDefiningOp(); op && isa<scf::IfOp, scf::IndexSwitchOp>(op))
      return op->emitError("an extent of a result is that of what this branch gives; only extents that follow from the extents "
                           "of the inputs by arithmetic can be compiled (fix the shape in the model)");
  return success();
}

/// Whether a condition follows from extents alone, by arithmetic on numbers.
static bool followsFromExtents(Value condition) {
  SmallVector<Value> open = {condition};
  DenseSet<Value> seen;
  while (!open.empty()) {
    Value value = open.pop_back_val();
    if (!seen.insert(value).second)
      continue;
    Operation *op = value.getDefiningOp();
    if (!op || !value.getType().isIntOrIndex() || op->getNumRegions() || !isMemoryEffectFree(op))
      return false;
    if (!isa<tensor::DimOp>(op))
      llvm::append_range(open, op->getOperands());
  }
  return true;
}

/// Moves the checks of extents from @main to its copy: they are decided before anything is read. All that hold are the
/// last result, if there are any.
static void returnChecks(func::FuncOp main, func::FuncOp shapes, const IRMapping &copies) {
  auto ret = cast<func::ReturnOp>(shapes.front().getTerminator());
  OpBuilder b(ret);
  Value all;
  for (auto check : llvm::make_early_inc_range(main.front().getOps<cf::AssertOp>())) {
    if (!followsFromExtents(check.getArg()))
      continue;
    Value holds = copies.lookup(check.getArg());
    all = all ? Value(arith::AndIOp::create(b, check.getLoc(), all, holds)) : holds;
    check.erase();
  }
  if (all)
    ret.getOperandsMutable().append(all);
}

/// Computes extents from those of what they come from, down to the arguments.
static void resolveExtents(func::FuncOp function, const LoopExtents &carried) {
  RewritePatternSet patterns(function.getContext());
  memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
  memref::populateResolveShapedTypeResultDimsPatterns(patterns);
  tensor::DimOp::getCanonicalizationPatterns(patterns, function.getContext());
  populateLoopExtentPatterns(patterns, carried);
  (void)applyPatternsGreedily(function, std::move(patterns));
}

/// What loops carry has the extents of what they start with, in @main too: its memory is planned before it runs.
static FailureOr<LoopExtents> resolveLoops(func::FuncOp main) {
  FailureOr<LoopExtents> carried = findLoopExtents(main);
  if (succeeded(carried) && !carried->empty())
    resolveExtents(main, *carried);
  return carried;
}

static LogicalResult createShapes(func::FuncOp main, unsigned states) {
  FailureOr<LoopExtents> carried = resolveLoops(main);
  if (failed(carried))
    return failure();
  IRMapping copies;
  auto shapes = cast<func::FuncOp>(main->clone(copies));
  shapes.setName("shapes");
  shapes.setPrivate();
  shapes.setAllArgAttrs(ArrayRef<DictionaryAttr>());
  shapes.setAllResultAttrs(ArrayRef<DictionaryAttr>());
  main->getParentOfType<ModuleOp>().push_back(shapes);
  returnExtents(shapes, states);
  returnChecks(main, shapes, copies);
  // Values are checked when they are used.
  shapes.walk([](cf::AssertOp check) { check.erase(); });
  LoopExtents copied;
  for (auto &[inside, outside] : *carried)
    if (Value copy = copies.lookupOrNull(inside.first))
      copied[{copy, inside.second}] = copies.lookupOrNull(outside);
  // Regions are left alone: only what the extents need survives, and that is rarely inside of one.
  resolveExtents(shapes, copied);
  if (failed(checkBranches(shapes)) || failed(takeExtents(shapes, states)))
    return failure();
  shapes.setType(FunctionType::get(main.getContext(), shapes.front().getArgumentTypes(),
                                   shapes.front().getTerminator()->getOperandTypes()));
  return success();
}

static MemRefType bufferType(Type tensor) {
  auto type = cast<RankedTensorType>(tensor);
  return MemRefType::get(type.getShape(), type.getElementType());
}

/// Stores a result of @main at the end of its body.
static void store(OpBuilder &b, Value result, Value buffer) {
  auto store = bufferization::MaterializeInDestinationOp::create(b, result.getLoc(), result, buffer);
  store.setRestrict(true);
  store.setWritable(true);
}

/// Rewrites the signature of @main: context, weights, scratch, inputs, states, outputs. A state is read and written in
/// its one buffer.
static void rewriteSignature(func::FuncOp main, unsigned states) {
  MLIRContext *context = main.getContext();
  Block &body = main.front();
  Location loc = main.getLoc();
  OpBuilder b = OpBuilder::atBlockBegin(&body);
  auto bytes = MemRefType::get({ShapedType::kDynamic}, b.getI8Type());
  SmallVector<BlockArgument> tensors(body.getArguments());
  body.addArgument(LLVM::LLVMPointerType::get(context), loc);
  body.addArguments({bytes, bytes}, {loc, loc});
  SmallVector<Value> buffers;
  for (auto [i, tensor] : llvm::enumerate(tensors)) {
    buffers.push_back(body.addArgument(bufferType(tensor.getType()), tensor.getLoc()));
    bool isState = i >= tensors.size() - states;
    Value read = bufferization::ToTensorOp::create(b, tensor.getLoc(), tensor.getType(), buffers.back(),
                                                   /*restrict=*/true, /*writable=*/isState);
    tensor.replaceAllUsesWith(read);
  }
  body.eraseArguments(0, tensors.size());

  auto ret = cast<func::ReturnOp>(body.getTerminator());
  b.setInsertionPoint(ret);
  // States last: an output may be what a state was before.
  for (Value result : ret.getOperands().drop_back(states))
    store(b, result, body.addArgument(bufferType(result.getType()), ret.getLoc()));
  for (auto [result, buffer] :
       llvm::zip_equal(ret.getOperands().take_back(states), ArrayRef(buffers).take_back(states)))
    store(b, result, buffer);
  ret.getOperandsMutable().clear();
  main.setAllArgAttrs(ArrayRef<DictionaryAttr>());
  main.setAllResultAttrs(ArrayRef<DictionaryAttr>());
  main.setType(FunctionType::get(context, body.getArgumentTypes(), {}));
}

namespace {
struct MakeEntry : mlir::qtensor::impl::MakeEntryBase<MakeEntry> {
  void runOnOperation() override {
    auto main = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!main || main.isExternal() || !main.getBody().hasOneBlock()) {
      getOperation().emitError(
          "the module has no function @main with a body of one block; that is where a model starts");
      return signalPassFailure();
    }
    if (getOperation()->hasAttr(kInputsAttr))
      return; // An IR file that was already at this point.
    FailureOr<unsigned> states = moveStatesLast(main);
    if (failed(states) || failed(describeBoundary(main, *states)) || failed(createShapes(main, *states)))
      return signalPassFailure();
    copySharedStates(main, *states);
    rewriteSignature(main, *states);
  }
};
} // namespace
