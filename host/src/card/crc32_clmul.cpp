// Folding as in Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction" (Intel, 2009): 64
// bytes a step in four registers, then one register, then Barrett's reduction to 32 bits. Bits are reflected.
#include "card/crc32_clmul.hpp"

#include <immintrin.h>

namespace nvnmd::card {
namespace {

// x^n modulo the polynomial for n = 4 * 128 + 32, 4 * 128 - 32, then 128 + 32, 128 - 32, then 64, reflected and shifted by one.
constexpr long long kFold512Low = 0x154442bd4, kFold512High = 0x1c6e41596;
constexpr long long kFold128Low = 0x1751997d0, kFold128High = 0x0ccaa009e;
constexpr long long kFold64 = 0x163cd6124;
// The polynomial and the quotient x^64 / polynomial, reflected.
constexpr long long kPolynomial = 0x1db710641, kQuotient = 0x1f7011641;

__m128i load(const std::byte* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }

__m128i fold(__m128i sum, __m128i keys, __m128i next) {
  const __m128i low = _mm_clmulepi64_si128(sum, keys, 0x00), high = _mm_clmulepi64_si128(sum, keys, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

std::uint32_t reduce(__m128i sum) {
  const __m128i mask = _mm_setr_epi32(~0, 0, ~0, 0);
  const __m128i keys = _mm_set_epi64x(kFold128High, kFold128Low);
  sum = _mm_xor_si128(_mm_srli_si128(sum, 8), _mm_clmulepi64_si128(sum, keys, 0x10));
  sum = _mm_xor_si128(_mm_srli_si128(sum, 4), _mm_clmulepi64_si128(_mm_and_si128(sum, mask), _mm_set_epi64x(0, kFold64), 0x00));
  const __m128i barrett = _mm_set_epi64x(kQuotient, kPolynomial);
  __m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(sum, mask), barrett, 0x10);
  quotient = _mm_clmulepi64_si128(_mm_and_si128(quotient, mask), barrett, 0x00);
  return static_cast<std::uint32_t>(_mm_extract_epi32(_mm_xor_si128(sum, quotient), 1));
}

}  // namespace

std::uint32_t crc32_clmul(std::uint32_t state, const std::byte* data, std::size_t size) {
  __m128i a = _mm_xor_si128(load(data), _mm_cvtsi32_si128(static_cast<int>(state)));
  __m128i b = load(data + 16), c = load(data + 32), d = load(data + 48);
  const __m128i wide = _mm_set_epi64x(kFold512High, kFold512Low), keys = _mm_set_epi64x(kFold128High, kFold128Low);
  std::size_t at = 64;
  for (; at + 64 <= size; at += 64) {
    a = fold(a, wide, load(data + at));
    b = fold(b, wide, load(data + at + 16));
    c = fold(c, wide, load(data + at + 32));
    d = fold(d, wide, load(data + at + 48));
  }
  a = fold(fold(fold(a, keys, b), keys, c), keys, d);
  for (; at + 16 <= size; at += 16) a = fold(a, keys, load(data + at));
  return reduce(a);
}

}  // namespace nvnmd::card
