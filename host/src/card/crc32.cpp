#include <cstring>

#include "card/crc32_clmul.hpp"
#include "card/packet.hpp"

namespace nvnmd::card {
namespace {

constexpr std::uint32_t kPolynomial = 0xEDB88320;  // of Ethernet, bits reflected
constexpr std::size_t kSlices = 8;                 // bytes a step

using Tables = std::array<std::array<std::uint32_t, 256>, kSlices>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t state = byte;
    for (int bit = 0; bit < 8; ++bit) state = state >> 1 ^ (state & 1 ? kPolynomial : 0);
    tables[0][byte] = state;
  }
  for (std::size_t slice = 1; slice < kSlices; ++slice) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t state = tables[slice - 1][byte];
      tables[slice][byte] = state >> 8 ^ tables[0][state & 255];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

std::uint32_t by_bytes(std::uint32_t state, std::span<const std::byte> data) {
  for (const std::byte byte : data) state = state >> 8 ^ kTables[0][(state ^ static_cast<std::uint32_t>(byte)) & 255];
  return state;
}

std::uint32_t by_slices(std::uint32_t state, std::span<const std::byte> data) {
  for (; data.size() >= kSlices; data = data.subspan(kSlices)) {
    const std::uint64_t word = load_word(data.data()) ^ state;
    state = 0;
    for (std::size_t byte = 0; byte < kSlices; ++byte) state ^= kTables[kSlices - 1 - byte][word >> (8 * byte) & 255];
  }
  return by_bytes(state, data);
}

}  // namespace

std::uint32_t crc32_portable(std::span<const std::byte> data, std::uint32_t state) { return ~by_slices(~state, data); }

std::uint32_t crc32(std::span<const std::byte> data, std::uint32_t state) {
#ifdef __x86_64__
  static const bool usable = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
  if (usable && data.size() >= kClmulLeast) {
    const std::size_t folded = data.size() / kClmulStep * kClmulStep;
    return ~by_slices(crc32_clmul(~state, data.data(), folded), data.subspan(folded));
  }
#endif
  return crc32_portable(data, state);
}

}  // namespace nvnmd::card
