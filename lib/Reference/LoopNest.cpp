// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One parallel loop is run in lanes; all others are an odometer in their written order.
#include "lib/Reference/LoopNest.h"
#include "mlir/IR/AffineExpr.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::qtensor::reference;

//===----------------------------------------------------------------------===//
// Access
//===----------------------------------------------------------------------===//

/// Adds `scale * expr` to the linear form (coefficients, constant); false when `expr` is not linear in the loops.
static bool addLinear(AffineExpr expr, int64_t scale, MutableArrayRef<int64_t> coefficients, int64_t &constant) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return coefficients[dim.getPosition()] += scale, true;
  if (auto value = dyn_cast<AffineConstantExpr>(expr))
    return constant += scale * value.getValue(), true;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return false;
  if (expr.getKind() == AffineExprKind::Add)
    return addLinear(binary.getLHS(), scale, coefficients, constant) &&
           addLinear(binary.getRHS(), scale, coefficients, constant);
  if (expr.getKind() == AffineExprKind::Mul)
    if (auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS()))
      return addLinear(binary.getLHS(), scale * factor.getValue(), coefficients, constant);
  return false;
}

static int64_t floorDivide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

/// The value of an expression at a point; a division by zero gives nothing.
static std::optional<int64_t> evaluateExpr(AffineExpr expr, ArrayRef<int64_t> point) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return point[dim.getPosition()];
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue();
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return std::nullopt;
  std::optional<int64_t> a = evaluateExpr(binary.getLHS(), point), b = evaluateExpr(binary.getRHS(), point);
  if (!a || !b)
    return std::nullopt;
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return *a + *b;
  case AffineExprKind::Mul:
    return *a * *b;
  default:
    break;
  }
  if (*b <= 0)
    return std::nullopt;
  if (expr.getKind() == AffineExprKind::Mod)
    return *a - *b * floorDivide(*a, *b);
  return expr.getKind() == AffineExprKind::FloorDiv ? floorDivide(*a, *b) : -floorDivide(-*a, *b);
}

FailureOr<Access> Access::get(const Tensor &tensor, AffineMap map, ArrayRef<int64_t> extents, std::string &reason) {
  Access access;
  access.map = map;
  access.shape.assign(tensor.getShape().begin(), tensor.getShape().end());
  access.strides.assign(extents.size(), 0);
  if (map.getNumResults() != access.shape.size() || map.getNumDims() != extents.size() || map.getNumSymbols() != 0) {
    reason = "an indexing map does not fit its operand";
    return failure();
  }
  bool empty = llvm::is_contained(extents, 0);
  SmallVector<int64_t> tensorStrides = tensor.getStrides();
  for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
    SmallVector<int64_t> coefficients(extents.size(), 0);
    int64_t low = 0;
    if (!addLinear(expr, 1, coefficients, low)) {
      access.linear = false;
      return access;
    }
    access.offset += low * tensorStrides[dim];
    int64_t high = low;
    for (auto [loop, coefficient] : llvm::enumerate(coefficients)) {
      (coefficient < 0 ? low : high) += coefficient * (extents[loop] - 1);
      access.strides[loop] += coefficient * tensorStrides[dim];
    }
    if (!empty && (low < 0 || high >= access.shape[dim])) {
      reason = llvm::formatv("dimension {0} of an operand is read at {1}..{2} and has extent {3}", dim, low, high,
                             access.shape[dim]);
      return failure();
    }
  }
  return access;
}

std::optional<int64_t> Access::getPosition(ArrayRef<int64_t> point) const {
  int64_t position = 0;
  if (linear) {
    position = offset;
    for (auto [index, stride] : llvm::zip_equal(point, strides))
      position += index * stride;
    return position;
  }
  for (auto [expr, extent] : llvm::zip_equal(map.getResults(), shape)) {
    std::optional<int64_t> index = evaluateExpr(expr, point);
    if (!index || *index < 0 || *index >= extent)
      return std::nullopt;
    position = position * extent + *index;
  }
  return position;
}

//===----------------------------------------------------------------------===//
// Lanes in and out of memory
//===----------------------------------------------------------------------===//

template <typename T> static void loadBits(Lane *lanes, const char *data, int64_t stride, size_t count, uint64_t mask) {
  const T *source = reinterpret_cast<const T *>(data);
  for (size_t lane = 0; lane < count; ++lane)
    lanes[lane].bits = source[int64_t(lane) * stride] & mask;
}
template <typename T> static void loadReal(Lane *lanes, const char *data, int64_t stride, size_t count) {
  const T *source = reinterpret_cast<const T *>(data);
  for (size_t lane = 0; lane < count; ++lane)
    lanes[lane].real = source[int64_t(lane) * stride];
}

static void loadLanes(const Tensor &tensor, int64_t position, int64_t stride, Lane *lanes, size_t count) {
  const NumericFormat &format = tensor.getFormat();
  const char *data = tensor.getBytes().data() + position * format.getBytes();
  if (format.isF32())
    return loadReal<float>(lanes, data, stride, count);
  if (format.isF64())
    return loadReal<double>(lanes, data, stride, count);
  switch (format.getBytes()) {
  case 1:
    loadBits<uint8_t>(lanes, data, stride, count, format.mask());
    break;
  case 2:
    loadBits<uint16_t>(lanes, data, stride, count, format.mask());
    break;
  case 4:
    loadBits<uint32_t>(lanes, data, stride, count, format.mask());
    break;
  default:
    loadBits<uint64_t>(lanes, data, stride, count, format.mask());
  }
  if (format.isFloat())
    for (size_t lane = 0; lane < count; ++lane)
      lanes[lane].real = format.decode(lanes[lane].bits);
}

static void storeLanes(const NumericFormat &format, char *data, int64_t position, int64_t stride, const Lane *lanes,
                       size_t count) {
  data += position * format.getBytes();
  int64_t step = stride * format.getBytes();
  if (format.isF32()) {
    for (size_t lane = 0; lane < count; ++lane)
      *reinterpret_cast<float *>(data + int64_t(lane) * step) = static_cast<float>(lanes[lane].real);
    return;
  }
  for (size_t lane = 0; lane < count; ++lane) {
    uint64_t bits = format.isFloat() ? format.encode(lanes[lane].real) : lanes[lane].bits;
    writeElement(format, data + int64_t(lane) * step, bits);
  }
}

//===----------------------------------------------------------------------===//
// The nest
//===----------------------------------------------------------------------===//

namespace {
/// The running state of one nest.
class Runner {
public:
  Runner(LoopNest &nest, const Program &program, std::string &reason);
  LogicalResult run();

private:
  LogicalResult runRow();
  LogicalResult runLanes(int64_t start, size_t count);
  std::optional<int64_t> positionOf(size_t operand, int64_t start);
  bool advance();

  LoopNest &nest;
  const Program &program;
  std::string &reason;
  std::vector<Lane> registers;
  Machine machine;
  SmallVector<bool> used; // arguments that the program reads
  SmallVector<char *> outputData;
  SmallVector<int64_t> point;     // the lane loop stays at zero
  SmallVector<int64_t> positions; // of linear accesses at `point`
  int64_t laneLoop = -1;
};
} // namespace

/// The longest loop along which every output moves, so that lanes never meet in one element; -1 if there is none.
static int64_t chooseLaneLoop(const LoopNest &nest) {
  int64_t best = -1;
  for (int64_t loop = 0; loop < int64_t(nest.extents.size()); ++loop) {
    bool allowed = llvm::all_of(nest.accesses, [](const Access &access) { return access.isLinear(); });
    for (size_t output = nest.inputs.size(); output < nest.accesses.size(); ++output)
      allowed = allowed && nest.accesses[output].getStride(loop) != 0;
    if (allowed && (best < 0 || nest.extents[loop] > nest.extents[best]))
      best = loop;
  }
  return best;
}

Runner::Runner(LoopNest &nest, const Program &program, std::string &reason)
    : nest(nest), program(program), reason(reason), registers(program.numRegisters * kLanes), machine{registers.data()},
      used(program.numArguments, false), point(nest.extents.size(), 0) {
  auto markUsed = [&](uint32_t reg) {
    if (reg < program.numArguments)
      used[reg] = true;
  };
  for (const Instruction &instruction : program.instructions)
    llvm::for_each(instruction.operands, markUsed);
  llvm::for_each(program.results, markUsed);
  for (auto [reg, lane] : program.constants)
    std::fill_n(machine[reg], kLanes, lane);
  for (Tensor *output : nest.outputs)
    outputData.push_back(output->getMutableBytes().data());
  for (const Access &access : nest.accesses)
    positions.push_back(access.getOffset());
  laneLoop = chooseLaneLoop(nest);
}

std::optional<int64_t> Runner::positionOf(size_t operand, int64_t start) {
  const Access &access = nest.accesses[operand];
  if (!access.isLinear())
    return access.getPosition(point);
  return positions[operand] + (laneLoop < 0 ? 0 : start * access.getStride(laneLoop));
}

LogicalResult Runner::runLanes(int64_t start, size_t count) {
  auto strideOf = [&](size_t operand) { return laneLoop < 0 ? 0 : nest.accesses[operand].getStride(laneLoop); };
  SmallVector<int64_t, 8> places(nest.accesses.size());
  for (size_t operand = 0; operand < nest.accesses.size(); ++operand) {
    std::optional<int64_t> position = positionOf(operand, start);
    if (!position) {
      reason = "an indexing map leaves its operand";
      return failure();
    }
    places[operand] = *position;
    const Tensor *tensor =
        operand < nest.inputs.size() ? &nest.inputs[operand] : nest.outputs[operand - nest.inputs.size()];
    if (operand < used.size() && used[operand])
      loadLanes(*tensor, *position, strideOf(operand), machine[operand], count);
  }
  for (auto [reg, loop] : program.indices)
    for (size_t lane = 0; lane < count; ++lane)
      machine[reg][lane].bits = loop == laneLoop ? uint64_t(start) + lane : uint64_t(point[loop]);
  runProgram(program, machine, count);
  if (machine.failure) {
    reason = machine.failure;
    return failure();
  }
  for (auto [index, output] : llvm::enumerate(nest.outputs)) {
    size_t operand = nest.inputs.size() + index;
    storeLanes(output->getFormat(), outputData[index], places[operand], strideOf(operand),
               machine[program.results[index]], count);
  }
  return success();
}

LogicalResult Runner::runRow() {
  int64_t extent = laneLoop < 0 ? 1 : nest.extents[laneLoop];
  for (int64_t start = 0; start < extent; start += kLanes)
    if (failed(runLanes(start, std::min<int64_t>(extent - start, kLanes))))
      return failure();
  return success();
}

/// Moves to the next point of the loops other than the lane loop; false at the end.
bool Runner::advance() {
  for (int64_t loop = int64_t(point.size()) - 1; loop >= 0; --loop) {
    if (loop == laneLoop)
      continue;
    bool wraps = ++point[loop] == nest.extents[loop];
    for (size_t operand = 0; operand < positions.size(); ++operand)
      if (nest.accesses[operand].isLinear())
        positions[operand] += (wraps ? 1 - nest.extents[loop] : 1) * nest.accesses[operand].getStride(loop);
    if (!wraps)
      return true;
    point[loop] = 0;
  }
  return false;
}

LogicalResult Runner::run() {
  if (llvm::is_contained(nest.extents, 0))
    return success();
  do {
    if (failed(runRow()))
      return failure();
  } while (advance());
  return success();
}

LogicalResult LoopNest::run(const Program &program, std::string &reason) {
  return Runner(*this, program, reason).run();
}
