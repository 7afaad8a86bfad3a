#pragma once
// The functions of FitKernels, compiled once per instruction set; NVNMD_GROUP is set by the including file.

#include <algorithm>

#include "fit.hpp"
#include "vectors.hpp"

namespace nvnmd::training {
namespace {

NVNMD_INLINE std::int64_t atom_of(const FitBlock& block, const std::int64_t* order, int row) {
  return order == nullptr ? block.first + row : order[block.first + row];
}

// to[4][stride] = scale * from[4][channels]
NVNMD_INLINE void spread_scaled(const float* from, int channels, int stride, float scale, float* to) {
  for (int c = 0; c < 4; ++c) {
    for (int k = 0; k < channels; ++k) to[c * stride + k] = scale * from[c * channels + k];
    for (int k = channels; k < stride; ++k) to[c * stride + k] = 0.0F;
  }
}

// out[m][k] = sum_c a[c][k] b[c][m] + b[c][k] a[c][m] over 2 for a = b: the descriptor and its differential.
NVNMD_INLINE void symmetric(const float* a, const float* b, int stride, int axis, float* out) {
  for (int v = 0; v < stride; v += kLanes) {
    for (int m = 0; m < axis; ++m) {
      V total = {};
      for (int c = 0; c < 4; ++c) {
        total += b[c * stride + m] * load(a + c * stride + v);
        if (a != b) total += a[c * stride + m] * load(b + c * stride + v);
      }
      store(out + m * stride + v, total);
    }
  }
}

// out[c][k] = sum_m t[m][k] x[c][m], and for k < M2 sum_k' t[k][k'] x[c][k'] more: back from t = d/d(descriptor) to X.
NVNMD_INLINE void to_x(const float* x, const float* t, int stride, int axis, float* out) {
  for (int c = 0; c < 4; ++c) {
    const float* const row = x + c * stride;
    for (int v = 0; v < stride; v += kLanes) {
      V total = {};
      for (int m = 0; m < axis; ++m) total += row[m] * load(t + m * stride + v);
      store(out + c * stride + v, total);
    }
    for (int m = 0; m < axis; ++m) {
      V dot = {};
      for (int v = 0; v < stride; v += kLanes) dot += load(row + v) * load(t + m * stride + v);
      out[c * stride + m] += sum(dot);
    }
  }
}

// What stands at some place of every row of a block.
struct FitView {
  const FitValues& places;
  const FitBlock& block;

  [[nodiscard]] float* at(std::size_t place) const { return block.values + place * static_cast<std::size_t>(block.rows); }
  [[nodiscard]] float* x() const { return at(places.x); }
  [[nodiscard]] float* input(std::size_t layer) const { return at(places.input[layer]); }
  [[nodiscard]] float* tanh(std::size_t layer) const { return at(places.tanh[layer]); }
  [[nodiscard]] float* gradient(std::size_t layer) const { return at(places.gradient[layer]); }
  [[nodiscard]] float* back(std::size_t layer) const { return at(places.back[layer]); }
};

// back = gradient * (1 - t^2); gradient of one row (step 0) or of each.
NVNMD_INLINE void through_tanh(int rows, int width, const float* gradient, int step, const float* t, float* back) {
  for (int r = 0; r < rows; ++r) {
    for (int v = 0; v < width; v += kLanes) {
      const V value = load(t + r * width + v);
      store(back + r * width + v, (1.0F - value * value) * load(gradient + r * step + v));
    }
  }
}

NVNMD_INLINE void add(int size, const float* from, float* to) {
  for (int v = 0; v < size; v += kLanes) store(to + v, load(to + v) + load(from + v));
}

NVNMD_INLINE void fit_layers(const FitShape& shape, const FitNet& net, const FitView& view) {
  const int rows = view.block.rows;
  for (std::size_t l = 0; l + 1 < net.size(); ++l) {
    const FitLayer& layer = net[l];
    const int in = padded(layer.n_in), out = padded(layer.n_out);
    float *const t = view.tanh(l), *const y = view.input(l + 1);
    product<NVNMD_GROUP>(rows, layer.n_in, view.input(l), in, layer.weight, out, t, out);
    for (int r = 0; r < rows; ++r) {
      for (int v = 0; v < out; v += kLanes) {
        const V value = hyperbolic_tangent(load(t + r * out + v) + load(layer.bias + v));
        store(t + r * out + v, value);
        store(y + r * out + v, shape.skips[l] ? value + load(view.input(l) + r * out + v) : value);
      }
    }
  }
}

// dE/d(input) of every layer, from the last.
NVNMD_INLINE void fit_gradients(const FitShape& shape, const FitNet& net, const FitView& view) {
  const int rows = view.block.rows;
  for (std::size_t l = net.size() - 1; l-- > 0;) {
    const FitLayer& layer = net[l];
    const int in = padded(layer.n_in), out = padded(layer.n_out);
    const bool last = l + 2 == net.size();
    const float* const gradient = last ? net.back().transposed : view.gradient(l + 1);
    through_tanh(rows, out, gradient, last ? 0 : out, view.tanh(l), view.back(l));
    product<NVNMD_GROUP>(rows, layer.n_out, view.back(l), out, layer.transposed, in, view.gradient(l), in);
    if (!shape.skips[l]) continue;
    for (int r = 0; r < rows; ++r) add(in, gradient + (last ? 0 : r * out), view.gradient(l) + r * in);
  }
}

void fit_forward(const FitShape& shape, const FitValues& places, const FitNet& net, const FitBlock& block,
                 const std::int64_t* order, const float* x, float* energy, float* by_x, FitScratch& scratch) {
  const FitView view{places, block};
  const int stride = shape.stride(), quad = 4 * stride, n_in = shape.inputs(0), width = 4 * shape.channels;
  std::fill(view.x() + block.count * quad, view.x() + block.rows * quad, 0.0F);
  std::fill(view.input(0) + block.count * n_in, view.input(0) + block.rows * n_in, 0.0F);
  for (int r = 0; r < block.count; ++r) {
    float* const here = view.x() + r * quad;
    spread_scaled(x + atom_of(block, order, r) * width, shape.channels, stride, 1.0F / shape.neighbors, here);
    symmetric(here, here, stride, shape.axis, view.input(0) + r * n_in);
  }
  fit_layers(shape, net, view);
  fit_gradients(shape, net, view);
  const std::size_t last = net.size() - 1;
  const int top = padded(net[last].n_in);
  float* const result = scratch.first.data();
  for (int r = 0; r < block.count; ++r) {
    const std::int64_t atom = atom_of(block, order, r);
    V dot = {};
    for (int v = 0; v < top; v += kLanes) dot += load(view.input(last) + r * top + v) * load(net[last].transposed + v);
    energy[atom] = sum(dot) + net[last].bias[0];
    to_x(view.x() + r * quad, view.gradient(0) + r * n_in, stride, shape.axis, result);
    for (int c = 0; c < 4; ++c) {
      for (int k = 0; k < shape.channels; ++k) by_x[atom * width + c * shape.channels + k] = result[c * stride + k] / shape.neighbors;
    }
  }
}

// Back through dE/d(descriptor): scratch.flow holds its gradient, and afterwards that of the last layer's weights, row by row.
NVNMD_INLINE void backward_of_gradients(const FitShape& shape, const FitNet& net, const FitView& view, FitScratch& scratch,
                                        FitNetGradient& into) {
  const int rows = view.block.rows;
  float *flow = scratch.flow.data(), *next = scratch.next.data();
  for (std::size_t l = 0; l + 1 < net.size(); ++l) {
    const FitLayer& layer = net[l];
    const int in = padded(layer.n_in), out = padded(layer.n_out);
    const bool last = l + 2 == net.size();
    const float* const gradient = last ? net.back().transposed : view.gradient(l + 1);
    float* const tanh_grad = scratch.tanh_grads[l].data();
    outer<NVNMD_GROUP>(view.block.count, layer.n_in, flow, in, view.back(l), out, into[l].weight);
    product<NVNMD_GROUP>(rows, layer.n_in, flow, in, layer.weight, out, next, out);
    for (int r = 0; r < rows; ++r) {
      for (int v = 0; v < out; v += kLanes) {
        const int at = r * out + v;
        const V t = load(view.tanh(l) + at), grad = load(next + at);
        store(tanh_grad + at, -2.0F * t * grad * load(gradient + (last ? v : at)));
        const V slope = (1.0F - t * t) * grad;
        store(next + at, shape.skips[l] ? slope + load(flow + at) : slope);
      }
    }
    std::swap(flow, next);
  }
  if (flow != scratch.flow.data()) std::copy_n(flow, rows * padded(net.back().n_in), scratch.flow.data());
}

// Back through the layers; scratch.flow ends as the gradient of the descriptor.
NVNMD_INLINE void backward_of_layers(const FitShape& shape, const FitNet& net, const FitView& view, FitScratch& scratch,
                                     FitNetGradient& into) {
  const int rows = view.block.rows;
  float *flow = scratch.flow.data(), *next = scratch.next.data();
  for (std::size_t l = net.size() - 1; l-- > 0;) {
    const FitLayer& layer = net[l];
    const int in = padded(layer.n_in), out = padded(layer.n_out);
    float* const back = scratch.tanh_grads[l].data();
    for (int r = 0; r < rows; ++r) {
      for (int v = 0; v < out; v += kLanes) {
        const int at = r * out + v;
        const V t = load(view.tanh(l) + at);
        store(back + at, (load(back + at) + load(flow + at)) * (1.0F - t * t));
      }
    }
    for (int r = 0; r < view.block.count; ++r) add(out, back + r * out, into[l].bias);
    outer<NVNMD_GROUP>(view.block.count, layer.n_in, view.input(l), in, back, out, into[l].weight);
    product<NVNMD_GROUP>(rows, layer.n_out, back, out, layer.transposed, in, next, in);
    if (shape.skips[l]) add(rows * in, flow, next);
    std::swap(flow, next);
  }
  if (flow != scratch.flow.data()) std::copy_n(flow, rows * shape.inputs(0), scratch.flow.data());
}

void fit_backward(const FitShape& shape, const FitValues& places, const FitNet& net, const FitBlock& block,
                  const std::int64_t* order, const float* grad_energy, const float* grad_by_x, float* grad_x, FitScratch& scratch,
                  FitNetGradient& into) {
  const FitView view{places, block};
  const int stride = shape.stride(), quad = 4 * stride, n_in = shape.inputs(0), width = 4 * shape.channels;
  const std::size_t last = net.size() - 1;
  const int top = padded(net[last].n_in);
  float* const flow = scratch.flow.data();
  std::fill(flow + block.count * n_in, flow + block.rows * n_in, 0.0F);
  for (int r = 0; r < block.count; ++r) {
    float* const incoming = scratch.incoming.data();
    spread_scaled(grad_by_x + atom_of(block, order, r) * width, shape.channels, stride, 1.0F / shape.neighbors, incoming);
    symmetric(incoming, view.x() + r * quad, stride, shape.axis, flow + r * n_in);
  }
  backward_of_gradients(shape, net, view, scratch, into);
  for (int r = 0; r < block.rows; ++r) {
    const float e = r < block.count ? grad_energy[atom_of(block, order, r)] : 0.0F;
    for (int v = 0; v < top; v += kLanes) {
      float* const at = into[last].weight + v;
      if (r < block.count) store(at, load(at) + load(flow + r * top + v) + e * load(view.input(last) + r * top + v));
      store(flow + r * top + v, e * load(net[last].transposed + v));
    }
    into[last].bias[0] += e;
  }
  backward_of_layers(shape, net, view, scratch, into);
  float *const by_gradient = scratch.first.data(), *const by_value = scratch.second.data();
  for (int r = 0; r < block.count; ++r) {
    const std::int64_t atom = atom_of(block, order, r);
    float* const incoming = scratch.incoming.data();
    spread_scaled(grad_by_x + atom * width, shape.channels, stride, 1.0F / shape.neighbors, incoming);
    to_x(incoming, view.gradient(0) + r * n_in, stride, shape.axis, by_gradient);
    to_x(view.x() + r * quad, flow + r * n_in, stride, shape.axis, by_value);
    for (int c = 0; c < 4; ++c) {
      for (int k = 0; k < shape.channels; ++k) {
        const int at = c * stride + k;
        grad_x[atom * width + c * shape.channels + k] = (by_gradient[at] + by_value[at]) / shape.neighbors;
      }
    }
  }
}

constexpr FitKernels make_fit() { return {fit_forward, fit_backward}; }

}  // namespace
}  // namespace nvnmd::training
