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

// Reads a file and checks that its tensors lie inside it, do not overlap and leave no gap. Throws Error
// (ErrorCode::model_file) that names the file; allocates no more than the file is long.
TensorFile read_tensor_file(const std::filesystem::path& path);

}  // namespace nvnmd
