// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Opens the weights of a model: a mapped file or bytes of the caller. Trusts nothing before it is checked.
#define _DEFAULT_SOURCE // O_CLOEXEC, madvise
#include "lib/Runtime/qtrt.h"
#include "lib/Runtime/weights_format.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LARGE_PAGE = 2 << 20 };

/// Maps a file for reading, from a large page's boundary on: file systems that hold files in large pages map them so, and
/// a stream of weights then has one entry of the page tables for each 2 MiB instead of 512.
static void *map_large(int descriptor, size_t size) {
  size_t room = size + LARGE_PAGE;
  uint8_t *start = size < LARGE_PAGE ? MAP_FAILED : mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED)
    return mmap(NULL, size, PROT_READ, MAP_SHARED, descriptor, 0);
  uint8_t *aligned = start + (LARGE_PAGE - (uintptr_t)start % LARGE_PAGE) % LARGE_PAGE;
  void *bytes = mmap(aligned, size, PROT_READ, MAP_SHARED | MAP_FIXED, descriptor, 0);
  if (bytes == MAP_FAILED) {
    munmap(start, room);
    return MAP_FAILED;
  }
  long page = sysconf(_SC_PAGESIZE);
  size_t used = (size + (size_t)page - 1) / (size_t)page * (size_t)page;
  if (aligned > start)
    munmap(start, (size_t)(aligned - start));
  munmap(aligned + used, room - used - (size_t)(aligned - start));
#ifdef MADV_HUGEPAGE
  madvise(bytes, size, MADV_HUGEPAGE);
#endif
  return bytes;
}

static int map_file(struct qtrt_handle *handle, const char *path) {
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (descriptor < 0 || fstat(descriptor, &status) != 0) {
    qtrt_report(handle, "cannot open the weights file '%s': %s", path, strerror(errno));
    if (descriptor >= 0)
      close(descriptor);
    return QT_ERROR_WEIGHTS_FILE;
  }
  if ((size_t)status.st_size < sizeof(struct qtw_header)) {
    close(descriptor);
    qtrt_report(handle, "the weights file '%s' has %lld bytes, less than a header", path, (long long)status.st_size);
    return QT_ERROR_WEIGHTS_FORMAT;
  }
  void *bytes = map_large(descriptor, (size_t)status.st_size);
  close(descriptor);
  if (bytes == MAP_FAILED) {
    qtrt_report(handle, "cannot map the weights file '%s': %s", path, strerror(errno));
    return QT_ERROR_WEIGHTS_FILE;
  }
  handle->file = bytes;
  handle->file_size = (size_t)status.st_size;
  handle->mapped = 1;
  return QT_OK;
}

static int adopt_bytes(struct qtrt_handle *handle, const qt_weights *weights) {
  if ((uintptr_t)weights->bytes % 64 != 0) {
    qtrt_report(handle, "the bytes of the weights are not aligned to 64 bytes");
    return QT_ERROR_ARGUMENT;
  }
  if (weights->size < sizeof(struct qtw_header)) {
    qtrt_report(handle, "the weights have %zu bytes, less than a header", weights->size);
    return QT_ERROR_WEIGHTS_FORMAT;
  }
  handle->file = weights->bytes;
  handle->file_size = weights->size;
  return QT_OK;
}

static int check_header(const struct qtrt_handle *handle, const struct qtw_header *header) {
  if (memcmp(header->magic, QTW_MAGIC, 8) != 0) {
    qtrt_report(handle, "byte 0 of the weights: no weights file (it must begin with %s)", QTW_MAGIC);
    return QT_ERROR_WEIGHTS_FORMAT;
  }
  if (header->version != QTW_VERSION) {
    qtrt_report(handle, "byte 8 of the weights: version %u, this model reads version %d; compile again",
                header->version, QTW_VERSION);
    return QT_ERROR_WEIGHTS_FORMAT;
  }
  if (qtrt_hash(header, offsetof(struct qtw_header, header_hash)) != header->header_hash) {
    qtrt_report(handle, "byte 0 of the weights: the checksum of the header is wrong");
    return QT_ERROR_WEIGHTS_DAMAGE;
  }
  uint64_t index = (uint64_t)header->entry_count * sizeof(struct qtw_entry), size = handle->file_size;
  if (header->names_bytes > size || header->payload_offset > size || header->payload_bytes > size - header->payload_offset ||
      header->payload_offset % QTW_PAYLOAD_ALIGNMENT != 0 ||
      sizeof *header + index + header->names_bytes > header->payload_offset) {
    qtrt_report(handle, "the weights have %llu bytes but their header says %llu; the file is truncated",
                (unsigned long long)size, (unsigned long long)(header->payload_offset + header->payload_bytes));
    return QT_ERROR_WEIGHTS_FORMAT;
  }
  return QT_OK;
}

static int check_index(const struct qtrt_handle *handle, const struct qtw_header *header) {
  const uint8_t *index = handle->file + sizeof *header;
  size_t bytes = header->entry_count * sizeof(struct qtw_entry) + header->names_bytes;
  if (qtrt_hash(index, bytes) != header->index_hash) {
    qtrt_report(handle, "byte %zu of the weights: the checksum of the index is wrong", sizeof *header);
    return QT_ERROR_WEIGHTS_DAMAGE;
  }
  if (header->model_id != handle->model->weights_id || header->payload_bytes != handle->model->weights_bytes) {
    qtrt_report(handle, "the weights belong to another model or build (identity %016llx, this code needs %016llx)",
                (unsigned long long)header->model_id, (unsigned long long)handle->model->weights_id);
    return QT_ERROR_WEIGHTS_MODEL;
  }
  return QT_OK;
}

static int verify_payload(const struct qtrt_handle *handle, const struct qtw_header *header) {
  const struct qtw_entry *entries = (const struct qtw_entry *)(handle->file + sizeof *header);
  const char *names = (const char *)(entries + header->entry_count);
  for (uint32_t i = 0; i < header->entry_count; ++i) {
    const struct qtw_entry *entry = &entries[i];
    if (entry->offset > header->payload_bytes || entry->size > header->payload_bytes - entry->offset ||
        entry->name_offset > header->names_bytes || entry->name_bytes > header->names_bytes - entry->name_offset) {
      qtrt_report(handle, "entry %u of the weights points outside of the file", i);
      return QT_ERROR_WEIGHTS_FORMAT;
    }
    if (qtrt_hash(handle->payload + entry->offset, entry->size) != entry->hash) {
      qtrt_report(handle, "byte %llu of the weights: the checksum of '%.*s' is wrong",
                  (unsigned long long)(header->payload_offset + entry->offset), (int)entry->name_bytes,
                  names + entry->name_offset);
      return QT_ERROR_WEIGHTS_DAMAGE;
    }
  }
  return QT_OK;
}

int qtrt_open_weights(struct qtrt_handle *handle, const qt_weights *weights, int verify) {
  if (handle->model->weights_bytes == 0)
    return QT_OK;
  if (!weights || (!weights->path && !weights->bytes)) {
    qtrt_report(handle, "the model has weights: give open the path of its .weights file or the bytes of it");
    return QT_ERROR_ARGUMENT;
  }
  int status = weights->path ? map_file(handle, weights->path) : adopt_bytes(handle, weights);
  if (status != QT_OK)
    return status;
  const struct qtw_header *header = (const struct qtw_header *)handle->file;
  status = check_header(handle, header);
  if (status == QT_OK)
    status = check_index(handle, header);
  if (status != QT_OK)
    return status;
  handle->payload = handle->file + header->payload_offset;
  return verify ? verify_payload(handle, header) : QT_OK;
}

void qtrt_close_weights(struct qtrt_handle *handle) {
  if (handle->mapped)
    munmap((void *)handle->file, handle->file_size);
}
