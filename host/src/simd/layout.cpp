#include "layout.hpp"

#include <algorithm>
#include <cmath>

namespace nvnmd::simd {
namespace {

std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }
int round_up(int n, int step) { return (n + step - 1) / step * step; }

// Which output sits in a group's word `slot` (0 ... 31, low register first).
int output_of_slot(int slot) {
  const int side = slot / 16, lane = slot % 16 / 4, rest = slot % 4;
  return 8 * lane + 4 * side + rest;
}

template <class Weight>
PackedMatrix pack_matrix(int outputs, int inputs, Weight weight) {
  PackedMatrix packed{outputs / 32, inputs / 2, {}};
  packed.words.reserve(at(std::int64_t{outputs} * inputs));
  for (int group = 0; group < packed.groups; ++group) {
    for (int pair = 0; pair < packed.input_pairs; ++pair) {
      for (int slot = 0; slot < 32; ++slot) {
        const int output = 32 * group + output_of_slot(slot);
        packed.words.push_back(weight(output, 2 * pair));
        packed.words.push_back(weight(output, 2 * pair + 1));
      }
    }
  }
  return packed;
}

std::int32_t magnitude(std::int32_t v) { return v < 0 ? -v : v; }

}  // namespace

bool Layout::covers(const Model& m) {
  const auto inside = [](const std::vector<int>& shifts) {
    return std::all_of(shifts.begin(), shifts.end(), [](int n) { return n >= 2 && n <= 31; });
  };
  const Shifts& s = m.shifts;
  return (m.m2 == 2 || m.m2 == 4) && m.m1 <= 64 && m.tanh_coef.size() == 3 * 64 && inside(s.z) && inside(s.g) && s.x >= 2 && s.x <= 31 &&
         s.d >= 2 && s.d <= 31 && s.y >= 2 && s.y <= 31;
}

Layout::Layout(std::shared_ptr<const Model> model) : model_(std::move(model)), m1_(round_up(model_->m1, 32)), types_(model_->types()) {
  widths_.push_back(model_->m2 * m1_);
  for (const FittingLayer& layer : model_->layers) widths_.push_back(round_up(layer.outputs, 32));
  pack_features();
  pack_scalars();
  for (int a = 0; a < types_; ++a) {
    for (int b = 0; b < types_; ++b) {
      tables_.push_back({scalars_.data() + std::int64_t{a * types_ + b} * model_->n_seg, feature_rows(a, b), gate(a, b)});
    }
  }
  for (int type = 0; type < model_->types(); ++type) networks_.push_back(pack_network(type));
  tanh_.resize(kTanhLead + 3 * 64 + 32);
  for (std::size_t row = 0; row < 64; ++row) {
    for (std::size_t c = 0; c < 3; ++c) tanh_[kTanhLead + 64 * c + row] = model_->tanh_coef[3 * row + c];
  }
}

Layout::~Layout() = default;

int Layout::widest() const { return *std::max_element(widths_.begin(), widths_.end()); }

const std::int16_t* Layout::feature_rows(int center, int neighbor) const {
  const std::int32_t table = model_->feature_table[at(center * model_->types() + neighbor)];
  return features_.data() + std::int64_t{table} * model_->n_seg * 3 * m1_;
}

const std::int16_t* Layout::gate(int center, int neighbor) const {
  return gates_.empty() ? nullptr : gates_.data() + std::int64_t{center * model_->types() + neighbor} * m1_;
}

void Layout::pack_features() {
  const std::size_t m1 = at(model_->m1), padded = at(m1_), rows = model_->feature_coef.size() / m1;
  features_.resize(rows * padded);
  for (std::size_t row = 0; row < rows; ++row) {
    std::copy_n(model_->feature_coef.begin() + static_cast<std::ptrdiff_t>(row * m1), m1, features_.begin() + static_cast<std::ptrdiff_t>(row * padded));
  }
  if (!model_->gated()) return;
  const std::size_t pairs = model_->gate.size() / m1;
  gates_.resize(pairs * padded);
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    std::copy_n(model_->gate.begin() + static_cast<std::ptrdiff_t>(pair * m1), m1, gates_.begin() + static_cast<std::ptrdiff_t>(pair * padded));
  }
}

void Layout::pack_scalars() {
  const Model& m = *model_;
  for (int a = 0; a < m.types(); ++a) {
    for (int b = 0; b < m.types(); ++b) {
      const std::int32_t* scalar = m.scalar_coef.data() + std::int64_t{m.scalar_table[at(a * m.types() + b)]} * m.n_seg * 6;
      for (int seg = 0; seg < m.n_seg; ++seg, scalar += 6) {
        ScalarRow row{{scalar[0], scalar[1], scalar[2]}, {scalar[3], scalar[4], scalar[5]}, 0, 0};
        const std::int16_t* coef = feature_rows(a, b) + std::int64_t{seg} * 3 * m1_;
        for (int k = 0; k < m1_; ++k) {
          const std::int32_t c0 = coef[k], c1 = coef[m1_ + k], c2 = coef[2 * m1_ + k];
          const std::int32_t d = std::max(magnitude(c1), magnitude(c1 + c2));
          std::int64_t value = magnitude(c0) + (d >> m.shifts.feature) + 1;
          std::int64_t slope = std::max(magnitude(c1), magnitude(c1 + 2 * c2)) + 1;
          if (const std::int16_t* g = gate(a, b)) {
            value = ((value * magnitude(g[k])) >> 15) + 1;
            slope = ((slope * magnitude(g[k])) >> 15) + 1;
          }
          row.most_g = std::max(row.most_g, static_cast<std::int32_t>(value));
          row.most_slope = std::max(row.most_slope, static_cast<std::int32_t>(slope));
        }
        scalars_.push_back(row);
      }
    }
  }
}

PackedNetwork Layout::pack_network(int type) const {
  PackedNetwork network;
  const int m1 = model_->m1, m2 = model_->m2;
  for (std::size_t l = 0; l < model_->layers.size(); ++l) {
    const FittingLayer& layer = model_->layers[l];
    const std::int16_t* weight = layer.weight.data() + std::int64_t{type} * layer.outputs * layer.inputs;
    // The kernel keeps the descriptor as [m][k]; the model's index is k * M2 + m.
    const auto word = [&, weight](int output, int input) -> std::int16_t {
      if (l == 0) {
        const int m = input / m1_, k = input % m1_;
        if (k >= m1) return 0;
        input = k * m2 + m;
      }
      return output < layer.outputs && input < layer.inputs ? weight[std::int64_t{output} * layer.inputs + input] : std::int16_t{0};
    };
    const int inputs = width(static_cast<int>(l)), outputs = width(static_cast<int>(l) + 1);
    PackedLayer packed;
    packed.skip = layer.skip;
    packed.forward = pack_matrix(outputs, inputs, word);
    packed.backward = pack_matrix(inputs, outputs, [&](int out, int in) { return word(in, out); });
    for (int slot = 0; slot < outputs; ++slot) {
      const int output = slot / 32 * 32 + output_of_slot(slot % 32);
      packed.bias.push_back(output < layer.outputs ? layer.bias[at(type * layer.outputs + output)] : 0);
    }
    network.layers.push_back(std::move(packed));
  }
  const int last = model_->layers.back().outputs;
  network.out_weight.resize(at(width(static_cast<int>(model_->layers.size()))));
  std::copy_n(model_->out_weight.begin() + std::ptrdiff_t{type} * last, last, network.out_weight.begin());
  return network;
}

}  // namespace nvnmd::simd
