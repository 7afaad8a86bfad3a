// Products of 16-bit weights with the activations of many atoms.
#pragma once

#include <cstring>
#include <utility>

#include "layout.hpp"

namespace nvnmd::simd {

inline std::int32_t dword(const std::int16_t* p) {
  std::int32_t word;
  std::memcpy(&word, p, sizeof word);
  return word;
}

template <class Isa, int Stride, std::size_t... N, class Take>
[[gnu::always_inline]] inline void product_tile(const std::int16_t* weights, int input_pairs, const std::int16_t* act, std::index_sequence<N...>,
                                                Take take) {
  typename Isa::Word low[] = {((void)N, Isa::zero())...}, high[] = {((void)N, Isa::zero())...};
  // Folds instead of loops over atoms: constant indices are what keeps the sums in registers.
  for (int p = 0; p < input_pairs; ++p, weights += 64, act += 2) {
    const typename Isa::Half wl = Isa::load(weights), wh = Isa::load(weights + 32);
    const auto step = [&](auto& l, auto& h, const std::int16_t* input) {
      const typename Isa::Word x = Isa::set32(dword(input));
      l = Isa::dot(l, wl, x);
      h = Isa::dot(h, wh, x);
    };
    (step(low[N], high[N], act + static_cast<int>(N) * Stride), ...);
  }
  (take(static_cast<int>(N), low[N], high[N]), ...);
}

// Calls take(atom, group, low, high) with the sums of every group of 32 outputs and every atom; `atoms` is a multiple of
// Isa::kTileAtoms, rows of activations are Stride words apart.
template <class Isa, int Stride, class Take>
void product(const PackedMatrix& matrix, const std::int16_t* act, int atoms, Take take) {
  const std::int16_t* weights = matrix.words.data();
  for (int group = 0; group < matrix.groups; ++group, weights += std::ptrdiff_t{64} * matrix.input_pairs) {
    for (int first = 0; first < atoms; first += Isa::kTileAtoms) {
      product_tile<Isa, Stride>(weights, matrix.input_pairs, act + std::ptrdiff_t{first} * Stride, std::make_index_sequence<Isa::kTileAtoms>{},
                                [&](int n, auto low, auto high) { take(first + n, group, low, high); });
    }
  }
}

// rnd(v, n) of 32-bit sums for n >= 2, without the overflow that adding first could bring.
template <class Isa>
typename Isa::Word rnd32(typename Isa::Word v, int n) {
  return Isa::shift_right(Isa::add32(Isa::shift_right(v, n - 1), Isa::set32(1)), 1);
}

}  // namespace nvnmd::simd
