// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The two interchange formats of "FP8 Formats for Deep Learning".
#e4m3fn = #qtensor.codec<8, fp<4, 3, bias 7, fn, sign>>
#e5m2 = #qtensor.codec<8, fp<5, 2, bias 15, ieee, sign>>
