// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/LoadedModel.h"
#include "lib/Emit/Interface.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/Alignment.h"
#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/TargetSelect.h"
#include <cstdlib>

using namespace mlir;
using namespace mlir::qtensor;
using llvm::Error;

LoadedModel::~LoadedModel() = default;

int64_t mlir::qtensor::elementBytes(int32_t dtype) {
  switch (dtype) {
  case QT_I16:
  case QT_U16:
  case QT_F16:
  case QT_BF16:
    return 2;
  case QT_I32:
  case QT_U32:
  case QT_F32:
    return 4;
  case QT_I64:
  case QT_U64:
  case QT_F64:
    return 8;
  default:
    return 1;
  }
}

size_t mlir::qtensor::tensorBytes(const qt_tensor &tensor) {
  size_t bytes = elementBytes(tensor.dtype);
  for (int32_t d = 0; d < tensor.rank; ++d)
    bytes *= tensor.shape[d];
  return bytes;
}

AlignedBytes::AlignedBytes(size_t size) : data(std::aligned_alloc(64, llvm::alignTo(std::max<size_t>(size, 1), 64))) {}
AlignedBytes::~AlignedBytes() { std::free(data); }

static Error readTensors(const llvm::json::Object &manifest, StringRef key, std::vector<LoadedTensor> &tensors) {
  const llvm::json::Array *list = manifest.getArray(key);
  if (!list)
    return llvm::createStringError("the manifest lacks '" + key + "'");
  for (const llvm::json::Value &value : *list) {
    const llvm::json::Object *entry = value.getAsObject();
    auto name = entry ? entry->getString("name") : std::nullopt;
    auto dtype = entry ? entry->getString("dtype") : std::nullopt;
    const llvm::json::Array *shape = entry ? entry->getArray("shape") : nullptr;
    if (!name || !dtype || !shape || shape->size() > QT_MAX_RANK)
      return llvm::createStringError("an entry of '" + key + "' in the manifest lacks name, dtype or shape");
    LoadedTensor tensor = {name->str(), 0, {}};
    for (int32_t i = QT_BOOL; i <= QT_OPAQUE8; ++i)
      if (dtypeName(i) == *dtype)
        tensor.dtype = i;
    for (const llvm::json::Value &extent : *shape)
      tensor.shape.push_back(extent.getAsInteger().value_or(-1));
    tensors.push_back(std::move(tensor));
  }
  return Error::success();
}

Error LoadedModel::readManifest(StringRef json) {
  auto value = llvm::json::parse(json);
  if (!value)
    return value.takeError();
  const llvm::json::Object *manifest = value->getAsObject();
  auto model = manifest ? manifest->getString("model") : std::nullopt;
  const llvm::json::Object *weightsTable = manifest ? manifest->getObject("weights") : nullptr;
  if (!model || !weightsTable)
    return llvm::createStringError("the manifest lacks 'model' or 'weights'");
  name = model->str();
  hasWeights = weightsTable->getInteger("bytes").value_or(0) != 0;
  if (Error error = readTensors(*manifest, "inputs", inputs))
    return error;
  return readTensors(*manifest, "outputs", outputs);
}

Error LoadedModel::bind(llvm::function_ref<void *(StringRef)> lookup) {
  std::string missing;
  auto get = [&](auto &pointer, StringRef suffix) {
    std::string symbol = name + "_" + suffix.str();
    pointer = reinterpret_cast<std::remove_reference_t<decltype(pointer)>>(lookup(symbol));
    if (!pointer)
      missing = symbol;
  };
  get(open, "open");
  get(shapes, "shapes");
  get(run, "run");
  get(stateSize, "state_size");
  get(stateInit, "state_init");
  get(close, "close");
  get(level, "level");
  get(errorText, "error_text");
  return missing.empty() ? Error::success() : llvm::createStringError("the model has no function '" + missing + "'");
}

namespace {
struct LibraryModel : LoadedModel {
  llvm::sys::DynamicLibrary library;
  std::string weightsPath;

  Error load(StringRef path) {
    StringRef stem = llvm::sys::path::stem(path);
    if (!stem.consume_front("lib"))
      return llvm::createStringError("'" + path + "' is not called lib<model>.so; keep the files of an artifact together");
    llvm::SmallString<128> base(llvm::sys::path::parent_path(path));
    llvm::sys::path::append(base, stem);
    auto manifest = llvm::MemoryBuffer::getFile(base + ".json");
    if (!manifest)
      return llvm::createStringError("cannot read the manifest '" + base + ".json': " + manifest.getError().message());
    if (Error error = readManifest((*manifest)->getBuffer()))
      return error;
    std::string message, file = path.contains('/') ? path.str() : "./" + path.str();
    library = llvm::sys::DynamicLibrary::getLibrary(file.c_str(), &message);
    if (!library.isValid())
      return llvm::createStringError("cannot open '" + path + "': " + message);
    weightsPath = (base + ".weights").str();
    weights.path = weightsPath.c_str();
    return bind([&](StringRef symbol) { return library.getAddressOfSymbol(symbol.str().c_str()); });
  }

  ~LibraryModel() override {
    if (library.isValid())
      llvm::sys::DynamicLibrary::closeLibrary(library);
  }
};

struct JitModel : LoadedModel {
  std::unique_ptr<llvm::orc::LLJIT> jit;
  std::unique_ptr<llvm::WritableMemoryBuffer> bytes;

  Error load(const Artifact &artifact) {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    if (Error error = readManifest(artifact.manifest))
      return error;
    auto created = llvm::orc::LLJITBuilder().create();
    if (!created)
      return created.takeError();
    jit = std::move(*created);
    auto process = llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(jit->getDataLayout().getGlobalPrefix());
    if (!process)
      return process.takeError();
    jit->getMainJITDylib().addGenerator(std::move(*process));
    for (const ArtifactObject &object : artifact.objects) {
      StringRef code(object.bytes.data(), object.bytes.size());
      if (Error error = jit->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(code, object.name)))
        return error;
    }
    if (Error error = readWeights(artifact))
      return error;
    return bind([&](StringRef symbol) -> void * {
      auto address = jit->lookup(symbol);
      if (address)
        return address->toPtr<void *>();
      llvm::logAllUnhandledErrors(address.takeError(), llvm::errs());
      return nullptr;
    });
  }

  Error readWeights(const Artifact &artifact) {
    if (!artifact.weightsBytes)
      return Error::success();
    bytes = llvm::WritableMemoryBuffer::getNewUninitMemBuffer(artifact.weightsBytes, "weights", llvm::Align(64));
    if (!bytes)
      return llvm::createStringError("no memory for " + Twine(artifact.weightsBytes) + " bytes of weights");
    class Stream : public llvm::raw_ostream {
    public:
      explicit Stream(char *at) : begin(at), at(at) { SetUnbuffered(); }
      void write_impl(const char *data, size_t size) override { at = std::copy_n(data, size, at); }
      uint64_t current_pos() const override { return at - begin; }

    private:
      char *begin, *at;
    } stream(bytes->getBufferStart());
    artifact.writeWeights(stream);
    weights.bytes = bytes->getBufferStart();
    weights.size = bytes->getBufferSize();
    return Error::success();
  }
};
} // namespace

llvm::Expected<std::unique_ptr<LoadedModel>> LoadedModel::openLibrary(StringRef path) {
  auto model = std::make_unique<LibraryModel>();
  if (Error error = model->load(path))
    return std::move(error);
  return model;
}

llvm::Expected<std::unique_ptr<LoadedModel>> LoadedModel::link(const Artifact &artifact) {
  auto model = std::make_unique<JitModel>();
  if (Error error = model->load(artifact))
    return std::move(error);
  return model;
}
