; SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
; What LLVM calls where a Cortex-M has no instruction, by the names and conventions of "Run-time ABI for the Arm Architecture", made of
; the functions in lib/Emit/Firmware/Helpers.

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
declare i64 @u64_multiply(i64, i64)
declare i64 @u64_shift_left(i64, i32)
declare i64 @u64_shift_right(i64, i32)
declare i64 @i64_shift_right(i64, i32)
declare i32 @u32_divide(i32, i32, ptr)
declare i32 @i32_divide(i32, i32, ptr)
declare i64 @u64_divide(i64, i64, ptr)
declare i64 @i64_divide(i64, i64, ptr)

define i32 @__aeabi_fadd(i32 %a, i32 %b) {
  %made = tail call i32 @f32_add(i32 %a, i32 %b)
  ret i32 %made
}

define i32 @__aeabi_fsub(i32 %a, i32 %b) {
  %minus = xor i32 %b, -2147483648
  %made = tail call i32 @__aeabi_fadd(i32 %a, i32 %minus)
  ret i32 %made
}

define i32 @__aeabi_fmul(i32 %a, i32 %b) {
  %made = tail call i32 @f32_multiply(i32 %a, i32 %b)
  ret i32 %made
}

define i32 @__aeabi_fdiv(i32 %a, i32 %b) {
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

define i32 @__aeabi_h2f(i32 %a) {
  %made = tail call i32 @f32_from_f16(i32 %a)
  ret i32 %made
}

define i32 @__aeabi_f2h(i32 %a) {
  %made = tail call i32 @f16_from_f32(i32 %a)
  ret i32 %made
}

define i32 @__aeabi_fcmpeq(i32 %a, i32 %b) {
  %made = tail call i32 @f32_is_equal(i32 %a, i32 %b)
  ret i32 %made
}

define i32 @__aeabi_fcmplt(i32 %a, i32 %b) {
  %made = tail call i32 @f32_is_less(i32 %a, i32 %b)
  ret i32 %made
}

define i32 @__aeabi_fcmple(i32 %a, i32 %b) {
  %made = tail call i32 @f32_is_at_most(i32 %a, i32 %b)
  ret i32 %made
}

define i32 @__aeabi_fcmpge(i32 %a, i32 %b) {
  %made = tail call i32 @f32_is_at_most(i32 %b, i32 %a)
  ret i32 %made
}

define i32 @__aeabi_fcmpgt(i32 %a, i32 %b) {
  %made = tail call i32 @f32_is_less(i32 %b, i32 %a)
  ret i32 %made
}

define i32 @__aeabi_fcmpun(i32 %a, i32 %b) {
  %made = tail call i32 @f32_is_unordered(i32 %a, i32 %b)
  ret i32 %made
}

define i32 @__aeabi_i2f(i32 %a) {
  %made = tail call i32 @f32_from_i32(i32 %a)
  ret i32 %made
}

define i32 @__aeabi_ui2f(i32 %a) {
  %made = tail call i32 @f32_from_u32(i32 %a)
  ret i32 %made
}

define i32 @__aeabi_l2f(i64 %a) {
  %made = tail call i32 @f32_from_i64(i64 %a)
  ret i32 %made
}

define i32 @__aeabi_ul2f(i64 %a) {
  %made = tail call i32 @f32_from_u64(i64 %a)
  ret i32 %made
}

define i32 @__aeabi_f2iz(i32 %a) {
  %made = tail call i32 @i32_from_f32(i32 %a)
  ret i32 %made
}

define i32 @__aeabi_f2uiz(i32 %a) {
  %made = tail call i32 @u32_from_f32(i32 %a)
  ret i32 %made
}

define i64 @__aeabi_f2lz(i32 %a) {
  %made = tail call i64 @i64_from_f32(i32 %a)
  ret i64 %made
}

define i64 @__aeabi_f2ulz(i32 %a) {
  %made = tail call i64 @u64_from_f32(i32 %a)
  ret i64 %made
}

define i64 @__aeabi_lmul(i64 %a, i64 %b) {
  %made = tail call i64 @u64_multiply(i64 %a, i64 %b)
  ret i64 %made
}

define i64 @__aeabi_llsl(i64 %a, i32 %b) {
  %made = tail call i64 @u64_shift_left(i64 %a, i32 %b)
  ret i64 %made
}

define i64 @__aeabi_llsr(i64 %a, i32 %b) {
  %made = tail call i64 @u64_shift_right(i64 %a, i32 %b)
  ret i64 %made
}

define i64 @__aeabi_lasr(i64 %a, i32 %b) {
  %made = tail call i64 @i64_shift_right(i64 %a, i32 %b)
  ret i64 %made
}

; Quotients come with their rests, in the registers behind them.
define { i32, i32 } @__aeabi_uidivmod(i32 %n, i32 %d) {
  %place = alloca i32
  %quotient = call i32 @u32_divide(i32 %n, i32 %d, ptr %place)
  %rest = load i32, ptr %place
  %made0 = insertvalue { i32, i32 } poison, i32 %quotient, 0
  %made = insertvalue { i32, i32 } %made0, i32 %rest, 1
  ret { i32, i32 } %made
}

define { i32, i32 } @__aeabi_idivmod(i32 %n, i32 %d) {
  %place = alloca i32
  %quotient = call i32 @i32_divide(i32 %n, i32 %d, ptr %place)
  %rest = load i32, ptr %place
  %made0 = insertvalue { i32, i32 } poison, i32 %quotient, 0
  %made = insertvalue { i32, i32 } %made0, i32 %rest, 1
  ret { i32, i32 } %made
}

define { i64, i64 } @__aeabi_uldivmod(i64 %n, i64 %d) {
  %place = alloca i64
  %quotient = call i64 @u64_divide(i64 %n, i64 %d, ptr %place)
  %rest = load i64, ptr %place
  %made0 = insertvalue { i64, i64 } poison, i64 %quotient, 0
  %made = insertvalue { i64, i64 } %made0, i64 %rest, 1
  ret { i64, i64 } %made
}

define { i64, i64 } @__aeabi_ldivmod(i64 %n, i64 %d) {
  %place = alloca i64
  %quotient = call i64 @i64_divide(i64 %n, i64 %d, ptr %place)
  %rest = load i64, ptr %place
  %made0 = insertvalue { i64, i64 } poison, i64 %quotient, 0
  %made = insertvalue { i64, i64 } %made0, i64 %rest, 1
  ret { i64, i64 } %made
}

define i32 @__aeabi_uidiv(i32 %n, i32 %d) {
  %place = alloca i32
  %quotient = call i32 @u32_divide(i32 %n, i32 %d, ptr %place)
  ret i32 %quotient
}

define i32 @__aeabi_idiv(i32 %n, i32 %d) {
  %place = alloca i32
  %quotient = call i32 @i32_divide(i32 %n, i32 %d, ptr %place)
  ret i32 %quotient
}
