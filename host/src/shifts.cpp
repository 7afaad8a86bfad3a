#include <cstddef>

#include "formats.hpp"

namespace nvnmd {

Shifts::Shifts(const NumberFormats& formats) {
  const std::size_t layers = formats.grad_frac.size() - 1;
  u = 2 * formats.dx_frac - formats.u_frac;
  feature = formats.feature_shift;
  s = formats.s_shift;
  h = formats.h_shift;
  tanh = formats.tanh_shift;
  guard = formats.guard_shift();
  r0 = formats.s_frac - formats.env_frac;
  r = formats.h_frac + formats.dx_frac - formats.env_frac;
  x = formats.env_frac + formats.feature_frac + formats.norm_shift - formats.x_frac;
  d = 2 * formats.x_frac - formats.d_frac;
  e = formats.weight_frac[layers] + formats.act_frac[layers] - formats.e_frac;
  y = formats.grad_frac[0] + formats.x_frac - formats.y_frac;
  a = formats.y_frac + formats.feature_frac + formats.norm_shift - formats.a_frac;
  b = formats.y_frac + formats.feature_frac + formats.feature_shift + formats.norm_shift - formats.b_frac;
  v = formats.a_frac + formats.dx_frac - formats.v_frac;
  p = formats.t_frac() - formats.seg_frac() - formats.p_frac;
  f = formats.f_acc() - formats.f_frac;
  w = formats.dx_frac + formats.f_frac - formats.w_frac;
  for (std::size_t l = 0; l < layers; ++l) {
    z.push_back(formats.weight_frac[l] + formats.act_frac[l] - formats.z_frac);
    g.push_back(formats.grad_frac[l + 1] + formats.weight_frac[l] - formats.grad_frac[l]);
  }
  for (std::size_t part = 0; part < 3; ++part) t_align[part] = formats.t_frac() - formats.t_parts()[part];
  for (std::size_t part = 0; part < 2; ++part) f_align[part] = formats.f_acc() - formats.f_parts()[part];
}

}  // namespace nvnmd
