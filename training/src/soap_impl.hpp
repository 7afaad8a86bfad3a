#pragma once
// The functions of SoapKernels, compiled once per instruction set; NVNMD_GROUP is set by the including file.

#include <algorithm>

#include "orthonormal.hpp"
#include "soap.hpp"
#include "transpose.hpp"
#include "vectors.hpp"

namespace nvnmd::training {
namespace {

NVNMD_INLINE V load_some(const float* from, int count) {
  V v = {};
  std::memcpy(&v, from, static_cast<std::size_t>(count) * sizeof(float));
  return v;
}

NVNMD_INLINE void store_some(float* to, V v, int count) { std::memcpy(to, &v, static_cast<std::size_t>(count) * sizeof(float)); }

// Calls body(row, first column, columns) for vectors of a matrix without padding; whole vectors are known as such to the compiler.
template <class F>
NVNMD_INLINE void for_vectors(int rows, int columns, F&& body) {
  for (int r = 0; r < rows; ++r) {
    int c = 0;
    for (; c + kLanes <= columns; c += kLanes) body(r, c, kLanes);
    if (c < columns) body(r, c, columns - c);
  }
}

NVNMD_INLINE V root(V x) {
  float lanes[kLanes];
  std::memcpy(lanes, &x, sizeof lanes);
  for (float& lane : lanes) lane = __builtin_sqrtf(lane);
  return load(lanes);
}

// A matrix in rows of whole vectors and as many more rows: as it is, or else copied to `to`.
NVNMD_INLINE const float* in_vectors(int rows, int columns, const float* from, float* to) {
  const int stride = padded(columns);
  if (rows % kLanes == 0 && stride == columns) return from;
  for (int r = 0; r < rows; ++r) {
    std::copy_n(from + r * columns, columns, to + r * stride);
    std::fill_n(to + r * stride + columns, stride - columns, 0.0F);
  }
  return to;
}

// Lower part, by panels of columns, of a symmetric product: panel(first column, first row) fills rows from there on.
template <class F>
NVNMD_INLINE void for_panels(int size, F&& panel) {
  for (int v = 0; v < size; v += 2 * kLanes) panel(v, std::min(2 * kLanes, size - v));
}

// mean += share (product - mean) for a symmetric matrix whose product stands in the lower panels of `product`.
NVNMD_INLINE void mix_symmetric(int size, const float* product, float share, float* mean) {
  const int stride = padded(size);
  for (int r = 0; r < size; ++r) {
    for (int c = 0; c <= r; ++c) {
      float& here = mean[r * size + c];
      here += share * (product[r * stride + c] - here);
    }
  }
  for (int tile = 0; tile < size; tile += kLanes) {
    for (int r = tile; r < size; ++r) {
      for (int c = tile; c < std::min(r, tile + kLanes); ++c) mean[c * size + r] = mean[r * size + c];
    }
  }
}

// mean += share (A A^T - mean) for A of `rows` rows and `inner` columns; `square`: room for the product.
NVNMD_INLINE void mix_product(int rows, int inner, const float* matrix, const float* transposed, float share, float* square, float* mean) {
  const int size = padded(rows), stride = padded(inner);
  for_panels(size, [&](int v, int width) {
    for (int r = v; r < size; r += NVNMD_GROUP) {
      float* const to = square + r * size + v;
      if (width == kLanes) {
        product_block<NVNMD_GROUP, 1>(inner, matrix + r * stride, stride, transposed + v, size, to, size);
      } else {
        product_block<NVNMD_GROUP, 2>(inner, matrix + r * stride, stride, transposed + v, size, to, size);
      }
    }
  });
  mix_symmetric(rows, square, share, mean);
}

// Means of G G^T and G^T G.
NVNMD_INLINE void gather_products(const SoapMatrix& matrix, const float* grad, float share, SoapWork& work) {
  const int m = matrix.rows, n = matrix.columns;
  float *const transposed = work.transposed.data(), *const square = work.square.data();
  transpose(m, n, grad, padded(n), transposed, padded(m));
  mix_product(m, n, grad, transposed, share, square, matrix.left);
  mix_product(n, m, transposed, grad, share, square, matrix.right);
}

void soap_step(const SoapMatrix& matrix, const SoapRates& rates, SoapWork& work) {
  const int m = matrix.rows, n = matrix.columns, ms = padded(m), ns = padded(n);
  float *const first = work.first.data(), *const second = work.second.data();
  const float* const grad = in_vectors(m, n, matrix.grad, work.grad.data());
  const float* const left = in_vectors(m, m, matrix.left_axes, work.left.data());
  const float* const right = in_vectors(n, n, matrix.right_axes, work.right.data());
  transpose(n, n, matrix.right_axes, n, work.right_transposed.data(), ns);

  std::fill_n(first, ms * ns, 0.0F);
  outer<NVNMD_GROUP>(m, m, left, ms, grad, ns, first);
  product<NVNMD_GROUP>(ms, n, first, ns, right, ns, second, ns);
  for_vectors(m, n, [&](int r, int c, int count) {
    const V turned = load(second + r * ns + c);
    float *const mean_at = matrix.mean + r * n + c, *const square_at = matrix.square + r * n + c;
    V mean = load_some(mean_at, count), square = load_some(square_at, count);
    mean += rates.first * (turned - mean);
    square += rates.second * (turned * turned - square);
    store_some(mean_at, mean, count);
    store_some(square_at, square, count);
    store(first + r * ns + c, -rates.rate * mean / (root(square * rates.unbias) + rates.eps));
  });
  product<NVNMD_GROUP>(ms, m, left, ms, first, ns, second, ns);
  product<NVNMD_GROUP>(ms, n, second, ns, work.right_transposed.data(), ns, first, ns);
  for_vectors(m, n, [&](int r, int c, int count) {
    float* const at = matrix.parameter + r * n + c;
    store_some(at, load_some(at, count) + load(first + r * ns + c), count);
  });
  if (rates.axes > 0.0F) gather_products(matrix, grad, rates.axes, work);
}

// Axes after one QR iteration with a mean of products, as rows of `to`; `before` and `mean` have rows of whole vectors.
NVNMD_INLINE void next_axes(int size, const float* before, const float* mean, float* to) {
  const int stride = padded(size);
  std::fill_n(to, stride * stride, 0.0F);
  outer<NVNMD_GROUP>(size, size, before, stride, mean, stride, to);
  orthonormal_rows(size, before, to);
}

// The mean gradient goes from the old axes to the new ones, and is cut to the root of the mean square there.
void soap_turn(const SoapMatrix& matrix, SoapWork& work) {
  const int m = matrix.rows, n = matrix.columns, ms = padded(m), ns = padded(n);
  float *const first = work.first.data(), *const second = work.second.data(), *const turned = work.square.data();
  const float* const mean = in_vectors(m, n, matrix.mean, work.grad.data());
  const float* const left = in_vectors(m, m, matrix.left_axes, work.left.data());
  const float* const right = in_vectors(n, n, matrix.right_axes, work.right.data());
  transpose(n, n, matrix.right_axes, n, work.right_transposed.data(), ns);
  product<NVNMD_GROUP>(ms, m, left, ms, mean, ns, second, ns);
  product<NVNMD_GROUP>(ms, n, second, ns, work.right_transposed.data(), ns, first, ns);

  next_axes(m, left, in_vectors(m, m, matrix.left, work.axes.data()), turned);
  product<NVNMD_GROUP>(ms, m, turned, ms, first, ns, second, ns);
  transpose(m, m, turned, ms, matrix.left_axes, m);
  next_axes(n, right, in_vectors(n, n, matrix.right, work.axes.data()), turned);
  transpose(n, n, turned, ns, matrix.right_axes, n);
  product<NVNMD_GROUP>(ms, n, second, ns, in_vectors(n, n, matrix.right_axes, work.right.data()), ns, first, ns);
  for_vectors(m, n, [&](int r, int c, int count) {
    const V most = root(load_some(matrix.square + r * n + c, count));
    V now = load(first + r * ns + c);
    now = now > most ? most : now;
    now = now < -most ? -most : now;
    store_some(matrix.mean + r * n + c, now, count);
  });
}

constexpr SoapKernels make_soap() { return {soap_step, soap_turn}; }

}  // namespace
}  // namespace nvnmd::training
