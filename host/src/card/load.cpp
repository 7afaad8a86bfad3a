// Rows of the card's memories (docs/stream.md, "Loading a model"), in the order in which nvnmd.fpga.load writes them.
#include <algorithm>
#include <limits>
#include <map>

#include "card/sizes.hpp"

namespace nvnmd::card {
namespace {

enum Target : std::uint32_t { kFeature = 0, kRadial, kAngular, kGuard, kFirstRows, kGate, kConstants = 8, kEnergies = 9, kNetwork = 64 };
enum Part : std::uint32_t { kWeights = 0, kBiases, kTransposed, kTanh };

constexpr std::uint64_t field(std::int64_t word, int bits, int at) { return (static_cast<std::uint64_t>(word) & ((std::uint64_t{1} << bits) - 1)) << at; }

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

// Collects rows that follow each other in one memory into packets of at most the card's length.
class Writer {
 public:
  Writer(const Sizes& sizes, std::uint32_t first) : sizes_(sizes), next_(first) {}

  void send(Kind kind, std::span<const std::uint64_t> body) {
    append_packet(load_.packets.emplace_back(), kind, body, next_++);
    if (kind == Kind::load_rows) load_.tag = crc32(std::as_bytes(body), load_.tag);
  }

  void begin(std::uint32_t target, std::uint32_t at) {
    flush();
    target_ = target;
    index_ = at;
  }

  void row(std::int64_t number, std::span<const std::uint64_t> words) {
    if (!body_.empty() && (number != last_ + 1 || body_.size() + words.size() > sizes_.max_body)) flush();
    if (body_.empty()) {
      body_.push_back(target_ | static_cast<std::uint64_t>(words.size()) << 8 | std::uint64_t{index_} << 16 | static_cast<std::uint64_t>(number) << 32);
    }
    body_.insert(body_.end(), words.begin(), words.end());
    last_ = number;
    ++rows_;
  }
  void row(std::int64_t number, std::uint64_t word) { row(number, std::span(&word, 1)); }

  // Only now is the tag known that the first packet carries.
  Load finish(std::uint32_t identity) {
    flush();
    send(Kind::load_end, std::span(&rows_, 1));
    const std::uint32_t first = sequence_of(load_.packets.front());
    load_.packets.front().clear();
    const std::uint64_t word = identity | std::uint64_t{load_.tag} << 32;
    append_packet(load_.packets.front(), Kind::load_begin, std::span(&word, 1), first);
    return std::move(load_);
  }

 private:
  void flush() {
    if (!body_.empty()) send(Kind::load_rows, body_);
    body_.clear();
  }

  const Sizes& sizes_;
  Load load_;
  std::uint32_t next_, target_ = 0, index_ = 0;
  std::vector<std::uint64_t> body_;
  std::int64_t last_ = 0;
  std::uint64_t rows_ = 0;
};

void feature_tables(Writer& out, const Model& m, const Sizes& sizes) {
  const std::int64_t rows = std::int64_t{m.n_seg} * m.m1 * 3;
  for (std::int64_t k = 0; k < m.m1; ++k) {
    out.begin(kFeature, static_cast<std::uint32_t>(k));
    for (std::int64_t table = 0; table * rows < static_cast<std::int64_t>(m.feature_coef.size()); ++table) {
      for (std::int64_t seg = 0; seg < m.n_seg; ++seg) {
        const std::int16_t* c = &m.feature_coef[index(table * rows + seg * 3 * m.m1 + k)];
        out.row(table * sizes.segments + seg, field(c[0], 16, 0) | field(c[m.m1], 16, 16) | field(c[2 * m.m1], 16, 32));
      }
    }
  }
}

// c0 of `bits` bits, c1 and c2 of 27.
void wide_row(Writer& out, std::int64_t number, const std::int32_t* c, int bits) {
  const std::uint64_t low = field(c[0], bits, 0), middle = field(c[1], 27, 0), high = field(c[2], 27, 0);
  const int at = bits + 27;  // of c2, below 64
  const std::uint64_t words[2] = {low | middle << bits | high << at, high >> (64 - at)};
  out.row(number, words);
}

void wide_tables(Writer& out, const Model& m, const Sizes& sizes) {
  const std::int64_t scalar = static_cast<std::int64_t>(m.scalar_coef.size()) / (6 * m.n_seg);
  for (std::uint32_t part = 0; part < 2; ++part) {
    out.begin(kRadial + part, 0);
    for (std::int64_t table = 0; table < scalar; ++table) {
      for (std::int64_t seg = 0; seg < m.n_seg; ++seg) {
        wide_row(out, table * sizes.segments + seg, &m.scalar_coef[index((table * m.n_seg + seg) * 6 + 3 * part)], 27);
      }
    }
  }
  out.begin(kGuard, 0);
  for (std::int64_t row = 0; row < static_cast<std::int64_t>(m.guard_coef.size()) / 3; ++row) {
    wide_row(out, row / m.n_guard * sizes.guard_segments + row % m.n_guard, &m.guard_coef[index(3 * row)], 32);
  }
}

void pairs(Writer& out, const Model& m, const Sizes& sizes) {
  const std::int64_t count = std::int64_t{m.types()} * m.types();
  out.begin(kFirstRows, 0);
  for (std::int64_t pair = 0; pair < count; ++pair) {
    const auto at = index(pair);
    out.row(pair, field(std::int64_t{m.feature_table[at]} * sizes.segments, 16, 0) | field(std::int64_t{m.scalar_table[at]} * sizes.segments, 16, 16) |
                      field(std::int64_t{m.guard_table[at]} * sizes.guard_segments, 16, 32));
  }
  for (std::int64_t k = 0; m.gated() && k < m.m1; ++k) {
    out.begin(kGate, static_cast<std::uint32_t>(k));
    for (std::int64_t pair = 0; pair < count; ++pair) out.row(pair, field(m.gate[index(pair * m.m1 + k)], 16, 0));
  }
}

// One matrix a type, [types, out, in] at `weight` with the strides given: rows of one output hold a beat of its weights each.
struct Matrix {
  const std::int16_t* weight;
  std::int64_t types, outputs, inputs, type_step, output_step, input_step;
};

void matrix(Writer& out, std::uint32_t target, const Matrix& m, std::int64_t lanes) {
  const std::int64_t beats = (m.inputs + lanes - 1) / lanes;
  std::vector<std::uint64_t> words(index((lanes + 3) / 4));
  for (std::int64_t output = 0; output < m.outputs; ++output) {
    out.begin(target, static_cast<std::uint32_t>(output));
    for (std::int64_t row = 0; row < m.types * beats; ++row) {
      std::fill(words.begin(), words.end(), 0);
      const std::int64_t input = row % beats * lanes;
      const std::int16_t* from = m.weight + row / beats * m.type_step + output * m.output_step;
      for (std::int64_t k = 0; k < lanes && input + k < m.inputs; ++k) {
        words[index(k / 4)] |= field(from[(input + k) * m.input_step], 16, static_cast<int>(k % 4) * 16);
      }
      out.row(row, words);
    }
  }
}

void biases(Writer& out, std::uint32_t target, const std::vector<std::int32_t>& bias, std::int64_t types) {
  const std::int64_t outputs = static_cast<std::int64_t>(bias.size()) / types;
  for (std::int64_t output = 0; output < outputs; ++output) {
    out.begin(target, static_cast<std::uint32_t>(output));
    for (std::int64_t t = 0; t < types; ++t) out.row(t, field(bias[index(t * outputs + output)], 32, 0));
  }
}

void network(Writer& out, const Model& m, std::int64_t lanes) {
  std::uint32_t target = kNetwork;
  const std::int64_t types = m.types();
  for (const FittingLayer& l : m.layers) {
    const std::int64_t size = std::int64_t{l.outputs} * l.inputs;
    matrix(out, target + kWeights, {l.weight.data(), types, l.outputs, l.inputs, size, l.inputs, 1}, lanes);
    matrix(out, target + kTransposed, {l.weight.data(), types, l.inputs, l.outputs, size, 1, l.inputs}, lanes);
    biases(out, target + kBiases, l.bias, types);
    target += 4;
  }
  const std::int64_t width = m.layers.back().outputs;
  matrix(out, target + kWeights, {m.out_weight.data(), types, 1, width, width, width, 1}, lanes);
  biases(out, target + kBiases, m.out_bias, types);
  out.begin(std::uint32_t{kNetwork} + kTanh, 0);
  for (std::size_t row = 0; row < m.tanh_coef.size() / 3; ++row) {
    const std::int16_t* c = &m.tanh_coef[3 * row];
    out.row(static_cast<std::int64_t>(row), field(c[0], 16, 0) | field(c[1], 16, 16) | field(c[2], 16, 32));
  }
}

void constants(Writer& out, const Model& m) {
  const Shifts& s = m.shifts;
  std::vector<std::int64_t> words = {m.u_min, m.n_guard, m.gated(), s.u, s.feature, s.s, s.h, s.guard, s.r0, s.r, s.x, s.d, s.tanh,
                                     s.e,     s.y,       s.a,       s.b, s.v,       s.p, s.f};
  words.insert(words.end(), s.t_align.begin(), s.t_align.end());
  words.insert(words.end(), s.f_align.begin(), s.f_align.end());
  for (std::size_t l = 0; l < m.layers.size(); ++l) words.insert(words.end(), {s.z[l], s.g[l], m.formats.weight_frac[l]});
  out.begin(kConstants, 0);
  for (std::size_t n = 0; n < words.size(); ++n) out.row(static_cast<std::int64_t>(n), static_cast<std::uint64_t>(words[n]));
}

}  // namespace

Load encode_load(const Model& model, const Sizes& sizes, std::uint32_t first) {
  sizes.check(model);
  Writer out(sizes, first);
  out.send(Kind::load_begin, {});
  feature_tables(out, model, sizes);
  wide_tables(out, model, sizes);
  pairs(out, model, sizes);
  network(out, model, sizes.fitting_lanes);
  out.begin(kEnergies, 0);
  for (std::size_t t = 0; t < model.energy_bias.size(); ++t) out.row(static_cast<std::int64_t>(t), static_cast<std::uint64_t>(model.energy_bias[t]));
  constants(out, model);
  return out.finish(sizes.identity);
}

}  // namespace nvnmd::card
