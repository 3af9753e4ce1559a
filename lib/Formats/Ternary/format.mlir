// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// -1, 0, 1 as codes 0, 1, 2. Code 3 is never produced and decodes to 2.
#ternary = #qtensor.codec<2, int<offset 1>, amax = 1.0>
// The same three values, and no fourth: packed weights hold them as digits, five a byte.
#trit = #qtensor.codec<2, int<offset 1>, amax = 1.0, count = 3>
