// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Small damage at places that matter: numbers, names, brackets, and the ends of files.
#include "Hostile.h"
#include "test/tools/qtensor-conformance/Random.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::qtensor;
using mlir::qtensor::conformance::Random;

static bool isWord(char c) { return llvm::isAlnum(c) || StringRef("_%#!@.").contains(c); }

/// Words (names and numbers), runs of blanks, and single characters.
static std::vector<StringRef> tokenize(StringRef text) {
  std::vector<StringRef> tokens;
  while (!text.empty()) {
    size_t size = 1;
    auto run = [&](auto belongs) {
      while (size < text.size() && belongs(text[size]))
        ++size;
    };
    if (llvm::isDigit(text[0])) // the x of a shape ends a number
      run(llvm::isDigit);
    else if (isWord(text[0]))
      run(isWord);
    else if (llvm::isSpace(text[0]))
      run([](char c) { return llvm::isSpace(c); });
    tokens.push_back(text.take_front(size));
    text = text.drop_front(size);
  }
  return tokens;
}

static constexpr StringLiteral kNumbers[] = {"0",
                                             "1",
                                             "-1",
                                             "2",
                                             "3",
                                             "31",
                                             "33",
                                             "255",
                                             "256",
                                             "65536",
                                             "2147483647",
                                             "2147483648",
                                             "4294967296",
                                             "4611686018427387904",
                                             "9223372036854775807",
                                             "9223372036854775808",
                                             "99999999999999999999999",
                                             "?",
                                             "1.5",
                                             "-0.0",
                                             "1e400",
                                             "0x7FC00000",
                                             ""};

static bool isInteresting(StringRef token) { return !llvm::isSpace(token[0]); }

static size_t pickToken(ArrayRef<StringRef> tokens, Random &random) {
  size_t index;
  do
    index = random.below(tokens.size());
  while (!isInteresting(tokens[index]));
  return index;
}

static size_t pickNumber(ArrayRef<StringRef> tokens, Random &random) {
  for (int tries = 0; tries < 64; ++tries)
    if (size_t index = pickToken(tokens, random); llvm::isDigit(tokens[index][0]))
      return index;
  return pickToken(tokens, random);
}

std::string hostile::mutateText(StringRef input, ArrayRef<std::string> others, uint64_t seed) {
  Random random(seed, input);
  std::vector<StringRef> tokens = tokenize(input);
  std::vector<StringRef> donor = tokenize(others[random.below(others.size())]);
  if (!llvm::any_of(tokens, isInteresting) || !llvm::any_of(donor, isInteresting))
    return "";
  for (unsigned count = 1 + random.below(3); count; --count) {
    size_t at = pickToken(tokens, random);
    switch (random.below(8)) {
    case 0:
    case 1:
    case 2:
      tokens[pickNumber(tokens, random)] = random.pick(ArrayRef(kNumbers));
      break;
    case 3:
      tokens[at] = donor[pickToken(donor, random)];
      break;
    case 4:
      tokens[at] = tokens[pickToken(tokens, random)];
      break;
    case 5:
      tokens.erase(tokens.begin() + at);
      break;
    case 6:
      tokens.insert(tokens.begin() + at, tokens[pickToken(tokens, random)]);
      break;
    case 7:
      if (random.oneIn(4))
        tokens.resize(at + 1);
      else
        std::swap(tokens[at], tokens[pickToken(tokens, random)]);
      break;
    }
    if (!llvm::any_of(tokens, isInteresting))
      break;
  }
  return llvm::join(tokens, "");
}

std::string hostile::mutateBytes(StringRef input, uint64_t seed) {
  // Only the end is cut off: upstream's reader of bytecode trusts the offsets that it finds, so wrong bytes inside can
  // make it loop for ever, and nothing in this process could stop it.
  Random random(seed, input);
  return input.take_front(input.empty() ? 0 : random.below(input.size())).str();
}
