// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Einsum: one contraction whose loops are the letters of the equation.
#include "lib/Import/ONNX/Ops/Contract.h"
#include "lib/Import/ONNX/Registry.h"
#include <map>

namespace mlir::qtensor::onnx {
namespace {
struct Equation {
  std::vector<std::string> inputs;
  std::string output;
};

FailureOr<Equation> parseEquation(NodeContext &n) {
  std::string text;
  for (char c : n.attrString("equation", ""))
    if (c != ' ')
      text += c;
  if (StringRef(text).contains('.'))
    return n.fail("an equation with '...' is not supported; name every dimension");
  auto [left, right] = StringRef(text).split("->");
  Equation equation;
  SmallVector<StringRef> terms;
  left.split(terms, ',');
  for (StringRef term : terms)
    equation.inputs.push_back(term.str());
  for (char c : left.str() + right.str())
    if (c != ',' && !llvm::isAlpha(c))
      return n.fail("the equation has the character '" + Twine(c) + "'");
  equation.output = right.str();
  if (!StringRef(text).contains("->")) // implicit: the letters that occur once, in order
    for (char c = 'A'; c <= 'z'; ++c)
      if (llvm::isAlpha(c) && left.count(c) == 1)
        equation.output += c;
  if (equation.inputs.size() != n.numInputs())
    return n.fail("the equation has " + Twine(equation.inputs.size()) + " terms for " + Twine(n.numInputs()) +
                  " inputs");
  return equation;
}

/// Extent of each letter; the letters of the output come first.
LogicalResult readLetters(NodeContext &n, const Equation &equation, std::string &letters,
                          std::map<char, OpFoldResult> &extents) {
  letters = equation.output;
  for (auto [i, term] : llvm::enumerate(equation.inputs)) {
    if (!n.has(i) || n.in(i).elem != n.in(0).elem || n.in(i).rank() != static_cast<int64_t>(term.size()))
      return n.fail("input " + Twine(i) + " does not fit the term '" + term + "'");
    for (auto [letter, dim] : llvm::zip(term, n.in(i).dims)) {
      auto [entry, isNew] = extents.try_emplace(letter, dim);
      if (!StringRef(letters).contains(letter))
        letters += letter;
      auto have = DimMath::number(entry->second), other = DimMath::number(dim);
      if (have && other && *have != *other)
        return n.fail("letter '" + Twine(letter) + "' stands for the extents " + Twine(*have) + " and " +
                      Twine(*other));
      if (!have)
        entry->second = dim;
    }
  }
  for (char letter : equation.output)
    if (!extents.count(letter) || StringRef(equation.output).count(letter) != 1)
      return n.fail("letter '" + Twine(letter) + "' of the result is in no input, or twice in the result");
  return success();
}

LogicalResult importEinsum(NodeContext &n) {
  FailureOr<Equation> equation = parseEquation(n);
  std::string letters;
  std::map<char, OpFoldResult> extents;
  if (failed(equation) || failed(readLetters(n, *equation, letters, extents)))
    return failure();
  auto map = [&](StringRef term) {
    SmallVector<AffineExpr> exprs;
    for (char letter : term)
      exprs.push_back(n.e.b.getAffineDimExpr(letters.find(letter)));
    return AffineMap::get(letters.size(), 0, exprs, n.e.b.getContext());
  };
  SmallVector<AffineMap> maps;
  SmallVector<Value> tensors;
  for (auto [i, term] : llvm::enumerate(equation->inputs)) {
    for (auto [letter, dim] : llvm::zip_equal(term, n.in(i).dims))
      n.e.requireEqual(dim, extents[letter], "letter '" + Twine(letter) + "' stands for extents that differ");
    maps.push_back(map(term));
    tensors.push_back(n.e.tensor(n.in(i)));
  }
  maps.push_back(map(equation->output));
  Dims dims;
  for (char letter : equation->output)
    dims.push_back(extents[letter]);
  SmallVector<utils::IteratorType> iterators(dims.size(), utils::IteratorType::parallel);
  iterators.append(letters.size() - dims.size(), utils::IteratorType::reduction);
  Elem elem = n.in(0).elem, wide = accumulatorOf(elem);
  Value out = n.e.generic(tensors, n.e.filled(dims, wide, 0), maps, iterators, [&](Scalar &s, ValueRange in) {
    Type type = in.back().getType();
    Value product = s.widen(in[0], type, isUnsigned(elem));
    for (size_t i = 1; i < tensors.size(); ++i)
      product = s.mul(product, s.widen(in[i], type, isUnsigned(elem)));
    return s.add(in.back(), product);
  });
  return n.set(0, n.e.cast(n.e.wrap(out, wide, dims), elem));
}
} // namespace

void registerEinsum(Registry &r) {
  r.add({{"", "Einsum", 12, kNewest, 1, kAny, "equation", importEinsum, "no '...'"}});
}

} // namespace mlir::qtensor::onnx
