#pragma once
// The stage of one atom: from X = sum_j R_j G_j to its energy and dE/dX through descriptor and fitting net, with the gradient of
// both. docs/training.md has the formulas; training/model.py and training/fitting.py compute the same in torch.

#include <cstdint>
#include <memory>
#include <vector>

#include "nets.hpp"

namespace nvnmd::training {

inline constexpr int kRows = 8;  // rows are padded to a multiple of this

struct FitShape {
  int channels, axis;        // M1, M2
  float neighbors;           // N of the normalization
  std::vector<int> widths;   // of the descriptor, of the hidden layers, and 1
  std::vector<bool> skips;   // for each hidden layer

  [[nodiscard]] int hidden() const { return static_cast<int>(widths.size()) - 2; }
  [[nodiscard]] int stride() const { return padded(channels); }
  // Values of the input of a layer. The descriptor stands as [M2][stride] here, and as [M1][M2] in torch.
  [[nodiscard]] int inputs(int layer) const { return layer == 0 ? axis * stride() : widths[static_cast<std::size_t>(layer)]; }
  // Row of the packed first layer of a row of torch's, and the same row for other layers.
  [[nodiscard]] int row(int layer, int i) const { return layer == 0 ? i % axis * stride() + i / axis : i; }
};

// A layer of one type's net, rows of the first as FitShape::row says; torch's own array where that needs no padding.
struct FitLayer {
  int n_in, n_out;
  const float* weight;      // [n_in][padded(n_out)]
  const float* transposed;  // [n_out][padded(n_in)]
  const float* bias;        // [padded(n_out)]
};

using FitNet = std::vector<FitLayer>;

// The nets of all types; keeps what had to be packed.
struct FitNets {
  FitNets(const FitShape& shape, int types, const Arrays<const float>& arrays);

  std::vector<FitNet> nets;

 private:
  Buffer packed_;
};

// Consecutive atoms of one type, in the order sorted by type.
struct FitBlock {
  int type, first, count, rows;  // rows: count rounded up
  float* values;                 // rows of x, then of all that FitValues names
};

// Where the intermediate values of a block stand; every array is [rows][padded width].
struct FitValues {
  std::vector<std::size_t> input, tanh, gradient, back;  // of each layer; floats per row from the block's beginning
  std::size_t x, size;                                   // x: X / N, [rows][4][stride]

  explicit FitValues(const FitShape& shape);
};

struct FitScratch {
  explicit FitScratch(const FitShape& shape, int rows);

  std::vector<Floats> tanh_grads;  // of each hidden layer
  Floats flow, next;               // [rows][widest]
  Floats incoming, first, second;  // [4][stride] each
};

struct FitLayerGradient {
  float *weight, *bias;  // as FitLayer; the last layer's weights one behind the other
};

using FitNetGradient = std::vector<FitLayerGradient>;

// Sums over atoms of dL/d(parameter), one object per thread; the one with `direct` works in torch's arrays where it can.
struct FitGradients {
  FitGradients(const FitShape& shape, const Arrays<float>& arrays, int types, bool direct);
  void add_to(const FitShape& shape, const Arrays<float>& arrays) const;

  std::vector<FitNetGradient> nets;

 private:
  Floats sums_;
};

// What one instruction set offers; order [n_atoms] is the atom of each sorted row, or null where they are sorted.
struct FitKernels {
  // Energies [n_atoms] and dE/dX [n_atoms][4][M1] from X.
  void (*forward)(const FitShape&, const FitValues&, const FitNet&, const FitBlock&, const std::int64_t* order,
                  const float* x, float* energy, float* by_x, FitScratch&);
  // Gradient of X from those of the energies and of dE/dX, after forward on the same block; adds to `into`.
  void (*backward)(const FitShape&, const FitValues&, const FitNet&, const FitBlock&, const std::int64_t* order,
                   const float* grad_energy, const float* grad_by_x, float* grad_x, FitScratch&, FitNetGradient& into);
};

// The fastest ones that this processor runs.
const FitKernels& fit_kernels();

const FitKernels& fit_portable();
#ifdef __x86_64__
const FitKernels& fit_avx2();
const FitKernels& fit_avx512();
#endif

}  // namespace nvnmd::training
