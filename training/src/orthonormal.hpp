#pragma once
// Orthonormal rows by the method of Gram and Schmidt, each projection of a row at once and repeated where it took most of the row
// away ("twice is enough": W. Kahan in B. Parlett, The Symmetric Eigenvalue Problem, 6.9).

#include <algorithm>
#include <cmath>

#include "vectors.hpp"

namespace nvnmd::training {
namespace {

inline constexpr float kVanished = 1e-6F;  // what is left of a row of length 1 when only rounding is

NVNMD_INLINE float squared(int stride, const float* row) {
  V total = {};
  for (int c = 0; c < stride; c += kLanes) total += load(row + c) * load(row + c);
  return sum(total);
}

NVNMD_INLINE void scale(int stride, float factor, float* row) {
  for (int c = 0; c < stride; c += kLanes) store(row + c, load(row + c) * factor);
}

// To length 1, whatever its length was; false for a row of zeros.
inline bool normalized(int stride, float* row) {
  float most = 0.0F;
  for (int c = 0; c < stride; ++c) most = std::max(most, std::abs(row[c]));
  if (!(most > 0.0F) || !std::isfinite(1.0F / most)) return false;
  scale(stride, 1.0F / most, row);
  scale(stride, 1.0F / std::sqrt(squared(stride, row)), row);
  return true;
}

// row -= its projections on `count` orthonormal rows.
inline void project_out(int count, int stride, const float* rows, float* row) {
  int k = 0;
  const auto take = [&]<int group>() {
    V parts[group] = {};
    for (int c = 0; c < stride; c += kLanes) {
      for (int g = 0; g < group; ++g) parts[g] += load(rows + (k + g) * stride + c) * load(row + c);
    }
    float shares[group];
    for (int g = 0; g < group; ++g) shares[g] = sum(parts[g]);
    for (int c = 0; c < stride; c += kLanes) {
      V rest = load(row + c);
      for (int g = 0; g < group; ++g) rest -= shares[g] * load(rows + (k + g) * stride + c);
      store(row + c, rest);
    }
    k += group;
  };
  while (k + 8 <= count) take.template operator()<8>();
  while (k < count) take.template operator()<1>();
}

// Whether a row became one of length 1 at right angles to the rows before it.
inline bool joins(int count, int stride, const float* rows, float* row) {
  if (!normalized(stride, row)) return false;
  for (int pass = 0; pass < 4; ++pass) {
    project_out(count, stride, rows, row);
    const float left = std::sqrt(squared(stride, row));
    if (!(left > kVanished)) return false;
    scale(stride, 1.0F / left, row);
    if (left > 0.5F) return true;
  }
  return false;
}

// Makes the rows of a square matrix orthonormal, first ones first. A row of which nothing is left becomes its former axis, column k of
// `before`, or else the first unit vector that leaves something.
inline void orthonormal_rows(int size, const float* before, float* rows) {
  const int stride = padded(size);
  for (int k = 0; k < size; ++k) {
    float* const row = rows + k * stride;
    if (joins(k, stride, rows, row)) continue;
    for (int c = 0; c < size; ++c) row[c] = before[c * stride + k];
    for (int unit = 0; !joins(k, stride, rows, row) && unit < size; ++unit) {
      std::fill_n(row, stride, 0.0F);
      row[unit] = 1.0F;
    }
  }
}

}  // namespace
}  // namespace nvnmd::training
