#include "card/probe.hpp"

#include <algorithm>
#include <cmath>

#include "fixed.hpp"

namespace nvnmd::card {

void fill_probe(const Model& model, int type, AtomBatch& batch) {
  std::uint64_t state = static_cast<std::uint64_t>(type) + 1;
  const auto random = [&state](std::int64_t most) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::int64_t>(state >> 33) % (2 * most + 1) - most;
  };
  batch.center_type = type;
  batch.size = kProbeAtoms;
  const auto radius = static_cast<std::int64_t>(std::sqrt(std::ldexp(model.u_cut, model.shifts.u)));
  const std::int64_t reach = std::min(limit(model.formats.dx_bits), radius);
  std::int32_t next = 0;
  for (int atom = 0; atom < kProbeAtoms; ++atom) {
    const int wanted = model.max_neighbors * atom / (kProbeAtoms - 1);
    for (int added = 0, tries = 0; added < wanted && tries < 100 * wanted; ++tries) {
      const std::int64_t x = random(reach), y = random(reach), z = random(reach);
      const std::int64_t u = rnd(x * x + y * y + z * z, model.shifts.u);
      if (u >= model.u_cut || u < model.u_min) continue;
      const auto at = static_cast<std::size_t>(next);
      batch.x[at] = static_cast<std::int32_t>(x);
      batch.y[at] = static_cast<std::int32_t>(y);
      batch.z[at] = static_cast<std::int32_t>(z);
      batch.u[at] = static_cast<std::int32_t>(u);
      batch.type[at] = added % model.types();
      batch.neighbor[at] = 0;
      ++next;
      ++added;
    }
    batch.atom[static_cast<std::size_t>(atom)] = -1;
    batch.first[static_cast<std::size_t>(atom) + 1] = next;
  }
}

bool same(const AtomBatch& batch, const BatchResult& a, const BatchResult& b) {
  const auto equal = [](const auto& x, const auto& y, int count) { return std::equal(x.begin(), x.begin() + count, y.begin()); };
  const int pairs = batch.pairs();
  return equal(a.energy, b.energy, batch.size) && equal(a.fx, b.fx, pairs) && equal(a.fy, b.fy, pairs) && equal(a.fz, b.fz, pairs) &&
         a.counters.clipped == b.counters.clipped && a.counters.too_close == b.counters.too_close;
}

}  // namespace nvnmd::card
