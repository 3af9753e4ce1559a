/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * Vectors of any length: there is no other C for them. */
#if !defined(__riscv_v_intrinsic) || !defined(__riscv_zve32x)
#error "This file needs a RISC-V compiler with the vector intrinsics 1.0 (clang 17 or GCC 14, and -march with Zve32x or V)."
#endif
#include <riscv_vector.h>
