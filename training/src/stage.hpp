#pragma once
// The stage between pairs and atoms: embedding nets, X, and forces from dE/dX, each with its vector-Jacobian product.
// docs/training.md has the formulas; training/descriptor.py and training/embedding.py compute the same in torch.

#include <cstdint>

#include "nets.hpp"

namespace nvnmd::training {

inline constexpr int kGeometry = 12;  // row 0-3, unit vector 4-6, slopes 7-9, distance 10, free 11

// Pairs center by center, and within a center by neighbor type.
struct Pairs {
  int n_atoms, n_types;
  const std::int64_t* offsets;    // [n_atoms * n_types + 1]
  const std::int32_t* types;      // [n_atoms]
  const std::int32_t* neighbors;  // [n_pairs]
  const std::int32_t* frames;     // [n_atoms]
  const float* geometry;          // [n_pairs][kGeometry]
};

// Rows of what a forward pass saves: runs of neighbors of one type are rounded up to whole groups of four.
inline std::size_t saved_rows(const Pairs& pairs) {
  const auto runs = static_cast<std::size_t>(pairs.n_atoms) * static_cast<std::size_t>(pairs.n_types);
  return static_cast<std::size_t>(pairs.offsets[runs]) + 3 * runs;
}

// G and dG/d(input) of every pair, rows of Nets::stride().
template <class T>
struct Channels {
  T *value, *derivative;
};

// What one instruction set offers; every function works on the centers first to last - 1.
struct Stage {
  const char* name;
  // X [n_atoms][4][M1], not divided by N; `saved` is for channels_backward, saved_rows(pairs) * Nets::saved() floats.
  void (*channels)(const Nets&, const Pairs&, int first, int last, Channels<float>, float* saved, float* x);
  // Gradients of the nets from those of X and, through the channels in them, of forces and virials (null: none).
  void (*channels_backward)(const Nets&, const Pairs&, int first, int last, const float* saved, const float* grad_x,
                            const float* table, const float* grad_forces, const float* grad_virials, Gradients&);
  // Adds to forces [n_atoms][3] and virials [n_frames][9]; table is dE/dX [n_atoms][4][M1].
  void (*forces)(const Nets&, const Pairs&, int first, int last, Channels<const float>, const float* table, float* forces,
                 float* virials);
  // Gradient of the table from those of forces and virials.
  void (*forces_backward)(const Nets&, const Pairs&, int first, int last, Channels<const float>, const float* grad_forces,
                          const float* grad_virials, float* grad_table);
};

// The fastest one that this processor runs.
const Stage& stage();

const Stage& stage_portable();
#ifdef __x86_64__
const Stage& stage_avx2();
const Stage& stage_avx512();
#endif

}  // namespace nvnmd::training
