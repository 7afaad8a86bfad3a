#include "nets.hpp"

#include <algorithm>
#include <utility>

namespace nvnmd::training {
namespace {

std::size_t size(int rows, int columns) { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns); }

Layer padded_layer(int n_in, int n_out, const float* weight, const float* bias) {
  const int out = padded(n_out), in = padded(n_in);
  Layer layer{n_in, n_out, Floats(size(n_in, out)), Floats(size(n_out, in)),
              Floats(size(1, out))};
  for (int i = 0; i < n_in; ++i) {
    for (int o = 0; o < n_out; ++o) {
      const float value = weight[size(i, n_out) + static_cast<std::size_t>(o)];
      layer.weight[size(i, out) + static_cast<std::size_t>(o)] = value;
      layer.transposed[size(o, in) + static_cast<std::size_t>(i)] = value;
    }
  }
  std::copy_n(bias, n_out, layer.bias.begin());
  return layer;
}

}  // namespace

Nets::Nets(int types, std::vector<int> layer_widths, std::vector<int> kinds, const Arrays<const float>& arrays)
    : n_types(types), widths(std::move(layer_widths)), net_of_kind(std::move(kinds)) {
  const int count = 1 + *std::max_element(net_of_kind.begin(), net_of_kind.end());
  for (int net = 0; net < count; ++net) {
    std::vector<Layer>& stack = nets.emplace_back();
    for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
      const int n_in = widths[l], n_out = widths[l + 1];
      stack.push_back(
          padded_layer(n_in, n_out, arrays.weights[l] + size(net, n_in * n_out), arrays.biases[l] + size(net, n_out)));
    }
  }
  if (arrays.gate == nullptr) return;
  gate.assign(size(static_cast<int>(net_of_kind.size()), stride()), 1.0F);
  for (std::size_t kind = 0; kind < net_of_kind.size(); ++kind) {
    for (int k = 0; k < channels(); ++k) {
      gate[kind * size(1, stride()) + static_cast<std::size_t>(k)] += arrays.gate[kind * size(1, channels()) + static_cast<std::size_t>(k)];
    }
  }
}

std::size_t Nets::saved() const {
  std::size_t total = 0;
  for (std::size_t l = 1; l < widths.size(); ++l) total += size(2, padded(widths[l]));
  return total;
}

Gradients::Gradients(const Nets& shape) : gate(shape.gate.size()) {
  for (const std::vector<Layer>& stack : shape.nets) {
    std::vector<LayerGradient>& gradients = nets.emplace_back();
    for (const Layer& layer : stack) {
      gradients.push_back({Floats(layer.weight.size()), Floats(layer.bias.size())});
    }
  }
}

void Gradients::add_to(const Nets& shape, const Arrays<float>& arrays) const {
  for (std::size_t net = 0; net < nets.size(); ++net) {
    for (std::size_t l = 0; l < nets[net].size(); ++l) {
      const auto n_in = static_cast<std::size_t>(shape.widths[l]), n_out = static_cast<std::size_t>(shape.widths[l + 1]);
      const std::size_t stride = nets[net][l].bias.size();
      for (std::size_t i = 0; i < n_in; ++i) {
        for (std::size_t o = 0; o < n_out; ++o) {
          arrays.weights[l][(net * n_in + i) * n_out + o] += nets[net][l].weight[i * stride + o];
        }
      }
      for (std::size_t o = 0; o < n_out; ++o) arrays.biases[l][net * n_out + o] += nets[net][l].bias[o];
    }
  }
  const auto channels = static_cast<std::size_t>(shape.channels()), stride = static_cast<std::size_t>(shape.stride());
  for (std::size_t kind = 0; kind * stride < gate.size(); ++kind) {
    for (std::size_t k = 0; k < channels; ++k) arrays.gate[kind * channels + k] += gate[kind * stride + k];
  }
}

Work::Work(const Nets& nets)
    : inputs(kBlock), x(size(4, nets.stride())), table(size(4, nets.stride())), weighted(size(1, nets.stride())) {
  std::size_t largest = 0;
  for (int width : nets.widths) {
    largest = std::max(largest, size(2 * kBlock, padded(width)));
    outputs.emplace_back(size(2 * kBlock, padded(width)));
  }
  tanhs.push_back(0);
  for (std::size_t l = 1; l < nets.widths.size(); ++l) tanhs.push_back(tanhs.back() + size(2, padded(nets.widths[l])));
  grad.resize(largest);
  back.resize(largest);
  next.resize(largest);
}

Work::~Work() = default;

}  // namespace nvnmd::training
