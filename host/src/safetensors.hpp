// Reader of the safetensors container: named tensors and text metadata in one file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace nvnmd {

struct TensorView {
  std::string dtype;                // as the file spells it: I16, I32, I64 ...
  std::vector<std::int64_t> shape;  // every extent is at least 0; their product times the word size is `bytes`
  const char* data = nullptr;       // into TensorFile::content, not aligned
  std::size_t bytes = 0;
};

struct TensorFile {
  std::vector<char> content;
  std::map<std::string, TensorView> tensors;
  std::map<std::string, std::string> metadata;
};

// The bytes of a regular file of at most 1 GiB. Throws Error (ErrorCode::model_file) that names the file.
std::vector<char> read_bytes(const std::filesystem::path& path);

// Checks that tensors lie inside `content`, do not overlap and leave no gap. Throws Error (ErrorCode::model_file) that begins with
// `name`; allocates no more than a small multiple of the header's length.
TensorFile parse_tensor_file(std::vector<char> content, const std::string& name);

}  // namespace nvnmd
