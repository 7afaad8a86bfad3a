#pragma once
// One embedding net on a block of pairs: value and derivative with respect to the input, and the gradient of both.

#include "vectors.hpp"

namespace nvnmd::training {
namespace {

// A layer's input is added to its output, once or twice over; and the gradient's way back.
NVNMD_INLINE void add_skips(int rows, int n_in, int n_out, const float* x, int xs, float* y, int ys) {
  for (int copy = 0; copy < skips(n_in, n_out); ++copy) {
    for (int r = 0; r < rows; ++r) {
      for (int i = 0; i < n_in; ++i) y[r * ys + copy * n_in + i] += x[r * xs + i];
    }
  }
}

NVNMD_INLINE void collect_skips(int rows, int n_in, int n_out, const float* grad, int gs, float* into, int is) {
  for (int copy = 0; copy < skips(n_in, n_out); ++copy) {
    for (int r = 0; r < rows; ++r) {
      for (int i = 0; i < n_in; ++i) into[r * is + i] += grad[r * gs + copy * n_in + i];
    }
  }
}

// Leaves G and dG in work.outputs.back(); rows is a multiple of 4, inputs beyond the real pairs are any numbers.
inline void net_forward(const std::vector<Layer>& net, int rows, Work& work) {
  for (std::size_t l = 0; l < net.size(); ++l) {
    const Layer& layer = net[l];
    const int stride = padded(layer.n_out), in = padded(layer.n_in);
    float* const y = work.outputs[l + 1].data();
    float* const t = work.tanhs[l + 1].data();
    const float* const x = work.outputs[l].data();
    if (l > 0) product<NVNMD_GROUP>(2 * rows, layer.n_in, x, in, layer.weight.data(), stride, y, stride);
    for (int r = 0; r < rows; ++r) {
      for (int v = 0; v < stride; v += kLanes) {
        const V weight = load(layer.weight.data() + v);
        const V before = l > 0 ? load(y + r * stride + v) : work.inputs[static_cast<std::size_t>(r)] * weight;
        const V slope_before = l > 0 ? load(y + (rows + r) * stride + v) : weight;
        const V value = hyperbolic_tangent(before + load(layer.bias.data() + v));
        const V rise = (1.0F - value * value) * slope_before;
        store(t + r * stride + v, value);
        store(t + (rows + r) * stride + v, rise);
        store(y + r * stride + v, value);
        store(y + (rows + r) * stride + v, rise);
      }
    }
    if (l > 0) add_skips(2 * rows, layer.n_in, layer.n_out, x, in, y, stride);
  }
}

// From the gradient of G and dG in work.grad, after net_forward on the same block; adds to `into`.
inline void net_backward(const std::vector<Layer>& net, int rows, Work& work, std::vector<LayerGradient>& into) {
  for (std::size_t l = net.size(); l-- > 0;) {
    const Layer& layer = net[l];
    const int stride = padded(layer.n_out), in = padded(layer.n_in);
    const float* const t = work.tanhs[l + 1].data();
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
    collect_skips(2 * rows, layer.n_in, layer.n_out, work.grad.data(), stride, work.next.data(), in);
    work.grad.swap(work.next);
  }
}

}  // namespace
}  // namespace nvnmd::training
