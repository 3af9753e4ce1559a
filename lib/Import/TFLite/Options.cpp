// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Names of TFLite's operators and the fields of their options, by number: facts of the file format.
#include "lib/Import/TFLite/Options.h"
#include <iterator>

using namespace mlir::qtensor::tflite;

static const char *const names[] = {
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "DEPTH_TO_SPACE", "DEQUANTIZE",
    "EMBEDDING_LOOKUP", "FLOOR", "FULLY_CONNECTED", "HASHTABLE_LOOKUP", "L2_NORMALIZATION", "L2_POOL_2D",
    "LOCAL_RESPONSE_NORMALIZATION", "LOGISTIC", "LSH_PROJECTION", "LSTM", "MAX_POOL_2D", "MUL", "RELU", "RELU_N1_TO_1",
    "RELU6", "RESHAPE", "RESIZE_BILINEAR", "RNN", "SOFTMAX", "SPACE_TO_DEPTH", "SVDF", "TANH", "CONCAT_EMBEDDINGS",
    "SKIP_GRAM", "CALL", "CUSTOM", "EMBEDDING_LOOKUP_SPARSE", "PAD", "UNIDIRECTIONAL_SEQUENCE_RNN", "GATHER",
    "BATCH_TO_SPACE_ND", "SPACE_TO_BATCH_ND", "TRANSPOSE", "MEAN", "SUB", "DIV", "SQUEEZE",
    "UNIDIRECTIONAL_SEQUENCE_LSTM", "STRIDED_SLICE", "BIDIRECTIONAL_SEQUENCE_RNN", "EXP", "TOPK_V2", "SPLIT",
    "LOG_SOFTMAX", "DELEGATE", "BIDIRECTIONAL_SEQUENCE_LSTM", "CAST", "PRELU", "MAXIMUM", "ARG_MAX", "MINIMUM", "LESS",
    "NEG", "PADV2", "GREATER", "GREATER_EQUAL", "LESS_EQUAL", "SELECT", "SLICE", "SIN", "TRANSPOSE_CONV",
    "SPARSE_TO_DENSE", "TILE", "EXPAND_DIMS", "EQUAL", "NOT_EQUAL", "LOG", "SUM", "SQRT", "RSQRT", "SHAPE", "POW",
    "ARG_MIN", "FAKE_QUANT", "REDUCE_PROD", "REDUCE_MAX", "PACK", "LOGICAL_OR", "ONE_HOT", "LOGICAL_AND", "LOGICAL_NOT",
    "UNPACK", "REDUCE_MIN", "FLOOR_DIV", "REDUCE_ANY", "SQUARE", "ZEROS_LIKE", "FILL", "FLOOR_MOD", "RANGE",
    "RESIZE_NEAREST_NEIGHBOR", "LEAKY_RELU", "SQUARED_DIFFERENCE", "MIRROR_PAD", "ABS", "SPLIT_V", "UNIQUE", "CEIL",
    "REVERSE_V2", "ADD_N", "GATHER_ND", "COS", "WHERE", "RANK", "ELU", "REVERSE_SEQUENCE", "MATRIX_DIAG", "QUANTIZE",
    "MATRIX_SET_DIAG", "ROUND", "HARD_SWISH", "IF", "WHILE", "NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5",
    "SCATTER_ND", "SELECT_V2", "DENSIFY", "SEGMENT_SUM", "BATCH_MATMUL", "PLACEHOLDER_FOR_GREATER_OP_CODES", "CUMSUM",
    "CALL_ONCE", "BROADCAST_TO", "RFFT2D", "CONV_3D", "IMAG", "REAL", "COMPLEX_ABS", "HASHTABLE", "HASHTABLE_FIND",
    "HASHTABLE_IMPORT", "HASHTABLE_SIZE", "REDUCE_ALL", "CONV_3D_TRANSPOSE", "VAR_HANDLE", "READ_VARIABLE",
    "ASSIGN_VARIABLE", "BROADCAST_ARGS", "RANDOM_STANDARD_NORMAL", "BUCKETIZE", "RANDOM_UNIFORM", "MULTINOMIAL", "GELU",
    "DYNAMIC_UPDATE_SLICE", "RELU_0_TO_1", "UNSORTED_SEGMENT_PROD", "UNSORTED_SEGMENT_MAX", "UNSORTED_SEGMENT_SUM",
    "ATAN2", "UNSORTED_SEGMENT_MIN", "SIGN", "BITCAST", "BITWISE_XOR", "RIGHT_SHIFT"};
/// Behind the names in a row.
constexpr int32_t kComposite = 206;

std::string mlir::qtensor::tflite::operatorName(int32_t code) {
  if (code >= 0 && code < int32_t(std::size(names)))
    return names[code];
  return code == kComposite ? "STABLEHLO_COMPOSITE" : "operator " + std::to_string(code);
}

int32_t mlir::qtensor::tflite::operatorCode(llvm::StringRef name) {
  for (auto [code, known] : llvm::enumerate(names))
    if (name == known)
      return int32_t(code);
  return name == "STABLEHLO_COMPOSITE" ? kComposite : -1;
}

static constexpr OptionField skipped = {nullptr, 0, 0};
static constexpr OptionField fused = {"activation", 'b', 0};
static const OptionField conv[] = {
    {"padding", 'b', 0},    {"stride_w", 'i', 0},   {"stride_h", 'i', 0},           fused,
    {"dilation_w", 'i', 1}, {"dilation_h", 'i', 1}, {"quantized_bias_type", 'b', 0}};
static const OptionField volume[] = {
    {"padding", 'b', 0},    {"stride_d", 'i', 0},   {"stride_w", 'i', 0},  {"stride_h", 'i', 0}, fused,
    {"dilation_d", 'i', 1}, {"dilation_w", 'i', 1}, {"dilation_h", 'i', 1}};
static const OptionField depthwise[] = {{"padding", 'b', 0}, {"stride_w", 'i', 0}, {"stride_h", 'i', 0},
                                        {"depth_multiplier", 'i', 0}, fused, {"dilation_w", 'i', 1}, {"dilation_h", 'i', 1}};
static const OptionField transposed[] = {{"padding", 'b', 0}, {"stride_w", 'i', 0}, {"stride_h", 'i', 0}, fused};
static const OptionField pool[] = {{"padding", 'b', 0}, {"stride_w", 'i', 0}, {"stride_h", 'i', 0},
                                   {"filter_w", 'i', 0}, {"filter_h", 'i', 0}, fused};
static const OptionField dense[] = {fused,
                                    {"weights_format", 'b', 0},
                                    {"keep_dims", 'b', 0},
                                    {"asymmetric_quantize_inputs", 'b', 0},
                                    {"quantized_bias_type", 'b', 0}};
static const OptionField softmax[] = {{"beta", 'f', 0}};
static const OptionField concat[] = {{"axis", 'i', 0}, fused};
static const OptionField sum[] = {fused, {"pot_scale_int16", 'b', 1}};
static const OptionField activation[] = {fused};
static const OptionField reshape[] = {{"new_shape", 'I', 0}};
static const OptionField reducer[] = {{"keep_dims", 'b', 0}};
static const OptionField squeeze[] = {{"squeeze_dims", 'I', 0}};
static const OptionField split[] = {{"num_splits", 'i', 0}};
static const OptionField strided[] = {{"begin_mask", 'i', 0}, {"end_mask", 'i', 0}, {"ellipsis_mask", 'i', 0},
                                      {"new_axis_mask", 'i', 0}, {"shrink_axis_mask", 'i', 0}, {"offset", 'b', 0}};
static const OptionField leaky[] = {{"alpha", 'f', 0}};
static const OptionField resizeLinear[] = {skipped, skipped, {"align_corners", 'b', 0}, {"half_pixel_centers", 'b', 0}};
static const OptionField resizeNearest[] = {{"align_corners", 'b', 0}, {"half_pixel_centers", 'b', 0}};
static const OptionField lstm[] = {fused, {"cell_clip", 'f', 0}, {"proj_clip", 'f', 0}, {"time_major", 'b', 0},
                                   {"asymmetric_quantize_inputs", 'b', 0}, {"diagonal_recurrent", 'b', 0}};
static const OptionField basicLstm[] = {fused,
                                        {"cell_clip", 'f', 0},
                                        {"proj_clip", 'f', 0},
                                        {"kernel_type", 'b', 0},
                                        {"asymmetric_quantize_inputs", 'b', 0}};
static const OptionField twoWays[] = {fused,
                                      {"cell_clip", 'f', 0},
                                      {"proj_clip", 'f', 0},
                                      {"merge_outputs", 'b', 0},
                                      {"time_major", 'b', 1},
                                      {"asymmetric_quantize_inputs", 'b', 0}};
static const OptionField plainStep[] = {fused, {"asymmetric_quantize_inputs", 'b', 0}};
static const OptionField plainCells[] = {{"time_major", 'b', 0}, fused, {"asymmetric_quantize_inputs", 'b', 0}};
static const OptionField plainTwoWays[] = {
    {"time_major", 'b', 0}, fused, {"merge_outputs", 'b', 0}, {"asymmetric_quantize_inputs", 'b', 0}};
static const OptionField svdf[] = {{"rank", 'i', 0}, fused, {"asymmetric_quantize_inputs", 'b', 0}};
static const OptionField batchMatmul[] = {{"adj_x", 'b', 0}, {"adj_y", 'b', 0}};
static const OptionField pack[] = {{"values_count", 'i', 0}, {"axis", 'i', 0}};
static const OptionField unpack[] = {{"num", 'i', 0}, {"axis", 'i', 0}};
static const OptionField gather[] = {{"axis", 'i', 0}, {"batch_dims", 'i', 0}};
static const OptionField mirror[] = {{"mode", 'b', 0}};
static const OptionField cumulative[] = {{"exclusive", 'b', 0}, {"reverse", 'b', 0}};
static const OptionField blockSize[] = {{"block_size", 'i', 0}};
static const OptionField gelu[] = {{"approximate", 'b', 0}};
static const OptionField variable[] = {{"container", 's', 0}, {"shared_name", 's', 0}};
static const OptionField once[] = {{"init_subgraph", 'i', 0}};
static const OptionField oneHot[] = {{"axis", 'i', 0}};
static const OptionField reverseSequence[] = {{"seq_dim", 'i', 0}, {"batch_dim", 'i', 0}};
static const OptionField buckets[] = {{"boundaries", 'F', 0}};
static const OptionField localResponse[] = {{"radius", 'i', 0}, {"bias", 'f', 0}, {"alpha", 'f', 0}, {"beta", 'f', 0}};
static const OptionField fakeQuant[] = {
    {"min", 'f', 0}, {"max", 'f', 0}, {"num_bits", 'i', 0}, {"narrow_range", 'b', 0}};
static const OptionField branches[] = {{"then_subgraph", 'i', 0}, {"else_subgraph", 'i', 0}};
static const OptionField loop[] = {{"cond_subgraph", 'i', 0}, {"body_subgraph", 'i', 0}};
static const OptionField composite[] = {{"name", 's', 0}, {"subgraph", 'i', 0}};

static const struct {
  const char *name;
  llvm::ArrayRef<OptionField> fields;
} tables[] = {
    {"CONV_2D", conv},
    {"CONV_3D", volume},
    {"CONV_3D_TRANSPOSE", volume},
    {"DEPTHWISE_CONV_2D", depthwise},
    {"TRANSPOSE_CONV", transposed},
    {"AVERAGE_POOL_2D", pool},
    {"MAX_POOL_2D", pool},
    {"L2_POOL_2D", pool},
    {"FULLY_CONNECTED", dense},
    {"SOFTMAX", softmax},
    {"CONCATENATION", concat},
    {"ADD", sum},
    {"SUB", sum},
    {"MUL", activation},
    {"DIV", activation},
    {"L2_NORMALIZATION", activation},
    {"RESHAPE", reshape},
    {"MEAN", reducer},
    {"SUM", reducer},
    {"REDUCE_MAX", reducer},
    {"REDUCE_MIN", reducer},
    {"REDUCE_PROD", reducer},
    {"REDUCE_ALL", reducer},
    {"REDUCE_ANY", reducer},
    {"SQUEEZE", squeeze},
    {"SPLIT", split},
    {"SPLIT_V", split},
    {"STRIDED_SLICE", strided},
    {"LEAKY_RELU", leaky},
    {"RESIZE_BILINEAR", resizeLinear},
    {"RESIZE_NEAREST_NEIGHBOR", resizeNearest},
    {"UNIDIRECTIONAL_SEQUENCE_LSTM", lstm},
    {"LSTM", basicLstm},
    {"BIDIRECTIONAL_SEQUENCE_LSTM", twoWays},
    {"RNN", plainStep},
    {"BIDIRECTIONAL_SEQUENCE_RNN", plainTwoWays},
    {"UNIDIRECTIONAL_SEQUENCE_RNN", plainCells},
    {"SVDF", svdf},
    {"BATCH_MATMUL", batchMatmul},
    {"PACK", pack},
    {"UNPACK", unpack},
    {"GATHER", gather},
    {"MIRROR_PAD", mirror},
    {"DEPTH_TO_SPACE", blockSize},
    {"SPACE_TO_DEPTH", blockSize},
    {"CUMSUM", cumulative},
    {"GELU", gelu},
    {"IF", branches},
    {"WHILE", loop},
    {"ONE_HOT", oneHot},
    {"REVERSE_SEQUENCE", reverseSequence},
    {"BUCKETIZE", buckets},
    {"LOCAL_RESPONSE_NORMALIZATION", localResponse},
    {"FAKE_QUANT", fakeQuant},
    {"VAR_HANDLE", variable},
    {"CALL_ONCE", once},
    {"STABLEHLO_COMPOSITE", composite},
};

llvm::ArrayRef<OptionField> mlir::qtensor::tflite::optionFields(int32_t code) {
  std::string name = operatorName(code);
  for (const auto &table : tables)
    if (name == table.name)
      return table.fields;
  return {};
}
