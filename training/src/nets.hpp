#pragma once
// Embedding nets with rows padded to whole vectors, and gradients of the same layout.

#include <cstddef>
#include <memory>
#include <new>
#include <vector>

namespace nvnmd::training {

inline constexpr int kLanes = 16;

// Vectors that lie across two lines of the cache take twice as long, so all memory begins with a line.
inline constexpr std::align_val_t kLine{64};

template <class T>
struct Aligned {
  using value_type = T;
  Aligned() = default;
  template <class U>
  Aligned(const Aligned<U>&) {}
  T* allocate(std::size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), kLine)); }
  void deallocate(T* at, std::size_t) { ::operator delete(at, kLine); }
  bool operator==(const Aligned&) const = default;
};

using Floats = std::vector<float, Aligned<float>>;

struct AlignedDelete {
  void operator()(float* at) const { ::operator delete(at, kLine); }
};

// Numbers without a value yet.
using Buffer = std::unique_ptr<float[], AlignedDelete>;
inline Buffer buffer(std::size_t count) { return Buffer(static_cast<float*>(::operator new(count * sizeof(float), kLine))); }

constexpr int padded(int width) { return (width + kLanes - 1) / kLanes * kLanes; }

// How often a layer's input is added to its output: once at equal width, twice at double width.
constexpr int skips(int n_in, int n_out) { return n_out == n_in ? 1 : n_out == 2 * n_in ? 2 : 0; }

struct Layer {
  int n_in, n_out;
  Floats weight;      // [n_in][padded(n_out)]
  Floats transposed;  // [n_out][padded(n_in)]
  Floats bias;        // [padded(n_out)]
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
  Floats gate;               // [kind][stride], 1 + t; empty in the form without gates

  Nets(int n_types, std::vector<int> widths, std::vector<int> net_of_kind, const Arrays<const float>& arrays);

  [[nodiscard]] int layers() const { return static_cast<int>(widths.size()) - 1; }
  [[nodiscard]] int channels() const { return widths.back(); }
  [[nodiscard]] int stride() const { return padded(widths.back()); }
  // Floats that a row of a block leaves for the backward pass: t and its derivative of each layer.
  [[nodiscard]] std::size_t saved() const;
};

struct LayerGradient {
  Floats weight, bias;
};

// Sums over pairs of dL/d(parameter), one object per thread.
struct Gradients {
  std::vector<std::vector<LayerGradient>> nets;
  Floats gate;

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

  Floats inputs;                // [kBlock]
  std::vector<Floats> outputs;  // of layer l at l + 1
  std::vector<std::size_t> tanhs;           // floats per row before t of layer l, and before the block's end
  Floats grad, back, next;      // wide enough for every layer
  Floats x, table, weighted;    // [4][stride], [4][stride], [stride] of the center at hand
};

}  // namespace nvnmd::training
