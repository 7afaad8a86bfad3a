// CRC-32 by carry-less multiplication, for CPUs that have it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nvnmd::card {

inline constexpr std::size_t kClmulLeast = 64, kClmulStep = 16;

// Passes `size` bytes, a multiple of kClmulStep and at least kClmulLeast, through the register `state` (not inverted).
std::uint32_t crc32_clmul(std::uint32_t state, const std::byte* data, std::size_t size);

}  // namespace nvnmd::card
