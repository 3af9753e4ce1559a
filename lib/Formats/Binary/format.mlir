// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The sign: 0 is -1, 1 is +1, and zero is positive.
#binary = #qtensor.codec<1, table<[-1.0, 1.0]>, tie = up>
