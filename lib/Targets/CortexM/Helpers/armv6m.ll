; SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
; Armv6-M has one product, of 32 bits.

define i32 @processor_divides() {
  ret i32 0
}

define i32 @processor_multiplies_long() {
  ret i32 0
}

define i32 @processor_counts_zeros() {
  ret i32 0
}
