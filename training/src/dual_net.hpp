#pragma once
// One embedding net on a block of pairs: value and derivative with respect to the input, and the gradient of both.

#include "vectors.hpp"

namespace nvnmd::training {
namespace {

// How a layer's input is added to its output: not; once; twice over in whole vectors or in halves of one; in any other way.
enum class Skip { none, same, twice, halves, other };

NVNMD_INLINE Skip skip_of(int n_in, int n_out) {
  if (skips(n_in, n_out) == 0) return Skip::none;
  if (n_in == n_out) return Skip::same;
  return n_in % kLanes == 0 ? Skip::twice : 2 * n_in == kLanes ? Skip::halves : Skip::other;
}

NVNMD_INLINE V swapped_halves(V x) { return __builtin_shuffle(x, W{8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7}); }

// What a skip adds to the vector at v of an output, from a row of inputs.
template <Skip skip>
NVNMD_INLINE V skipped(const float* x, int n_in, int v) {
  if constexpr (skip == Skip::same) return load(x + v);
  if constexpr (skip == Skip::twice) return load(x + v % n_in);
  if constexpr (skip == Skip::halves) return load(x) + swapped_halves(load(x));  // the upper half of x is zero
  return V{};
}

// y = t + skip for values and derivatives; x is the layer's input.
template <Skip skip>
NVNMD_INLINE void layer_outputs(const Layer& layer, int rows, const float* t, const float* x, float* y) {
  const int stride = padded(layer.n_out), in = padded(layer.n_in);
  for (int r = 0; r < 2 * rows; ++r) {
    for (int v = 0; v < stride; v += kLanes) store(y + r * stride + v, load(t + r * stride + v) + skipped<skip>(x + r * in, layer.n_in, v));
  }
  if constexpr (skip == Skip::other) {
    for (int r = 0; r < 2 * rows; ++r) {
      for (int i = 0; i < layer.n_out; ++i) y[r * stride + i] += x[r * in + i % layer.n_in];
    }
  }
}

NVNMD_INLINE void add_skips(const Layer& layer, bool first, int rows, const float* t, const float* x, float* y) {
  switch (first ? Skip::none : skip_of(layer.n_in, layer.n_out)) {
    case Skip::none: return layer_outputs<Skip::none>(layer, rows, t, x, y);
    case Skip::same: return layer_outputs<Skip::same>(layer, rows, t, x, y);
    case Skip::twice: return layer_outputs<Skip::twice>(layer, rows, t, x, y);
    case Skip::halves: return layer_outputs<Skip::halves>(layer, rows, t, x, y);
    case Skip::other: return layer_outputs<Skip::other>(layer, rows, t, x, y);
  }
}

// The gradient's way back through a skip, added to `into`; columns beyond the layer's width may hold anything.
NVNMD_INLINE void collect_skips(const Layer& layer, int rows, const float* grad, float* into) {
  const int stride = padded(layer.n_out), in = padded(layer.n_in);
  const Skip skip = skip_of(layer.n_in, layer.n_out);
  if (skip == Skip::none) return;
  for (int r = 0; r < 2 * rows; ++r) {
    const float* const from = grad + r * stride;
    float* const to = into + r * in;
    if (skip == Skip::other) {
      for (int i = 0; i < layer.n_out; ++i) to[i % layer.n_in] += from[i];
      continue;
    }
    for (int v = 0; v < in; v += kLanes) {
      V sum = load(to + v) + load(from + v);
      if (skip == Skip::twice) sum += load(from + layer.n_in + v);
      if (skip == Skip::halves) sum += swapped_halves(load(from + v));
      store(to + v, sum);
    }
  }
}

// Leaves the tanhs of all layers in `saved`, and G and dG in work.outputs.back(); rows is a multiple of 4, inputs beyond the real
// pairs are any numbers.
inline void net_forward(const std::vector<Layer>& net, int rows, Work& work, float* saved) {
  for (std::size_t l = 0; l < net.size(); ++l) {
    const Layer& layer = net[l];
    const int stride = padded(layer.n_out), in = padded(layer.n_in);
    float* const t = saved + work.tanhs[l] * static_cast<std::size_t>(rows);
    const float* const x = work.outputs[l].data();
    if (l > 0) product<NVNMD_GROUP>(2 * rows, layer.n_in, x, in, layer.weight.data(), stride, t, stride);
    for (int r = 0; r < rows; ++r) {
      for (int v = 0; v < stride; v += kLanes) {
        const V weight = load(layer.weight.data() + v);
        const V before = l > 0 ? load(t + r * stride + v) : work.inputs[static_cast<std::size_t>(r)] * weight;
        const V slope_before = l > 0 ? load(t + (rows + r) * stride + v) : weight;
        const V value = hyperbolic_tangent(before + load(layer.bias.data() + v));
        store(t + r * stride + v, value);
        store(t + (rows + r) * stride + v, (1.0F - value * value) * slope_before);
      }
    }
    add_skips(layer, l == 0, rows, t, x, work.outputs[l + 1].data());
  }
}

// The outputs of the first layers, or of all, from the tanhs that net_forward left.
inline void net_outputs(const std::vector<Layer>& net, int rows, Work& work, const float* saved, bool all_layers) {
  for (std::size_t l = 0; l + (all_layers ? 0 : 1) < net.size(); ++l) {
    const float* const t = saved + work.tanhs[l] * static_cast<std::size_t>(rows);
    add_skips(net[l], l == 0, rows, t, work.outputs[l].data(), work.outputs[l + 1].data());
  }
}

// From the gradient of G and dG in work.grad, after net_outputs on the same block; adds to `into`.
inline void net_backward(const std::vector<Layer>& net, int rows, Work& work, const float* saved, std::vector<LayerGradient>& into) {
  for (std::size_t l = net.size(); l-- > 0;) {
    const Layer& layer = net[l];
    const int stride = padded(layer.n_out), in = padded(layer.n_in);
    const float* const t = saved + work.tanhs[l] * static_cast<std::size_t>(rows);
    float* const back = work.back.data();
    float* const first = l > 0 ? nullptr : into[l].weight.data();
    for (int r = 0; r < rows; ++r) {
      for (int v = 0; v < stride; v += kLanes) {
        const V value = load(t + r * stride + v), rise = load(t + (rows + r) * stride + v);
        const V grad_value = load(work.grad.data() + r * stride + v);
        const V grad_slope = load(work.grad.data() + (rows + r) * stride + v);
        const V slope = 1.0F - value * value;
        const V back_value = slope * grad_value - 2.0F * value * rise * grad_slope;
        const V back_slope = slope * grad_slope;
        float* const bias = into[l].bias.data() + v;
        store(bias, load(bias) + back_value);
        if (first != nullptr) {
          store(first + v, load(first + v) + work.inputs[static_cast<std::size_t>(r)] * back_value + back_slope);
        } else {
          store(back + r * stride + v, back_value);
          store(back + (rows + r) * stride + v, back_slope);
        }
      }
    }
    if (l == 0) return;
    outer<NVNMD_GROUP>(2 * rows, layer.n_in, work.outputs[l].data(), in, back, stride, into[l].weight.data());
    product<NVNMD_GROUP>(2 * rows, layer.n_out, back, stride, layer.transposed.data(), in, work.next.data(), in);
    collect_skips(layer, rows, work.grad.data(), work.next.data());
    work.grad.swap(work.next);
  }
}

}  // namespace
}  // namespace nvnmd::training
