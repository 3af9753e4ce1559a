// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Targets/CortexM/DspConv.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;
using namespace mlir::qtensor::cortexm;

void DspConv::copyCodes(KernelBuilder &k, Value from, Value to, int64_t count) const {
  if (count % 4) {
    auto copy = [&](Value i) { k.store(k.extend(k.load(k.at(from, i), k.i8()), k.i16()), k.at(to, k.left(i, 1))); };
    return k.loop(0, count, 1, copy);
  }
  auto copy = [&](Value from, Value to, int64_t words) {
    for (int64_t i = 0; i < words; ++i) {
      Value codes = k.load32(k.at(from, 4 * i));
      k.store(evenBytes(k, codes), k.at(to, 8 * i), 4);
      k.store(oddBytes(k, codes), k.at(to, 8 * i + 4), 4);
    }
  };
  constexpr int64_t unrolled = 4;
  int64_t words = count / 4, rest = words % unrolled;
  auto end = k.loop(0, words / unrolled, 1, ValueRange{from, to}, [&](Value, ValueRange at) {
    copy(at[0], at[1], unrolled);
    return SmallVector<Value>{k.at(at[0], 4 * unrolled), k.at(at[1], 8 * unrolled)};
  });
  copy(end[0], end[1], rest);
}

Value DspConv::loadHalf(KernelBuilder &k, Value from, int64_t half) const {
  if (!isDirect())
    return k.load32InOrder(k.at(from, 4 * half));
  Value codes = k.load32InOrder(from);
  return half ? oddBytes(k, codes) : evenBytes(k, codes);
}

Value DspConv::sumCodes(KernelBuilder &k, Value from, int64_t lanes) const {
  constexpr int64_t unrolled = 16;
  Value ones = k.number(0x00010001);
  auto add = [&](Value from, int64_t words, Value sum) {
    for (int64_t i = 0; i < words; ++i)
      sum = smladInOrder(k, loadHalf(k, k.at(from, i / 2 * 4 * shape.laneBytes), i % 2), ones, sum);
    return sum;
  };
  int64_t words = lanes / 2;
  auto state = k.loop(0, words / unrolled, 1, ValueRange{from, k.number(0)}, [&](Value, ValueRange at) {
    return SmallVector<Value>{k.at(at[0], 2 * shape.laneBytes * unrolled), add(at[0], unrolled, at[1])};
  });
  return add(state[0], words % unrolled, state[1]);
}

/// How many steps a turn of the loop makes: a divisor, or all where there are few.
static int64_t stepsPerTurn(int64_t steps, int64_t longest) {
  if (steps <= longest)
    return steps;
  for (int64_t candidate = longest; candidate > longest / 2; --candidate)
    if (steps % candidate == 0)
      return candidate;
  return longest;
}

SmallVector<Value> DspConv::sumWords(KernelBuilder &k, Tile &tile, int64_t weightBytes, SmallVector<Value> start,
                                     Step step, int64_t longest) const {
  int64_t steps = tile.lanes / 4, unrolled = stepsPerTurn(steps, longest), turns = steps / unrolled;
  int64_t stepBytes = 4 * shape.laneBytes;
  // Addresses are pinned, so that all of a turn are numbers beside them; at each step, or LLVM puts them on the stack.
  auto run = [&](Value &window, Value &weights, int64_t count, MutableArrayRef<Value> sums) {
    for (int64_t i = 0; i < count; ++i) {
      SmallVector<Value> pinned = k.pin({window, weights});
      window = pinned[0], weights = pinned[1];
      auto word = [&](int64_t half, int64_t p) {
        return loadHalf(k, k.at(window, p * tile.pixelBytes + stepBytes * i), half);
      };
      step(word, k.at(weights, weightBytes * i), sums);
    }
  };
  Value end = k.at(tile.window, stepBytes * unrolled * turns);
  SmallVector<Value> state{tile.window, tile.weights};
  state.append(start);
  auto turn = [&](ValueRange at, SmallVector<Value> &next) -> Value {
    SmallVector<Value> sums(at.drop_front(2));
    Value window = at[0], weights = at[1];
    run(window, weights, unrolled, sums);
    next = {k.at(window, stepBytes * unrolled), k.at(weights, weightBytes * unrolled)};
    next.append(sums);
    return k.isBefore(next[0], end);
  };
  SmallVector<Value> after;
  if (turns == 1)
    turn(state, after);
  else
    after = k.repeat(state, turn);
  SmallVector<Value> sums(ArrayRef<Value>(after).drop_front(2));
  int64_t rest = steps - turns * unrolled;
  run(after[0], after[1], rest, sums);
  tile.weights = k.at(after[1], weightBytes * rest);
  return sums;
}
