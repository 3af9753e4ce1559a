// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Vectors as "RISC-V Vector C Intrinsic Specification" 1.0 names them; CORE-V as functions of Source/corev.h.
#include "lib/Targets/RISCV/Spellings.h"

using namespace mlir::qtensor;

namespace mlir::qtensor {
extern const unsigned char riscvCoreV[], riscvVector[];
extern const size_t riscvCoreVSize, riscvVectorSize;
} // namespace mlir::qtensor

static const CSpelling coreV[] = {
    {"cv.sdotsp.b", "q_sdotsp_b($0, $1, $2)"},
    {"llvm.riscv.cv.mac.mac", "q_mac($0, $1, $2)"},
};

// Values have signed types. Shifts, offsets and the factors of unsigned products are read as unsigned.
static const CSpelling vector[] = {
    // Lengths are for elements of a byte, in 1, 2, 4 or 8 registers.
    {"llvm.riscv.vsetvli(_, 0, 0)", "(uint32_t)__riscv_vsetvl_e8m1($0)"},
    {"llvm.riscv.vsetvli(_, 0, 1)", "(uint32_t)__riscv_vsetvl_e8m2($0)"},
    {"llvm.riscv.vsetvli(_, 0, 2)", "(uint32_t)__riscv_vsetvl_e8m4($0)"},
    {"llvm.riscv.vsetvli(_, 0, 3)", "(uint32_t)__riscv_vsetvl_e8m8($0)"},
    {"llvm.riscv.vsetvlimax(0, 0)", "(uint32_t)__riscv_vsetvlmax_e8m1()"},
    {"llvm.riscv.vsetvlimax(0, 1)", "(uint32_t)__riscv_vsetvlmax_e8m2()"},
    {"llvm.riscv.vsetvlimax(0, 2)", "(uint32_t)__riscv_vsetvlmax_e8m4()"},
    {"llvm.riscv.vsetvlimax(0, 3)", "(uint32_t)__riscv_vsetvlmax_e8m8()"},
    // Memory.
    {"llvm.riscv.vle(llvm.mlir.poison, _, _)", "__riscv_vle$er_v_i$er$mr((const int$er_t *)(const void *)$0, $1)"},
    {"llvm.riscv.vse(_, _, _)", "__riscv_vse$e0_v_i$e0$m0((int$e0_t *)(void *)$1, $0, $2)"},
    {"llvm.riscv.vluxei(llvm.mlir.poison, _, _, _)",
     "__riscv_vluxei$e1_v_i$er$mr((const int$er_t *)(const void *)$0, __riscv_vreinterpret_v_i$e1$m1_u$e1$m1($1), $2)"},
    // Scalars and sums of lanes.
    {"llvm.riscv.vmv.v.x(llvm.mlir.poison, _, _)", "__riscv_vmv_v_x_i$er$mr($s0, $1)"},
    {"llvm.riscv.vmv.s.x(llvm.mlir.poison, _, _)", "__riscv_vmv_s_x_i$er$mr($s0, $1)"},
    {"llvm.riscv.vmv.x.s(_)", "(uint$er_t)__riscv_vmv_x_s_i$e0$m0_i$e0($0)"},
    {"llvm.riscv.vredsum(llvm.mlir.poison, _, _, _)", "__riscv_vredsum_vs_i$e0$m0_i$e1$m1($0, $1, $2)"},
    {"llvm.riscv.vredmax(llvm.mlir.poison, _, _, _)", "__riscv_vredmax_vs_i$e0$m0_i$e1$m1($0, $1, $2)"},
    // Arithmetic.
    {"llvm.riscv.vadd(llvm.mlir.poison, _, _, _)", "__riscv_vadd_v$k1_i$er$mr($0, $s1, $2)"},
    {"llvm.riscv.vsub(llvm.mlir.poison, _, _, _)", "__riscv_vsub_v$k1_i$er$mr($0, $s1, $2)"},
    {"llvm.riscv.vrsub(llvm.mlir.poison, _, _, _)", "__riscv_vrsub_v$k1_i$er$mr($0, $s1, $2)"},
    {"llvm.riscv.vsadd(llvm.mlir.poison, _, _, _)", "__riscv_vsadd_v$k1_i$er$mr($0, $s1, $2)"},
    {"llvm.riscv.vmax(llvm.mlir.poison, _, _, _)", "__riscv_vmax_v$k1_i$er$mr($0, $s1, $2)"},
    {"llvm.riscv.vmin(llvm.mlir.poison, _, _, _)", "__riscv_vmin_v$k1_i$er$mr($0, $s1, $2)"},
    {"llvm.riscv.vdiv(llvm.mlir.poison, _, _, _)", "__riscv_vdiv_v$k1_i$er$mr($0, $s1, $2)"},
    {"llvm.riscv.vxor(llvm.mlir.poison, _, _, _)", "__riscv_vxor_v$k1_i$er$mr($0, $s1, $2)"},
    {"llvm.riscv.vand(llvm.mlir.poison, _, _, _)", "__riscv_vand_v$k1_i$er$mr($0, $s1, $2)"},
    {"llvm.riscv.vmulhu(llvm.mlir.poison, _, x, _)",
     "__riscv_vreinterpret_v_u$er$mr_i$er$mr(__riscv_vmulhu_vx_u$er$mr(__riscv_vreinterpret_v_i$e0$m0_u$e0$m0($0), $1, $2))"},
    {"llvm.riscv.vnsrl(llvm.mlir.poison, _, x, _)",
     "__riscv_vreinterpret_v_u$er$mr_i$er$mr(__riscv_vnsrl_wx_u$er$mr(__riscv_vreinterpret_v_i$e0$m0_u$e0$m0($0), $1, $2))"},
    {"llvm.riscv.vsext(llvm.mlir.poison, _, _)", "__riscv_vsext_vf$fr_i$er$mr($0, $1)"},
    {"llvm.riscv.vwmul(llvm.mlir.poison, _, _, _)", "__riscv_vwmul_v$k1_i$er$mr($0, $s1, $2)"},
    {"llvm.riscv.vwsub(llvm.mlir.poison, _, _, _)", "__riscv_vwsub_v$k1_i$er$mr($0, $s1, $2)"},
    {"llvm.riscv.vwmulu(llvm.mlir.poison, _, x, _)",
     "__riscv_vreinterpret_v_u$er$mr_i$er$mr(__riscv_vwmulu_vx_u$er$mr(__riscv_vreinterpret_v_i$e0$m0_u$e0$m0($0), $1, $2))"},
    {"llvm.riscv.vwadd.w(llvm.mlir.poison, _, _, _)", "__riscv_vwadd_w$k1_i$er$mr($0, $s1, $2)"},
    {"llvm.riscv.vwmacc(_, _, _, _, 3)", "__riscv_vwmacc_v$k1_i$er$mr($0, $s1, $2, $3)"},
    {"llvm.riscv.vmacc(_, _, _, _, 3)", "__riscv_vmacc_v$k1_i$er$mr($0, $s1, $2, $3)"},
    // Fixed point: the rounding mode stands before the length.
    {"llvm.riscv.vsll(llvm.mlir.poison, _, x, _)", "__riscv_vsll_vx_i$er$mr($0, $1, $2)"},
    {"llvm.riscv.vsll(llvm.mlir.poison, _, v, _)",
     "__riscv_vsll_vv_i$er$mr($0, __riscv_vreinterpret_v_i$e1$m1_u$e1$m1($1), $2)"},
    {"llvm.riscv.vsra(llvm.mlir.poison, _, x, _)", "__riscv_vsra_vx_i$er$mr($0, $1, $2)"},
    {"llvm.riscv.vsra(llvm.mlir.poison, _, v, _)",
     "__riscv_vsra_vv_i$er$mr($0, __riscv_vreinterpret_v_i$e1$m1_u$e1$m1($1), $2)"},
    {"llvm.riscv.vssra(llvm.mlir.poison, _, x, _, _)", "__riscv_vssra_vx_i$er$mr($0, $1, $2, $3)"},
    {"llvm.riscv.vssra(llvm.mlir.poison, _, v, _, _)",
     "__riscv_vssra_vv_i$er$mr($0, __riscv_vreinterpret_v_i$e1$m1_u$e1$m1($1), $2, $3)"},
    {"llvm.riscv.vsmul(llvm.mlir.poison, _, _, _, _)", "__riscv_vsmul_v$k1_i$er$mr($0, $s1, $2, $3)"},
    {"llvm.riscv.vnclip(llvm.mlir.poison, _, x, _, _)", "__riscv_vnclip_wx_i$er$mr($0, $1, $2, $3)"},
};

static const CLibrary libraries[] = {{{"corev.h", riscvCoreV, &riscvCoreVSize}, coreV},
                                     {{"vector.h", riscvVector, &riscvVectorSize}, vector}};

CDialect riscv::dialect() { return {libraries, {}, /*scalableVector=*/"vint$er$mr_t", /*scalableBits=*/64}; }
