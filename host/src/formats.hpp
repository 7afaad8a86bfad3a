// Number formats of one integer model and the shifts that follow from them (docs/numerics.md, section 9).
#pragma once

#include <algorithm>
#include <array>
#include <vector>

namespace nvnmd {

// A word with f fraction bits stands for word * 2^-f. weight_frac[l - 1] belongs to hidden layer l = 1 ... L and weight_frac[L]
// to the output row; act_frac and grad_frac have indices 0 ... L.
struct NumberFormats {
  int dx_bits = 0, dx_frac = 0, u_frac = 0;
  int feature_frac = 0, feature_shift = 0;
  int s_frac = 0, s_shift = 0, h_frac = 0, h_shift = 0;
  int env_frac = 0, norm_shift = 0;
  int x_bits = 0, x_frac = 0, d_frac = 0;
  int weight_bits = 0;
  std::vector<int> weight_frac, act_frac, grad_frac;
  int z_frac = 0, tanh_seg_bits = 0, tanh_shift = 0;
  int y_frac = 0;
  int a_bits = 0, a_frac = 0, b_bits = 0, b_frac = 0, v_bits = 0, v_frac = 0;
  int p_bits = 0, p_frac = 0, f_bits = 0, f_frac = 0, e_frac = 0, w_frac = 0;

  // A table segment is 2^-seg_frac square angstroms wide.
  int seg_frac() const { return u_frac - 15; }
  int guard_shift() const { return p_frac + seg_frac() - e_frac; }

  // Fraction bits of the three parts of T and of their sum (section 8).
  std::array<int, 3> t_parts() const { return {s_frac + s_shift + a_frac, h_frac + h_shift + v_frac, env_frac + b_frac}; }
  int t_frac() const {
    const auto parts = t_parts();
    return *std::max_element(parts.begin(), parts.end());
  }
  // Fraction bits of the two parts of the force sum and of their sum.
  std::array<int, 2> f_parts() const { return {dx_frac + p_frac, a_frac + h_frac}; }
  int f_acc() const { return std::max(f_parts()[0], f_parts()[1]); }
};

// Every right shift of the specification, by stage, and the left shifts e1 ... e5 that align sums.
struct Shifts {
  explicit Shifts(const NumberFormats& formats);
  Shifts() = default;

  int u = 0, feature = 0, s = 0, h = 0, tanh = 0, guard = 0;
  int r0 = 0, r = 0, x = 0, d = 0, e = 0, y = 0, a = 0, b = 0, v = 0, p = 0, f = 0, w = 0;
  std::vector<int> z, g;  // per hidden layer, index l - 1
  std::array<int, 3> t_align{};
  std::array<int, 2> f_align{};
};

}  // namespace nvnmd
