// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The adaptive numerical types of ANT: the place of the leading one is the exponent. Signed types are a sign bit and
// the unsigned type of one bit less. Midpoints go to the larger magnitude.
#flint4 = #qtensor.codec<4, table<[0.0, 1.0, 2.0, 3.0, 16.0, 8.0, 4.0, 6.0,
  -0.0, -1.0, -2.0, -3.0, -16.0, -8.0, -4.0, -6.0]>, tie = away>
#flint4_unsigned = #qtensor.codec<4, table<[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0,
  64.0, 32.0, 16.0, 24.0, 8.0, 10.0, 12.0, 14.0]>, tie = away>
#pot4 = #qtensor.codec<4, table<[0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0,
  -0.0, -1.0, -2.0, -4.0, -8.0, -16.0, -32.0, -64.0]>, tie = away>
#pot4_unsigned = #qtensor.codec<4, table<[0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0,
  128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0, 16384.0]>, tie = away>
#e3m0 = #qtensor.codec<4, fp<3, 0, bias 3, finite, sign>, tie = away>
#e3m1_unsigned = #qtensor.codec<4, fp<3, 1, bias 1, finite>, tie = away>
