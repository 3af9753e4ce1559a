// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Packed tiles and the register-level operations on them. No instruction set is named here.
#ifndef QTILE_TD
#define QTILE_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def QTile_Dialect : Dialect {
  let name = "qtile";
  let cppNamespace = "::mlir::qtile";
  let summary = "packed weight tiles and register-level operations, free of ISA names";
  let description = [{
    A kernel speaks `qtile` inside its innermost loops and `vector`, `arith`, `scf` around them. Every operation has a
    generic expansion (`qtile-expand`), so it is right on every target; a target adds rows that map an operation to its
    own instructions. The rationale is in this folder's README.md.
  }];
  let useDefaultAttributePrinterParser = 1;
}

def QTile_LayoutAttr : AttrDef<QTile_Dialect, "Layout"> {
  let mnemonic = "layout";
  let summary = "how a constant [N, K] weight operand lies in memory";
  let description = [{
    The bytes of a packed weight are a function of this attribute and (N, K) alone: every CPU level, every M and every
    strategy reads the same copy. N is cut into panels of `rows`, K into blocks of `block` codes (the last may be short):

        [panel][block]{ codes scale[rows] zero[rows] offset[rows] }

    A parameter that is absent takes no bytes; data of a parameter is little-endian. Parameters lie behind the codes, where
    the sums of the block meet them. Nested parameters keep their codes
    beside those of the block, and what multiplies them in front of every `group` blocks (0: of all blocks of a panel):

        [panel][group]{ scaleScale[rows] scaleShift[rows] offsetScale[rows] [block]{ codes scale[rows] zero[rows] offset[rows] } }

    Then the f32 scale of a block is scaleScale * scale + scaleShift, each step rounded to f32, and its offset offsetScale *
    offset. Integer codes (`codes = iB`, 1..8
    bits, made unsigned) lie in groups of `rows` x 4 bytes: byte (n, k % 4). A code is cut into pieces of 8, 4, 2 or 1
    bits, narrow pieces first and high bits first (5 = 1 + 4), and 8/w consecutive groups of a w-bit piece share one vector of 4 * rows bytes: group j sits in
    bits [j*w, (j+1)*w). A block is padded to whole chunks of 16 or 32 codes; padding holds code 0 and meets activations
    of 0. Floating-point codes (`codes = f16`, `bf16`, `f32`) lie as [k][rows] in steps of four k.
    N is padded to whole panels.

    Codes below `radix` are digits of that base, as many as fit a byte (radix = 3: five): a vector of bytes holds as many
    groups, the first in the highest digit. With q the number of the digits and R = radix^digits, the byte is ceil(256 q / R):
    a fraction, whose product with the radix has the first digit above its 256ths and the fraction of the others in them.

        #qtile.layout<rows = 16, block = 32, codes = i4, scale = f16>
        #qtile.layout<rows = 16, block = 64, codes = i8, scale = f32, zero = i8>
        #qtile.layout<rows = 16, block = 256, codes = i2, scale = f16, radix = 3>
        #qtile.layout<rows = 16, block = 32, codes = i4, scale = i8, offset = i8, group = 8, scaleScale = f16, offsetScale = f16>
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$block, "::mlir::Type":$codes, OptionalParameter<"::mlir::Type">:$scale,
    OptionalParameter<"::mlir::Type">:$zero, OptionalParameter<"::mlir::Type">:$offset,
    DefaultValuedParameter<"int64_t", "0">:$group, OptionalParameter<"::mlir::Type">:$scaleScale,
    OptionalParameter<"::mlir::Type">:$scaleShift,
    OptionalParameter<"::mlir::Type">:$offsetScale, DefaultValuedParameter<"int64_t", "0">:$radix);
  let builders = [AttrBuilder<(ins "int64_t":$rows, "int64_t":$block, "::mlir::Type":$codes, "::mlir::Type":$scale,
                                   "::mlir::Type":$zero, "::mlir::Type":$offset), [{
    return $_get($_ctxt, rows, block, codes, scale, zero, offset, /*group=*/0, ::mlir::Type(), ::mlir::Type(), ::mlir::Type(),
                 /*radix=*/0);
  }]>];
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Codes of one row in a group: 4 for integer codes, 1 for floating-point codes.
    int64_t getDepth() const;
    bool hasIntegerCodes() const;
    /// Digits of base `radix` that fit a byte; 0 where there are none.
    static int64_t countDigits(int64_t radix);
    int64_t getDigits() const { return countDigits(getRadix()); }
    /// Bits a code takes in memory, where it has no digits: those of `codes`, or one more where the padding of a lone bit would cost more.
    unsigned getStoredBits() const;
    /// Widths of the pieces of a code, ascending, high bits first; {16} or {32} for floating-point codes.
    ::llvm::SmallVector<unsigned, 3> getPieces() const;
    /// Codes that one unpack yields for a row: 16 or 32 (4 for floating-point codes, 4 for each digit of a byte).
    int64_t getChunk() const;
    /// Codes of a block in memory, padding included.
    int64_t getPaddedBlock() const;
    /// Bytes of the codes of a chunk, of a block's codes and of its parameters, of a block, of a panel, and of the whole operand.
    int64_t getChunkBytes() const;
    int64_t getCodeBytes() const { return getPaddedBlock() / getChunk() * getChunkBytes(); }
    int64_t getParameterBytes() const;
    int64_t getBlockBytes() const;
    int64_t getNumBlocks(int64_t k) const { return (k + getBlock() - 1) / getBlock(); }
    int64_t getNumPanels(int64_t n) const { return (n + getRows() - 1) / getRows(); }
    int64_t getPanelBytes(int64_t k) const {
      return getNumBlocks(k) * getBlockBytes() + getNumGroups(k) * getGroupBytes();
    }
    int64_t getBytes(int64_t n, int64_t k) const { return getNumPanels(n) * getPanelBytes(k); }
    /// Groups of blocks that share what multiplies their nested parameters, and the bytes in front of each; 0 without.
    bool hasGroups() const { return getScaleScale() || getOffsetScale(); }
    int64_t getNumGroups(int64_t k) const;
    int64_t getGroupBytes() const;
    /// Byte offset in front of a group.
    int64_t getScaleShiftOffset() const;
    int64_t getOffsetScaleOffset() const;
    /// Byte offsets behind the codes of a block. The parameter must be present.
    int64_t getScaleOffset() const { return 0; }
    int64_t getZeroOffset() const;
    int64_t getOffsetOffset() const;
  }];
}

def QTile_PackedAttr : AttrDef<QTile_Dialect, "Packed"> {
  let mnemonic = "packed";
  let summary = "a packed operand: its layout, and the logical shape that the bytes no longer show";
  let description = [{
        #qtile.packed<<rows = 16, block = 32, codes = i4, scale = f16>, [4096, 4096]>
  }];
  let parameters = (ins "::mlir::qtile::LayoutAttr":$layout, ArrayRefParameter<"int64_t">:$shape);
  let assemblyFormat = "`<` $layout `,` `[` $shape `]` `>`";
}

class QTile_Op<string mnemonic, list<Trait> traits = []> : Op<QTile_Dialect, mnemonic, !listconcat([Pure], traits)>;

def QTile_Bytes : FixedVectorOfRankAndType<[1], [I8]>;
def QTile_Words : FixedVectorOfRankAndType<[1], [I16]>;
def QTile_Sums : FixedVectorOfRankAndType<[1], [I16, I32]>;

def QTile_UnpackOp : QTile_Op<"unpack"> {
  let summary = "packed pieces of a chunk -> one vector of unsigned codes for each group";
  let description = [{
    The operands are the vectors of a chunk as `#qtile.layout` stores them: for each piece of `widths`, high bits first, its
    vectors. Result g holds the codes of group g, one byte each.

        // 32 codes of 5 bits: one vector of high bits, then four vectors of low nibbles
        %g:8 = qtile.unpack [1, 4] %a, %b, %c, %d, %e : vector<64xi8>

    With P the sum of `widths`, n results need n * P / 8 operands. `alternate`: odd groups hold their codes shifted left by
    the width of the one piece, 1, 2 or 4 bits, which saves every other shift; sums over them are as many times too large.

        %g:4 = qtile.unpack [2] alternate %a : vector<64xi8>
  }];
  let arguments = (ins DenseI64ArrayAttr:$widths, UnitAttr:$alternate, Variadic<QTile_Bytes>:$pieces);
  let results = (outs Variadic<QTile_Bytes>:$groups);
  let assemblyFormat = [{ custom<Widths>($widths) (`alternate` $alternate^)? $pieces attr-dict `:` custom<SameVectors>(type($pieces), ref($widths), type($groups)) }];
  let hasVerifier = 1;
}

def QTile_LookupOp : QTile_Op<"lookup", [AllShapesMatch<["codes", "result"]>]> {
  let summary = "value of each code in a table";
  let description = [{
    `codes` are unsigned indices below the number of entries; a larger index has an unspecified, but defined, result
    (padding is never read by a result). The table has 2 to 256 entries of the result's element type, a power of two.

        %v = qtile.lookup %codes dense<[0, 1, 4, 12]> : tensor<4xi8> : vector<64xi8> -> vector<64xi8>
        %w = qtile.lookup %index dense<[-1.0, 1.0]> : tensor<2xf32> : vector<16xi32> -> vector<16xf32>
  }];
  let arguments = (ins VectorOfRankAndType<[1], [I8, I32]>:$codes, ElementsAttr:$table);
  let results = (outs VectorOfRankAndType<[1], [I8, F32]>:$result);
  let assemblyFormat = "$codes $table attr-dict `:` type($codes) `->` type($result)";
  let hasVerifier = 1;
}

def QTile_Dot4Op : QTile_Op<"dot4", [AllTypesMatch<["accumulator", "result"]>, AllTypesMatch<["lhs", "rhs"]>]> {
  let summary = "accumulator + sums of four unsigned x signed byte products";
  let description = [{
    result[n] = accumulator[n] + sum over j < 4 of u8(lhs[4n + j]) * s8(rhs[4n + j]), exact modulo 2^32. `max` is the
    largest value of an element of `lhs`, as the kernel's range analysis proved it: a target that multiplies through
    narrower sums needs it to show that nothing saturates.

        %d = qtile.dot4 %acc, %u, %s max 15 : vector<64xi8> -> vector<16xi32>
  }];
  let arguments = (ins FixedVectorOfRankAndType<[1], [I32]>:$accumulator, QTile_Bytes:$lhs, QTile_Bytes:$rhs, I64Attr:$max);
  let results = (outs FixedVectorOfRankAndType<[1], [I32]>:$result);
  let assemblyFormat = "$accumulator `,` $lhs `,` $rhs `max` $max attr-dict `:` type($lhs) `->` type($result)";
  let hasVerifier = 1;
}

def QTile_Dot2Op : QTile_Op<"dot2", [AllTypesMatch<["accumulator", "result"]>, AllTypesMatch<["lhs", "rhs"]>]> {
  let summary = "accumulator + sums of two neighbouring products, one width up";
  let description = [{
    result[n] = accumulator[n] + lhs[2n] * rhs[2n] + lhs[2n + 1] * rhs[2n + 1]. Bytes (lhs unsigned, rhs signed) add
    into i16, 16-bit words (both signed) into i32. The kernel proves beforehand that an i16 sum, with everything it
    already holds, fits; then the sum is exact.

        %p = qtile.dot2 %sums, %u, %s : vector<64xi8> -> vector<32xi16>
        %q = qtile.dot2 %acc, %p, %ones : vector<32xi16> -> vector<16xi32>
  }];
  let arguments = (ins QTile_Sums:$accumulator, AnyTypeOf<[QTile_Bytes, QTile_Words]>:$lhs,
    AnyTypeOf<[QTile_Bytes, QTile_Words]>:$rhs);
  let results = (outs QTile_Sums:$result);
  let assemblyFormat = "$accumulator `,` $lhs `,` $rhs attr-dict `:` type($lhs) `->` type($result)";
  let hasVerifier = 1;
}

def QTile_CoreOp : QTile_Op<"core", [Pure]> {
  let summary = "which of the level's processors this is";
  let description = [{
    The position, from 1 on, of the processor in the level's list of those that run other code than the rest; 0: it is none of
    them. Only the run knows: `qtensor-lower-core` reads it from the context of a call.

        %core = qtile.core : index
  }];
  let results = (outs Index:$core);
  let assemblyFormat = "attr-dict `:` type($core)";
}

def QTile_PinOp : QTile_Op<"pin", [SameOperandsAndResultType]> {
  let summary = "a value as it is, worked out at this place";
  let description = [{
    Nothing that follows it in the text is moved in front of it, and the value is complete there. A kernel whose operations
    are in an order that fits the registers says so with it; a compiler that orders by latency would run out of them and
    spill. Generic expansion: the operand.

        %sums = qtile.pin %0 : vector<16xi16>
  }];
  let arguments = (ins AnyVectorOfNonZeroRank:$value);
  let results = (outs AnyVectorOfNonZeroRank:$result);
  let assemblyFormat = "$value attr-dict `:` type($result)";
}

// Not pure, for it has no result that would keep it.
def QTile_PrefetchOp : Op<QTile_Dialect, "prefetch"> {
  let summary = "asks for a number of cache lines that only the run knows";
  let description = [{
    Of `lines` cache lines of 64 bytes from byte `at` on, which may lie behind the end of the memory. `level` is the cache that
    they go to. It is an operation so that a target can do it in one piece: as a loop around memref.prefetch, its generic
    expansion, it splits the loop of a kernel in parts, between which LLVM 22 brings the kernel's sums to the stack and back.

        qtile.prefetch %weights[%at], %lines level 2 : memref<?xi8>
  }];
  let arguments = (ins MemRefRankOf<[I8], [1]>:$memory, Index:$at, Index:$lines,
    I64Attr:$level);
  let hasVerifier = 1;
  let assemblyFormat = "$memory `[` $at `]` `,` $lines `level` $level attr-dict `:` type($memory)";
}

#endif // QTILE_TD
