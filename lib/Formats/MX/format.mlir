// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elements and scale of OCP Microscaling 1.0.
#e2m1 = #qtensor.codec<4, fp<2, 1, bias 1, finite, sign>>
#e2m3 = #qtensor.codec<6, fp<2, 3, bias 1, finite, sign>>
#e3m2 = #qtensor.codec<6, fp<3, 2, bias 3, finite, sign>>
#e8m0 = #qtensor.codec<8, fp<8, 0, bias 127, finite>, nan = 255>
