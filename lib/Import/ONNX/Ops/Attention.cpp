// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention and rotary position embedding. Query heads that share a key head are a dimension of their own, so that keys
// and values are read by broadcasting and never repeated in memory.
#include "lib/Import/ONNX/Ops/Contract.h"
#include "lib/Import/ONNX/Registry.h"

namespace mlir::qtensor::onnx {
namespace {
constexpr double kMinusInfinity = -std::numeric_limits<double>::infinity();

/// Extents: batch, key heads, query heads per key head, query length, key length.
struct Heads {
  OpFoldResult batch, keys, group, rows, columns;
  OpFoldResult queries(DimMath &m) const { return m.mul(keys, group); }
};

/// [B, S, H * D] -> [B, H, S, D].
FailureOr<Val> splitHeads(NodeContext &n, const Val &x, StringRef attribute) {
  if (x.rank() == 4)
    return x;
  int64_t heads = n.attrInt(attribute, 0);
  auto width = x.rank() == 3 ? DimMath::number(x.dims[2]) : std::nullopt;
  if (heads < 1 || !width || *width % heads != 0)
    return n.fail("inputs of rank 3 need '" + attribute + "', which must divide their constant last extent");
  Dims split = {x.dims[0], x.dims[1], n.e.math.constant(heads), n.e.math.constant(*width / heads)};
  return n.e.transpose(n.e.reshape(x, split), {0, 2, 1, 3});
}

/// The keys or values with those of earlier steps before them.
FailureOr<Val> withPast(NodeContext &n, const Val &x, unsigned past) {
  if (!n.has(past))
    return x;
  if (n.in(past).rank() != 4 || n.in(past).elem != x.elem)
    return n.fail("a past tensor has another rank or type");
  return n.e.concat({n.in(past), x}, 2);
}

/// The mask as a tensor that broadcasts against [B, H, S, T]; columns that it lacks are masked.
FailureOr<Val> readMask(NodeContext &n, const Heads &heads) {
  Val mask = n.in(3);
  if (mask.rank() < 2 || mask.rank() > 4 || (mask.elem != Elem::Bool && !isFloat(mask.elem)))
    return n.fail("the mask must be bool or float, of rank 2 to 4");
  auto have = DimMath::number(mask.dims.back()), need = DimMath::number(heads.columns);
  if (have && need && *have < *need && *have != 1) {
    Dims low(mask.rank(), n.e.math.constant(0)), high = low;
    high.back() = n.e.math.constant(*need - *have);
    double hidden = mask.elem == Elem::Bool ? 0 : kMinusInfinity;
    mask = n.e.pad(mask, low, high, Scalar(n.e.b, n.e.loc).number(n.e.type(mask.elem), hidden));
  }
  Val scores = n.e.wrap(Value(), Elem::F32, {heads.batch, heads.queries(n.e.math), heads.rows, heads.columns});
  if (failed(n.requireBroadcast({scores, mask})))
    return failure();
  return mask;
}

/// Adds the mask and hides what is_causal and nonpad_kv_seqlen hide.
FailureOr<Val> applyMasks(NodeContext &n, const Val &scores, const Heads &heads) {
  SmallVector<Val> inputs = {scores};
  std::optional<unsigned> mask, valid;
  if (n.has(3)) {
    FailureOr<Val> given = readMask(n, heads);
    if (failed(given))
      return failure();
    mask = inputs.size();
    inputs.push_back(*given);
  }
  if (n.has(6)) {
    if (n.in(6).rank() != 1 || n.in(6).elem != Elem::I64)
      return n.fail("nonpad_kv_seqlen must be a vector of int64");
    valid = inputs.size();
    DimMath &m = n.e.math;
    inputs.push_back(n.e.reshape(n.in(6), {n.in(6).dims[0], m.constant(1), m.constant(1), m.constant(1)}));
  }
  bool causal = n.attrInt("is_causal", 0);
  if (inputs.size() == 1 && !causal)
    return scores;
  Value past = n.e.math.value(n.has(4) ? n.in(4).dims[2] : OpFoldResult(n.e.math.constant(0)), n.e.loc);
  Value rows = n.e.math.value(heads.rows, n.e.loc);
  return n.e.mapTo(scores.dims, inputs, scores.elem, [&](Scalar &s, ValueRange in) {
    Value out = in[0], hidden = s.like(in[0], kMinusInfinity), offset = past;
    if (mask && inputs[*mask].elem == Elem::Bool)
      out = s.select(in[*mask], out, hidden);
    else if (mask)
      out = s.add(out, s.cast(in[*mask], inputs[*mask].elem, scores.elem));
    if (valid) {
      Value end = s.make<arith::IndexCastOp>(s.b.getIndexType(), in[*valid]);
      out = s.select(s.lt(s.index(3), end), out, hidden);
      offset = s.sub(end, rows);
    }
    return causal ? s.select(s.lt(s.add(s.index(2), offset), s.index(3)), hidden, out) : out;
  });
}

/// softmax over the last axis; rows that are hidden altogether become zeros.
Val maskedSoftmax(Emit &e, const Val &scores) {
  Val top = e.maximum(scores, 3, /*keep=*/true);
  Val shifted[] = {scores, top};
  Val terms = e.map(shifted, scores.elem, [](Scalar &s, ValueRange in) {
    Value visible = s.lt(s.like(in[1], kMinusInfinity), in[1]);
    return s.select(visible, s.exp(s.sub(in[0], in[1])), s.like(in[0], 0));
  });
  Val parts[] = {terms, e.sum(terms, 3, /*keep=*/true)};
  return e.map(parts, scores.elem, [](Scalar &s, ValueRange in) {
    return s.select(s.eq(in[1], s.like(in[1], 0)), in[1], s.div(in[0], in[1]));
  });
}

/// Scaled products of queries and keys, [B, H, S, T] in f32 or wider.
Val scoresOf(NodeContext &n, const Val &q, const Val &k, const Heads &h, Elem wide) {
  DimMath &m = n.e.math;
  auto width = DimMath::number(q.dims[3]);
  Val grouped = n.e.reshape(q, {h.batch, h.keys, h.group, h.rows, q.dims[3]});
  Val keys = n.e.reshape(k, {h.batch, h.keys, m.constant(1), h.columns, k.dims[3]});
  Val products =
      n.e.reshape(contractGeneric(n.e, grouped, keys, wide, /*rows=*/true), {h.batch, h.queries(m), h.rows, h.columns});
  double scale = n.attrFloat("scale", 1 / std::sqrt(static_cast<double>(*width)));
  return n.e.map(products, wide, [&](Scalar &s, ValueRange in) { return s.mul(in[0], s.like(in[0], scale)); });
}

FailureOr<Heads> readHeads(NodeContext &n, const Val &q, const Val &k, const Val &v) {
  auto queries = DimMath::number(q.dims[1]), keys = DimMath::number(k.dims[1]), width = DimMath::number(q.dims[3]);
  if (q.rank() != 4 || k.rank() != 4 || v.rank() != 4 || !queries || !keys || !width || *keys < 1 ||
      *queries % *keys != 0 || *width < 1)
    return n.fail("needs constant numbers of heads, those of the queries a multiple of those of the keys");
  if (DimMath::numberOrDynamic(v.dims[1]) != *keys || DimMath::numberOrDynamic(k.dims[3]) != *width)
    return n.fail("queries, keys and values have heads of different number or width");
  return Heads{q.dims[0], n.e.math.constant(*keys), n.e.math.constant(*queries / *keys), q.dims[2], k.dims[2]};
}

LogicalResult importAttention(NodeContext &n) {
  FailureOr<Val> q = splitHeads(n, n.in(0), "q_num_heads"), k = splitHeads(n, n.in(1), "kv_num_heads"),
                 v = splitHeads(n, n.in(2), "kv_num_heads");
  if (failed(q) || failed(k) || failed(v) || failed(n.requireFloat(0)))
    return failure();
  k = withPast(n, *k, 4), v = withPast(n, *v, 5);
  FailureOr<Heads> heads = failed(k) || failed(v) ? FailureOr<Heads>(failure()) : readHeads(n, *q, *k, *v);
  if (failed(heads))
    return failure();
  Elem elem = n.in(0).elem, wide = accumulatorOf(elem);
  Val raw = scoresOf(n, *q, *k, *heads, wide), capped = raw;
  if (double cap = n.attrFloat("softcap", 0); cap != 0)
    capped = n.e.map(raw, wide, [&](Scalar &s, ValueRange in) {
      return s.mul(s.tanh(s.div(in[0], s.like(in[0], cap))), s.like(in[0], cap));
    });
  FailureOr<Val> masked = applyMasks(n, capped, *heads);
  if (failed(masked))
    return failure();
  Val weights = maskedSoftmax(n.e, *masked);
  DimMath &m = n.e.math;
  Val grouped = n.e.reshape(weights, {heads->batch, heads->keys, heads->group, heads->rows, heads->columns});
  Val values = n.e.reshape(*v, {heads->batch, heads->keys, m.constant(1), heads->columns, v->dims[3]});
  Val y = n.e.reshape(contractGeneric(n.e, grouped, values, wide, /*rows=*/false),
                      {heads->batch, heads->queries(m), heads->rows, v->dims[3]});
  if (n.in(0).rank() == 3)
    y = n.e.reshape(n.e.transpose(y, {0, 2, 1, 3}), {heads->batch, heads->rows, m.mul(heads->queries(m), v->dims[3])});
  int64_t mode = n.attrInt("qk_matmul_output_mode", 0);
  if (mode < 0 || mode > 3)
    return n.fail("'qk_matmul_output_mode' must be 0 to 3");
  const Val *stages[] = {&raw, &capped, &*masked, &weights};
  (void)n.set(1, *k);
  (void)n.set(2, *v);
  (void)n.set(3, n.e.cast(*stages[mode], elem));
  return n.set(0, n.e.cast(y, elem));
}

/// cos and sin rows by position, as [batch, 1, length, half] or [batch, length, 1, half].
FailureOr<Val> readCache(NodeContext &n, unsigned i, int64_t headAxis, int64_t half) {
  Val cache = n.in(i);
  if (n.has(3)) {
    if (cache.rank() != 2 || n.in(3).rank() != 2 || !isInteger(n.in(3).elem))
      return n.fail("caches and position_ids must have rank 2");
    cache = gather(n.e, cache, n.in(3), 0);
  }
  if (cache.rank() != 3 || DimMath::number(cache.dims[2]).value_or(0) < half)
    return n.fail("input " + Twine(i) + " must hold " + Twine(half) + " values per position");
  cache = n.e.sliceAxis(cache, 2, n.e.math.constant(0), n.e.math.constant(half));
  return n.e.unsqueeze(cache, headAxis);
}

/// Both halves rotated: {cos * a - sin * b, sin * a + cos * b}.
std::pair<Val, Val> rotate(Emit &e, const Val &a, const Val &b, const Val &cos, const Val &sin) {
  Val inputs[] = {a, b, cos, sin};
  Val real = e.mapTo(a.dims, inputs, a.elem,
                     [](Scalar &s, ValueRange in) { return s.sub(s.mul(in[2], in[0]), s.mul(in[3], in[1])); });
  Val imaginary = e.mapTo(a.dims, inputs, a.elem,
                          [](Scalar &s, ValueRange in) { return s.add(s.mul(in[3], in[0]), s.mul(in[2], in[1])); });
  return {real, imaginary};
}

LogicalResult importRotaryEmbedding(NodeContext &n) {
  Val x = n.in(0);
  DimMath &m = n.e.math;
  int64_t heads = n.attrInt("num_heads", 0);
  auto width = x.rank() ? DimMath::number(x.dims.back()) : std::nullopt;
  if (failed(n.requireRank(0, 3, 4)) || failed(n.requireFloat(0)))
    return failure();
  if (!width || (x.rank() == 3 && (heads < 1 || *width % heads != 0)))
    return n.fail("needs a constant last extent, and for rank 3 'num_heads' that divides it");
  int64_t headAxis = x.rank() == 3 ? 2 : 1;
  if (x.rank() == 3)
    x = n.e.reshape(x, {x.dims[0], x.dims[1], m.constant(heads), m.constant(*width / heads)});
  int64_t size = *DimMath::number(x.dims[3]), rotated = n.attrInt("rotary_embedding_dim", 0);
  rotated = rotated ? rotated : size;
  if (rotated < 2 || rotated > size || rotated % 2 != 0)
    return n.fail("'rotary_embedding_dim' must be even and at most the width of a head");
  FailureOr<Val> cos = readCache(n, 1, headAxis, rotated / 2), sin = readCache(n, 2, headAxis, rotated / 2);
  if (failed(cos) || failed(sin))
    return failure();
  Val turning = n.e.sliceAxis(x, 3, m.constant(0), m.constant(rotated)), out;
  OpFoldResult half = m.constant(rotated / 2);
  if (n.attrInt("interleaved", 0)) {
    Val pairs = n.e.reshape(turning, {x.dims[0], x.dims[1], x.dims[2], half, m.constant(2)});
    auto part = [&](int64_t i) { return n.e.squeeze(n.e.sliceAxis(pairs, 4, m.constant(i), m.constant(1)), 4); };
    auto [real, imaginary] = rotate(n.e, part(0), part(1), *cos, *sin);
    out = n.e.reshape(n.e.concat({n.e.unsqueeze(real, 4), n.e.unsqueeze(imaginary, 4)}, 4), turning.dims);
  } else {
    auto [real, imaginary] =
        rotate(n.e, n.e.sliceAxis(turning, 3, m.constant(0), half), n.e.sliceAxis(turning, 3, half, half), *cos, *sin);
    out = n.e.concat({real, imaginary}, 3);
  }
  if (rotated < size)
    out = n.e.concat({out, n.e.sliceAxis(x, 3, m.constant(rotated), m.constant(size - rotated))}, 3);
  return n.set(0, n.e.reshape(out, n.in(0).dims));
}
} // namespace

void registerAttention(Registry &r) {
  r.add({
      {"", "Attention", 23, kNewest, 3, 7,
       "is_causal kv_num_heads q_num_heads qk_matmul_output_mode scale softcap softmax_precision", importAttention,
       "statistics in float or wider"},
      {"", "RotaryEmbedding", 23, kNewest, 3, 4, "interleaved num_heads rotary_embedding_dim", importRotaryEmbedding},
  });
}

} // namespace mlir::qtensor::onnx
