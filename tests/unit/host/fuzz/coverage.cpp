#include "coverage.hpp"

#include <array>
#include <cstdint>

namespace coverage {
namespace {

constexpr std::size_t kPlaces = std::size_t{1} << 16;
std::array<std::uint8_t, kPlaces> counts, seen;

// The number of visits as one bit: 1, 2, 3, 4-7, 8-15, 16-31, 32-127, more.
std::uint8_t bucket(std::uint8_t count) {
  if (count < 4) return static_cast<std::uint8_t>(count == 0 ? 0 : 1 << (count - 1));
  return count < 8 ? 8 : count < 16 ? 16 : count < 32 ? 32 : count < 128 ? 64 : 128;
}

}  // namespace

void begin() { counts.fill(0); }

bool found_news() {
  bool news = false;
  for (std::size_t i = 0; i < kPlaces; ++i) {
    const std::uint8_t bit = bucket(counts[i]);
    news = news || (bit & ~seen[i]) != 0;
    seen[i] |= bit;
  }
  return news;
}

std::size_t places() {
  std::size_t count = 0;
  for (const std::uint8_t byte : seen) count += byte != 0;
  return count;
}

}  // namespace coverage

// The compiler puts a call to this in front of every basic block. Threads may lose a count; nothing else depends on it.
extern "C" void __sanitizer_cov_trace_pc() {
  auto place = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  place ^= place >> 16;
  std::uint8_t& count = coverage::counts[place & (coverage::kPlaces - 1)];
  if (count < 255) ++count;
}
