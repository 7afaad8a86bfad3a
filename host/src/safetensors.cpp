#include "safetensors.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "error.hpp"
#include "shallow_json.hpp"
#include "text.hpp"

namespace nvnmd {
namespace {

static_assert(std::endian::native == std::endian::little, "model files hold little-endian words");

using Json = nlohmann::json;
constexpr std::size_t kLengthBytes = 8;
constexpr std::uintmax_t kMostBytes = std::uintmax_t{1} << 30;
constexpr std::size_t kMostHeaderBytes = std::size_t{1} << 25;  // parsed JSON takes several times its text

[[noreturn]] void fail(const std::string& name, const std::string& what) { throw Error(ErrorCode::model_file, text(name, ": ", what)); }

std::size_t word_bytes(const std::string& dtype) {
  static const std::map<std::string, std::size_t> sizes = {{"I8", 1}, {"U8", 1},  {"I16", 2}, {"U16", 2}, {"F16", 2}, {"BF16", 2},
                                                           {"I32", 4}, {"U32", 4}, {"F32", 4}, {"I64", 8}, {"U64", 8}, {"F64", 8}};
  const auto found = sizes.find(dtype);
  return found == sizes.end() ? 0 : found->second;
}

std::size_t natural(const Json& value, std::size_t most) {
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() > most) throw std::out_of_range("a size or offset is out of range");
  return static_cast<std::size_t>(value.get<std::uint64_t>());
}

// `data` is the part of the file behind the header, `room` its length.
TensorView parse_tensor(const Json& entry, const char* data, std::size_t room) {
  TensorView tensor;
  tensor.dtype = entry.at("dtype").get<std::string>();
  std::size_t expected = word_bytes(tensor.dtype);
  if (expected == 0) throw std::out_of_range(text("unknown type ", tensor.dtype));
  for (const Json& extent : entry.at("shape")) {
    const std::size_t length = natural(extent, room);
    tensor.shape.push_back(static_cast<std::int64_t>(length));
    if (length != 0 && expected > room / length) throw std::out_of_range("its shape is larger than the file");
    expected *= length;
  }
  const Json& offsets = entry.at("data_offsets");
  if (!offsets.is_array() || offsets.size() != 2) throw std::out_of_range("its offsets are not a pair");
  const std::size_t begin = natural(offsets[0], room), end = natural(offsets[1], room);
  if (begin > end || end - begin != expected) throw std::out_of_range("shape and offsets disagree");
  tensor.data = data + begin;
  tensor.bytes = expected;
  return tensor;
}

void check_layout(const TensorFile& file, const char* data) {
  std::vector<std::pair<const char*, const char*>> spans;
  for (const auto& [name, tensor] : file.tensors) spans.emplace_back(tensor.data, tensor.data + tensor.bytes);
  std::sort(spans.begin(), spans.end());
  const char* expected = data;
  for (const auto& [begin, end] : spans) {
    if (begin != expected) throw std::out_of_range("tensors overlap or leave gaps");
    expected = end;
  }
  if (expected != file.content.data() + file.content.size()) throw std::out_of_range("the tensors do not fill the file");
}

void parse(TensorFile& file) {
  if (file.content.size() < kLengthBytes) throw std::out_of_range("it is shorter than a header");
  std::uint64_t length = 0;
  std::memcpy(&length, file.content.data(), kLengthBytes);
  if (length > file.content.size() - kLengthBytes) throw std::out_of_range("the header is longer than the file");
  if (length > kMostHeaderBytes) throw std::out_of_range("the header is longer than 32 MiB");
  const char* header = file.content.data() + kLengthBytes;
  const char* data = header + length;
  const std::size_t room = file.content.size() - kLengthBytes - static_cast<std::size_t>(length);
  const Json root = Json::parse(header, data, keep_shallow);
  if (!root.is_object()) throw std::out_of_range("the header is not a JSON object");
  for (const auto& [name, entry] : root.items()) {
    if (name == "__metadata__") {
      file.metadata = entry.get<std::map<std::string, std::string>>();
      continue;
    }
    try {
      file.tensors.emplace(name, parse_tensor(entry, data, room));
    } catch (const std::exception& error) {
      throw std::out_of_range(text("tensor ", name, ": ", error.what()));
    }
  }
  check_layout(file, data);
}

}  // namespace

std::vector<char> read_bytes(const std::filesystem::path& path) {
  const std::string name = path.string();
  std::error_code problem;
  if (!std::filesystem::is_regular_file(path, problem)) fail(name, "no such model file");
  const auto size = std::filesystem::file_size(path, problem);
  if (problem) fail(name, text("cannot be read (", problem.message(), ")"));
  if (size > kMostBytes) fail(name, "is larger than 1 GiB and cannot be a model file");
  std::vector<char> content(static_cast<std::size_t>(size));
  std::ifstream stream(path, std::ios::binary);
  stream.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (!stream) fail(name, "cannot be read; check its permissions");
  return content;
}

TensorFile parse_tensor_file(std::vector<char> content, const std::string& name) {
  TensorFile file;
  file.content = std::move(content);
  try {
    parse(file);
  } catch (const std::exception& error) {
    fail(name, text("not a model file, or damaged (", printable(error.what()), "); copy or build it again"));
  }
  return file;
}

}  // namespace nvnmd
