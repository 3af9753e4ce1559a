// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Mutants.h"
#include "dialects/QTensor/IR/QTensorOps.h"
#include "mlir/IR/Matchers.h"
#include "qtensor/Codec.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::conformance;

//===----------------------------------------------------------------------===//
// Editing
//===----------------------------------------------------------------------===//

using BytesEdit = llvm::function_ref<void(MutableArrayRef<char> bytes, RankedTensorType type)>;

/// Replaces a constant operand by an edited copy.
static unsigned editConstant(OpOperand &operand, BytesEdit edit) {
  Attribute attribute;
  auto type = dyn_cast<RankedTensorType>(operand.get().getType());
  if (!type || !matchPattern(operand.get(), m_Constant(&attribute)))
    return 0;
  std::vector<char> bytes;
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute)) {
    if (dense.isSplat())
      return 0;
    bytes = dense.getRawData().vec();
  } else if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute)) {
    bytes = resource.getData().vec();
  }
  if (bytes.empty())
    return 0;
  edit(bytes, type);
  OpBuilder builder(operand.getOwner());
  auto edited = DenseElementsAttr::getFromRawBuffer(type, bytes);
  operand.set(arith::ConstantOp::create(builder, operand.get().getLoc(), type, edited));
  return 1;
}

/// Edits the component `name` of the weight of every contraction.
static unsigned editWeight(ModuleOp module, StringRef name, BytesEdit edit) {
  unsigned count = 0;
  module.walk([&](ContractOp op) {
    SmallVector<Component> components;
    if (std::optional<BlockAttr> encoding = op.getRhsEncoding(); encoding && !op.getRhsLayout())
      encoding->getComponents(cast<ShapedType>(op.getRhs()[0].getType()).getShape(), op.getContext(), components);
    for (auto [component, operand] : llvm::zip(components, op.getRhsMutable()))
      if (component.name == name)
        count += editConstant(operand, edit);
  });
  return count;
}

static unsigned editPacked(ModuleOp module, BytesEdit edit) {
  unsigned count = 0;
  module.walk([&](ContractOp op) {
    if (op.getRhsLayout())
      count += editConstant(op.getRhsMutable()[0], edit);
  });
  return count;
}

/// Every contraction gets another encoding on one side.
static unsigned editEncodings(ModuleOp module, bool left, llvm::function_ref<BlockAttr(BlockAttr)> edit) {
  unsigned count = 0;
  module.walk([&](ContractOp op) {
    std::optional<BlockAttr> encoding = left ? op.getLhsEncoding() : op.getRhsEncoding();
    BlockAttr edited = encoding ? edit(*encoding) : BlockAttr();
    if (!edited)
      return;
    left ? op.setLhsEncodingAttr(edited) : op.setRhsEncodingAttr(edited);
    ++count;
  });
  return count;
}

static unsigned elementBytes(RankedTensorType type) { return type.getElementTypeBitWidth() / 8; }

/// Shifts all elements by `by` places, around the end.
static void rotate(MutableArrayRef<char> bytes, RankedTensorType type, unsigned by = 1) {
  std::rotate(bytes.begin(), bytes.begin() + by * elementBytes(type), bytes.end());
}

static ParamAttr makeScalar(MLIRContext *context, double value) {
  return ParamAttr::get(context, FloatAttr::get(Float64Type::get(context), value), false, {});
}

static BlockAttr withZero(BlockAttr block, ParamAttr zero) {
  return BlockAttr::get(block.getContext(), block.getCodec(), block.getBlock(), block.getScale(), zero,
                        block.getOffset());
}

static BlockAttr withCodec(BlockAttr block, CodecAttr codec) {
  return BlockAttr::get(block.getContext(), codec, block.getBlock(), block.getScale(), block.getZero(),
                        block.getOffset());
}

static CodecAttr withTie(CodecAttr c, TieRule tie) {
  return CodecAttr::get(c.getContext(), c.getBits(), c.getKind(), c.getIntStyle(), c.getIntOffset(), c.getNarrow(),
                        c.getExponentBits(), c.getMantissaBits(), c.getBias(), c.getSpecials(), c.getHasSign(),
                        c.getTable(), tie, c.getAmax(), c.getNanCode());
}

static CodecAttr withTable(CodecAttr c, ArrayRef<double> table) {
  return CodecAttr::get(c.getContext(), c.getBits(), c.getKind(), c.getIntStyle(), c.getIntOffset(), c.getNarrow(),
                        c.getExponentBits(), c.getMantissaBits(), c.getBias(), c.getSpecials(), c.getHasSign(),
                        DenseF64ArrayAttr::get(c.getContext(), table), c.getTie(), c.getAmax(), c.getNanCode());
}

//===----------------------------------------------------------------------===//
// The defects
//===----------------------------------------------------------------------===//

static unsigned swapCodePairs(ModuleOp module) {
  return editWeight(module, "codes", [](MutableArrayRef<char> bytes, RankedTensorType) {
    for (size_t i = 0; i + 1 < bytes.size(); i += 2)
      std::swap(bytes[i], bytes[i + 1]);
  });
}

static unsigned changeOneCode(ModuleOp module) {
  return editWeight(module, "codes", [](MutableArrayRef<char> bytes, RankedTensorType) { bytes.back() ^= 1; });
}

static unsigned rotateScales(ModuleOp module) {
  return editWeight(module, "scale", [](MutableArrayRef<char> bytes, RankedTensorType type) { rotate(bytes, type); });
}

static unsigned repeatScaleInTail(ModuleOp module) {
  return editWeight(module, "scale", [](MutableArrayRef<char> bytes, RankedTensorType type) {
    size_t size = elementBytes(type);
    memcpy(bytes.end() - size, bytes.end() - 2 * size, size);
  });
}

static unsigned rotateInnerScales(ModuleOp module) {
  return editWeight(module, "scale.codes",
                    [](MutableArrayRef<char> bytes, RankedTensorType type) { rotate(bytes, type); });
}

static unsigned addToWeightZeros(ModuleOp module) {
  return editWeight(module, "zero", [](MutableArrayRef<char> bytes, RankedTensorType) {
    for (char &zero : bytes)
      ++zero;
  });
}

static unsigned addToInputZero(ModuleOp module) {
  return editEncodings(module, true, [](BlockAttr block) {
    std::optional<double> zero = block.getZero() ? block.getZero().getScalar() : std::nullopt;
    return zero ? withZero(block, makeScalar(block.getContext(), *zero + 1)) : BlockAttr();
  });
}

static unsigned dropInputZero(ModuleOp module) {
  return editEncodings(module, true,
                       [](BlockAttr block) { return block.getZero() ? withZero(block, ParamAttr()) : BlockAttr(); });
}

static unsigned ignoreSign(ModuleOp module) {
  return editEncodings(module, false, [](BlockAttr block) {
    CodecAttr c = block.getCodec();
    if (c.getKind() != CodecKind::Int || c.getIntStyle() != IntStyle::Signed)
      return BlockAttr();
    return withCodec(block, CodecAttr::get(c.getContext(), c.getBits(), c.getKind(), IntStyle::Unsigned, 0,
                                           c.getNarrow(), 0, 0, 0, c.getSpecials(), false, c.getTable(), c.getTie(),
                                           c.getAmax(), c.getNanCode()));
  });
}

static unsigned changeTableEntry(ModuleOp module) {
  return editEncodings(module, false, [](BlockAttr block) {
    if (block.getCodec().getKind() != CodecKind::Table)
      return BlockAttr();
    SmallVector<double> table(block.getCodec().getTable().asArrayRef());
    std::swap(table[3], table[4]);
    return withCodec(block, withTable(block.getCodec(), table));
  });
}

/// What a kernel would compute that mixes up the limbs of its codes: a table of the wrong combinations.
static unsigned editLimbs(ModuleOp module, llvm::function_ref<int64_t(int64_t lower, int64_t upper)> combine) {
  return editEncodings(module, false, [&](BlockAttr block) {
    Embedding embedding = getEmbedding(block.getCodec());
    if (block.getCodec().getKind() != CodecKind::Table || embedding.limbs != 2)
      return BlockAttr();
    SmallVector<double> table;
    for (auto [lower, upper] : llvm::zip_equal(embedding.limb[0], embedding.limb[1]))
      table.push_back(float(embedding.scale * double(combine(lower, upper) - embedding.zero)));
    return withCodec(block, withTable(block.getCodec(), table));
  });
}

static unsigned swapLimbs(ModuleOp module) {
  return editLimbs(module, [](int64_t lower, int64_t upper) { return 128 * lower + upper; });
}

static unsigned dropLowerLimb(ModuleOp module) {
  return editLimbs(module, [](int64_t, int64_t upper) { return 128 * upper; });
}

static unsigned changeInputScale(ModuleOp module) {
  return editEncodings(module, true, [](BlockAttr block) {
    std::optional<double> scale = block.getScale().getScalar();
    if (!scale)
      return BlockAttr();
    float next = std::nextafterf(float(*scale), 2 * float(*scale));
    return BlockAttr::get(block.getContext(), block.getCodec(), block.getBlock(), makeScalar(block.getContext(), next),
                          block.getZero(), block.getOffset());
  });
}

static unsigned roundTiesAway(ModuleOp module) {
  unsigned count = 0;
  module.walk([&](EncodeOp op) {
    TieRule other = op.getEncoding().getCodec().getTie() == TieRule::Away ? TieRule::Even : TieRule::Away;
    op.setEncodingAttr(withCodec(op.getEncoding(), withTie(op.getEncoding().getCodec(), other)));
    ++count;
  });
  return count;
}

static unsigned dropEpilogue(ModuleOp module) {
  unsigned count = 0;
  module.walk([&](ContractOp op) {
    if (op.hasEmptyEpilogue())
      return;
    Block &body = op.getEpilogue().front();
    body.getTerminator()->setOperand(0, body.getArgument(0));
    ++count;
  });
  return count;
}

static unsigned rotateBias(ModuleOp module) {
  unsigned count = 0;
  module.walk([&](ContractOp op) {
    for (OpOperand &operand : op.getExtraMutable())
      count += editConstant(operand, [](MutableArrayRef<char> bytes, RankedTensorType type) { rotate(bytes, type); });
  });
  return count;
}

static unsigned computeInFloat(ModuleOp module) {
  unsigned count = 0;
  module.walk([&](ContractOp op) {
    if (op.getStrategy().getKind() != StrategyKind::Integer)
      return;
    op.setStrategyAttr(StrategyAttr::get(op.getContext(), StrategyKind::Float, 0));
    ++count;
  });
  return count;
}

static unsigned swapPackedNibbles(ModuleOp module) {
  return editPacked(module, [](MutableArrayRef<char> bytes, RankedTensorType) {
    for (char &byte : bytes)
      byte = char((uint8_t(byte) >> 4) | (uint8_t(byte) << 4));
  });
}

static unsigned rotatePackedRows(ModuleOp module) {
  return editPacked(module, [](MutableArrayRef<char> bytes, RankedTensorType type) { rotate(bytes, type, 4); });
}

static unsigned rotatePackedGroups(ModuleOp module) {
  return editPacked(module, [](MutableArrayRef<char> bytes, RankedTensorType type) { rotate(bytes, type, 64); });
}

static unsigned flipPackedBit(ModuleOp module) {
  return editPacked(module, [](MutableArrayRef<char> bytes, RankedTensorType) { bytes[0] ^= 1; });
}

ArrayRef<Mutant> conformance::getMutants() {
  static const Mutant mutants[] = {{"order of nibbles", "blocks", Stage::Selected, swapCodePairs},
                                   {"the last code", "blocks", Stage::Selected, changeOneCode},
                                   {"scale of the wrong block", "blocks", Stage::Selected, rotateScales},
                                   {"scale of the short last block", "blocks", Stage::Selected, repeatScaleInTail},
                                   {"scale of the wrong super-block", "nested", Stage::Selected, rotateInnerScales},
                                   {"zero of a weight off by one", "zeros", Stage::Selected, addToWeightZeros},
                                   {"zero of an activation off by one", "shifted", Stage::Selected, addToInputZero},
                                   {"zero of an activation not compensated", "shifted", Stage::Selected, dropInputZero},
                                   {"sign of a code", "blocks", Stage::Selected, ignoreSign},
                                   {"two entries of a table", "table", Stage::Selected, changeTableEntry},
                                   {"scale of an activation one ulp off", "shifted", Stage::Selected, changeInputScale},
                                   {"ties rounded away from zero", "window", Stage::Selected, roundTiesAway},
                                   {"no epilogue", "blocks", Stage::Selected, dropEpilogue},
                                   {"bias of the next feature", "blocks", Stage::Selected, rotateBias},
                                   {"sums in f32 that are exact in i32", "blocks", Stage::Selected, computeInFloat},
                                   {"order of packed nibbles", "blocks", Stage::Tiled, swapPackedNibbles},
                                   {"packed rows", "blocks", Stage::Tiled, rotatePackedRows},
                                   {"packed groups of codes", "table", Stage::Tiled, rotatePackedGroups},
                                   {"limbs exchanged", "limbs", Stage::Tiled, swapLimbs},
                                   {"lower limb dropped", "limbs", Stage::Tiled, dropLowerLimb},
                                   {"one packed bit", "zeros", Stage::Tiled, flipPackedBit},
                                   {"M tail not masked", "blocks", Stage::Kernels, storeAllRows}};
  return mutants;
}

std::vector<NamedCell> conformance::getMutantCells() {
  auto make = [](StringLiteral name, std::string format, CellOp op, std::string activation, bool bias, int64_t rows,
                 int64_t features, int64_t depth, int64_t stride) {
    return NamedCell{name, {format, op, activation, false, bias, 1, 1, rows, features, depth, stride, 1, false, false}};
  };
  return {make("blocks", "int4/32", CellOp::MatmulNK, "block", true, 5, 33, 112, 1),
          make("zeros", "uint4/32", CellOp::MatmulNK, "token", false, 3, 16, 64, 1),
          make("shifted", "int8/channel", CellOp::MatmulKN, "shifted", false, 4, 17, 40, 1),
          make("table", "nf4/64", CellOp::MatmulNK, "none", false, 2, 32, 128, 1),
          make("limbs", "nf4/64", CellOp::MatmulNK, "block", true, 5, 33, 150, 1),
          make("window", "int8/channel", CellOp::Conv3x3, "static", true, 5, 16, 8, 2),
          make("nested", "q4_k", CellOp::MatmulNK, "none", false, 3, 19, 512, 1)};
}
