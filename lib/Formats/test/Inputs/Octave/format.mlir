// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Eight signed powers of two, for the test that drops this folder into a copy of lib/Formats.
#octave3 = #qtensor.codec<3, table<[-4.0, -2.0, -1.0, 0.0, 1.0, 2.0, 4.0, 8.0]>, tie = low>
#octave = #qtensor.format<block<octave3, [1, 16], scale = f16>,
  layout = <[1, 16] in 8, codes = [3 : (i) -> (i * 3)], scale = [16 : (i) -> (48)]>,
  aliases = {test = "OCTAVE"}, summary = "A format that no other file knows">
