// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --verify-contract-c6

llvm.func @good(%x: i32) -> i32 {
  llvm.return %x : i32
}
