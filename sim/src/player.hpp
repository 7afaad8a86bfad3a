// Plays atoms into the pipeline, with a source and a sink that pause at random as in the RTL's stream bench.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "pipeline.hpp"

namespace nvnmd::sim {

struct Traffic {
  unsigned seed = 0;
  double idle = 0.0, stall = 0.0;  // probability, each cycle, that the source or the sink pauses
};

struct Trace {
  std::vector<std::int64_t> entered, left;               // cycle of every beat at the entry and at the exit
  std::vector<std::array<std::int64_t, kPlaces>> atoms;  // cycle at which the last beat of each atom passes a place
  std::array<std::int64_t, kPlaces> beats{};             // beats that passed
  std::array<std::int64_t, kCauses> waits{};             // cycles in which a beat waited, by cause
  std::int64_t cycles = 0;
  int most_waiting = 0, most_atoms = 0;  // fullest state of the two stores
};

// `beats` of each atom, at least 1. `keep_beats` keeps the cycle of every beat, else only those of atoms.
// Throws std::runtime_error when nothing moves any more: a store too small for an atom.
Trace play(const Sizes& sizes, const std::vector<std::int32_t>& beats, const Traffic& traffic, bool keep_beats);

}  // namespace nvnmd::sim
