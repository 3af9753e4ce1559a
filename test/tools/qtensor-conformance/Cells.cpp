// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Cells.h"
#include "Random.h"
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::conformance;

static constexpr CellOp kAllOps[] = {CellOp::MatmulNK,    CellOp::MatmulKN, CellOp::Batched, CellOp::BatchedNK,
                                     CellOp::Conv1x1,     CellOp::Conv3x3,  CellOp::Grouped, CellOp::Depthwise,
                                     CellOp::Elementwise, CellOp::Gather};

StringRef conformance::getOpName(CellOp op) {
  static constexpr StringLiteral names[] = {"matmul_nk", "matmul_kn", "batched",   "batched_nk",  "conv1x1",
                                            "conv3x3",   "grouped",   "depthwise", "elementwise", "gather"};
  return names[static_cast<unsigned>(op)];
}

static int64_t getWindow(CellOp op) {
  return op == CellOp::Conv3x3 || op == CellOp::Grouped || op == CellOp::Depthwise ? 3 : 1;
}

static bool isConvolution(CellOp op) { return op == CellOp::Conv1x1 || getWindow(op) > 1; }

bool Cell::isBatched() const { return op == CellOp::Batched || op == CellOp::BatchedNK; }

std::string Cell::getName() const {
  std::string name = llvm::formatv("{0}:{1}:{2}:{3}{4}:M{5}N{6}K{7}", format, getOpName(op), activation,
                                   forceFloat ? "float" : "auto", bias ? "+bias" : "", rows, features, depth);
  if (isBatched() || op == CellOp::Grouped)
    name += "B" + std::to_string(batch);
  if (isConvolution(op))
    name += "S" + std::to_string(stride);
  if (dilation > 1)
    name += "D" + std::to_string(dilation);
  return name + (dynamicRows ? "?" : "") + (extremes ? "!" : "");
}

SmallVector<int64_t> Cell::getWeightShape() const {
  int64_t window = getWindow(op);
  switch (op) {
  case CellOp::MatmulKN:
    return {depth, features};
  case CellOp::Batched:
    return {batch, depth, features};
  case CellOp::BatchedNK:
    return {batch, features, depth};
  case CellOp::Grouped:
    return {batch, features, window, window, depth};
  case CellOp::Conv1x1:
  case CellOp::Conv3x3:
    return {features, window, window, depth};
  case CellOp::Depthwise:
    return {window, window, depth};
  default:
    return {features, depth};
  }
}

SmallVector<int64_t> Cell::getWeightAxes() const {
  switch (op) {
  case CellOp::MatmulKN:
    return {0};
  case CellOp::Conv1x1:
  case CellOp::Conv3x3:
    return {3, 2, 1};
  case CellOp::Grouped:
    return {4, 3, 2};
  case CellOp::BatchedNK:
    return {2};
  case CellOp::Depthwise:
    return {0, 1};
  default: // the last of [N, K], the middle of [B, K, N]
    return {1};
  }
}

SmallVector<int64_t> Cell::getInputShape() const {
  if (isBatched())
    return {batch, rows, depth};
  int64_t pixels = rows + (getWindow(op) - 1) * dilation;
  if (op == CellOp::Grouped)
    return {1, pixels, pixels, batch, depth};
  if (isConvolution(op))
    return {1, pixels, pixels, depth};
  if (op == CellOp::Elementwise)
    return {features, depth};
  if (op == CellOp::Gather)
    return {rows};
  return {rows, depth};
}

SmallVector<int64_t> Cell::getInputAxes() const {
  if (op == CellOp::Depthwise)
    return {1, 2};
  return {int64_t(getInputShape().size()) - 1};
}

SmallVector<int64_t> Cell::getResultShape() const {
  if (isBatched())
    return {batch, rows, features};
  if (isConvolution(op)) {
    int64_t pixels = (rows - 1) / stride + 1;
    if (op == CellOp::Grouped)
      return {1, pixels, pixels, batch, features};
    return {1, pixels, pixels, op == CellOp::Depthwise ? depth : features};
  }
  if (op == CellOp::Elementwise)
    return {features, depth};
  return {rows, op == CellOp::Gather ? depth : features};
}

int64_t Cell::getProducts() const {
  if (!isContraction())
    return 1;
  int64_t window = getWindow(op) * getWindow(op);
  return op == CellOp::Depthwise ? window : depth * window;
}

//===----------------------------------------------------------------------===//
// Enumeration
//===----------------------------------------------------------------------===//

/// Whether the registry takes the spelling for a weight of this cell; says nothing if not.
static bool isAccepted(MLIRContext *context, StringRef spelling, unsigned rank, ArrayRef<int64_t> axes) {
  ScopedDiagnosticHandler quiet(context, [](Diagnostic &) { return success(); });
  Location loc = UnknownLoc::get(context);
  return succeeded(parseFormatSpelling(context, spelling, rank, axes, [&] { return emitError(loc); }));
}

std::vector<std::string> conformance::enumerateFormats(MLIRContext *context) {
  std::vector<std::string> formats;
  for (const NamedCodec &named : getNamedCodecs(context))
    if (cast<CodecAttr>(named.codec).getBits() <= 8)
      formats.push_back(named.name + "/32");
  for (const NamedFormat &named : getNamedFormats(context))
    formats.push_back(named.name);
  return formats;
}

static int64_t pickExtent(Random &random, int64_t most) {
  static constexpr int64_t extents[] = {1,  2,  3,  5,  7,  8,  13, 15, 16,  17,  24,  31,  32,
                                        33, 47, 48, 63, 64, 65, 96, 97, 100, 127, 128, 129, 160};
  int64_t extent;
  do
    extent = random.pick(ArrayRef(extents));
  while (extent > most);
  return extent;
}

/// Awkward sizes: ones, primes, tails of every tile and of every block.
static void pickSizes(Cell &cell, Random &random) {
  bool large = cell.format.find('/') == std::string::npos; // a format of the records: super-blocks of 256
  cell.batch = cell.isBatched() || cell.op == CellOp::Grouped ? 1 + random.below(3) : 1;
  cell.rows = isConvolution(cell.op) ? 1 + random.below(5) : pickExtent(random, 17);
  cell.features = pickExtent(random, isConvolution(cell.op) ? 33 : 65);
  cell.depth = pickExtent(random, cell.op == CellOp::Conv3x3 || cell.op == CellOp::Grouped ? 65 : 160);
  if (large && !random.oneIn(4))
    cell.depth = random.pick(ArrayRef<int64_t>{256, 257, 288, 512});
  cell.stride = isConvolution(cell.op) ? 1 + random.below(2) : 1;
  cell.dilation = getWindow(cell.op) > 1 && random.oneIn(3) ? 2 : 1;
  cell.dynamicRows = !isConvolution(cell.op) && cell.op != CellOp::Elementwise && random.oneIn(2);
  cell.bias = cell.isContraction() && random.oneIn(2);
}

/// The same format with another block, so that all sizes of blocks meet all formats.
static std::string varyBlock(const std::string &format, CellOp op, Random &random) {
  size_t slash = format.find('/');
  if (slash == std::string::npos)
    return format;
  if (op == CellOp::Depthwise)
    return format.substr(0, slash) + "/channel";
  static constexpr StringLiteral blocks[] = {"32", "32", "16", "64", "128", "24", "channel", "tensor"};
  return format.substr(0, slash + 1) + random.pick(ArrayRef(blocks)).str();
}

/// The ways to store the activation beside a weight.
static SmallVector<StringRef> getActivations(CellOp op) {
  if (op == CellOp::Elementwise || op == CellOp::Gather)
    return {"none"};
  if (op == CellOp::Depthwise)
    return {"none", "static", "shifted"};
  return {"none", "static", "shifted", "token", "block", "codebook"};
}

std::vector<Cell> conformance::enumerateCells(MLIRContext *context, const CellSelection &selection) {
  std::vector<Cell> cells;
  for (const std::string &format : enumerateFormats(context))
    for (CellOp op : kAllOps) {
      Cell cell{format, op, "none", false, false, selection.seed, 1, 1, 1, 1, 1, 1, false, selection.extremes};
      for (StringRef activation : getActivations(op))
        for (bool forceFloat : {false, true}) {
          if (forceFloat && (activation == "none" || activation == "codebook")) // neither has another strategy
            continue;
          std::string key = llvm::formatv("{0} {1} {2} {3}", format, getOpName(op), activation, forceFloat);
          Random random(selection.seed, key);
          cell.format = varyBlock(format, op, random);
          if (!isAccepted(context, cell.format, cell.getWeightShape().size(), cell.getWeightAxes()))
            continue;
          cell.activation = activation.str();
          cell.forceFloat = forceFloat;
          pickSizes(cell, random);
          cells.push_back(cell);
        }
    }
  if (!selection.sample || cells.size() <= selection.sample)
    return cells;
  // Each format once, then as many others as were asked for.
  Random random(selection.seed);
  std::vector<bool> taken(cells.size());
  for (size_t begin = 0; begin < cells.size();) {
    auto baseName = [](const Cell &cell) { return StringRef(cell.format).split('/').first; };
    size_t end = begin;
    while (end < cells.size() && baseName(cells[end]) == baseName(cells[begin]))
      ++end;
    taken[begin + random.below(end - begin)] = true;
    begin = end;
  }
  for (unsigned i = 0; i < selection.sample; ++i)
    taken[random.below(cells.size())] = true;
  std::vector<Cell> sample;
  for (auto [cell, take] : llvm::zip_equal(cells, taken))
    if (take)
      sample.push_back(std::move(cell));
  return sample;
}
