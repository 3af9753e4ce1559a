; SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
; What LLVM calls where RV32IM has no instruction, by the names and conventions of GCC's library, made of the functions in
; lib/Emit/Firmware/Helpers.

define i32 @processor_divides() {
  ret i32 1
}

define i32 @processor_multiplies_long() {
  ret i32 1
}

define i32 @processor_counts_zeros() {
  ret i32 0
}

declare i32 @f32_add(i32, i32)
declare i32 @f32_multiply(i32, i32)
declare i32 @f32_divide(i32, i32)
declare i32 @f32_fma(i32, i32, i32)
declare i32 @f32_from_f16(i32)
declare i32 @f16_from_f32(i32)
declare i32 @f32_root(i32)
declare i32 @f32_remainder(i32, i32)
declare i32 @f32_sine(i32)
declare i32 @f32_cosine(i32)
declare i32 @f32_is_less(i32, i32)
declare i32 @f32_is_at_most(i32, i32)
declare i32 @f32_is_equal(i32, i32)
declare i32 @f32_is_unordered(i32, i32)
declare i32 @f32_from_i32(i32)
declare i32 @f32_from_u32(i32)
declare i32 @f32_from_i64(i64)
declare i32 @f32_from_u64(i64)
declare i32 @i32_from_f32(i32)
declare i32 @u32_from_f32(i32)
declare i64 @i64_from_f32(i32)
declare i64 @u64_from_f32(i32)
declare i64 @u64_divide(i64, i64, ptr)
declare i64 @i64_divide(i64, i64, ptr)

define i32 @__addsf3(i32 %a, i32 %b) {
  %made = tail call i32 @f32_add(i32 %a, i32 %b)
  ret i32 %made
}

define i32 @__subsf3(i32 %a, i32 %b) {
  %minus = xor i32 %b, -2147483648
  %made = tail call i32 @__addsf3(i32 %a, i32 %minus)
  ret i32 %made
}

define i32 @__mulsf3(i32 %a, i32 %b) {
  %made = tail call i32 @f32_multiply(i32 %a, i32 %b)
  ret i32 %made
}

define i32 @__divsf3(i32 %a, i32 %b) {
  %made = tail call i32 @f32_divide(i32 %a, i32 %b)
  ret i32 %made
}

define i32 @fmaf(i32 %a, i32 %b, i32 %c) {
  %made = tail call i32 @f32_fma(i32 %a, i32 %b, i32 %c)
  ret i32 %made
}

define i32 @sqrtf(i32 %a) {
  %made = tail call i32 @f32_root(i32 %a)
  ret i32 %made
}

define i32 @fmodf(i32 %a, i32 %b) {
  %made = tail call i32 @f32_remainder(i32 %a, i32 %b)
  ret i32 %made
}

define i32 @sinf(i32 %a) {
  %made = tail call i32 @f32_sine(i32 %a)
  ret i32 %made
}

define i32 @cosf(i32 %a) {
  %made = tail call i32 @f32_cosine(i32 %a)
  ret i32 %made
}

define i32 @__extendhfsf2(i32 %a) {
  %made = tail call i32 @f32_from_f16(i32 %a)
  ret i32 %made
}

define i32 @__truncsfhf2(i32 %a) {
  %made = tail call i32 @f16_from_f32(i32 %a)
  ret i32 %made
}

; Comparisons with 0 of what these return are those of the operands; what is not ordered compares as neither.
define i32 @__eqsf2(i32 %a, i32 %b) {
  %made = tail call i32 @f32_is_equal(i32 %a, i32 %b)
  %result = xor i32 %made, 1
  ret i32 %result
}

define i32 @__nesf2(i32 %a, i32 %b) {
  %made = tail call i32 @f32_is_equal(i32 %a, i32 %b)
  %result = xor i32 %made, 1
  ret i32 %result
}

define i32 @__ltsf2(i32 %a, i32 %b) {
  %made = tail call i32 @f32_is_less(i32 %a, i32 %b)
  %result = sub i32 0, %made
  ret i32 %result
}

define i32 @__gtsf2(i32 %a, i32 %b) {
  %made = tail call i32 @f32_is_less(i32 %b, i32 %a)
  ret i32 %made
}

define i32 @__lesf2(i32 %a, i32 %b) {
  %made = tail call i32 @f32_is_at_most(i32 %a, i32 %b)
  %result = xor i32 %made, 1
  ret i32 %result
}

define i32 @__gesf2(i32 %a, i32 %b) {
  %made = tail call i32 @f32_is_at_most(i32 %b, i32 %a)
  %result = sub i32 %made, 1
  ret i32 %result
}

define i32 @__unordsf2(i32 %a, i32 %b) {
  %made = tail call i32 @f32_is_unordered(i32 %a, i32 %b)
  ret i32 %made
}

define i32 @__floatsisf(i32 %a) {
  %made = tail call i32 @f32_from_i32(i32 %a)
  ret i32 %made
}

define i32 @__floatunsisf(i32 %a) {
  %made = tail call i32 @f32_from_u32(i32 %a)
  ret i32 %made
}

define i32 @__floatdisf(i64 %a) {
  %made = tail call i32 @f32_from_i64(i64 %a)
  ret i32 %made
}

define i32 @__floatundisf(i64 %a) {
  %made = tail call i32 @f32_from_u64(i64 %a)
  ret i32 %made
}

define i32 @__fixsfsi(i32 %a) {
  %made = tail call i32 @i32_from_f32(i32 %a)
  ret i32 %made
}

define i32 @__fixunssfsi(i32 %a) {
  %made = tail call i32 @u32_from_f32(i32 %a)
  ret i32 %made
}

define i64 @__fixsfdi(i32 %a) {
  %made = tail call i64 @i64_from_f32(i32 %a)
  ret i64 %made
}

define i64 @__fixunssfdi(i32 %a) {
  %made = tail call i64 @u64_from_f32(i32 %a)
  ret i64 %made
}

define i64 @__udivdi3(i64 %n, i64 %d) {
  %place = alloca i64
  %quotient = call i64 @u64_divide(i64 %n, i64 %d, ptr %place)
  ret i64 %quotient
}

define i64 @__umoddi3(i64 %n, i64 %d) {
  %place = alloca i64
  %quotient = call i64 @u64_divide(i64 %n, i64 %d, ptr %place)
  %rest = load i64, ptr %place
  ret i64 %rest
}

define i64 @__divdi3(i64 %n, i64 %d) {
  %place = alloca i64
  %quotient = call i64 @i64_divide(i64 %n, i64 %d, ptr %place)
  ret i64 %quotient
}

define i64 @__moddi3(i64 %n, i64 %d) {
  %place = alloca i64
  %quotient = call i64 @i64_divide(i64 %n, i64 %d, ptr %place)
  %rest = load i64, ptr %place
  ret i64 %rest
}
