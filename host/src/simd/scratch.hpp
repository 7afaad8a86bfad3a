// Memory of one thread of the SIMD kernel.
#pragma once

#include <array>

#include "../kernel.hpp"
#include "layout.hpp"

namespace nvnmd::simd {

struct Scratch final : Workspace {
  std::unique_ptr<Workspace> portable;

  // Per neighbor of the batch.
  std::array<Aligned<std::int16_t>, 4> env;     // R
  std::array<Aligned<std::int32_t>, 4> a, b;    // sums of A and B before rounding
  Aligned<double> radial_slope, angular, angular_slope, guard_slope;
  Aligned<double> bound;                        // max |R| times max |G|
  Aligned<std::int16_t> g, gp;                  // [neighbor][m1]
  double most_g = 0.0, most_slope = 0.0;        // over the batch
  bool guarded = false;

  // Per atom of the batch.
  Aligned<std::int16_t> x;                      // [atom][4][m1]
  std::vector<Aligned<std::int16_t>> act, phi;  // [layer][atom][stride]
  std::array<Aligned<std::int16_t>, 2> grad, gz;
  std::vector<std::int64_t> guard_energy;

  Scratch(int atoms, int neighbors, int m1, int layers, int stride) {
    const auto size = [](std::int64_t n) { return static_cast<std::size_t>(n); };
    const std::size_t pairs = size(std::int64_t{atoms} * neighbors + AtomBatch::kPadding);
    for (auto& words : env) words.resize(pairs);
    for (auto* set : {&a, &b}) {
      for (auto& words : *set) words.resize(pairs);
    }
    for (auto* values : {&radial_slope, &angular, &angular_slope, &guard_slope, &bound}) values->resize(pairs);
    g.resize(pairs * size(m1));
    gp.resize(pairs * size(m1));
    x.resize(size(std::int64_t{atoms} * 4 * m1));
    act.resize(size(layers + 1), Aligned<std::int16_t>(size(std::int64_t{atoms} * stride)));
    phi = act;
    for (auto* pair : {&grad, &gz}) {
      for (auto& words : *pair) words.resize(size(std::int64_t{atoms} * stride));
    }
    guard_energy.resize(size(atoms));
  }
};

}  // namespace nvnmd::simd
