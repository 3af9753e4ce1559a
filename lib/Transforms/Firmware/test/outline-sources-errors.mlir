// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -verify-diagnostics -qtensor-outline-sources=entry=net_run

// expected-error @below {{has no function @net_run; qtensor-emit-firmware-entry makes it}}
module {
  func.func @other_run() { return }
}
