// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The builtin float types as codecs: codes are their bits.
#f16 = #qtensor.codec<16, fp<5, 10, bias 15, ieee, sign>>
#bf16 = #qtensor.codec<16, fp<8, 7, bias 127, ieee, sign>>
