#include "player.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>
#include <string>

#include "chance.hpp"

namespace nvnmd::sim {

namespace {

constexpr std::int64_t kPatience = 100'000;  // cycles without a beat at either end

// Counts the beats of a cycle; most cycles end no atom and make nobody wait.
void note(const Pipeline& pipeline, std::int64_t cycle, Trace& trace, std::array<std::size_t, kPlaces>& at) {
  for (int place = 0; place < kPlaces; ++place) trace.beats[place] += pipeline.passes() >> place & 1;
  for (unsigned left = pipeline.passes_last(); left != 0; left &= left - 1) {
    const int place = std::countr_zero(left);
    trace.atoms[at[place]++][place] = cycle;
  }
  for (unsigned left = pipeline.waits(); left != 0; left &= left - 1) ++trace.waits[std::countr_zero(left)];
}

}  // namespace

Trace play(const Sizes& sizes, const std::vector<std::int32_t>& beats, const Traffic& traffic, bool keep_beats) {
  Trace trace;
  trace.atoms.resize(beats.size());
  Pipeline pipeline(sizes);
  Chance chance(traffic.seed);
  const bool pauses = traffic.idle > 0.0 || traffic.stall > 0.0;
  std::array<std::size_t, kPlaces> at{};
  std::size_t atom = 0;
  std::int32_t sent = 0;
  std::int64_t moved = 0;
  bool s_valid = false;
  while (at[kForcesOut] < beats.size()) {
    const std::int64_t cycle = trace.cycles++;
    if (!s_valid && atom < beats.size()) s_valid = !pauses || chance.at_least(traffic.idle);
    const bool m_ready = !pauses || chance.at_least(traffic.stall), s_last = s_valid && sent + 1 == beats[atom];
    const bool taken = pipeline.settle(m_ready, s_valid, s_last) && s_valid;
    const bool gives = pipeline.passes() >> kForcesOut & 1;
    note(pipeline, cycle, trace, at);
    if (keep_beats && taken) trace.entered.push_back(cycle);
    if (keep_beats && gives) trace.left.push_back(cycle);
    if (taken || gives) moved = cycle;
    if (cycle - moved > kPatience)
      throw std::runtime_error("nothing moves behind cycle " + std::to_string(moved) + ": atom " + std::to_string(atom) +
                               " has more beats than wait = " + std::to_string(sizes.wait) + " holds");
    pipeline.step();
    trace.most_waiting = std::max(trace.most_waiting, pipeline.waiting());
    trace.most_atoms = std::max(trace.most_atoms, pipeline.atoms());
    if (!taken) continue;
    s_valid = false;
    if (++sent == beats[atom]) {
      sent = 0;
      ++atom;
    }
  }
  return trace;
}

}  // namespace nvnmd::sim
