// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Instructions on pairs of 16-bit numbers.
#pragma once
#include "lib/Transforms/Firmware/KernelBuilder.h"

namespace mlir::qtensor::cortexm {

/// sum + low half * low half + high half * high half.
inline Value smlad(firmware::KernelBuilder &k, Value x, Value y, Value sum) {
  return k.intrinsic("llvm.arm.smlad", k.i32(), {x, y, sum});
}
/// The same, in the order in which it is written, and the sum stays in its register. LLVM's scheduler loads ahead until
/// the registers of a tile no longer suffice.
inline Value smladInOrder(firmware::KernelBuilder &k, Value x, Value y, Value sum) {
  return k.assemble("smlad $0, $1, $2, $3", "=r,r,r,0", {x, y, sum});
}
/// The same, to a sum of 64 bits.
inline Value smlald(firmware::KernelBuilder &k, Value x, Value y, Value sum) {
  return k.intrinsic("llvm.arm.smlald", k.i64(), {x, y, sum});
}
/// The halves are bytes 0 and 2, signed; 1 and 3.
inline Value evenBytes(firmware::KernelBuilder &k, Value x) { return k.intrinsic("llvm.arm.sxtb16", k.i32(), {x}); }
inline Value oddBytes(firmware::KernelBuilder &k, Value x) {
  return evenBytes(k, k.either(k.rightUnsigned(x, 8), k.left(x, 24)));
}

} // namespace mlir::qtensor::cortexm
