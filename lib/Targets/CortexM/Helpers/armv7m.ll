; SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
; Armv7-M and what follows it.

define i32 @processor_divides() {
  ret i32 1
}

define i32 @processor_multiplies_long() {
  ret i32 1
}

define i32 @processor_counts_zeros() {
  ret i32 1
}
