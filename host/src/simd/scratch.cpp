#include "scratch.hpp"

namespace nvnmd::simd {

Scratch::Scratch(std::unique_ptr<Workspace> portable_workspace, int atoms, int neighbors, int m1, int layers, int stride)
    : portable(std::move(portable_workspace)) {
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

Scratch::~Scratch() = default;

}  // namespace nvnmd::simd
