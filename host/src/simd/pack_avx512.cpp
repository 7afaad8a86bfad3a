#include <immintrin.h>

#include "pack.hpp"

namespace nvnmd::simd {

int pack_avx512(const Candidates& c, AtomBatch& batch) {
  const std::int32_t begin = batch.first[static_cast<std::size_t>(batch.size)];
  const __m512d center[3] = {_mm512_set1_pd(c.center[0]), _mm512_set1_pd(c.center[1]), _mm512_set1_pd(c.center[2])};
  const __m512d scale = _mm512_set1_pd(c.scale), reach = _mm512_set1_pd(c.reach);
  std::int32_t* const columns[6] = {batch.neighbor.data(), batch.type.data(), batch.x.data(), batch.y.data(), batch.z.data(), batch.u.data()};
  std::int32_t next = begin;
  for (int first = 0; first < c.count; first += 8) {
    const auto here = static_cast<__mmask8>(c.count - first >= 8 ? 0xFF : (1 << (c.count - first)) - 1);
    const __m256i j = _mm256_and_si256(_mm256_maskz_loadu_epi32(here, c.list + first), _mm256_set1_epi32(c.mask));
    const __m256i own = _mm256_mmask_i32gather_epi32(_mm256_setzero_si256(), here, j, c.types, 4);
    const __m256i type = _mm256_mmask_i32gather_epi32(_mm256_set1_epi32(-1), here, own, c.type_map, 4);
    const __m256i row = _mm256_add_epi32(j, _mm256_add_epi32(j, j));
    const __mmask8 known = _mm256_cmpgt_epi32_mask(type, _mm256_set1_epi32(-1));
    __m512d x[3], w = _mm512_setzero_pd();
    __mmask8 inside = known, finite = known;
    for (int axis = 0; axis < 3; ++axis) {
      const __m512d other = _mm512_mask_i32gather_pd(_mm512_setzero_pd(), known, row, c.positions + axis, 8);
      const __m512d dx = _mm512_sub_pd(other, center[axis]);
      x[axis] = _mm512_roundscale_pd(_mm512_mul_pd(dx, scale), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
      inside = _mm512_mask_cmp_pd_mask(inside, _mm512_abs_pd(x[axis]), reach, _CMP_LE_OQ);
      finite = _mm512_mask_cmp_pd_mask(finite, _mm512_sub_pd(dx, dx), _mm512_setzero_pd(), _CMP_EQ_OQ);
      w = _mm512_fmadd_pd(x[axis], x[axis], w);
    }
    if (finite != known) return -1;
    const __m512d u = _mm512_floor_pd(_mm512_fmadd_pd(w, _mm512_set1_pd(c.u_scale), _mm512_set1_pd(0.5)));
    inside = _mm512_mask_cmp_pd_mask(inside, u, _mm512_set1_pd(c.u_cut), _CMP_LT_OQ);
    if (_mm512_mask_cmp_pd_mask(inside, u, _mm512_set1_pd(c.u_min), _CMP_LT_OQ) != 0) return -1;
    // Whole registers are stored: the batch has room behind its last neighbor.
    const __m256i words[6] = {j, type, _mm512_cvtpd_epi32(x[0]), _mm512_cvtpd_epi32(x[1]), _mm512_cvtpd_epi32(x[2]), _mm512_cvtpd_epi32(u)};
    for (int k = 0; k < 6; ++k) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(columns[k] + next), _mm256_maskz_compress_epi32(inside, words[k]));
    }
    next += __builtin_popcount(inside);
    if (next - begin > c.max_neighbors) return -1;
  }
  return next - begin;
}

}  // namespace nvnmd::simd
