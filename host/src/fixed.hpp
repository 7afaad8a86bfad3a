// Rounding and saturation: the only ones of the integer model (docs/numerics.md, section 1).
#pragma once

#include <cstdint>

namespace nvnmd {

// floor((value + 2^(shift - 1)) / 2^shift), round half up, for 0 <= shift <= 62. Written without the addition, which could
// overflow: the bit below the cut is carried in afterwards.
constexpr std::int64_t rnd(std::int64_t value, int shift) {
  return shift == 0 ? value : (value >> shift) + ((value >> (shift - 1)) & 1);
}

// Largest magnitude of a symmetric signed word of `bits` bits.
constexpr std::int64_t limit(int bits) { return (std::int64_t{1} << (bits - 1)) - 1; }

// Clamps to the symmetric range [-top, top].
constexpr std::int64_t clamp(std::int64_t value, std::int64_t top) {
  return value > top ? top : (value < -top ? -top : value);
}

// Clamps to [-top, top] and adds one to `clipped` when that changed the word.
constexpr std::int64_t sat(std::int64_t value, std::int64_t top, std::int64_t& clipped) {
  const std::int64_t word = clamp(value, top);
  clipped += word != value;
  return word;
}

}  // namespace nvnmd
