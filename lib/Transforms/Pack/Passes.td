// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef QTENSOR_PACK_PASSES
#define QTENSOR_PACK_PASSES

include "mlir/Pass/PassBase.td"

def PackContracts : Pass<"qtensor-pack-contracts", "::mlir::ModuleOp"> {
  let summary = "constant weights of contractions => packed bytes";
  let description = [{
    A contraction that is a matrix product in disguise (matmul in any orientation, convolution) and whose weight
    components are constants gets them as one constant of bytes, in the layout that kernels read. Nested parameters of
    one-byte codes (as super-blocks have them) stay nested, with what multiplies them in front of each group of blocks; others are
    multiplied out to f32. All CPU levels of a target, all M and all strategies of a format share the bytes.

        qtensor.contract <integer<1>> ... rhs(%codes, %scale : tensor<64x96xi8>, tensor<64x3xf16>) encoded #w ...
    =>
        %p = arith.constant {qtensor.format = "..."} dense_resource<packed> : tensor<3456xi8>
        qtensor.contract <integer<1>> ... rhs(%p : tensor<3456xi8>) encoded #w
          layout #qtile.packed<<rows = 16, block = 32, codes = i4, scale = f16>, [64, 96]> ...

    A panel interleaves `rows` outputs, or up to `wide-rows` where that pads N by no more than another sixteenth: wide
    panels are long streams and whole cache lines.

    A weight that is still a constant and a rounding (`qtensor.encode`, see `late-from` of `qtensor-quantize-weights`) is
    encoded here, a few panels at a time straight into packed bytes. Packed bytes stay in memory up to `memory` bytes;
    further ones go to files without a name, so that a compiler of any model needs little memory.

    A contraction that cannot be packed keeps its components and says why in `qtensor.unpacked`; a weight component
    whose bytes are missing is an error.
  }];
  let options = [
    Option<"rows", "rows", "int64_t", "16", "outputs that a panel interleaves at least">,
    Option<"wideRows", "wide-rows", "int64_t", "16", "outputs that a panel interleaves at most">,
    Option<"memory", "memory", "int64_t", "int64_t(1) << 31", "bytes of packed weights that stay in memory">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::qtile::QTileDialect"];
}

def PackCaches : Pass<"qtensor-pack-caches", "::mlir::ModuleOp"> {
  let summary = "codes of at most 4 bits in states => two to a byte";
  let description = [{
    The codes of an encoded state that is only written by `qtensor.encode` in slices of whole rows, and only read by
    attention, lie two to a byte: in units of 32 codes and 16 bytes along the last dimension, so that a row is still
    written alone. Codes that anything else reads stay one to a byte.

        func.func @main(%c: tensor<1x8x4096x128xi8> {qtensor.state = "keys"}, ...)
        %k:2 = qtensor.encode %x as <int4, [1, 1, 1, ?], scale = f32> outs(...) -> tensor<1x8x1x128xi8>, tensor<1x8x1x1xf32>
        %y = qtensor.attention ...
    =>
        func.func @main(%c: tensor<1x8x4096x64xi8> {qtensor.state = "keys"}, ...)
        %k:2 = qtensor.encode %x as <int4, [1, 1, 1, ?], scale = f32> outs(...) {packed} -> tensor<1x8x1x64xi8>, tensor<1x8x1x1xf32>
        %y = qtensor.attention ... {key_packed}

    It never fails.
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

#endif // QTENSOR_PACK_PASSES
