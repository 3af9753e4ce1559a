// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/quant-compile/CommandLine.h"
#include "lib/Emit/Files.h"

using namespace mlir::qtensor;
using llvm::StringRef;

bool tools::fail(const llvm::Twine &what) {
  llvm::errs() << "error: " << what << "\n";
  return false;
}

std::string tools::noEffect(const llvm::cl::Option &option, const llvm::Twine &reason) {
  return ("--" + option.ArgStr + " has no effect: " + reason).str();
}

bool tools::checkReads(StringRef path, const llvm::cl::Option &option, StringRef setting) {
  if (!option.getNumOccurrences() || readsSetting(path, setting))
    return true;
  return fail(noEffect(option, "nothing in '" + path + "' is read otherwise because of it"));
}

bool tools::parseDims(llvm::ArrayRef<std::string> texts, ImportOptions &options) {
  for (StringRef text : texts) {
    auto [name, digits] = text.rsplit('=');
    int64_t number;
    if (name.empty() || digits.getAsInteger(10, number))
      return fail("--dim " + text + ": expected name=value, for example --dim batch=1");
    if (!options.dims.try_emplace(name.str(), number).second)
      return fail("--dim " + text + ": '" + name + "' is given twice");
  }
  return true;
}

int tools::exitStatus(int status) {
  if (llvm::Error error = finishWriting(llvm::outs(), "standard output"))
    return fail(llvm::toString(std::move(error))), 1;
  return status;
}
