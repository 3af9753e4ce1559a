// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/Safetensors/Safetensors.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir::qtensor;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

namespace {
/// The format's own limit on the header.
constexpr uint64_t kMaxHeader = 100'000'000;
/// The header nests three deep; the JSON parser recurses once per level.
constexpr int kMaxDepth = 8;

Error bad(StringRef name, const Twine &what) { return llvm::createStringError("'" + name + "': " + what); }

/// Bits of an element; 0: not known, which is an error only where the tensor is used.
unsigned bitsOf(StringRef dtype) {
  return llvm::StringSwitch<unsigned>(dtype)
      .Cases({"BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0"}, 8)
      .Cases({"U16", "I16", "F16", "BF16"}, 16)
      .Cases({"U32", "I32", "F32"}, 32)
      .Cases({"U64", "I64", "F64"}, 64)
      .Default(0);
}

/// Depth of brackets outside of strings.
bool nestsTooDeep(StringRef text) {
  int depth = 0;
  bool inString = false, escaped = false;
  for (char c : text) {
    if (inString) {
      inString = escaped || c != '"';
      escaped = !escaped && c == '\\';
    } else if (c == '"') {
      inString = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth)
        return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

/// A list of non-negative integers under `key`.
bool readInts(const llvm::json::Object &object, StringRef key, llvm::SmallVectorImpl<int64_t> &out) {
  const llvm::json::Array *list = object.getArray(key);
  if (!list)
    return false;
  for (const llvm::json::Value &entry : *list) {
    std::optional<int64_t> number = entry.getAsInteger();
    if (!number || *number < 0)
      return false;
    out.push_back(*number);
  }
  return true;
}

/// Bytes of a tensor; nothing if they don't fit in 63 bits.
std::optional<int64_t> byteCount(llvm::ArrayRef<int64_t> shape, unsigned bits) {
  int64_t count = bits / 8;
  for (int64_t extent : shape)
    if (llvm::MulOverflow(count, extent, count))
      return std::nullopt;
  return count;
}

Error readEntry(StringRef name, StringRef tensor, const llvm::json::Value &value, StringRef data,
                SafetensorsEntry &entry) {
  auto fail = [&](const Twine &what) { return bad(name, "tensor '" + tensor + "': " + what); };
  const llvm::json::Object *object = value.getAsObject();
  std::optional<StringRef> dtype = object ? object->getString("dtype") : std::nullopt;
  llvm::SmallVector<int64_t> offsets;
  if (!dtype || !readInts(*object, "shape", entry.shape) || !readInts(*object, "data_offsets", offsets) ||
      offsets.size() != 2)
    return fail("needs dtype, shape and data_offsets [begin, end]");
  entry.dtype = dtype->str();
  if (offsets[0] > offsets[1] || offsets[1] > static_cast<int64_t>(data.size()))
    return fail("data_offsets [" + Twine(offsets[0]) + ", " + Twine(offsets[1]) + "] are outside the file's " +
                Twine(data.size()) + " bytes of data; the file is truncated");
  unsigned bits = bitsOf(*dtype);
  if (bits && byteCount(entry.shape, bits) != offsets[1] - offsets[0])
    return fail("has " + Twine(offsets[1] - offsets[0]) + " bytes where its shape and dtype need another number");
  entry.data = llvm::ArrayRef<char>(data.data() + offsets[0], offsets[1] - offsets[0]);
  return Error::success();
}

/// The tensors must fill the data: no overlap, no gap.
Error checkLayout(StringRef name, const Safetensors &file, StringRef data) {
  llvm::SmallVector<std::pair<const SafetensorsEntry *, StringRef>> order;
  for (const auto &[tensor, entry] : file.tensors)
    order.push_back({&entry, tensor});
  llvm::sort(order, [](const auto &a, const auto &b) {
    return std::make_pair(a.first->data.begin(), a.first->data.end()) <
           std::make_pair(b.first->data.begin(), b.first->data.end());
  });
  const char *end = data.begin();
  for (const auto &[entry, tensor] : order) {
    if (entry->data.begin() != end)
      return bad(name, "tensor '" + tensor + "' begins at byte " + Twine(entry->data.begin() - data.begin()) +
                           " of the data, expected " + Twine(end - data.begin()) +
                           ": tensors must follow each other without overlap or gap");
    end = entry->data.end();
  }
  if (end != data.end())
    return bad(name, Twine(data.end() - end) + " bytes at the end of the data belong to no tensor");
  return Error::success();
}
} // namespace

Expected<Safetensors> mlir::qtensor::parseSafetensors(StringRef bytes, StringRef name) {
  if (bytes.size() < 8)
    return bad(name, "has " + Twine(bytes.size()) + " bytes; a safetensors file begins with 8 bytes of header size");
  uint64_t size = llvm::support::endian::read64le(bytes.data());
  if (size > kMaxHeader && bytes.ltrim().starts_with("{") && bytes.contains("\"weight_map\""))
    return bad(name, "is the index of a model in several files: pass the .safetensors files that its \"weight_map\" "
                     "names");
  if (size > kMaxHeader || size > bytes.size() - 8)
    return bad(name, "byte 0: the header size " + Twine(size) + " is more than the file or the format allow");
  StringRef header = bytes.substr(8, size), data = bytes.drop_front(8 + size);
  if (!header.starts_with("{") || nestsTooDeep(header))
    return bad(name, "byte 8: the header must be a flat JSON object");
  Expected<llvm::json::Value> json = llvm::json::parse(header);
  if (!json)
    return bad(name, "byte 8: the header is no JSON: " + llvm::toString(json.takeError()));
  Safetensors file;
  for (const auto &[key, value] : *json->getAsObject()) {
    if (key == "__metadata__") {
      const llvm::json::Object *object = value.getAsObject();
      if (!object)
        return bad(name, "'__metadata__' must be an object of strings");
      for (const auto &[entry, text] : *object)
        file.metadata[entry.str()] = text.getAsString().value_or("").str();
      continue;
    }
    if (Error error = readEntry(name, key, value, data, file.tensors[key.str()]))
      return std::move(error);
  }
  if (Error error = checkLayout(name, file, data))
    return std::move(error);
  return file;
}

Expected<Safetensors> mlir::qtensor::readSafetensors(StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return bad(path, "can't be read: " + buffer.getError().message());
  Expected<Safetensors> file = parseSafetensors((*buffer)->getBuffer(), path);
  if (file)
    file->buffer = std::move(*buffer);
  return file;
}
