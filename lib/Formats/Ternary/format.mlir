// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// -1, 0, 1 as codes 0, 1, 2. Code 3 is never produced and decodes to 2.
#ternary = #qtensor.codec<2, int<offset 1>, amax = 1.0>
