// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions of Source/dsp.h and Source/helium.h, which say what they are on other processors.
#include "lib/Targets/CortexM/Spellings.h"

using namespace mlir::qtensor;

namespace mlir::qtensor {
extern const unsigned char cortexMDsp[], cortexMHelium[];
extern const size_t cortexMDspSize, cortexMHeliumSize;
} // namespace mlir::qtensor

static const CSpelling dsp[] = {
    {"llvm.arm.smlad", "q_smlad($0, $1, $2)"},
    {"smlad", "q_smlad($0, $1, $2)"},
    {"llvm.arm.smlald", "q_smlald($0, $1, $2)"},
    {"ssub8", "q_largest_s8x4($0, $1)"},
    {"llvm.arm.sxtab16", "q_sxtab16($0, $1)"},
    {"llvm.arm.sxtb16", "q_sxtb16($0)"},
    {"llvm.arm.uxtb16", "q_uxtb16($0)"},
    {"llvm.sadd.sat<i32>", "q_qadd($0, $1)"},
};

// What is made from something comes before what is not.
static const CSpelling helium[] = {
    // Memory. LLVM has one op for the access and one for the width, the instructions do both.
    {"llvm.sext<4xi32>(llvm.load<4xi8>(_))", "q_load_s8_s32($0)"},
    {"llvm.zext<4xi32>(llvm.load<4xi8>(_))", "q_load_u8_u32($0)"},
    {"llvm.sext<8xi16>(llvm.load<8xi8>(_))", "q_load_s8_s16($0)"},
    {"llvm.sext<8xi16>(llvm.intr.masked.load<8xi8>(_, _, llvm.mlir.poison))", "q_load_first_s8_s16($0, $1)"},
    {"llvm.store(llvm.trunc<4xi8>(_), _)", "q_store_s$e0_s8($0, $1)"},
    {"llvm.store(llvm.trunc<8xi8>(_), _)", "q_store_s$e0_s8($0, $1)"},
    {"llvm.store(llvm.trunc<4xi16>(_), _)", "q_store_s$e0_s16($0, $1)"},
    {"llvm.intr.masked.load<16xi8>(_, _, _)", "q_load_first_s8x16($0, $1, $2)"},
    {"llvm.intr.masked.load<4xi8>(_, _, _)", "q_load_first_s8x4($0, $1, $2)"},
    {"llvm.intr.masked.load<8xi16>(_, _, _)", "q_load_first_s16x8($0, $1, $2)"},
    {"llvm.intr.masked.store(llvm.trunc<4xi8>(_), _, _)", "q_store_first_s$e0_s8($0, $1, $2)"},
    {"llvm.intr.masked.store(llvm.trunc<8xi8>(_), _, _)", "q_store_first_s$e0_s8($0, $1, $2)"},
    {"llvm.intr.masked.store(llvm.trunc<4xi16>(_), _, _)", "q_store_first_s$e0_s16($0, $1, $2)"},
    {"llvm.intr.masked.store(_, _, _)", "q_store_first_s$e0($0, $1, $2)"},
    {"llvm.arm.mve.vldr.gather.offset<4xi32>(_, _, 32, 2, 0)", "q_gather_s32($0, $1)"},
    {"llvm.arm.mve.vstr.scatter.offset(_, _, _, 8, 0)", "q_scatter_s$e2($0, $1, $2)"},
    {"llvm.arm.mve.vstr.scatter.offset.predicated(_, _, _, 8, 0, _)", "q_scatter_first_s$e2($0, $1, $2, $3)"},
    // Lanes.
    {"llvm.arm.mve.vctp8", "q_first8($0)"},
    {"llvm.arm.mve.vctp16", "q_first16($0)"},
    {"llvm.arm.mve.vctp32", "q_first32($0)"},
    {"llvm.shufflevector<4xi32>(llvm.insertelement(*, _, 0), *, 0, 0, 0, 0)", "q_dup_u32($0)"},
    {"llvm.sext<4xi32>(llvm.shufflevector<4xi16>(_, *, 0, 2, 4, 6))", "q_vmovlb_s16($0)"},
    {"llvm.sext<4xi32>(llvm.shufflevector<4xi16>(_, *, 1, 3, 5, 7))", "q_vmovlt_s16($0)"},
    {"llvm.arm.mve.vqmovn(llvm.mlir.poison, _, 0, 0, 0)", "q_vqmovnb_s$e0($0)"},
    {"llvm.arm.mve.vqmovn<8xi16>(_, _, 0, 0, 1)", "q_vqmovnt_s32($0, $1)"},
    // Arithmetic.
    {"llvm.arm.mve.vmldava(0, 0, 0, _, _, _)", "q_vmladava_s$e1($0, $1, $2)"},
    {"llvm.arm.mve.addv(_, 0)", "q_vaddv_s$e0($0)"},
    {"llvm.arm.mve.addv.predicated(_, 0, _)", "q_vaddv_first_s$e0($0, $1)"},
    {"llvm.arm.mve.maxv(_, _, 0)", "q_vmaxv_s$e1($0, $1)"},
    {"llvm.arm.mve.vmull(_, _, 0, 0)", "q_vmullb_s$e0($0, $1)"},
    {"llvm.arm.mve.vmull(_, _, 0, 1)", "q_vmullt_s$e0($0, $1)"},
    {"llvm.arm.mve.vmulh(_, _, 1)", "q_vmulh_u$er($0, $1)"},
    {"llvm.arm.mve.vqdmulh", "q_vqdmulh_s$er($0, $1)"},
    {"llvm.arm.mve.vqrdmulh", "q_vqrdmulh_s$er($0, $1)"},
    {"llvm.arm.mve.vshl.vector(_, _, 1, 0, 0)", "q_vqshl_s$er($0, $1)"},
    {"llvm.arm.mve.vshl.vector(_, _, 0, 1, 0)", "q_vrshl_s$er($0, $1)"},
    {"llvm.arm.mve.vshl.scalar(_, _, 0, 1, 0)", "q_vrshl_n_s$er($0, $1)"},
    {"llvm.arm.mve.vrshr.imm(_, _, 0)", "q_vrshr_n_s$er($0, $1)"},
    {"llvm.arm.mve.vqshl.imm(_, _, 0)", "q_vqshl_n_s$er($0, $1)"},
    {"llvm.sadd.sat<4xi32>", "q_vqadd_s32($0, $1)"},
    {"llvm.sadd.sat<8xi16>", "q_vqadd_s16($0, $1)"},
};

static const CLibrary libraries[] = {{{"dsp.h", cortexMDsp, &cortexMDspSize}, dsp},
                                     {{"helium.h", cortexMHelium, &cortexMHeliumSize}, helium}};

CDialect cortexm::scalarDialect() { return {llvm::ArrayRef(libraries).take_front(), {}, {}, 0}; }
CDialect cortexm::heliumDialect() { return {libraries, /*predicate=*/"uint16_t", {}, 0}; }
