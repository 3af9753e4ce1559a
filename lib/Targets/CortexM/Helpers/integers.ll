; SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
; What LLVM calls for integers where Armv6-M has no instruction, by the names and conventions of "Run-time ABI for the Arm
; Architecture". A model's object takes those that it calls, so that its stack is known to the byte and it links without a library.
; Quotients by 0 are 0 with the dividend left, as nobody asks for them.

; Products of 16-bit halves: the processor multiplies 32 bits to 32.
define i64 @__aeabi_lmul(i64 %a, i64 %b) {
  %al = trunc i64 %a to i32
  %bl = trunc i64 %b to i32
  %as = lshr i64 %a, 32
  %bs = lshr i64 %b, 32
  %ah = trunc i64 %as to i32
  %bh = trunc i64 %bs to i32
  %cross0 = mul i32 %al, %bh
  %cross1 = mul i32 %ah, %bl
  %cross = add i32 %cross0, %cross1
  %a0 = and i32 %al, 65535
  %a1 = lshr i32 %al, 16
  %b0 = and i32 %bl, 65535
  %b1 = lshr i32 %bl, 16
  %p00 = mul i32 %a0, %b0
  %p01 = mul i32 %a0, %b1
  %p10 = mul i32 %a1, %b0
  %p11 = mul i32 %a1, %b1
  %carry = lshr i32 %p00, 16
  %m = add i32 %p10, %carry
  %m0 = and i32 %m, 65535
  %n = add i32 %p01, %m0
  %p00low = and i32 %p00, 65535
  %nshifted = shl i32 %n, 16
  %low = or i32 %nshifted, %p00low
  %m1 = lshr i32 %m, 16
  %n1 = lshr i32 %n, 16
  %h0 = add i32 %p11, %m1
  %h1 = add i32 %h0, %n1
  %high = add i32 %h1, %cross
  %low64 = zext i32 %low to i64
  %high64 = zext i32 %high to i64
  %highs = shl i64 %high64, 32
  %product = or i64 %highs, %low64
  ret i64 %product
}

; Shifts by 0 to 63. What crosses from one half to the other goes by one bit and then by the rest, so that no shift is by 32.
define i64 @__aeabi_llsl(i64 %x, i32 %bits) {
  %l = trunc i64 %x to i32
  %xs = lshr i64 %x, 32
  %h = trunc i64 %xs to i32
  %n = and i32 %bits, 31
  %rest = xor i32 %n, 31
  %is_far = icmp ugt i32 %bits, 31
  %half = lshr i32 %l, 1
  %crossing = lshr i32 %half, %rest
  %hn = shl i32 %h, %n
  %near = or i32 %hn, %crossing
  %ln = shl i32 %l, %n
  %high = select i1 %is_far, i32 %ln, i32 %near
  %low = select i1 %is_far, i32 0, i32 %ln
  %low64 = zext i32 %low to i64
  %high64 = zext i32 %high to i64
  %highs = shl i64 %high64, 32
  %made = or i64 %highs, %low64
  ret i64 %made
}

define i64 @__aeabi_llsr(i64 %x, i32 %bits) {
  %l = trunc i64 %x to i32
  %xs = lshr i64 %x, 32
  %h = trunc i64 %xs to i32
  %n = and i32 %bits, 31
  %rest = xor i32 %n, 31
  %is_far = icmp ugt i32 %bits, 31
  %twice = shl i32 %h, 1
  %crossing = shl i32 %twice, %rest
  %ln = lshr i32 %l, %n
  %near = or i32 %ln, %crossing
  %hn = lshr i32 %h, %n
  %low = select i1 %is_far, i32 %hn, i32 %near
  %high = select i1 %is_far, i32 0, i32 %hn
  %low64 = zext i32 %low to i64
  %high64 = zext i32 %high to i64
  %highs = shl i64 %high64, 32
  %made = or i64 %highs, %low64
  ret i64 %made
}

define i64 @__aeabi_lasr(i64 %x, i32 %bits) {
  %l = trunc i64 %x to i32
  %xs = lshr i64 %x, 32
  %h = trunc i64 %xs to i32
  %n = and i32 %bits, 31
  %rest = xor i32 %n, 31
  %is_far = icmp ugt i32 %bits, 31
  %twice = shl i32 %h, 1
  %crossing = shl i32 %twice, %rest
  %ln = lshr i32 %l, %n
  %near = or i32 %ln, %crossing
  %hn = ashr i32 %h, %n
  %sign = ashr i32 %h, 31
  %low = select i1 %is_far, i32 %hn, i32 %near
  %high = select i1 %is_far, i32 %sign, i32 %hn
  %low64 = zext i32 %low to i64
  %high64 = zext i32 %high to i64
  %highs = shl i64 %high64, 32
  %made = or i64 %highs, %low64
  ret i64 %made
}

; The divisor goes up to the dividend's first bit, and comes down again bit by bit.
define { i32, i32 } @__aeabi_uidivmod(i32 %n, i32 %d) {
start:
  %no_divisor = icmp eq i32 %d, 0
  br i1 %no_divisor, label %nothing, label %up
nothing:
  %none = insertvalue { i32, i32 } zeroinitializer, i32 %n, 1
  ret { i32, i32 } %none
up:
  %u = phi i32 [ %d, %start ], [ %u2, %higher ]
  %bit = phi i32 [ 1, %start ], [ %bit2, %higher ]
  %is_below = icmp ult i32 %u, %n
  %has_room = icmp sgt i32 %u, -1
  %goes_up = and i1 %is_below, %has_room
  br i1 %goes_up, label %higher, label %down
higher:
  %u2 = shl i32 %u, 1
  %bit2 = shl i32 %bit, 1
  br label %up
down:
  %v = phi i32 [ %u, %up ], [ %v2, %down ]
  %b = phi i32 [ %bit, %up ], [ %b2, %down ]
  %r = phi i32 [ %n, %up ], [ %r2, %down ]
  %q = phi i32 [ 0, %up ], [ %q2, %down ]
  %fits = icmp uge i32 %r, %v
  %less = sub i32 %r, %v
  %more = or i32 %q, %b
  %r2 = select i1 %fits, i32 %less, i32 %r
  %q2 = select i1 %fits, i32 %more, i32 %q
  %v2 = lshr i32 %v, 1
  %b2 = lshr i32 %b, 1
  %is_last = icmp eq i32 %b2, 0
  br i1 %is_last, label %end, label %down
end:
  %made0 = insertvalue { i32, i32 } poison, i32 %q2, 0
  %made = insertvalue { i32, i32 } %made0, i32 %r2, 1
  ret { i32, i32 } %made
}

define i32 @__aeabi_uidiv(i32 %n, i32 %d) {
  %both = call { i32, i32 } @__aeabi_uidivmod(i32 %n, i32 %d)
  %q = extractvalue { i32, i32 } %both, 0
  ret i32 %q
}

define { i32, i32 } @__aeabi_idivmod(i32 %n, i32 %d) {
  %ns = ashr i32 %n, 31
  %ds = ashr i32 %d, 31
  %nx = xor i32 %n, %ns
  %dx = xor i32 %d, %ds
  %na = sub i32 %nx, %ns
  %da = sub i32 %dx, %ds
  %both = call { i32, i32 } @__aeabi_uidivmod(i32 %na, i32 %da)
  %q = extractvalue { i32, i32 } %both, 0
  %r = extractvalue { i32, i32 } %both, 1
  %s = xor i32 %ns, %ds
  %qx = xor i32 %q, %s
  %rx = xor i32 %r, %ns
  %qa = sub i32 %qx, %s
  %ra = sub i32 %rx, %ns
  %made0 = insertvalue { i32, i32 } poison, i32 %qa, 0
  %made = insertvalue { i32, i32 } %made0, i32 %ra, 1
  ret { i32, i32 } %made
}

define i32 @__aeabi_idiv(i32 %n, i32 %d) {
  %both = call { i32, i32 } @__aeabi_idivmod(i32 %n, i32 %d)
  %q = extractvalue { i32, i32 } %both, 0
  ret i32 %q
}

; The same for 64 bits, which no Cortex-M divides.
define { i64, i64 } @__aeabi_uldivmod(i64 %n, i64 %d) {
start:
  %no_divisor = icmp eq i64 %d, 0
  br i1 %no_divisor, label %nothing, label %up
nothing:
  %none = insertvalue { i64, i64 } zeroinitializer, i64 %n, 1
  ret { i64, i64 } %none
up:
  %u = phi i64 [ %d, %start ], [ %u2, %higher ]
  %bit = phi i64 [ 1, %start ], [ %bit2, %higher ]
  %is_below = icmp ult i64 %u, %n
  %has_room = icmp sgt i64 %u, -1
  %goes_up = and i1 %is_below, %has_room
  br i1 %goes_up, label %higher, label %down
higher:
  %u2 = shl i64 %u, 1
  %bit2 = shl i64 %bit, 1
  br label %up
down:
  %v = phi i64 [ %u, %up ], [ %v2, %down ]
  %b = phi i64 [ %bit, %up ], [ %b2, %down ]
  %r = phi i64 [ %n, %up ], [ %r2, %down ]
  %q = phi i64 [ 0, %up ], [ %q2, %down ]
  %fits = icmp uge i64 %r, %v
  %less = sub i64 %r, %v
  %more = or i64 %q, %b
  %r2 = select i1 %fits, i64 %less, i64 %r
  %q2 = select i1 %fits, i64 %more, i64 %q
  %v2 = lshr i64 %v, 1
  %b2 = lshr i64 %b, 1
  %is_last = icmp eq i64 %b2, 0
  br i1 %is_last, label %end, label %down
end:
  %made0 = insertvalue { i64, i64 } poison, i64 %q2, 0
  %made = insertvalue { i64, i64 } %made0, i64 %r2, 1
  ret { i64, i64 } %made
}

define { i64, i64 } @__aeabi_ldivmod(i64 %n, i64 %d) {
  %ns = ashr i64 %n, 63
  %ds = ashr i64 %d, 63
  %nx = xor i64 %n, %ns
  %dx = xor i64 %d, %ds
  %na = sub i64 %nx, %ns
  %da = sub i64 %dx, %ds
  %both = call { i64, i64 } @__aeabi_uldivmod(i64 %na, i64 %da)
  %q = extractvalue { i64, i64 } %both, 0
  %r = extractvalue { i64, i64 } %both, 1
  %s = xor i64 %ns, %ds
  %qx = xor i64 %q, %s
  %rx = xor i64 %r, %ns
  %qa = sub i64 %qx, %s
  %ra = sub i64 %rx, %ns
  %made0 = insertvalue { i64, i64 } poison, i64 %qa, 0
  %made = insertvalue { i64, i64 } %made0, i64 %ra, 1
  ret { i64, i64 } %made
}
