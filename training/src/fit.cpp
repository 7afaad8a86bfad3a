#include "fit.hpp"

#include <algorithm>

#include "transpose.hpp"

namespace nvnmd::training {
namespace {

std::size_t size(int rows, int columns) { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns); }

// Whether torch's array of a layer can be used as it is.
bool is_plain(const FitShape& shape, int layer) { return layer > 0 && shape.widths[static_cast<std::size_t>(layer) + 1] % kLanes == 0; }

// Rows of torch's array, [n_in][n_out], to their places; other places become zero.
void pack(const FitShape& shape, int layer, const float* from, float* to) {
  const auto l = static_cast<std::size_t>(layer);
  const int n_out = shape.widths[l + 1], out = padded(n_out);
  if (out != n_out || shape.inputs(layer) != shape.widths[l]) std::fill_n(to, size(shape.inputs(layer), out), 0.0F);
  for (int i = 0; i < shape.widths[l]; ++i) std::copy_n(from + size(i, n_out), n_out, to + size(shape.row(layer, i), out));
}

std::size_t packed_size(const FitShape& shape) {
  std::size_t total = 0;
  for (int l = 0; l <= shape.hidden(); ++l) {
    const int n_in = shape.inputs(l), n_out = shape.widths[static_cast<std::size_t>(l) + 1];
    total += size(n_in, padded(n_out)) + size(n_out, padded(n_in)) + size(1, padded(n_out));
  }
  return total;
}

}  // namespace

FitNets::FitNets(const FitShape& shape, int types, const Arrays<const float>& arrays)
    : packed_(buffer(static_cast<std::size_t>(types) * packed_size(shape))) {
  float* at = packed_.get();
  const auto take = [&at](std::size_t floats) {
    float* const here = at;
    at += floats;
    return here;
  };
  for (int type = 0; type < types; ++type) {
    FitNet& net = nets.emplace_back();
    for (int l = 0; l <= shape.hidden(); ++l) {
      const auto k = static_cast<std::size_t>(l);
      const int n_in = shape.inputs(l), n_out = shape.widths[k + 1], out = padded(n_out);
      const float* weight = arrays.weights[k] + size(type, shape.widths[k] * n_out);
      if (!is_plain(shape, l)) {
        float* const rows = take(size(n_in, out));
        pack(shape, l, weight, rows);
        weight = rows;
      }
      float* const turned = take(size(n_out, padded(n_in)));
      if (padded(n_in) != n_in) std::fill_n(turned, size(n_out, padded(n_in)), 0.0F);
      transpose(n_in, n_out, weight, out, turned, padded(n_in));
      float* const bias = take(size(1, out));
      std::fill_n(bias, out, 0.0F);
      std::copy_n(arrays.biases[k] + size(type, n_out), n_out, bias);
      net.push_back({n_in, n_out, weight, turned, bias});
    }
  }
}

FitValues::FitValues(const FitShape& shape) : x(0), size(static_cast<std::size_t>(4 * shape.stride())) {
  const auto place = [this](int width) {
    const std::size_t at = size;
    size += static_cast<std::size_t>(padded(width));
    return at;
  };
  for (int layer = 0; layer <= shape.hidden(); ++layer) {
    input.push_back(place(shape.inputs(layer)));
    gradient.push_back(place(shape.inputs(layer)));
  }
  for (int layer = 0; layer < shape.hidden(); ++layer) {
    tanh.push_back(place(shape.inputs(layer + 1)));
    back.push_back(place(shape.inputs(layer + 1)));
  }
}

FitScratch::FitScratch(const FitShape& shape, int rows)
    : incoming(static_cast<std::size_t>(4 * shape.stride())), first(incoming.size()), second(incoming.size()) {
  std::size_t widest = 0;
  for (int layer = 0; layer <= shape.hidden(); ++layer) {
    const auto size = static_cast<std::size_t>(rows) * static_cast<std::size_t>(padded(shape.inputs(layer)));
    widest = std::max(widest, size);
    if (layer > 0) tanh_grads.emplace_back(size);
  }
  flow.resize(widest);
  next.resize(widest);
}

FitGradients::FitGradients(const FitShape& shape, const Arrays<float>& arrays, int types, bool direct) {
  const auto count = static_cast<std::size_t>(types);
  std::vector<std::size_t> places;
  std::size_t total = 0;
  for (std::size_t type = 0; type < count; ++type) {
    for (int l = 0; l <= shape.hidden(); ++l) {
      const int out = padded(shape.widths[static_cast<std::size_t>(l) + 1]);
      places.push_back(total);
      total += size(1, out) + (direct && is_plain(shape, l) ? 0 : size(shape.inputs(l), out));
    }
  }
  sums_.resize(total);
  auto place = places.begin();
  for (std::size_t type = 0; type < count; ++type) {
    FitNetGradient& net = nets.emplace_back();
    for (int l = 0; l <= shape.hidden(); ++l) {
      const auto k = static_cast<std::size_t>(l);
      const auto n_in = static_cast<std::size_t>(shape.widths[k]), n_out = static_cast<std::size_t>(shape.widths[k + 1]);
      float* const bias = sums_.data() + *place++;
      const bool plain = direct && is_plain(shape, l);
      net.push_back({plain ? arrays.weights[k] + type * n_in * n_out : bias + size(1, padded(shape.widths[k + 1])), bias});
    }
  }
}

void FitGradients::add_to(const FitShape& shape, const Arrays<float>& arrays) const {
  for (std::size_t type = 0; type < nets.size(); ++type) {
    for (int l = 0; l <= shape.hidden(); ++l) {
      const auto k = static_cast<std::size_t>(l);
      const auto n_in = static_cast<std::size_t>(shape.widths[k]), n_out = static_cast<std::size_t>(shape.widths[k + 1]);
      const auto& [weight, bias] = nets[type][k];
      float* const to = arrays.weights[k] + type * n_in * n_out;
      const std::size_t stride = l == shape.hidden() ? 1 : size(1, padded(shape.widths[k + 1]));
      for (std::size_t i = 0; i < n_in && weight != to; ++i) {
        const float* const row = weight + static_cast<std::size_t>(shape.row(l, static_cast<int>(i))) * stride;
        for (std::size_t o = 0; o < n_out; ++o) to[i * n_out + o] += row[o];
      }
      for (std::size_t o = 0; o < n_out; ++o) arrays.biases[k][type * n_out + o] += bias[o];
    }
  }
}

}  // namespace nvnmd::training
