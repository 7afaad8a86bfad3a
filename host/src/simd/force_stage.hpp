// Section 8 of docs/numerics.md, eight neighbors at a time in doubles that hold integers.
#pragma once

#include <algorithm>

#include "../batch.hpp"
#include "../fixed.hpp"
#include "neighbor_stage.hpp"
#include "scratch.hpp"

namespace nvnmd::simd {

template <class Isa>
class ForceStage {
 public:
  using Real = typename Isa::Real;

  explicit ForceStage(const Model& model) : model_(model) {
    const Shifts& s = model.shifts;
    a_ = power(-s.a), b_ = power(-s.b), v_ = power(-s.v), p_ = power(-s.p), f_ = power(-s.f);
    for (std::size_t i = 0; i < 3; ++i) e_[i] = power(s.t_align[i]);
    e4_ = 2.0 * power(s.f_align[0]);
    e5_ = power(s.f_align[1]);
  }

  // False when a word would be clipped.
  bool run(const AtomBatch& batch, Scratch& w, BatchResult& result) const {
    const int pairs = batch.pairs();
    clear_tail(w, pairs);
    Most most{Isa::real(0.0), Isa::real(0.0), Isa::real(0.0), Isa::real(0.0), Isa::real(0.0)};
    for (int p = 0; p < pairs; p += 8) eight(batch, w, result, p, most);
    const NumberFormats& f = model_.formats;
    const auto fits = [](Real value, int bits) { return Isa::largest(value) <= static_cast<double>(limit(bits)); };
    return fits(most.a, f.a_bits) && fits(most.b, f.b_bits) && fits(most.v, f.v_bits) && fits(most.p, f.p_bits) && fits(most.f, f.f_bits);
  }

 private:
  struct Most {
    Real a, b, v, p, f;
  };

  // The last eight may reach past the last neighbor.
  static void clear_tail(Scratch& w, int pairs) {
    for (std::size_t c = 0; c < 4; ++c) {
      std::fill_n(w.env[c].begin() + pairs, 8, std::int16_t{0});
      std::fill_n(w.a[c].begin() + pairs, 8, 0);
      std::fill_n(w.b[c].begin() + pairs, 8, 0);
    }
    for (auto* values : {&w.radial_slope, &w.angular, &w.angular_slope}) std::fill_n(values->begin() + pairs, 8, 0.0);
  }

  void eight(const AtomBatch& batch, const Scratch& w, BatchResult& result, int p, Most& most) const {
    const Real x[3] = {Isa::from_words(load8(batch.x.data() + p)), Isa::from_words(load8(batch.y.data() + p)), Isa::from_words(load8(batch.z.data() + p))};
    Real a[4], mixed = Isa::real(0.0);
    for (std::size_t c = 0; c < 4; ++c) {
      a[c] = rnd_real<Isa>(Isa::from_words(load8(w.a[c].data() + p)), Isa::real(a_));
      const Real b = rnd_real<Isa>(Isa::from_words(load8(w.b[c].data() + p)), Isa::real(b_));
      mixed = Isa::fma(Isa::from_words(load8_widen(w.env[c].data() + p)), b, mixed);
      most.a = Isa::max(most.a, Isa::abs(a[c]));
      most.b = Isa::max(most.b, Isa::abs(b));
    }
    const Real h = Isa::load_real(w.angular.data() + p);
    const Real v = rnd_real<Isa>(Isa::fma(a[1], x[0], Isa::fma(a[2], x[1], Isa::mul(a[3], x[2]))), Isa::real(v_));
    most.v = Isa::max(most.v, Isa::abs(v));
    Real t = Isa::mul(mixed, Isa::real(e_[2]));
    t = Isa::fma(Isa::mul(Isa::load_real(w.radial_slope.data() + p), a[0]), Isa::real(e_[0]), t);
    t = Isa::fma(Isa::mul(Isa::load_real(w.angular_slope.data() + p), v), Isa::real(e_[1]), t);
    Real slope = rnd_real<Isa>(t, Isa::real(p_));
    if (w.guarded) slope = Isa::add(slope, Isa::load_real(w.guard_slope.data() + p));
    most.p = Isa::max(most.p, Isa::abs(slope));
    std::int32_t* out[3] = {result.fx.data() + p, result.fy.data() + p, result.fz.data() + p};
    const Real twice = Isa::mul(slope, Isa::real(e4_));
    for (std::size_t c = 0; c < 3; ++c) {
      const Real force = Isa::fma(x[c], twice, Isa::mul(Isa::mul(a[c + 1], h), Isa::real(e5_)));
      const Real rounded = rnd_real<Isa>(force, Isa::real(f_));
      most.f = Isa::max(most.f, Isa::abs(rounded));
      store8(out[c], Isa::to_words(rounded));
    }
  }

  const Model& model_;
  double a_, b_, v_, p_, f_, e4_, e5_;
  double e_[3];
};

}  // namespace nvnmd::simd
