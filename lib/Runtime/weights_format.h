// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The weights file: header, index, names, then the payload at a multiple of 4096. Little endian. The compiler writes it
// (lib/Emit/WeightsFile.cpp), the runtime maps it. Every hash is XXH64 with seed 0.
#pragma once
#include <stdint.h>

enum { QTW_VERSION = 1, QTW_PAYLOAD_ALIGNMENT = 4096 };
#define QTW_MAGIC "QTENSORW"

/// 64 bytes.
struct qtw_header {
  char magic[8];
  uint32_t version;
  uint32_t entry_count;
  uint64_t names_bytes;    ///< after the entries; padded with zeros up to the payload
  uint64_t payload_offset; ///< from the start of the file
  uint64_t payload_bytes;
  uint64_t model_id;   ///< hash of entries and names: says which build the weights belong to
  uint64_t index_hash; ///< of entries and names
  uint64_t header_hash; ///< of the 56 bytes before
};

/// 32 bytes.
struct qtw_entry {
  uint64_t offset, size; ///< in the payload
  uint64_t hash;         ///< of these bytes
  uint32_t name_offset, name_bytes;
};
