// What a kernel or a card works on: neighbor words of some atoms in, energies and pair forces out.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace nvnmd {

// Saturating stages in the order of docs/numerics.md, section 11.
enum Stage : std::size_t { kR, kX, kD, kH, kGrad, kY, kA, kB, kV, kP, kF, kStages };
inline constexpr std::array<const char*, kStages> kStageNames = {"R", "X", "D", "H", "GRAD", "Y", "A", "B", "V", "P", "F"};

struct Counters {
  std::array<std::int64_t, kStages> clipped{};  // words that saturation changed, by stage
  std::int64_t too_close = 0;                   // neighbors below the start of the tables

  Counters& operator+=(const Counters& other);
};

// Neighbor words of up to `capacity` atoms of one type. Neighbor arrays are contiguous over the batch and readable (not
// meaningful) for kPadding words past the last neighbor, so that vector code may load whole registers.
struct AtomBatch {
  static constexpr int kPadding = 64;

  AtomBatch(int atoms, int max_neighbors);

  int center_type = 0;
  int size = 0;                          // atoms in the batch
  int capacity = 0;                      // most atoms
  std::vector<std::int32_t> atom;        // [capacity] index of the center in the caller's arrays
  std::vector<std::int32_t> first;       // [capacity + 1]; neighbors of atom k are first[k] ... first[k + 1] - 1
  std::vector<std::int32_t> neighbor;    // index of the neighbor in the caller's arrays
  std::vector<std::int32_t> x, y, z;     // displacement, dx_frac fraction bits
  std::vector<std::int32_t> u;           // r^2 of the displacement, u_frac fraction bits, below u_cut
  std::vector<std::int32_t> type;        // type of the neighbor

  int pairs() const { return first[static_cast<std::size_t>(size)]; }
};

// Results of one batch, in its order.
struct BatchResult {
  explicit BatchResult(const AtomBatch& batch);

  std::vector<std::int64_t> energy;      // [capacity], e_frac
  std::vector<std::int32_t> fx, fy, fz;  // dE_i/dr_ij of every neighbor, f_frac; padded as the batch
  std::vector<std::int16_t> hidden;      // [capacity, width] activations of the last hidden layer, act_frac; kernels fill it unless it is empty
  Counters counters;                     // of this batch
};

}  // namespace nvnmd
