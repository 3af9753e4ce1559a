// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions take and return components. Upstream's pattern leaves the attributes of arguments at their old numbers, so
// that names move to the wrong argument; this one gives every component its own.
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "lib/Transforms/Select/Decompose.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace mlir::qtensor;

static constexpr StringLiteral kNameAttr = "qtensor.name", kStateAttr = "qtensor.state";

/// Attributes of the components of an argument or result of `type`: all of them go to the codes, names to everyone.
static void splitAttributes(Type type, DictionaryAttr attributes, MLIRContext *context,
                            SmallVectorImpl<Attribute> &split) {
  if (!attributes)
    attributes = DictionaryAttr::get(context);
  BlockAttr encoding = getBlockEncoding(type);
  if (!encoding) {
    split.push_back(attributes);
    return;
  }
  SmallVector<Component> components;
  encoding.getComponents(cast<RankedTensorType>(type).getShape(), context, components);
  for (auto [index, component] : llvm::enumerate(components)) {
    NamedAttrList list;
    if (index == 0)
      list.append(attributes.getValue());
    for (StringRef key : {StringRef(kNameAttr), StringRef(kStateAttr)})
      if (auto name = attributes.getAs<StringAttr>(key))
        list.set(key, StringAttr::get(context, name.getValue() + "." + component.name));
    split.push_back(list.getDictionary(context));
  }
}

namespace {
struct DecomposeFunc : OpConversionPattern<func::FuncOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(func::FuncOp func, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    TypeConverter::SignatureConversion signature(func.getNumArguments());
    SmallVector<Type> results;
    if (failed(getTypeConverter()->convertSignatureArgs(func.getArgumentTypes(), signature)) ||
        failed(getTypeConverter()->convertTypes(func.getResultTypes(), results)))
      return rewriter.notifyMatchFailure(func, "a type of the signature has no components");
    SmallVector<Attribute> argumentAttrs, resultAttrs;
    for (auto [index, type] : llvm::enumerate(func.getArgumentTypes()))
      splitAttributes(type, func.getArgAttrDict(index), func.getContext(), argumentAttrs);
    for (auto [index, type] : llvm::enumerate(func.getResultTypes()))
      splitAttributes(type, func.getResultAttrDict(index), func.getContext(), resultAttrs);
    if (!func.isExternal() && failed(rewriter.convertRegionTypes(&func.getBody(), *getTypeConverter(), &signature)))
      return failure();
    rewriter.modifyOpInPlace(func, [&] {
      func.setFunctionType(rewriter.getFunctionType(signature.getConvertedTypes(), results));
      func.setArgAttrsAttr(rewriter.getArrayAttr(argumentAttrs));
      func.setResAttrsAttr(rewriter.getArrayAttr(resultAttrs));
    });
    return success();
  }
};

static SmallVector<Value> flatten(ArrayRef<ValueRange> ranges) {
  SmallVector<Value> values;
  for (ValueRange range : ranges)
    llvm::append_range(values, range);
  return values;
}

struct DecomposeReturn : OpConversionPattern<func::ReturnOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(func::ReturnOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<func::ReturnOp>(op, flatten(adaptor.getOperands()));
    return success();
  }
};

struct DecomposeCall : OpConversionPattern<func::CallOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(func::CallOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    SmallVector<Type> types;
    SmallVector<size_t> counts;
    for (Type type : op.getResultTypes()) {
      size_t before = types.size();
      if (failed(getTypeConverter()->convertType(type, types)))
        return rewriter.notifyMatchFailure(op, "a result has no components");
      counts.push_back(types.size() - before);
    }
    auto call = func::CallOp::create(rewriter, op.getLoc(), op.getCallee(), types, flatten(adaptor.getOperands()));
    SmallVector<SmallVector<Value>> results;
    ValueRange rest = call.getResults();
    for (size_t count : counts) {
      results.emplace_back(rest.take_front(count));
      rest = rest.drop_front(count);
    }
    rewriter.replaceOpWithMultiple(op, std::move(results));
    return success();
  }
};
} // namespace

void qtensor::populateFunctionDecomposition(const TypeConverter &converter, RewritePatternSet &patterns,
                                            ConversionTarget &target) {
  patterns.add<DecomposeFunc, DecomposeReturn, DecomposeCall>(converter, patterns.getContext());
  target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
    return converter.isSignatureLegal(op.getFunctionType()) && converter.isLegal(&op.getBody());
  });
}
