// Vector words of the SIMD kernel in AVX-512 (F, BW, DQ, VL), with or without VNNI. Included by one translation unit per instruction set.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "lanes_common.hpp"

namespace nvnmd::simd {

template <bool Vnni>
struct Avx512 {
  using Half = __m512i;     // 32 words of 16 bits
  using Word = __m512i;     // 16 words of 32 bits
  using Real = __m512d;     // 8 doubles that hold integers
  static constexpr int kTileAtoms = 12;

  static Half load(const std::int16_t* p) { return _mm512_loadu_si512(p); }
  static void store(std::int16_t* p, Half v) { _mm512_storeu_si512(p, v); }
  static Half set16(int v) { return _mm512_set1_epi16(static_cast<short>(v)); }
  static Half add16(Half a, Half b) { return _mm512_add_epi16(a, b); }
  static Half adds16(Half a, Half b) { return _mm512_adds_epi16(a, b); }
  static Half mulhrs(Half a, Half b) { return _mm512_mulhrs_epi16(a, b); }
  static Half max16(Half a, Half b) { return _mm512_max_epi16(a, b); }
  static Half abs16(Half a) { return _mm512_abs_epi16(a); }
  static Half or16(Half a, Half b) { return _mm512_or_si512(a, b); }
  static Half xor16(Half a, Half b) { return _mm512_xor_si512(a, b); }
  static bool any(Half a) { return _mm512_test_epi32_mask(a, a) != 0; }
  static Half unpack_low(Half a, Half b) { return _mm512_unpacklo_epi16(a, b); }
  static Half unpack_high(Half a, Half b) { return _mm512_unpackhi_epi16(a, b); }
  static Half pack(Word low, Word high) { return _mm512_packs_epi32(low, high); }

  // Value and slope of the tanh table; zt is within +-32767.
  static void tanh(const std::int16_t* table, int seg_bits, int shift, Half zt, Half& act, Half& phi) {
    const Half magnitude = abs16(zt);
    const Half index = _mm512_srl_epi16(magnitude, _mm_cvtsi32_si128(seg_bits));
    const Half rest = _mm512_and_si512(magnitude, set16((1 << seg_bits) - 1));
    const Half t = _mm512_sll_epi16(rest, _mm_cvtsi32_si128(15 - seg_bits));
    const auto look = [&](int c) { return _mm512_permutex2var_epi16(load(table + 64 * c), index, load(table + 64 * c + 32)); };
    const Half q = mulhrs(t, look(2));
    const Half d = add16(look(1), q);
    const Half value = add16(look(0), mulhrs(_mm512_srl_epi16(t, _mm_cvtsi32_si128(shift)), d));
    phi = add16(d, q);
    act = _mm512_mask_sub_epi16(value, _mm512_movepi16_mask(zt), _mm512_setzero_si512(), value);
  }

  static Word zero() { return _mm512_setzero_si512(); }
  static Word set32(std::int32_t v) { return _mm512_set1_epi32(v); }
  static Word load32(const std::int32_t* p) { return _mm512_loadu_si512(p); }
  static void store32(std::int32_t* p, Word v) { _mm512_storeu_si512(p, v); }
  static Word add32(Word a, Word b) { return _mm512_add_epi32(a, b); }
  static Word max32(Word a, Word b) { return _mm512_max_epi32(a, b); }
  static Word abs32(Word a) { return _mm512_abs_epi32(a); }
  static Word shift_right(Word a, int n) { return _mm512_sra_epi32(a, _mm_cvtsi32_si128(n)); }
  static Word shift_left(Word a, int n) { return _mm512_sll_epi32(a, _mm_cvtsi32_si128(n)); }
  static Word widen_low(Half a) { return _mm512_srai_epi32(_mm512_unpacklo_epi16(a, a), 16); }
  static Word widen_high(Half a) { return _mm512_srai_epi32(_mm512_unpackhi_epi16(a, a), 16); }
  static std::int32_t largest(Word a) { return _mm512_reduce_max_epi32(a); }
  static std::int32_t sum(Word a) { return _mm512_reduce_add_epi32(a); }
  static std::int64_t wide_sum(Word a) {
    const __m512i low = _mm512_cvtepi32_epi64(_mm512_castsi512_si256(a));
    return _mm512_reduce_add_epi64(_mm512_add_epi64(low, _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(a, 1))));
  }
  // acc + a_0 b_0 + a_1 b_1 for each pair of 16-bit words.
  static Word dot(Word acc, Half a, Half b) {
    if constexpr (Vnni) {
      // As an intrinsic, gcc 12 copies the sum before and after each instruction and spills the tile.
      asm("vpdpwssd %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b));
      return acc;
    } else {
      return _mm512_add_epi32(acc, _mm512_madd_epi16(a, b));
    }
  }

  // Rows of 16 dwords, `stride` 16-bit words apart, into columns: out[p] holds dword p of all 16 rows.
  static void transpose(const std::int16_t* rows, int stride, Word out[16]) {
    Word a[16], b[16];
    for (int i = 0; i < 16; ++i) a[i] = load(rows + i * stride);
    for (int i = 0; i < 16; i += 2) {
      b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
      b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
      a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
      a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
      a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
      a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
    }
    // a[4 g + c] now holds, in its 128-bit lane L, column 4 L + c of rows 4 g ... 4 g + 3.
    for (int c = 0; c < 4; ++c) {
      const Word even_01 = _mm512_shuffle_i32x4(a[c], a[4 + c], 0x88), odd_01 = _mm512_shuffle_i32x4(a[c], a[4 + c], 0xDD);
      const Word even_23 = _mm512_shuffle_i32x4(a[8 + c], a[12 + c], 0x88), odd_23 = _mm512_shuffle_i32x4(a[8 + c], a[12 + c], 0xDD);
      out[c] = _mm512_shuffle_i32x4(even_01, even_23, 0x88);
      out[4 + c] = _mm512_shuffle_i32x4(odd_01, odd_23, 0x88);
      out[8 + c] = _mm512_shuffle_i32x4(even_01, even_23, 0xDD);
      out[12 + c] = _mm512_shuffle_i32x4(odd_01, odd_23, 0xDD);
    }
  }

  static Real real(double v) { return _mm512_set1_pd(v); }
  static Real load_real(const double* p) { return _mm512_loadu_pd(p); }
  static void store_real(double* p, Real v) { _mm512_storeu_pd(p, v); }
  static Real from_words(__m256i v) { return _mm512_cvtepi32_pd(v); }
  static __m256i to_words(Real v) { return _mm512_cvtpd_epi32(v); }
  static Real add(Real a, Real b) { return _mm512_add_pd(a, b); }
  static Real mul(Real a, Real b) { return _mm512_mul_pd(a, b); }
  static Real fma(Real a, Real b, Real c) { return _mm512_fmadd_pd(a, b, c); }
  static Real floor(Real a) { return _mm512_roundscale_pd(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
  static Real max(Real a, Real b) { return _mm512_max_pd(a, b); }
  static Real abs(Real a) { return _mm512_abs_pd(a); }
  static double largest(Real a) { return _mm512_reduce_max_pd(a); }
};

}  // namespace nvnmd::simd
