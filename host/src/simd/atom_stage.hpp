// Sections 5 to 7 of docs/numerics.md: descriptor, fitting network forward and backward, and Y with the products over channels.
#pragma once

#include <algorithm>
#include <cstring>

#include "../batch.hpp"
#include "../fixed.hpp"
#include "products.hpp"
#include "scratch.hpp"

namespace nvnmd::simd {

template <class Isa, int Stride>
class AtomStage {
 public:
  using Word = typename Isa::Word;
  using Half = typename Isa::Half;

  explicit AtomStage(const Layout& layout) : layout_(layout), model_(layout.model()), m1_(layout.m1()), m2_(layout.model().m2) {}

  // X and D of every atom; false when a sum may leave 32 bits or a word would be clipped.
  bool descriptor(const AtomBatch& batch, Scratch& w) const {
    Word most_x = Isa::zero(), most_d = Isa::zero();
    for (int atom = 0; atom < batch.size; ++atom) {
      const int first = batch.first[static_cast<std::size_t>(atom)], last = batch.first[static_cast<std::size_t>(atom) + 1];
      double bound = 0.0;
      for (int p = first; p < last; ++p) bound += w.bound[static_cast<std::size_t>(p)];
      if (bound > kTop) return false;
      std::int16_t* x = w.x.data() + std::ptrdiff_t{atom} * 4 * m1_;
      for (int k = 0; k < m1_; k += 32) contract(w, first, last, k, x + k, most_x);
      for (int k = 0; k < m1_; k += 32) square(x, k, w.act[0].data() + std::ptrdiff_t{atom} * Stride, most_d);
    }
    const int padded = (batch.size + Isa::kTileAtoms - 1) / Isa::kTileAtoms * Isa::kTileAtoms;
    std::fill_n(w.act[0].begin() + std::ptrdiff_t{batch.size} * Stride, std::ptrdiff_t{padded - batch.size} * Stride, std::int16_t{0});
    return Isa::largest(most_x) <= limit(model_.formats.x_bits) && Isa::largest(most_d) <= 32767;
  }

  // Energies and dE/dD (in w.grad of the returned index); false when a word would be clipped.
  bool network(const AtomBatch& batch, Scratch& w, BatchResult& result, const std::int16_t*& gradient) const {
    const PackedNetwork& net = layout_.network(batch.center_type);
    const int atoms = (batch.size + Isa::kTileAtoms - 1) / Isa::kTileAtoms * Isa::kTileAtoms;
    const int layers = static_cast<int>(net.layers.size());
    Half clipped = Isa::set16(0);
    for (int l = 0; l < layers; ++l) forward(net, l, w, atoms, clipped);
    energies(batch, net, w, result);
    if (!result.hidden.empty()) copy_hidden(batch.size, w, result);
    Word most = Isa::zero();
    start_backward(net, w, atoms);
    for (int l = layers - 1; l >= 0; --l) backward(net, l, w, atoms, most);
    gradient = w.grad[0].data();
    return !Isa::any(clipped) && Isa::largest(most) <= 32767;
  }

  // Y, then the sums of A and B for every neighbor; false when a sum may leave 32 bits or a word would be clipped.
  bool contract_back(const AtomBatch& batch, Scratch& w, const std::int16_t* gradient) const {
    alignas(64) std::int16_t y[4 * 64];
    for (int atom = 0; atom < batch.size; ++atom) {
      const double reach = y_rows(w.x.data() + std::ptrdiff_t{atom} * 4 * m1_, gradient + std::ptrdiff_t{atom} * Stride, y);
      if (reach < 0.0 || reach * std::max(w.most_g, w.most_slope) > kTop) return false;
      const int last = batch.first[static_cast<std::size_t>(atom) + 1];
      for (int p = batch.first[static_cast<std::size_t>(atom)]; p < last; p += 16) {
        dots(w.g.data() + std::ptrdiff_t{p} * m1_, y, w.a, p);
        dots(w.gp.data() + std::ptrdiff_t{p} * m1_, y, w.b, p);
      }
    }
    return true;
  }

 private:
  static constexpr double kTop = 2147483647.0;

  void contract(const Scratch& w, int first, int last, int k, std::int16_t* x, Word& most) const {
    Word l0 = Isa::zero(), l1 = l0, l2 = l0, l3 = l0, h0 = l0, h1 = l0, h2 = l0, h3 = l0;
    const std::int16_t* g = w.g.data() + std::ptrdiff_t{first} * m1_ + k;
    for (int p = first; p < last; p += 2, g += 2 * m1_) {
      const Half even = Isa::load(g), odd = Isa::load(g + m1_);
      const Half low = Isa::unpack_low(even, odd), high = Isa::unpack_high(even, odd);
      const std::int32_t mask = p + 1 < last ? -1 : 0xFFFF;
      const auto r = [&](std::size_t c) { return Isa::set32(dword(w.env[c].data() + p) & mask); };
      const Word r0 = r(0), r1 = r(1), r2 = r(2), r3 = r(3);
      l0 = Isa::dot(l0, low, r0), h0 = Isa::dot(h0, high, r0);
      l1 = Isa::dot(l1, low, r1), h1 = Isa::dot(h1, high, r1);
      l2 = Isa::dot(l2, low, r2), h2 = Isa::dot(h2, high, r2);
      l3 = Isa::dot(l3, low, r3), h3 = Isa::dot(h3, high, r3);
    }
    const int shift = model_.shifts.x;
    store_rounded(l0, h0, shift, x, most);
    store_rounded(l1, h1, shift, x + m1_, most);
    store_rounded(l2, h2, shift, x + 2 * m1_, most);
    store_rounded(l3, h3, shift, x + 3 * m1_, most);
  }

  static void store_rounded(Word low, Word high, int shift, std::int16_t* out, Word& most) {
    low = rnd32<Isa>(low, shift);
    high = rnd32<Isa>(high, shift);
    most = Isa::max32(most, Isa::max32(Isa::abs32(low), Isa::abs32(high)));
    Isa::store(out, Isa::pack(low, high));
  }

  static std::int32_t pair(std::int16_t low, std::int16_t high) {
    return static_cast<std::int32_t>(static_cast<std::uint16_t>(low) | static_cast<std::uint32_t>(static_cast<std::uint16_t>(high)) << 16);
  }

  void square(const std::int16_t* x, int k, std::int16_t* d, Word& most) const {
    const Half x0 = Isa::load(x + k), x1 = Isa::load(x + m1_ + k), x2 = Isa::load(x + 2 * m1_ + k), x3 = Isa::load(x + 3 * m1_ + k);
    const Half low01 = Isa::unpack_low(x0, x1), high01 = Isa::unpack_high(x0, x1);
    const Half low23 = Isa::unpack_low(x2, x3), high23 = Isa::unpack_high(x2, x3);
    for (int m = 0; m < m2_; ++m) {
      const Word r01 = Isa::set32(pair(x[m], x[m1_ + m])), r23 = Isa::set32(pair(x[2 * m1_ + m], x[3 * m1_ + m]));
      const Word low = Isa::dot(Isa::dot(Isa::zero(), low01, r01), low23, r23);
      const Word high = Isa::dot(Isa::dot(Isa::zero(), high01, r01), high23, r23);
      store_rounded(low, high, model_.shifts.d, d + m * m1_ + k, most);
    }
  }

  void forward(const PackedNetwork& net, int l, Scratch& w, int atoms, Half& clipped) const {
    const auto index = static_cast<std::size_t>(l);
    const PackedLayer& layer = net.layers[index];
    const int shift = model_.shifts.z[index], seg_bits = model_.formats.tanh_seg_bits, tanh_shift = model_.shifts.tanh;
    const std::int16_t* input = w.act[index].data();
    std::int16_t *output = w.act[index + 1].data(), *phi = w.phi[index].data();
    const std::int16_t* table = layout_.tanh();
    product<Isa, Stride>(layer.forward, input, atoms, [&](int atom, int group, Word low, Word high) {
      const std::int32_t* bias = layer.bias.data() + 32 * group;
      const Word zl = rnd32<Isa>(Isa::add32(low, Isa::load32(bias)), shift), zh = rnd32<Isa>(Isa::add32(high, Isa::load32(bias + 16)), shift);
      const Half zt = Isa::max16(Isa::pack(zl, zh), Isa::set16(-32767));
      const std::ptrdiff_t at = std::ptrdiff_t{atom} * Stride + 32 * group;
      Half act, slope;
      Isa::tanh(table, seg_bits, tanh_shift, zt, act, slope);
      Isa::store(phi + at, slope);
      if (layer.skip) {
        const Half carried = Isa::load(input + at), alone = act, sum = Isa::adds16(carried, alone);
        // Saturating and wrapping sums differ when a word is clipped; the symmetric range also leaves out -32768.
        act = Isa::max16(sum, Isa::set16(-32767));
        clipped = Isa::or16(clipped, Isa::or16(Isa::xor16(sum, Isa::add16(carried, alone)), Isa::xor16(sum, act)));
      }
      Isa::store(output + at, act);
    });
  }

  void energies(const AtomBatch& batch, const PackedNetwork& net, const Scratch& w, BatchResult& result) const {
    const auto type = static_cast<std::size_t>(batch.center_type);
    const int width = layout_.width(static_cast<int>(net.layers.size()));
    for (int atom = 0; atom < batch.size; ++atom) {
      const std::int16_t* h = w.act[net.layers.size()].data() + std::ptrdiff_t{atom} * Stride;
      Word sum = Isa::zero();
      for (int k = 0; k < width; k += 32) sum = Isa::dot(sum, Isa::load(h + k), Isa::load(net.out_weight.data() + k));
      const std::int64_t total = Isa::sum(sum) + std::int64_t{model_.out_bias[type]};
      const auto at = static_cast<std::size_t>(atom);
      result.energy[at] = rnd(total, model_.shifts.e) + model_.energy_bias[type] + w.guard_energy[at];
    }
  }

  void copy_hidden(int atoms, const Scratch& w, BatchResult& result) const {
    const auto width = static_cast<std::size_t>(model_.layers.back().outputs);
    for (std::size_t atom = 0; atom < static_cast<std::size_t>(atoms); ++atom)
      std::memcpy(&result.hidden[atom * width], w.act.back().data() + atom * Stride, width * sizeof(std::int16_t));
  }

  // The gradient at the last hidden layer is the output row itself.
  void start_backward(const PackedNetwork& net, Scratch& w, int atoms) const {
    const auto last = net.layers.size();
    for (int atom = 0; atom < atoms; ++atom) {
      const std::ptrdiff_t row = std::ptrdiff_t{atom} * Stride;
      for (int k = 0; k < layout_.width(static_cast<int>(last)); k += 32) {
        const Half g = Isa::load(net.out_weight.data() + k);
        Isa::store(w.grad[last % 2].data() + row + k, g);
        Isa::store(w.gz[last % 2].data() + row + k, Isa::mulhrs(g, Isa::load(w.phi[last - 1].data() + row + k)));
      }
    }
  }

  void backward(const PackedNetwork& net, int l, Scratch& w, int atoms, Word& most) const {
    const auto index = static_cast<std::size_t>(l), from = (index + 1) % 2, to = index % 2;
    const PackedLayer& layer = net.layers[index];
    const int shift = model_.shifts.g[index], carry = model_.formats.weight_frac[index];
    product<Isa, Stride>(layer.backward, w.gz[from].data(), atoms, [&](int atom, int group, Word low, Word high) {
      const std::ptrdiff_t at = std::ptrdiff_t{atom} * Stride + 32 * group;
      if (layer.skip) {
        const Half g = Isa::load(w.grad[from].data() + at);
        low = Isa::add32(low, Isa::shift_left(Isa::widen_low(g), carry));
        high = Isa::add32(high, Isa::shift_left(Isa::widen_high(g), carry));
      }
      store_rounded(low, high, shift, w.grad[to].data() + at, most);
      if (index == 0) return;
      Isa::store(w.gz[to].data() + at, Isa::mulhrs(Isa::load(w.grad[to].data() + at), Isa::load(w.phi[index - 1].data() + at)));
    });
  }

  // Y as [4][m1]; returns the largest sum of |Y| over channels of a row, or -1 when a word would be clipped.
  double y_rows(const std::int16_t* x, const std::int16_t* gd, std::int16_t* y) const {
    const int shift = model_.shifts.y;
    Word most = Isa::zero(), reach = Isa::zero();
    std::int64_t edge[4][4];
    for (int c = 0; c < 4; ++c) {
      Word sum = Isa::zero();
      for (int k = 0; k < m1_; k += 32) {
        Word low = Isa::zero(), high = Isa::zero();
        for (int m = 0; m < m2_; m += 2) {
          const Half g0 = Isa::load(gd + m * m1_ + k), g1 = Isa::load(gd + (m + 1) * m1_ + k);
          const Word r = Isa::set32(dword(x + c * m1_ + m));
          low = Isa::dot(low, Isa::unpack_low(g0, g1), r);
          high = Isa::dot(high, Isa::unpack_high(g0, g1), r);
        }
        if (k == 0) {
          alignas(64) std::int32_t words[16];
          Isa::store32(words, low);
          for (int m = 0; m < m2_; ++m) edge[c][m] = words[m];
        }
        store_rounded(low, high, shift, y + c * m1_ + k, most);
      }
      // The first M2 channels stand on both sides of D; their sums can exceed 32 bits.
      for (int m = 0; m < m2_; ++m) {
        std::int64_t& total = edge[c][m];
        for (int k = 0; k < m1_; k += 32) total += Isa::wide_sum(Isa::dot(Isa::zero(), Isa::load(gd + m * m1_ + k), Isa::load(x + c * m1_ + k)));
        total = rnd(total, shift);
        if (total > 32767 || total < -32767) return -1.0;
        y[c * m1_ + m] = static_cast<std::int16_t>(total);
      }
      for (int k = 0; k < m1_; k += 32) sum = Isa::dot(sum, Isa::abs16(Isa::load(y + c * m1_ + k)), Isa::set16(1));
      reach = Isa::max32(reach, Isa::set32(Isa::sum(sum)));
    }
    return Isa::largest(most) <= 32767 ? static_cast<double>(Isa::largest(reach)) : -1.0;
  }

  // Dot products of 16 rows of channels with the four rows of Y.
  void dots(const std::int16_t* rows, const std::int16_t* y, std::array<Aligned<std::int32_t>, 4>& out, int at) const {
    Word s0 = Isa::zero(), s1 = s0, s2 = s0, s3 = s0;
    for (int k = 0; k < m1_; k += 32) {
      Word columns[16];
      Isa::transpose(rows + k, m1_, columns);
      for (int p = 0; p < 16; ++p) {
        const std::int16_t* word = y + k + 2 * p;
        s0 = Isa::dot(s0, columns[p], Isa::set32(dword(word)));
        s1 = Isa::dot(s1, columns[p], Isa::set32(dword(word + m1_)));
        s2 = Isa::dot(s2, columns[p], Isa::set32(dword(word + 2 * m1_)));
        s3 = Isa::dot(s3, columns[p], Isa::set32(dword(word + 3 * m1_)));
      }
    }
    Isa::store32(out[0].data() + at, s0);
    Isa::store32(out[1].data() + at, s1);
    Isa::store32(out[2].data() + at, s2);
    Isa::store32(out[3].data() + at, s3);
  }

  const Layout& layout_;
  const Model& model_;
  int m1_, m2_;
};

}  // namespace nvnmd::simd
