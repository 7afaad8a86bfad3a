// Vector words of the SIMD kernel in AVX2 and FMA: every wide word is a pair of 256-bit registers in the order of 128-bit lanes.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstdint>

#include "lanes_common.hpp"

namespace nvnmd::simd {

struct Avx2 {
  struct Half {
    __m256i a, b;
  };
  using Word = Half;
  struct Real {
    __m256d a, b;
  };
  static constexpr int kTileAtoms = 3;

  static __m256i load1(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
  static Half load(const std::int16_t* p) { return {load1(p), load1(p + 16)}; }
  static void store(std::int16_t* p, Half v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v.a);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p + 16), v.b);
  }
  static Half set16(int v) { return {_mm256_set1_epi16(static_cast<short>(v)), _mm256_set1_epi16(static_cast<short>(v))}; }
  static Half add16(Half x, Half y) { return {_mm256_add_epi16(x.a, y.a), _mm256_add_epi16(x.b, y.b)}; }
  static Half adds16(Half x, Half y) { return {_mm256_adds_epi16(x.a, y.a), _mm256_adds_epi16(x.b, y.b)}; }
  static Half mulhrs(Half x, Half y) { return {_mm256_mulhrs_epi16(x.a, y.a), _mm256_mulhrs_epi16(x.b, y.b)}; }
  static Half max16(Half x, Half y) { return {_mm256_max_epi16(x.a, y.a), _mm256_max_epi16(x.b, y.b)}; }
  static Half abs16(Half x) { return {_mm256_abs_epi16(x.a), _mm256_abs_epi16(x.b)}; }
  static Half or16(Half x, Half y) { return {_mm256_or_si256(x.a, y.a), _mm256_or_si256(x.b, y.b)}; }
  static Half xor16(Half x, Half y) { return {_mm256_xor_si256(x.a, y.a), _mm256_xor_si256(x.b, y.b)}; }
  static bool any(Half x) {
    const __m256i all = _mm256_or_si256(x.a, x.b);
    return _mm256_testz_si256(all, all) == 0;
  }
  static Half unpack_low(Half x, Half y) { return {_mm256_unpacklo_epi16(x.a, y.a), _mm256_unpacklo_epi16(x.b, y.b)}; }
  static Half unpack_high(Half x, Half y) { return {_mm256_unpackhi_epi16(x.a, y.a), _mm256_unpackhi_epi16(x.b, y.b)}; }
  static Half pack(Word low, Word high) { return {_mm256_packs_epi32(low.a, high.a), _mm256_packs_epi32(low.b, high.b)}; }

  // Value and slope of the tanh table; there is no 16-bit look-up, so coefficients are gathered as 32-bit words.
  static void tanh(const std::int16_t* table, int seg_bits, int shift, Half zt, Half& act, Half& phi) {
    alignas(32) std::int16_t z[32], value[32], slope[32];
    store(z, zt);
    for (int i = 0; i < 32; i += 8) tanh8(table, seg_bits, shift, z + i, value + i, slope + i);
    act = load(value);
    phi = load(slope);
  }
  static void tanh8(const std::int16_t* table, int seg_bits, int shift, const std::int16_t* z, std::int16_t* value, std::int16_t* slope) {
    const __m256i zt = load8_widen(z), magnitude = _mm256_abs_epi32(zt);
    const __m256i index = _mm256_srl_epi32(magnitude, _mm_cvtsi32_si128(seg_bits));
    const __m256i rest = _mm256_and_si256(magnitude, _mm256_set1_epi32((1 << seg_bits) - 1));
    const __m256i t = _mm256_sll_epi32(rest, _mm_cvtsi32_si128(15 - seg_bits));
    const auto look = [&](int c) {  // the word below is 16 bits too far left; the arithmetic shift drops its neighbor
      const int* base = reinterpret_cast<const int*>(table + 64 * c - 1);
      return _mm256_srai_epi32(_mm256_i32gather_epi32(base, index, 2), 16);
    };
    const auto round15 = [](__m256i v) { return _mm256_srai_epi32(_mm256_add_epi32(v, _mm256_set1_epi32(1 << 14)), 15); };
    const __m256i q = round15(_mm256_mullo_epi32(t, look(2)));
    const __m256i d = _mm256_add_epi32(look(1), q);
    const __m256i coarse = _mm256_srl_epi32(t, _mm_cvtsi32_si128(shift));
    const __m256i v = _mm256_add_epi32(look(0), round15(_mm256_mullo_epi32(coarse, d)));
    store8_narrow(value, _mm256_sign_epi32(v, _mm256_or_si256(zt, _mm256_set1_epi32(1))));
    store8_narrow(slope, _mm256_add_epi32(d, q));
  }

  static Word zero() { return {_mm256_setzero_si256(), _mm256_setzero_si256()}; }
  static Word set32(std::int32_t v) { return {_mm256_set1_epi32(v), _mm256_set1_epi32(v)}; }
  static Word load32(const std::int32_t* p) { return {load1(p), load1(p + 8)}; }
  static void store32(std::int32_t* p, Word v) {
    store8(p, v.a);
    store8(p + 8, v.b);
  }
  static Word add32(Word x, Word y) { return {_mm256_add_epi32(x.a, y.a), _mm256_add_epi32(x.b, y.b)}; }
  static Word max32(Word x, Word y) { return {_mm256_max_epi32(x.a, y.a), _mm256_max_epi32(x.b, y.b)}; }
  static Word abs32(Word x) { return {_mm256_abs_epi32(x.a), _mm256_abs_epi32(x.b)}; }
  static Word shift_right(Word x, int n) {
    const __m128i count = _mm_cvtsi32_si128(n);
    return {_mm256_sra_epi32(x.a, count), _mm256_sra_epi32(x.b, count)};
  }
  static Word shift_left(Word x, int n) {
    const __m128i count = _mm_cvtsi32_si128(n);
    return {_mm256_sll_epi32(x.a, count), _mm256_sll_epi32(x.b, count)};
  }
  static Word widen_low(Half x) { return shift_right(unpack_low(x, x), 16); }
  static Word widen_high(Half x) { return shift_right(unpack_high(x, x), 16); }
  static std::int32_t largest(Word x) {
    alignas(32) std::int32_t w[8];
    store8(w, _mm256_max_epi32(x.a, x.b));
    return *std::max_element(w, w + 8);
  }
  static std::int32_t sum(Word x) { return static_cast<std::int32_t>(wide_sum(x)); }
  static std::int64_t wide_sum(Word x) {
    alignas(32) std::int32_t w[16];
    store32(w, x);
    std::int64_t total = 0;
    for (const std::int32_t word : w) total += word;
    return total;
  }
  static Word dot(Word acc, Half x, Half y) {
    return {_mm256_add_epi32(acc.a, _mm256_madd_epi16(x.a, y.a)), _mm256_add_epi32(acc.b, _mm256_madd_epi16(x.b, y.b))};
  }

  static void transpose(const std::int16_t* rows, int stride, Word out[16]) {
    for (int half = 0; half < 2; ++half) {
      for (int side = 0; side < 2; ++side) {
        __m256i r[8];
        for (int i = 0; i < 8; ++i) r[i] = load1(rows + (8 * half + i) * stride + 16 * side);
        transpose8(r);
        for (int p = 0; p < 8; ++p) (half == 0 ? out[8 * side + p].a : out[8 * side + p].b) = r[p];
      }
    }
  }

  static Real real(double v) { return {_mm256_set1_pd(v), _mm256_set1_pd(v)}; }
  static Real load_real(const double* p) { return {_mm256_loadu_pd(p), _mm256_loadu_pd(p + 4)}; }
  static void store_real(double* p, Real v) {
    _mm256_storeu_pd(p, v.a);
    _mm256_storeu_pd(p + 4, v.b);
  }
  static Real from_words(__m256i v) { return {_mm256_cvtepi32_pd(_mm256_castsi256_si128(v)), _mm256_cvtepi32_pd(_mm256_extracti128_si256(v, 1))}; }
  static __m256i to_words(Real v) { return _mm256_set_m128i(_mm256_cvtpd_epi32(v.b), _mm256_cvtpd_epi32(v.a)); }
  static Real add(Real x, Real y) { return {_mm256_add_pd(x.a, y.a), _mm256_add_pd(x.b, y.b)}; }
  static Real mul(Real x, Real y) { return {_mm256_mul_pd(x.a, y.a), _mm256_mul_pd(x.b, y.b)}; }
  static Real fma(Real x, Real y, Real z) { return {_mm256_fmadd_pd(x.a, y.a, z.a), _mm256_fmadd_pd(x.b, y.b, z.b)}; }
  static Real floor(Real x) { return {_mm256_floor_pd(x.a), _mm256_floor_pd(x.b)}; }
  static Real max(Real x, Real y) { return {_mm256_max_pd(x.a, y.a), _mm256_max_pd(x.b, y.b)}; }
  static Real abs(Real x) {
    const __m256d sign = _mm256_set1_pd(-0.0);
    return {_mm256_andnot_pd(sign, x.a), _mm256_andnot_pd(sign, x.b)};
  }
  static double largest(Real x) {
    alignas(32) double w[4];
    _mm256_store_pd(w, _mm256_max_pd(x.a, x.b));
    return *std::max_element(w, w + 4);
  }
};

}  // namespace nvnmd::simd
