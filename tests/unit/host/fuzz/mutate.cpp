#include "mutate.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

namespace {

constexpr std::size_t kLengthBytes = 8, kMostBytes = 1 << 16;

// A file cut into its JSON header and its tensors; files that have no header are all tensors.
struct Parts {
  std::string header, tensors;
  bool framed = false;

  explicit Parts(const std::string& file) : tensors(file) {
    std::uint64_t length = 0;
    if (file.size() < kLengthBytes) return;
    std::memcpy(&length, file.data(), kLengthBytes);
    if (length > file.size() - kLengthBytes) return;
    header = file.substr(kLengthBytes, length);
    tensors = file.substr(kLengthBytes + length);
    framed = true;
  }

  std::string join() const {
    if (!framed) return tensors;
    const std::uint64_t length = header.size();
    return std::string(reinterpret_cast<const char*>(&length), kLengthBytes) + header + tensors;
  }
};

const std::array<const char*, 24> kNumbers = {"0", "1", "-1", "2", "3", "7", "15", "16", "17", "18", "27", "31", "32", "33", "40", "41", "64",
                                              "65536", "2147483647", "2147483648", "9223372036854775807", "18446744073709551615", "1e308", "0.5"};
const std::array<const char*, 12> kPieces = {"null", "true", "[]", "{}", "\"\"", "[1,1]", "\"I16\"", "\"I32\"", "\"I64\"", "\\u0000", "\xff", "[[[["};

bool digit(char letter) { return std::isdigit(static_cast<unsigned char>(letter)) != 0; }

void change_bit(std::string& bytes, Random& random) {
  if (bytes.empty()) return;
  char& byte = bytes[below(bytes.size(), random)];
  byte = static_cast<char>(byte ^ (1 << below(8, random)));
}

// Puts another number where one stands; often one that is near it.
void change_number(std::string& header, Random& random) {
  std::vector<std::size_t> starts;
  for (std::size_t i = 1; i < header.size(); ++i) {
    if (digit(header[i]) && !digit(header[i - 1])) starts.push_back(i);
  }
  if (starts.empty()) return;
  const std::size_t begin = starts[below(starts.size(), random)];
  std::size_t end = begin;
  while (end < header.size() && digit(header[end])) ++end;
  std::string number = kNumbers[below(kNumbers.size(), random)];
  if (below(2, random) == 0 && end - begin < 10) {
    number = std::to_string(std::stoll(header.substr(begin, end - begin)) + static_cast<long long>(below(5, random)) - 2);
  }
  header.replace(begin, end - begin, number);
}

void change_piece(std::string& header, Random& random) {
  if (header.empty()) return;
  const std::size_t at = below(header.size(), random), length = below(12, random);
  switch (below(3, random)) {
    case 0: header.erase(at, length); break;
    case 1: header.replace(at, length, kPieces[below(kPieces.size(), random)]); break;
    default: header.insert(at, header.substr(below(header.size(), random), below(60, random))); break;
  }
}

// Extreme values are what the guarantees of a model are about.
void change_word(std::string& tensors, Random& random) {
  static const std::array<std::int64_t, 10> extremes = {0, 1, -1, 32767, -32767, -32768, 67108863, -67108864, 2147483647, -2147483647 - 1};
  const std::size_t width = std::size_t{2} << below(3, random);
  if (tensors.size() < width) return;
  const std::int64_t word = extremes[below(extremes.size(), random)];
  const std::size_t at = below(tensors.size() / width, random) * width, count = below(2, random) == 0 ? 1 : below(40, random);
  for (std::size_t k = 0; k < count && at + (k + 1) * width <= tensors.size(); ++k) std::memcpy(&tensors[at + k * width], &word, width);
}

void change_length(std::string& bytes, Random& random) {
  const std::size_t size = below(2, random) == 0 ? below(bytes.size() + 1, random) : bytes.size() + below(64, random);
  bytes.resize(std::min(size, kMostBytes), '\x01');
}

void splice(Parts& parts, const Parts& other, Random& random) {
  if (below(2, random) == 0) {
    parts.header = other.header;
  } else {
    parts.tensors = other.tensors.substr(0, below(other.tensors.size() + 1, random)) + parts.tensors;
  }
}

}  // namespace

std::size_t below(std::size_t most, Random& random) { return most == 0 ? 0 : static_cast<std::size_t>(random() % most); }

std::string mutate(const std::string& file, const std::string& other, Random& random) {
  Parts parts(file);
  const bool words_only = below(3, random) == 0;
  for (std::size_t change = 0, changes = 1 + below(4, random); change < changes; ++change) {
    switch (words_only ? 6 : below(16, random)) {
      case 0: change_bit(parts.tensors, random); break;
      case 1: change_bit(parts.header, random); break;
      case 2: change_length(parts.tensors, random); break;
      case 3: splice(parts, Parts(other), random); break;
      case 4:
      case 5: change_piece(parts.header, random); break;
      case 6:
      case 7:
      case 8: change_word(parts.tensors, random); break;
      default: change_number(parts.header, random); break;
    }
  }
  std::string changed = parts.join();
  if (below(16, random) == 0) change_bit(changed, random);  // the length of the header as well
  return changed.size() > kMostBytes ? file : changed;
}
