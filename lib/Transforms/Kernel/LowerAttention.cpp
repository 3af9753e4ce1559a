// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// qtensor.attention on buffers becomes a parallel loop over batches, key heads and tiles of rows that calls a kernel.
#include "lib/Transforms/Kernel/AttentionKernel.h"
#include "dialects/QTile/IR/QTile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::qtensor;

static LogicalResult check(AttentionOp op) {
  for (Value operand : op->getOperands())
    if (!cast<MemRefType>(operand.getType()).isLastDimUnitStride())
      return op.emitOpError("reads operands whose last dimension lies without gaps in memory, got ") << operand.getType();
  auto query = cast<MemRefType>(op.getQuery().getType()), output = cast<MemRefType>(op.getOutput().getType());
  if (query.isDynamicDim(3) || output.isDynamicDim(3))
    return op.emitOpError("needs heads of known width; the last extents of query and output are open");
  for (Value operand : {op.getQuery(), op.getOutput()})
    if (!isa<Float32Type, Float16Type, BFloat16Type>(cast<MemRefType>(operand.getType()).getElementType()))
      return op.emitOpError("has kernels for f32, f16 and bf16, got ") << operand.getType();
  return success();
}

/// Everything that the code of the kernel depends on.
static std::string makeKey(AttentionOp op, int64_t rows) {
  std::string key;
  llvm::raw_string_ostream os(key);
  os << "attention " << rows << ' ' << op->getPropertiesAsAttribute();
  for (Type type : op->getOperandTypes())
    os << ' ' << type;
  return key;
}

/// Calls the kernel of `height` rows for `tiles` tiles from row `first` on.
static void emitTiles(ImplicitLocOpBuilder &b, AttentionOp op, ArrayRef<TileMachine> machines, int64_t height, Value first, Value tiles,
                      function_ref<std::string(StringRef)> nameOf) {
  auto module = op->getParentOfType<ModuleOp>();
  std::string name = nameOf(makeKey(op, height));
  bool asks = llvm::any_of(machines, [](const TileMachine &machine) { return machine.streamAhead != 0; });
  auto kernel = module.lookupSymbol<func::FuncOp>(name);
  if (!kernel)
    kernel = AttentionKernel(op, height, machines.front(), asks).build(module, name);
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1);
  Value ahead;
  if (asks)
    ahead = selectByCore(b, machines, emitCore(b, machines), [](const TileMachine &machine) { return machine.streamAhead; });
  Value batches = b.createOrFold<memref::DimOp>(op.getQuery(), 0);
  Value heads = b.createOrFold<memref::DimOp>(op.getKey()[0], op.getKeyDims()[1]);
  scf::ParallelOp::create(b, ValueRange{zero, zero, zero}, ValueRange{batches, heads, tiles}, ValueRange{one, one, one},
                          [&](OpBuilder &inner, Location loc, ValueRange at) {
                            ImplicitLocOpBuilder body(loc, inner);
                            Value rows = arith::ConstantIndexOp::create(body, height);
                            Value row = arith::AddIOp::create(body, first, arith::MulIOp::create(body, at[2], rows));
                            SmallVector<Value> arguments(op->getOperands());
                            arguments.append({at[0], at[1], row});
                            if (ahead)
                              arguments.push_back(ahead);
                            func::CallOp::create(body, kernel, arguments);
                          });
}

LogicalResult qtensor::lowerAttention(AttentionOp op, ArrayRef<TileMachine> machines, function_ref<std::string(StringRef)> nameOf) {
  if (failed(check(op)))
    return failure();
  ImplicitLocOpBuilder b(op.getLoc(), op);
  auto query = cast<MemRefType>(op.getQuery().getType()), keys = cast<MemRefType>(op.getKey()[0].getType());
  int64_t keyHeads = op.getKeyDims()[1], most = machines.front().lanes >= 16 ? 4 : 2; // accumulators of a tile fit the registers
  Value group = b.createOrFold<arith::DivUIOp>(b.createOrFold<memref::DimOp>(op.getQuery(), 1),
                                               b.createOrFold<memref::DimOp>(op.getKey()[0], keyHeads));
  Value rows = b.createOrFold<arith::MulIOp>(group, b.createOrFold<memref::DimOp>(op.getQuery(), 2));
  auto index = [&](int64_t number) -> Value { return arith::ConstantIndexOp::create(b, number); };
  bool known = !query.isDynamicDim(1) && !query.isDynamicDim(2) && !keys.isDynamicDim(keyHeads);
  if (known) {
    int64_t count = keys.getDimSize(keyHeads) ? query.getDimSize(1) / keys.getDimSize(keyHeads) * query.getDimSize(2) : 0;
    if (count >= most)
      emitTiles(b, op, machines, most, index(0), index(count / most), nameOf);
    if (count % most)
      emitTiles(b, op, machines, count % most, index(count / most * most), index(1), nameOf);
  } else {
    Value tiles = arith::DivUIOp::create(b, rows, index(most)), rest = arith::RemUIOp::create(b, rows, index(most));
    emitTiles(b, op, machines, most, index(0), tiles, nameOf);
    emitTiles(b, op, machines, 1, arith::SubIOp::create(b, rows, rest), rest, nameOf);
  }
  op.erase();
  return success();
}
