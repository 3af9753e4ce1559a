// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "lib/Emit/Firmware/CExpressions.h"
#include "lib/Emit/Firmware/CSpellings.h"
#include <set>

namespace mlir::qtensor {

/// What functions of one file need together.
struct CFile {
  explicit CFile(const CDialect &c) : c(c), types(c) {}
  const CDialect &c;
  CTypes types;
  std::set<const CLibrary *> libraries; ///< Whose spellings were used.
};

/// One function: every value a variable, every block a label.
class CFunction {
public:
  CFunction(LLVM::LLVMFuncOp function, CFile &file)
      : function(function), file(file),
        expressions(file.types, file.libraries, [this](Value value) { return nameOf(value); }) {}

  /// Writes the body. Errors name an op, or a type, that has no C.
  LogicalResult run();
  /// `name`: as others call it.
  std::string getPrototype(StringRef name, StringRef linkage);
  std::string getBody() const { return body; }

private:
  std::string nameOf(Value value) {
    return "v" + std::to_string(numbers.try_emplace(value, unsigned(numbers.size())).first->second);
  }
  /// Finds the target's spellings, what is part of others' expressions, and what anybody uses.
  void plan();
  SmallVector<Value> usedBy(Operation *op);
  LogicalResult declare(Value value);
  LogicalResult declareAll();
  LogicalResult emit(Operation &op);
  LogicalResult emitFlow(Operation &op);
  LogicalResult emitSpelled(Operation &op, const CMatch &match);
  LogicalResult emitPinned(LLVM::InlineAsmOp op);
  LogicalResult emitInsert(LLVM::InsertElementOp op);
  LogicalResult emitStore(LLVM::StoreOp op);
  void jump(Block *to, ValueRange values);
  void line(const Twine &text) { body += ("  " + text + "\n").str(); }

  LLVM::LLVMFuncOp function;
  CFile &file;
  DenseMap<Value, unsigned> numbers;
  DenseMap<Block *, unsigned> labels;
  DenseMap<Operation *, CMatch> matches;
  DenseSet<Operation *> used; ///< Ops that get a line of their own.
  DenseSet<Value> read;       ///< By those.
  std::string body;
  CExpressions expressions;
};

} // namespace mlir::qtensor
