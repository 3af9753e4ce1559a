// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/Npy/Npy.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cstring>

using namespace mlir::qtensor;
using llvm::Error;
using llvm::StringRef;

static Error bad(StringRef name, size_t byte, const llvm::Twine &what) {
  return llvm::createStringError("'" + name + "': byte " + llvm::Twine(byte) + ": " + what);
}

/// Bytes of an element of this dtype; 0: not known.
static int64_t bytesOf(StringRef dtype) {
  return llvm::StringSwitch<int64_t>(dtype)
      .Cases({"b1", "i1", "u1"}, 1)
      .Cases({"i2", "u2", "f2"}, 2)
      .Cases({"i4", "u4", "f4"}, 4)
      .Cases({"i8", "u8", "f8"}, 8)
      .Default(0);
}

int64_t NpyArray::elementBytes() const { return bytesOf(dtype); }

int64_t NpyArray::elementCount() const {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

namespace {
/// Reads the header: a Python dictionary with the keys descr, fortran_order and shape.
class HeaderParser {
public:
  HeaderParser(StringRef text, size_t start, StringRef name) : text(text), rest(text), start(start), name(name) {}

  Error parse(NpyArray &array) {
    if (!take("{"))
      return fail("the header must be a dictionary");
    while (!take("}")) {
      StringRef key;
      if (!takeString(key) || !take(":"))
        return fail("expected 'key': value");
      if (Error error = parseValue(key, array))
        return error;
      if (!take(",") && !rest.ltrim().starts_with("}"))
        return fail("expected ',' or '}'");
    }
    if (array.dtype.empty() || !hasShape)
      return fail("the header lacks 'descr' or 'shape'");
    return Error::success();
  }

private:
  Error fail(const llvm::Twine &what) { return bad(name, start + (rest.data() - text.data()), what); }

  bool take(StringRef token) {
    rest = rest.ltrim();
    return rest.consume_front(token);
  }

  bool takeString(StringRef &value) {
    rest = rest.ltrim();
    if (rest.empty() || (rest[0] != '\'' && rest[0] != '"'))
      return false;
    size_t end = rest.find(rest[0], 1);
    if (end == StringRef::npos)
      return false;
    value = rest.slice(1, end);
    rest = rest.drop_front(end + 1);
    return true;
  }

  Error parseValue(StringRef key, NpyArray &array) {
    if (key == "descr") {
      StringRef value;
      if (!takeString(value))
        return fail("'descr' must be a simple type such as '<f4'; structured arrays are not read");
      if (!value.consume_front("<") && !value.consume_front("|") && !value.consume_front("="))
        return fail("'descr' is '" + value + "'; only little-endian numbers are read");
      if (!bytesOf(value))
        return fail("'descr' is '" + value + "'; only booleans, integers and floats of up to 8 bytes are read");
      array.dtype = value.str();
      return Error::success();
    }
    if (key == "fortran_order") {
      if (take("False"))
        return Error::success();
      return fail("'fortran_order' must be False: save the array with numpy.ascontiguousarray");
    }
    if (key == "shape")
      return parseShape(array);
    return fail("unknown key '" + key + "'");
  }

  Error parseShape(NpyArray &array) {
    hasShape = true;
    if (!take("("))
      return fail("'shape' must be a tuple");
    int64_t count = 1;
    while (!take(")")) {
      int64_t extent;
      rest = rest.ltrim();
      if (rest.consumeInteger(10, extent) || extent < 0)
        return fail("an extent must be a number that is not negative");
      if (llvm::MulOverflow(count, std::max<int64_t>(extent, 1), count) || count > (int64_t(1) << 48))
        return fail("the array has more elements than memory can hold");
      array.shape.push_back(extent);
      if (!take(",") && !rest.ltrim().starts_with(")"))
        return fail("expected ',' or ')'");
    }
    return Error::success();
  }

  StringRef text, rest;
  size_t start;
  StringRef name;
  bool hasShape = false;
};
} // namespace

llvm::Expected<NpyArray> mlir::qtensor::parseNpy(StringRef bytes, StringRef name) {
  using namespace llvm::support::endian;
  if (bytes.size() < 10 || !bytes.starts_with("\x93NUMPY"))
    return bad(name, 0, "no .npy file (it must begin with \\x93NUMPY)");
  unsigned version = static_cast<uint8_t>(bytes[6]);
  if (version < 1 || version > 3)
    return bad(name, 6, "format version " + llvm::Twine(version) + "; versions 1 to 3 are read");
  size_t start = version == 1 ? 10 : 12;
  if (bytes.size() < start)
    return bad(name, 8, "the file ends in its header");
  size_t length = version == 1 ? read16le(bytes.data() + 8) : read32le(bytes.data() + 8);
  if (length > bytes.size() - start)
    return bad(name, 8, "the header has " + llvm::Twine(length) + " bytes, more than the file");
  NpyArray array;
  if (Error error = HeaderParser(bytes.substr(start, length), start, name).parse(array))
    return std::move(error);
  StringRef data = bytes.drop_front(start + length);
  uint64_t expected = static_cast<uint64_t>(array.elementCount()) * array.elementBytes();
  if (data.size() != expected)
    return bad(name, start + length, "the data have " + llvm::Twine(data.size()) + " bytes, the shape needs " +
                                         llvm::Twine(expected));
  array.data.assign(data.begin(), data.end());
  return array;
}

llvm::Expected<NpyArray> mlir::qtensor::readNpy(StringRef path) {
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return llvm::createStringError("cannot open '" + path + "': " + file.getError().message());
  return parseNpy((*file)->getBuffer(), path);
}

void mlir::qtensor::writeNpy(const NpyArray &array, llvm::raw_ostream &os) {
  std::string header;
  llvm::raw_string_ostream text(header);
  text << "{'descr': '" << (array.elementBytes() == 1 ? "|" : "<") << array.dtype
       << "', 'fortran_order': False, 'shape': (";
  for (int64_t extent : array.shape)
    text << extent << ",";
  text << "), }";
  // The data begin at a multiple of 64; the header ends with a line break.
  header.append(llvm::alignTo(10 + header.size() + 1, 64) - 10 - header.size() - 1, ' ');
  header += '\n';
  char length[2];
  llvm::support::endian::write16le(length, header.size());
  os << StringRef("\x93NUMPY\x01\x00", 8) << StringRef(length, 2) << header;
  os.write(array.data.data(), array.data.size());
}

template <typename T>
static double valueAt(const char *bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return static_cast<double>(value);
}

double mlir::qtensor::npyElement(const NpyArray &array, int64_t index) {
  const char *bytes = array.data.data() + index * array.elementBytes();
  if (array.dtype == "f2") {
    uint16_t bits;
    std::memcpy(&bits, bytes, sizeof bits);
    return llvm::APFloat(llvm::APFloat::IEEEhalf(), llvm::APInt(16, bits)).convertToDouble();
  }
  using Reader = double (*)(const char *);
  return llvm::StringSwitch<Reader>(array.dtype)
      .Case("f4", valueAt<float>)
      .Case("f8", valueAt<double>)
      .Case("i1", valueAt<int8_t>)
      .Case("i2", valueAt<int16_t>)
      .Case("i4", valueAt<int32_t>)
      .Case("i8", valueAt<int64_t>)
      .Case("u2", valueAt<uint16_t>)
      .Case("u4", valueAt<uint32_t>)
      .Case("u8", valueAt<uint64_t>)
      .Default(valueAt<uint8_t>)(bytes);
}
