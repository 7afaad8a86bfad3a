// Section 4 of docs/numerics.md, eight neighbors at a time: tables of s and h, R, guard; then G and its slope, one neighbor at a time.
#pragma once

#include <algorithm>

#include "../batch.hpp"
#include "../fixed.hpp"
#include "scratch.hpp"

namespace nvnmd::simd {

// rnd(v, n) of doubles that hold integers below 2^52; `scale` is 2^-n.
template <class Isa>
typename Isa::Real rnd_real(typename Isa::Real v, typename Isa::Real scale) {
  return Isa::floor(Isa::fma(v, scale, Isa::real(0.5)));
}

inline double power(int n) { return n >= 0 ? static_cast<double>(std::int64_t{1} << n) : 1.0 / static_cast<double>(std::int64_t{1} << -n); }

template <class Isa>
class NeighborStage {
 public:
  using Real = typename Isa::Real;
  using Half = typename Isa::Half;

  explicit NeighborStage(const Layout& layout) : layout_(layout), model_(layout.model()), m1_(layout.m1()) {
    const Shifts& s = model_.shifts;
    fifteen_ = power(-15);
    s_scale_ = power(-15 - s.s);
    h_scale_ = power(-15 - s.h);
    r0_scale_ = power(-s.r0);
    r_scale_ = power(-s.r);
  }

  // Fills env, slopes, bounds, g and gp; false when a word would be clipped or an atom is too close.
  bool run(const AtomBatch& batch, Scratch& w) const {
    const int pairs = batch.pairs();
    Real most_r = Isa::real(0.0), most_g = Isa::real(0.0), most_slope = Isa::real(0.0);
    w.guarded = false;
    std::fill_n(w.guard_energy.begin(), batch.size, 0);
    for (int p = 0; p < pairs; p += 8) {
      if (!eight(batch, w, p, std::min(8, pairs - p), most_r, most_g, most_slope)) return false;
    }
    w.most_g = Isa::largest(most_g);
    w.most_slope = Isa::largest(most_slope);
    if (Isa::largest(most_r) > 32767.0) return false;
    features(batch, w);
    return true;
  }

 private:
  struct Eight {
    alignas(32) std::int32_t v[8], x[8], y[8], z[8];
    const std::int32_t* row[8];
  };

  bool eight(const AtomBatch& batch, Scratch& w, int p, int count, Real& most_r, Real& most_g, Real& most_slope) const {
    Eight n;
    bool guarded = false;
    for (int i = 0; i < 8; ++i) {
      const auto at = static_cast<std::size_t>(p + (i < count ? i : 0));
      if (batch.u[at] < model_.u_min) return false;
      n.v[i] = batch.u[at];
      n.x[i] = batch.x[at];
      n.y[i] = batch.y[at];
      n.z[i] = batch.z[at];
      const int seg = n.v[i] >> 15;
      guarded |= seg < model_.n_guard;
      const TypeTables& tables = layout_.tables(batch.center_type, batch.type[at]);
      n.row[i] = reinterpret_cast<const std::int32_t*>(tables.scalars + seg);
      const std::int16_t* row = tables.features + std::ptrdiff_t{seg} * 3 * m1_;
      for (int line = 0; line < 3 * m1_; line += 32) __builtin_prefetch(row + line);
    }
    if (guarded) guard(batch, w, p, count);
    __m256i c[8];
    for (int i = 0; i < 8; ++i) c[i] = load8(n.row[i]);
    transpose8(c);
    const Real t = Isa::from_words(_mm256_and_si256(load8(n.v), _mm256_set1_epi32(32767)));
    const auto wide = [&](const __m256i* coef, double scale, Real& value, Real& slope) {
      const Real q = rnd_real<Isa>(Isa::mul(t, Isa::from_words(coef[2])), Isa::real(fifteen_));
      const Real d = Isa::add(Isa::from_words(coef[1]), q);
      value = Isa::add(Isa::from_words(coef[0]), rnd_real<Isa>(Isa::mul(t, d), Isa::real(scale)));
      slope = Isa::add(d, q);
    };
    Real s, sp, h, hp;
    wide(c, s_scale_, s, sp);
    wide(c + 3, h_scale_, h, hp);
    const Real r[4] = {rnd_real<Isa>(s, Isa::real(r0_scale_)), angular(h, n.x), angular(h, n.y), angular(h, n.z)};
    Real largest = Isa::abs(r[0]);
    for (std::size_t k = 0; k < 4; ++k) {
      largest = Isa::max(largest, Isa::abs(r[k]));
      store8_narrow(w.env[k].data() + p, Isa::to_words(r[k]));
    }
    Isa::store_real(w.radial_slope.data() + p, sp);
    Isa::store_real(w.angular.data() + p, h);
    Isa::store_real(w.angular_slope.data() + p, hp);
    const Real g = Isa::from_words(c[6]);
    Isa::store_real(w.bound.data() + p, Isa::mul(largest, g));
    most_r = Isa::max(most_r, largest);
    most_g = Isa::max(most_g, g);
    most_slope = Isa::max(most_slope, Isa::from_words(c[7]));
    return true;
  }

  Real angular(Real h, const std::int32_t* x) const {
    return rnd_real<Isa>(Isa::mul(h, Isa::from_words(load8(x))), Isa::real(r_scale_));
  }

  // Few neighbors come so near: one at a time.
  void guard(const AtomBatch& batch, Scratch& w, int p, int count) const {
    if (!w.guarded) std::fill_n(w.guard_slope.begin(), batch.pairs() + 8, 0.0);
    w.guarded = true;
    for (int at = p; at < p + count; ++at) {
      const auto i = static_cast<std::size_t>(at);
      const int seg = batch.u[i] >> 15;
      if (seg >= model_.n_guard) continue;
      const std::int32_t table = model_.guard_table[static_cast<std::size_t>(batch.center_type * model_.types() + batch.type[i])];
      const std::int32_t* coef = model_.guard_coef.data() + (std::ptrdiff_t{table} * model_.n_guard + seg) * 3;
      const std::int64_t t = batch.u[i] & 32767, q = rnd(t * coef[2], 15), d = coef[1] + q;
      const auto atom = std::upper_bound(batch.first.begin(), batch.first.begin() + batch.size + 1, at) - batch.first.begin() - 1;
      w.guard_energy[static_cast<std::size_t>(atom)] += coef[0] + rnd(t * d, 15 + model_.shifts.guard);
      w.guard_slope[i] = static_cast<double>(d + q);
    }
  }

  void features(const AtomBatch& batch, Scratch& w) const {
    const int pairs = batch.pairs(), m1 = m1_, shift = model_.shifts.feature;
    std::int16_t *g = w.g.data(), *gp = w.gp.data();
    for (int p = 0; p < pairs; ++p) {
      const auto at = static_cast<std::size_t>(p);
      const std::int32_t u = batch.u[at];
      const TypeTables& tables = layout_.tables(batch.center_type, batch.type[at]);
      const std::int16_t* coef = tables.features + std::ptrdiff_t{u >> 15} * 3 * m1;
      const std::int16_t* gate = tables.gate;
      const Half fine = Isa::set16(u & 32767), coarse = Isa::set16((u & 32767) >> shift);
      for (int k = 0; k < m1; k += 32, coef += 32, g += 32, gp += 32) {
        const Half q = Isa::mulhrs(fine, Isa::load(coef + 2 * m1));
        const Half d = Isa::add16(Isa::load(coef + m1), q);
        Half value = Isa::add16(Isa::load(coef), Isa::mulhrs(coarse, d)), slope = Isa::add16(d, q);
        if (gate) {
          value = Isa::mulhrs(value, Isa::load(gate + k));
          slope = Isa::mulhrs(slope, Isa::load(gate + k));
        }
        Isa::store(g, value);
        Isa::store(gp, slope);
      }
    }
    std::fill_n(g, m1, std::int16_t{0});  // the odd neighbor out is paired with this row
  }

  const Layout& layout_;
  const Model& model_;
  int m1_;
  double fifteen_, s_scale_, h_scale_, r0_scale_, r_scale_;
};

}  // namespace nvnmd::simd
