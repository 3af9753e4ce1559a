// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/Template.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using llvm::StringRef;

void qtensor::printTemplate(StringRef text, llvm::ArrayRef<TemplateValue> values, llvm::raw_ostream &os) {
  for (size_t at; (at = text.find('$')) != StringRef::npos;) {
    os << text.take_front(at);
    text = text.drop_front(at);
    const auto *value = llvm::find_if(values, [&](const TemplateValue &value) { return text.starts_with(value.first); });
    bool known = value != values.end();
    os << (known ? StringRef(value->second) : text.take_front(1));
    text = text.drop_front(known ? value->first.size() : 1);
  }
  os << text;
}

std::string qtensor::commentText(StringRef text) {
  std::string line = text.str();
  for (char &c : line)
    c = llvm::isPrint(c) ? c : '?';
  for (size_t at; (at = line.find("*/")) != std::string::npos;)
    line.replace(at, 2, "*_");
  return line;
}
