// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// com.microsoft.MatMulNBits: weights [N, K] in blocks along K, `bits` per code, packed from the low end of each byte.
#include "lib/Import/ONNX/Ops/Contract.h"
#include "lib/Import/ONNX/Ops/Quantization.h"
#include "lib/Import/ONNX/Registry.h"

namespace mlir::qtensor::onnx {
namespace {
/// `count` codes of each of the packed rows, a byte each, as a constant [rows, count].
Val unpackRows(Emit &e, const TensorData &packed, int64_t rows, int64_t rowBytes, int64_t count, unsigned bits,
               StringRef name) {
  auto data = std::make_shared<TensorData>();
  auto bytes = std::make_shared<std::vector<char>>(rows * count);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < count; ++i) {
      auto byte = static_cast<uint8_t>(packed.bytes[row * rowBytes + i * bits / 8]);
      (*bytes)[row * count + i] = static_cast<char>((byte >> (i * bits % 8)) & ((1u << bits) - 1));
    }
  }
  data->name = name.str();
  data->elem = Elem::U8;
  data->dims = {rows, count};
  data->bytes = ArrayRef<char>(bytes->data(), bytes->size());
  data->owner = bytes;
  return e.constant(std::move(data));
}

struct Layout {
  int64_t n, k, bits, block, blocks, blobBytes;
};

FailureOr<Layout> readLayout(NodeContext &c) {
  Layout l{c.attrInt("N", 0), c.attrInt("K", 0), c.attrInt("bits", 4), c.attrInt("block_size", 0), 0, 0};
  constexpr int64_t most = int64_t(1) << 30;
  if (l.n < 1 || l.k < 1 || l.n > most || l.k > most || l.block < 16 || l.block > most || !llvm::isPowerOf2_64(l.block))
    return c.fail("'N', 'K' or 'block_size' is out of range (a block is a power of two, at least 16)");
  if (l.bits != 2 && l.bits != 4 && l.bits != 8)
    return c.fail("'bits' is " + Twine(l.bits) + "; 2, 4 and 8 are supported");
  l.blocks = llvm::divideCeil(l.k, l.block);
  l.blobBytes = l.block * l.bits / 8;
  const Val &b = c.in(1), &scales = c.in(2);
  if (!b.constant || b.elem != Elem::U8 ||
      static_cast<int64_t>(b.constant->bytes.size()) != l.n * l.blocks * l.blobBytes)
    return c.fail("input 1 must be a uint8 constant of N * ceil(K / block_size) * block_size * bits / 8 = " +
                  Twine(l.n * l.blocks * l.blobBytes) + " bytes");
  if (!scales.constant || !isFloat(scales.elem) || scales.constant->numElements() != l.n * l.blocks)
    return c.fail("input 2 must be a float constant of N * ceil(K / block_size) = " + Twine(l.n * l.blocks) +
                  " scales");
  return l;
}

/// Zero points: packed codes with each row padded to bytes, or reals.
FailureOr<std::optional<Val>> readZeros(NodeContext &c, const Layout &l, ArrayRef<OpFoldResult> grid) {
  if (!c.has(3))
    return std::optional<Val>();
  const Val &zeros = c.in(3);
  int64_t rowBytes = llvm::divideCeil(l.blocks * l.bits, 8);
  if (zeros.constant && isFloat(zeros.elem) && zeros.constant->numElements() == l.n * l.blocks)
    return std::optional(c.e.reshape(zeros, grid));
  if (!zeros.constant || zeros.elem != Elem::U8 || static_cast<int64_t>(zeros.constant->bytes.size()) != l.n * rowBytes)
    return c.fail("input 3 must be a constant: " + Twine(l.n * rowBytes) +
                  " bytes of packed zero points, or one float "
                  "per block");
  return std::optional(unpackRows(c.e, *zeros.constant, l.n, rowBytes, l.blocks, l.bits, zeros.constant->name));
}

LogicalResult importMatMulNBits(NodeContext &c) {
  const Val &a = c.in(0);
  FailureOr<Layout> layout = readLayout(c);
  if (failed(layout) || failed(c.requireFloat(0)))
    return failure();
  if (c.has(4))
    return c.fail("'g_idx' (act-order permutation) is not supported; export without it");
  if (a.isScalar() || DimMath::number(a.dims.back()).value_or(layout->k) != layout->k)
    return c.fail("the last extent of input 0 must be K");
  Emit &e = c.e;
  Dims grid = {e.math.constant(layout->n), e.math.constant(layout->blocks)};
  FailureOr<std::optional<Val>> zeros = readZeros(c, *layout, grid);
  if (failed(zeros))
    return failure();
  Val codes = unpackRows(e, *c.in(1).constant, layout->n, layout->blocks * layout->blobBytes, layout->k, layout->bits,
                         c.in(1).constant->name);
  Val weights = assembleBlocks(e, codes, layout->bits, layout->block, e.reshape(c.in(2), grid), *zeros,
                               std::ldexp(1.0, layout->bits - 1));
  Val rows = a.rank() == 1 ? e.unsqueeze(a, 0) : a;
  Val out = contractRows(e, e.cast(rows, Elem::F32), weights);
  if (a.rank() == 1)
    out = e.squeeze(out, 0);
  if (c.has(5)) {
    Val inputs[] = {out, c.in(5)};
    if (c.in(5).rank() != 1 || failed(c.requireBroadcast(inputs)))
      return c.fail("the bias must be a vector of N");
    out = e.mapTo(out.dims, inputs, Elem::F32,
                  [&](Scalar &s, ValueRange in) { return s.add(in[0], s.cast(in[1], c.in(5).elem, Elem::F32)); });
  }
  return c.set(0, e.cast(out, a.elem));
}
} // namespace

void registerMatMulNBits(Registry &r) {
  r.add({{"com.microsoft", "MatMulNBits", 1, 1, 3, 6, "K N accuracy_level bits block_size", importMatMulNBits,
          "constant weights; no g_idx; 2, 4 and 8 bits"}});
}

} // namespace mlir::qtensor::onnx
