// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/KernelBuilder.h"
#include "lib/Transforms/Integer/EmitFixedPoint.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;
using arith::CmpIPredicate;

Value KernelBuilder::number(int64_t value, Type type) {
  auto scalar = cast<IntegerType>(getElementTypeOrSelf(type));
  TypedAttr attribute = b.getIntegerAttr(scalar, APInt(scalar.getWidth(), value, /*isSigned=*/true, /*implicitTrunc=*/true));
  if (auto vector = dyn_cast<VectorType>(type))
    attribute = SplatElementsAttr::get(vector, attribute);
  return arith::ConstantOp::create(b, attribute);
}

Value KernelBuilder::add(Value x, Value y) { return arith::AddIOp::create(b, x, y); }
Value KernelBuilder::sub(Value x, Value y) { return arith::SubIOp::create(b, x, y); }
Value KernelBuilder::mul(Value x, Value y) { return arith::MulIOp::create(b, x, y); }
Value KernelBuilder::quotient(Value x, Value y) { return arith::DivSIOp::create(b, x, y); }
Value KernelBuilder::both(Value x, Value y) { return arith::AndIOp::create(b, x, y); }
Value KernelBuilder::either(Value x, Value y) { return arith::OrIOp::create(b, x, y); }
Value KernelBuilder::left(Value x, Value bits) { return arith::ShLIOp::create(b, x, bits); }
Value KernelBuilder::right(Value x, Value bits) { return arith::ShRSIOp::create(b, x, bits); }
Value KernelBuilder::rightUnsigned(Value x, Value bits) { return arith::ShRUIOp::create(b, x, bits); }
Value KernelBuilder::rightExact(Value x, int64_t bits) {
  return LLVM::AShrOp::create(b, x.getType(), x, number(bits, x.getType()), /*isExact=*/true);
}
Value KernelBuilder::least(Value x, Value y) { return arith::MinSIOp::create(b, x, y); }
Value KernelBuilder::most(Value x, Value y) { return arith::MaxSIOp::create(b, x, y); }
Value KernelBuilder::clamp(Value x, int64_t low, int64_t high) {
  return least(most(x, number(low, x.getType())), number(high, x.getType()));
}
Value KernelBuilder::select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, condition, x, y); }
Value KernelBuilder::isLess(Value x, Value y) { return arith::CmpIOp::create(b, CmpIPredicate::slt, x, y); }
Value KernelBuilder::isEqual(Value x, Value y) { return arith::CmpIOp::create(b, CmpIPredicate::eq, x, y); }
Value KernelBuilder::isBefore(Value x, Value y) { return LLVM::ICmpOp::create(b, LLVM::ICmpPredicate::ult, x, y); }
Value KernelBuilder::extend(Value x, Type type) {
  return x.getType() == type ? x : arith::ExtSIOp::create(b, type, x).getResult();
}
Value KernelBuilder::extendUnsigned(Value x, Type type) {
  return x.getType() == type ? x : arith::ExtUIOp::create(b, type, x).getResult();
}
Value KernelBuilder::truncate(Value x, Type type) {
  return x.getType() == type ? x : arith::TruncIOp::create(b, type, x).getResult();
}

Value KernelBuilder::at(Value pointer, int64_t bytes) {
  if (bytes == 0)
    return pointer;
  return LLVM::GEPOp::create(b, pointer.getType(), i8(), pointer, ArrayRef<LLVM::GEPArg>{int32_t(bytes)},
                             LLVM::GEPNoWrapFlags::inbounds);
}
Value KernelBuilder::at(Value pointer, Value bytes) {
  return LLVM::GEPOp::create(b, pointer.getType(), i8(), pointer, ArrayRef<LLVM::GEPArg>{bytes},
                             LLVM::GEPNoWrapFlags::inbounds);
}
static unsigned sizeOf(Type type) {
  unsigned bits = getElementTypeOrSelf(type).getIntOrFloatBitWidth();
  return bits / 8;
}
Value KernelBuilder::load(Value pointer, Type type, unsigned alignment) {
  return LLVM::LoadOp::create(b, type, pointer, alignment ? alignment : sizeOf(type));
}
void KernelBuilder::store(Value value, Value pointer, unsigned alignment) {
  LLVM::StoreOp::create(b, value, pointer, alignment ? alignment : sizeOf(value.getType()));
}
Value KernelBuilder::loadCode(Value pointer, unsigned bits) {
  return extend(load(pointer, b.getIntegerType(bits)), i32());
}
void KernelBuilder::storeCode(Value value, Value pointer, unsigned bits) {
  store(truncate(value, b.getIntegerType(bits)), pointer);
}

Value KernelBuilder::intrinsic(StringRef name, Type result, ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(b, result, b.getStringAttr(name), operands).getResult(0);
}
void KernelBuilder::intrinsic(StringRef name, ValueRange operands) {
  LLVM::CallIntrinsicOp::create(b, b.getStringAttr(name), operands);
}

Value KernelBuilder::load32InOrder(Value pointer) {
  return LLVM::LoadOp::create(b, i32(), pointer, /*alignment=*/4, /*isVolatile=*/true);
}

Value KernelBuilder::assemble(StringRef text, StringRef constraints, ValueRange operands) {
  return LLVM::InlineAsmOp::create(b, i32(), operands, text, constraints, /*has_side_effects=*/true,
                                   /*is_align_stack=*/false, LLVM::tailcallkind::TailCallKind::None,
                                   LLVM::AsmDialectAttr(), ArrayAttr())
      .getRes();
}

SmallVector<Value> KernelBuilder::pin(ValueRange values) {
  std::string constraints;
  for (size_t i = 0; i < values.size(); ++i)
    constraints += "=r,";
  for (size_t i = 0; i < values.size(); ++i)
    constraints += std::to_string(i) + (i + 1 < values.size() ? "," : "");
  SmallVector<Type> types(values.getTypes());
  Type type = types.size() == 1 ? types[0] : LLVM::LLVMStructType::getLiteral(b.getContext(), types);
  Value pinned = LLVM::InlineAsmOp::create(b, type, values, /*asm_string=*/"", constraints, /*has_side_effects=*/true,
                                           /*is_align_stack=*/false, LLVM::tailcallkind::TailCallKind::None, LLVM::AsmDialectAttr(), ArrayAttr())
                     .getRes();
  if (types.size() == 1)
    return {pinned};
  SmallVector<Value> results;
  for (int64_t i = 0; i < int64_t(types.size()); ++i)
    results.push_back(LLVM::ExtractValueOp::create(b, pinned, i));
  return results;
}

SmallVector<Value> KernelBuilder::loop(Value from, Value to, int64_t step, ValueRange start, Body body) {
  SmallVector<Value> results;
  auto made = scf::ForOp::create(b, from, to, number(step, from.getType()), start,
                                 [&](OpBuilder &inner, Location loc, Value i, ValueRange carried) {
                                   OpBuilder::InsertionGuard guard(b);
                                   b.restoreInsertionPoint(inner.saveInsertionPoint());
                                   SmallVector<Value> next = body(i, carried);
                                   scf::YieldOp::create(b, next);
                                 });
  return SmallVector<Value>(made.getResults());
}

SmallVector<Value> KernelBuilder::loop(int64_t from, int64_t to, int64_t step, ValueRange start, Body body) {
  if (from >= to)
    return SmallVector<Value>(start);
  if (from + step >= to)
    return body(number(from), start);
  return loop(number(from), number(to), step, start, body);
}

void KernelBuilder::loop(int64_t from, int64_t to, int64_t step, llvm::function_ref<void(Value)> body) {
  loop(from, to, step, ValueRange(), [&](Value i, ValueRange) {
    body(i);
    return SmallVector<Value>();
  });
}

SmallVector<Value> KernelBuilder::repeat(ValueRange start, Turn body) {
  auto made = scf::WhileOp::create(
      b, start.getTypes(), start,
      [&](OpBuilder &inner, Location loc, ValueRange carried) {
        OpBuilder::InsertionGuard guard(b);
        b.restoreInsertionPoint(inner.saveInsertionPoint());
        SmallVector<Value> next;
        Value again = body(carried, next);
        scf::ConditionOp::create(b, again, next);
      },
      [&](OpBuilder &inner, Location loc, ValueRange carried) { scf::YieldOp::create(inner, loc, carried); });
  return SmallVector<Value>(made.getResults());
}

void KernelBuilder::when(Value condition, llvm::function_ref<void()> body) {
  scf::IfOp::create(b, condition, [&](OpBuilder &inner, Location loc) {
    OpBuilder::InsertionGuard guard(b);
    b.restoreInsertionPoint(inner.saveInsertionPoint());
    body();
    scf::YieldOp::create(b);
  });
}

SmallVector<Value> KernelBuilder::when(Value condition, ValueRange otherwise, llvm::function_ref<SmallVector<Value>()> body) {
  auto made = scf::IfOp::create(
      b, condition,
      [&](OpBuilder &inner, Location loc) {
        OpBuilder::InsertionGuard guard(b);
        b.restoreInsertionPoint(inner.saveInsertionPoint());
        SmallVector<Value> values = body();
        scf::YieldOp::create(b, values);
      },
      [&](OpBuilder &inner, Location loc) { scf::YieldOp::create(inner, loc, otherwise); });
  return SmallVector<Value>(made.getResults());
}

Value KernelBuilder::mapExactly(Value sum, Value multiplier, Value shift, FixedMode mode) {
  integer::Wide wide(b);
  Value mapped = integer::mapFixed(wide, extend(sum, i64()), multiplier, shift, mode);
  return truncate(mapped, i32());
}

Value KernelBuilder::doublingHighMultiply(Value x, Value y) {
  Value product = mul(extend(x, i64()), extend(y, i64()));
  return truncate(right(add(product, int64_t(1) << 30), 31), i32());
}

std::pair<Value, Value> KernelBuilder::softmaxReciprocal(Value sum) {
  integer::Wide wide(b);
  auto [zeros, shifted] = integer::emitHeadroom(wide, wide.extend(sum));
  Value inverse = integer::emitOneOverOnePlus(wide, wide.sub(shifted, wide.constant(int64_t(1) << 31)));
  return {truncate(inverse, i32()), sub(number(12 + 31 - 8), truncate(zeros, i32()))};
}
