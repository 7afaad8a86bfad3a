#include "model_check.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "fixed.hpp"
#include "text.hpp"

namespace nvnmd {
namespace {

constexpr std::int64_t kWord16 = 32767, kWord27 = (1 << 26) - 1, kWord32 = 0x7FFFFFFF;

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

void require_bits(const std::string& name, int bits, int most) {
  require(bits >= 2 && bits <= most, text("formats: ", name, " must be 2 to ", most));
}

void require_shift(const std::string& stage, int shift) {
  require(shift >= 0 && shift <= 40, text("formats: the shift of stage ", stage, " is ", shift, ", not 0 to 40"));
}

// Bounds of |value|, |slope| and |c2| of one table row for every t.
struct Extremes {
  std::int64_t value = 0, slope = 0, c2 = 0;

  void add_row(std::int64_t c0, std::int64_t c1, std::int64_t curvature, int shift) {
    const std::int64_t d = std::max(std::abs(c1), std::abs(c1 + curvature));
    value = std::max(value, std::abs(c0) + (d >> shift) + 1);
    slope = std::max({slope, std::abs(c1), std::abs(c1 + 2 * curvature)});
    c2 = std::max(c2, std::abs(curvature));
  }

  void require_within(const std::string& name, std::int64_t most_value, std::int64_t most_slope) const {
    require(slope <= most_slope && c2 <= most_slope, text(name, ": a slope can exceed ", most_slope));
    require(value <= most_value, text(name, ": a value can exceed ", most_value));
  }
};

void require_feature_table(const Model& m) {
  const std::int64_t row = 3 * m.m1, tables = static_cast<std::int64_t>(m.feature_coef.size()) / (row * m.n_seg);
  Extremes extremes;
  for (std::int64_t table = 0; table < tables; ++table) {
    for (std::int64_t seg = m.u_min >> 15; seg < m.n_seg; ++seg) {
      const std::int16_t* coef = &m.feature_coef[index((table * m.n_seg + seg) * row)];
      for (int k = 0; k < m.m1; ++k) extremes.add_row(coef[k], coef[m.m1 + k], coef[2 * m.m1 + k], m.shifts.feature);
    }
  }
  extremes.require_within("feature.coef", kWord16, kWord16);
}

// Rows of three coefficients; `stride` words from one segment to the next.
Extremes wide_extremes(const std::vector<std::int32_t>& coef, std::int64_t segments, std::int64_t stride, std::int64_t offset, std::int64_t start,
                       int shift) {
  Extremes extremes;
  const std::int64_t tables = segments == 0 ? 0 : static_cast<std::int64_t>(coef.size()) / (segments * stride);
  for (std::int64_t table = 0; table < tables; ++table) {
    for (std::int64_t seg = start; seg < segments; ++seg) {
      const std::int32_t* row = &coef[index((table * segments + seg) * stride + offset)];
      extremes.add_row(row[0], row[1], row[2], shift);
    }
  }
  return extremes;
}

void require_tables(const Model& m) {
  const std::int64_t start = m.u_min >> 15;
  require_feature_table(m);
  Extremes tanh;
  for (std::size_t row = 0; row < m.tanh_coef.size(); row += 3) {
    tanh.add_row(m.tanh_coef[row], m.tanh_coef[row + 1], m.tanh_coef[row + 2], m.shifts.tanh);
  }
  tanh.require_within("tanh.coef", kWord16, kWord16);
  wide_extremes(m.scalar_coef, m.n_seg, 6, 0, start, m.shifts.s).require_within("scalar.coef (s)", kWord27, kWord27);
  wide_extremes(m.scalar_coef, m.n_seg, 6, 3, start, m.shifts.h).require_within("scalar.coef (h)", kWord27, kWord27);
  wide_extremes(m.guard_coef, m.n_guard, 3, 0, start, m.shifts.guard).require_within("guard.coef", kWord32, kWord27);
}

void require_layer(const std::string& name, const NumberFormats& f, const std::int16_t* weight, const std::int32_t* bias, int rows, int columns,
                   std::int64_t carried) {
  std::vector<std::int64_t> column_sum(index(columns), 0);
  for (int row = 0; row < rows; ++row) {
    std::int64_t row_sum = 0;
    for (int column = 0; column < columns; ++column) {
      const std::int64_t magnitude = std::abs(std::int64_t{weight[std::int64_t{row} * columns + column]});
      require(magnitude <= limit(f.weight_bits), name + ": a weight exceeds weight_bits");
      row_sum += magnitude;
      column_sum[index(column)] += magnitude;
    }
    require(row_sum * kWord16 + std::abs(std::int64_t{bias[row]}) <= kWord32, name + ": the forward sum can exceed 32 bits");
  }
  const std::int64_t most = *std::max_element(column_sum.begin(), column_sum.end());
  require(carried < 0 || most * kWord16 + carried <= kWord32, name + ": the backward sum can exceed 32 bits");
}

void require_network(const Model& m) {
  for (int type = 0; type < m.types(); ++type) {
    for (std::size_t l = 0; l < m.layers.size(); ++l) {
      const FittingLayer& layer = m.layers[l];
      const int frac = m.formats.weight_frac[l];
      require(!layer.skip || (frac >= 0 && frac <= 16), "formats: weight_frac of a layer with skip must be 0 to 16");
      const std::int64_t rows = std::int64_t{type} * layer.outputs;
      require_layer(text("fit.weight.", l + 1), m.formats, &layer.weight[index(rows * layer.inputs)], &layer.bias[index(rows)],
                    layer.outputs, layer.inputs, layer.skip ? kWord16 << frac : 0);
    }
    const int width = m.layers.back().outputs;
    require_layer("fit.out.weight", m.formats, &m.out_weight[index(std::int64_t{type} * width)], &m.out_bias[index(type)], 1, width, -1);
    require(std::abs(m.energy_bias[index(type)] / 2) < (std::int64_t{1} << 46), "energy_bias exceeds 48 bits");
  }
}

void require_cutoff(const Model& m) {
  const NumberFormats& f = m.formats;
  require(m.rcut > 0.0 && m.rcut <= 1024.0, "rcut_A must be a distance");
  require(std::abs(std::ldexp(m.rcut * m.rcut, f.u_frac) - m.u_cut) <= 1.0, "rcut_A and u_cut disagree");
  require(m.u_min < m.u_cut && m.u_min % 32768 == 0, "u_min must be a multiple of 32768 below u_cut");
  require(m.n_seg == (m.u_cut + 32767) >> 15, "the tables do not cover the cutoff");
  const std::int64_t reach = limit(f.dx_bits);
  require(rnd(reach * reach, m.shifts.u) >= m.u_cut, "dx_bits cannot hold a displacement of the cutoff's length");
}

}  // namespace

void require_formats(const Model& m) {
  const NumberFormats& f = m.formats;
  const std::size_t layers = m.layers.size();
  require(f.weight_frac.size() == layers + 1 && f.act_frac.size() == layers + 1 && f.grad_frac.size() == layers + 1,
          "formats: the lists disagree with the layers");
  require(f.act_frac[0] == f.d_frac, "formats: act_frac must begin with d_frac");
  for (std::size_t l = 2; l <= layers; ++l) require(f.act_frac[l] == f.act_frac[1], "formats: act_frac of all layers must be equal");
  require(f.grad_frac[layers] == f.weight_frac[layers], "formats: grad_frac of the last layer must be weight_frac of the output");
  require(f.tanh_seg_bits >= 0 && f.tanh_seg_bits <= 15, "formats: tanh_seg_bits must be 0 to 15");
  require(f.act_frac[1] + f.tanh_shift - (f.z_frac - f.tanh_seg_bits) == 15, "formats: the tanh table's are not tied");
  require_bits("x_bits", f.x_bits, 15);
  require_bits("weight_bits", f.weight_bits, 16);
  require_bits("dx_bits", f.dx_bits, 18);
  require_bits("a_bits", f.a_bits, 18);
  require_bits("b_bits", f.b_bits, 18);
  require_bits("v_bits", f.v_bits, 18);
  require_bits("p_bits", f.p_bits, 27);
  require_bits("f_bits", f.f_bits, 32);
  const Shifts s(f);
  const std::pair<const char*, int> shifts[] = {{"u", s.u}, {"feature", s.feature}, {"s", s.s}, {"h", s.h}, {"tanh", s.tanh},
                                                {"guard", s.guard}, {"R0", s.r0}, {"R", s.r}, {"X", s.x}, {"D", s.d}, {"E", s.e}, {"Y", s.y},
                                                {"A", s.a}, {"B", s.b}, {"V", s.v}, {"P", s.p}, {"F", s.f}, {"W", s.w}};
  for (const auto& [stage, shift] : shifts) require_shift(stage, shift);
  for (std::size_t l = 0; l < layers; ++l) {
    require_shift(text("z", l + 1), s.z[l]);
    require_shift(text("g", l + 1), s.g[l]);
  }
  const auto [e1, e2, e3] = s.t_align;
  const auto [e4, e5] = s.f_align;
  require(std::max({27 + f.a_bits + e1, 27 + f.v_bits + e2, 16 + f.b_bits + e3 + 2}) + 1 <= 52, "formats: the sum T can exceed 52 bits");
  require(std::max(f.dx_bits + f.p_bits + e4 + 1, f.a_bits + 27 + e5) + 1 <= 52, "formats: the force sum can exceed 52 bits");
}

void require_table_indices(const Model& m, std::int64_t feature_tables, std::int64_t scalar_tables, std::int64_t guard_tables) {
  const auto inside = [](const std::vector<std::int32_t>& table, std::int64_t count) {
    return std::all_of(table.begin(), table.end(), [count](std::int32_t word) { return word >= 0 && word < count; });
  };
  require(inside(m.feature_table, feature_tables), "feature.table names a table that does not exist");
  require(inside(m.scalar_table, scalar_tables), "scalar.table names a table that does not exist");
  require(inside(m.guard_table, guard_tables), "guard.table names a table that does not exist");
}

void require_guarantees(const Model& m) {
  require(m.m2 <= m.m1, "m2 is larger than the number of channels");
  require(static_cast<int>(m.tanh_coef.size()) == 3 << (15 - m.formats.tanh_seg_bits), "tanh.coef has a wrong shape");
  require_cutoff(m);
  require_tables(m);
  require_network(m);
}

}  // namespace nvnmd
