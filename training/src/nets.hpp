#pragma once
// Embedding nets with rows padded to whole vectors, and gradients of the same layout.

#include <cstddef>
#include <vector>

namespace nvnmd::training {

inline constexpr int kLanes = 16;

constexpr int padded(int width) { return (width + kLanes - 1) / kLanes * kLanes; }

// How often a layer's input is added to its output: once at equal width, twice at double width.
constexpr int skips(int n_in, int n_out) { return n_out == n_in ? 1 : n_out == 2 * n_in ? 2 : 0; }

struct Layer {
  int n_in, n_out;
  std::vector<float> weight;      // [n_in][padded(n_out)]
  std::vector<float> transposed;  // [n_out][padded(n_in)]
  std::vector<float> bias;        // [padded(n_out)]
};

// The arrays of torch: weights[layer][net][n_in][n_out], biases[layer][net][n_out], gate[kind][M1] or null.
template <class T>
struct Arrays {
  std::vector<T*> weights, biases;
  T* gate = nullptr;
};

struct Nets {
  int n_types;
  std::vector<int> widths;               // 1, then the widths of the layers
  std::vector<int> net_of_kind;          // by center * n_types + neighbor
  std::vector<std::vector<Layer>> nets;  // [net][layer]
  std::vector<float> gate;               // [kind][stride], 1 + t; empty in the form without gates

  Nets(int n_types, std::vector<int> widths, std::vector<int> net_of_kind, const Arrays<const float>& arrays);

  [[nodiscard]] int layers() const { return static_cast<int>(widths.size()) - 1; }
  [[nodiscard]] int channels() const { return widths.back(); }
  [[nodiscard]] int stride() const { return padded(widths.back()); }
  // Floats that a row of a block leaves for the backward pass: t and its derivative of each layer.
  [[nodiscard]] std::size_t saved() const;
};

struct LayerGradient {
  std::vector<float> weight, bias;
};

// Sums over pairs of dL/d(parameter), one object per thread.
struct Gradients {
  std::vector<std::vector<LayerGradient>> nets;
  std::vector<float> gate;

  explicit Gradients(const Nets& shape);
  void add_to(const Nets& shape, const Arrays<float>& arrays) const;
};

inline constexpr int kBlock = 32;  // pairs that go through a net together, a multiple of 8

// Values of all layers for one block of rows: as many rows of values, then as many of derivatives. The tanhs stand elsewhere,
// where they last from a forward to a backward pass. Made and destroyed in
// nets.cpp, so that no code of the standard library is compiled for one instruction set and linked into another.
struct Work {
  explicit Work(const Nets& nets);
  ~Work();
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  std::vector<float> inputs;                // [kBlock]
  std::vector<std::vector<float>> outputs;  // of layer l at l + 1
  std::vector<std::size_t> tanhs;           // floats per row before t of layer l, and before the block's end
  std::vector<float> grad, back, next;      // wide enough for every layer
  std::vector<float> x, table, weighted;    // [4][stride], [4][stride], [stride] of the center at hand
};

}  // namespace nvnmd::training
