// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Anchors the object library that owns the precompiled header.
