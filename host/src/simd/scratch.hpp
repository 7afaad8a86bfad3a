// Memory of one thread of the SIMD kernel. What can be compiled without vector instructions stands in scratch.cpp: the linker keeps one
// copy of every shared inline function, and that must not be one that needs instructions a CPU may lack.
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

  Scratch(std::unique_ptr<Workspace> portable_workspace, int atoms, int neighbors, int m1, int layers, int stride);
  ~Scratch() override;
};

}  // namespace nvnmd::simd
