@ SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
.syntax unified
.thumb
push {r4,r5,lr}
push.w {r4-r11,lr}
ldm r0!,{r1,r2,r3}
ldm.w r0!,{r1,r2,r3,r4,r8}
ldrd r0,r1,[r2,#8]
strd r0,r1,[r2],#8
ldrex r0,[r1]
tbb [pc, r0]
sdiv r0,r1,r2
udiv r0,r1,r2
vldm r0!,{s0-s3}
vpush {d8-d15}
vpop {d8-d15}
vldr s0,[r0]
vldr d0,[r0]
vldrw.u32 q0,[r0]
vldrw.u32 q0,[r0],#16
vldrb.s8 q0,[r0,#16]
vldrb.s16 q0,[r0,#8]
vldrb.s16 q0,[r0],#8
vldrb.s16 q0,[r0,#8]!
vldrb.u8 q0,[r0,q1]
vldrb.s32 q0,[r0,q1]
vldrw.u32 q0,[r0,q1,uxtw #2]
vldrw.u32 q0,[q1,#4]
vldrw.u32 q0,[q1,#4]!
vldrd.u64 q0,[q1,#8]
vstrb.8 q0,[r0,q1]
vstrw.32 q0,[r0,q1]
vstrw.32 q0,[q1,#4]
vstrb.8 q0,[r0],#16
vld20.8 {q0,q1},[r0]
vld43.8 {q0,q1,q2,q3},[r0]!
vmladava.s8 r0,q0,q1
vmlav.s8 r0,q0,q1
vmov q0[2],q0[0],r0,r1
vmov d0,r0,r1
le lr, #-8
