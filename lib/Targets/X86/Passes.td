// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef QTENSOR_X86_PASSES
#define QTENSOR_X86_PASSES

include "mlir/Pass/PassBase.td"

def LowerTileOps : Pass<"x86-lower-tile-ops", "::mlir::ModuleOp"> {
  let summary = "qtile operations that a level has instructions for => intrinsics";
  let description = [{
    Maps qtile operations of the level's register width to its instructions; what it leaves, `qtile-expand` takes.

        %d = qtile.dot4 %acc, %u, %s max 15 : vector<64xi8> -> vector<16xi32>
    => (level=avx512)
        %d = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%acc, %u, %s)
    => (level=avx2, on vector<32xi8>)
        %p = llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"(%u, %s)
        %q = llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"(%p, %ones)
        %d = arith.addi %acc, %q

    The products of two bytes are summed in saturating i16 only if `max` proves that they fit; otherwise even and odd
    bytes are widened and multiplied as i16. A level without half-precision instructions gets f16 -> f32 as integer arithmetic.
    An unknown level is an error.
  }];
  let options = [Option<"level", "level", "std::string", "\"baseline\"", "name of the target level">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::vector::VectorDialect", "::mlir::memref::MemRefDialect",
    "::mlir::LLVM::LLVMDialect"];
}

#endif // QTENSOR_X86_PASSES
