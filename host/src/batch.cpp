#include "batch.hpp"

namespace nvnmd {

Counters& Counters::operator+=(const Counters& other) {
  for (std::size_t stage = 0; stage < kStages; ++stage) clipped[stage] += other.clipped[stage];
  too_close += other.too_close;
  return *this;
}

AtomBatch::AtomBatch(int atoms, int max_neighbors) : capacity(atoms) {
  const auto n = static_cast<std::size_t>(atoms);
  const auto words = n * static_cast<std::size_t>(max_neighbors) + kPadding;
  atom.resize(n);
  first.resize(n + 1);
  for (auto* array : {&neighbor, &x, &y, &z, &u, &type}) array->resize(words);
}

BatchResult::BatchResult(const AtomBatch& batch) : energy(batch.atom.size()), fx(batch.x.size()), fy(batch.x.size()), fz(batch.x.size()) {}

}  // namespace nvnmd
