# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# cmake -DINPUT=<file> -DOUTPUT=<.cpp> -DNAME=<symbol> -P EmbedBytes.cmake
# Writes the bytes of a file as `const unsigned char <NAME>[]` and `const size_t <NAME>Size`, in namespace mlir::qtensor.
file(READ ${INPUT} bytes HEX)
string(LENGTH "${bytes}" digits)
math(EXPR size "${digits} / 2")
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
file(WRITE ${OUTPUT} "// Generated. Do not edit.
#include <cstddef>
namespace mlir::qtensor {
extern const unsigned char ${NAME}[];
extern const size_t ${NAME}Size;
alignas(16) const unsigned char ${NAME}[] = {${bytes}};
const size_t ${NAME}Size = ${size};
} // namespace mlir::qtensor
")
