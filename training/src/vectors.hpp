#pragma once
// Sixteen floats at a time; the compiler maps them to the registers of the instruction set at hand.

#include <cstring>

#include "nets.hpp"

namespace nvnmd::training {
namespace {

using V = float __attribute__((vector_size(64)));
using W = int __attribute__((vector_size(64)));

#define NVNMD_INLINE [[gnu::always_inline]] inline

NVNMD_INLINE V load(const float* from) {
  V v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

NVNMD_INLINE void store(float* to, V v) { std::memcpy(to, &v, sizeof v); }

NVNMD_INLINE V all(float value) { return V{} + value; }

NVNMD_INLINE float sum(V v) {
  using Half = float __attribute__((vector_size(32)));
  using Quarter = float __attribute__((vector_size(16)));
  Half low, high;
  std::memcpy(&low, &v, sizeof low);
  std::memcpy(&high, reinterpret_cast<const char*>(&v) + sizeof low, sizeof high);
  const Half h = low + high;
  Quarter a, b;
  std::memcpy(&a, &h, sizeof a);
  std::memcpy(&b, reinterpret_cast<const char*>(&h) + sizeof a, sizeof b);
  const Quarter q = a + b;
  return (q[0] + q[2]) + (q[1] + q[3]);
}

// tanh to about 1e-7: 1 - 2 / (2^(2x / ln 2) + 1), 2^n by exponent bits and 2^f, |f| <= 1/2, by its series.
NVNMD_INLINE V hyperbolic_tangent(V x) {
  const V limit = all(9.5F);
  x = x > limit ? limit : x;
  x = x < -limit ? -limit : x;
  const V magic = all(12582912.0F);  // 1.5 * 2^23: its sum with a small number ends in the integer part
  const V y = x * 2.885390082F;
  const V shifted = y + magic;
  const V f = (y - (shifted - magic)) * 0.6931471806F;
  V e = all(1.0F / 720.0F);
  e = e * f + 1.0F / 120.0F;
  e = e * f + 1.0F / 24.0F;
  e = e * f + 1.0F / 6.0F;
  e = e * f + 0.5F;
  e = e * f + 1.0F;
  e = e * f + 1.0F;
  const W scale = (reinterpret_cast<W>(shifted) << 23) + (127 << 23);  // the magic number's own bits leave at the top
  e *= reinterpret_cast<V>(scale);
  return 1.0F - 2.0F / (e + 1.0F);
}

// y[r] = sum_i x[r][i] w[i], rows of nv vectors; sums of `group` rows and two vectors stay in registers.
template <int group, int nv>
NVNMD_INLINE void product_block(int n_in, const float* x, int xs, const float* w, int ws, float* y, int ys) {
  V acc[group][nv] = {};
  for (int i = 0; i < n_in; ++i) {
    V row[nv];
    for (int v = 0; v < nv; ++v) row[v] = load(w + i * ws + v * kLanes);
    for (int r = 0; r < group; ++r) {
      for (int v = 0; v < nv; ++v) acc[r][v] += x[r * xs + i] * row[v];
    }
  }
  for (int r = 0; r < group; ++r) {
    for (int v = 0; v < nv; ++v) store(y + r * ys + v * kLanes, acc[r][v]);
  }
}

// rows is a multiple of the group.
template <int group>
inline void product(int rows, int n_in, const float* x, int xs, const float* w, int ws, float* y, int ys) {
  int v = 0;
  for (; v + 2 * kLanes <= ys; v += 2 * kLanes) {
    for (int r = 0; r < rows; r += group) product_block<group, 2>(n_in, x + r * xs, xs, w + v, ws, y + r * ys + v, ys);
  }
  if (v == ys) return;
  for (int r = 0; r < rows; r += group) product_block<group, 1>(n_in, x + r * xs, xs, w + v, ws, y + r * ys + v, ys);
}

// into[i] += sum_r x[r][i] back[r], for `group` values of i.
template <int group, int nv>
NVNMD_INLINE void outer_block(int rows, const float* x, int xs, const float* back, int bs, float* into) {
  V acc[group][nv];
  for (int i = 0; i < group; ++i) {
    for (int v = 0; v < nv; ++v) acc[i][v] = load(into + i * bs + v * kLanes);
  }
  for (int r = 0; r < rows; ++r) {
    V row[nv];
    for (int v = 0; v < nv; ++v) row[v] = load(back + r * bs + v * kLanes);
    for (int i = 0; i < group; ++i) {
      for (int v = 0; v < nv; ++v) acc[i][v] += x[r * xs + i] * row[v];
    }
  }
  for (int i = 0; i < group; ++i) {
    for (int v = 0; v < nv; ++v) store(into + i * bs + v * kLanes, acc[i][v]);
  }
}

template <int group, int nv>
inline void outer_columns(int rows, int n_in, const float* x, int xs, const float* back, int bs, float* into) {
  int i = 0;
  for (; i + group <= n_in; i += group) outer_block<group, nv>(rows, x + i, xs, back, bs, into + i * bs);
  for (; i < n_in; ++i) outer_block<1, nv>(rows, x + i, xs, back, bs, into + i * bs);
}

template <int group>
inline void outer(int rows, int n_in, const float* x, int xs, const float* back, int bs, float* into) {
  int v = 0;
  for (; v + 2 * kLanes <= bs; v += 2 * kLanes) outer_columns<group, 2>(rows, n_in, x, xs, back + v, bs, into + v);
  if (v < bs) outer_columns<group, 1>(rows, n_in, x, xs, back + v, bs, into + v);
}

}  // namespace
}  // namespace nvnmd::training
