// From neighbor lists to forces: what pair style, calculator and Python call.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "active_set.hpp"
#include "backend.hpp"
#include "batch.hpp"
#include "centers.hpp"
#include "model.hpp"

namespace nvnmd {

// Integers of one step (docs/numerics.md, section 8). Sums are exact, so threads and ranks change no bit. Multiply by the
// units for eV, eV/angstrom and eV: those products and their sums are exact below 2^53 units.
struct FrameResult {
  std::int64_t energy = 0;                // sum over the centers
  std::array<std::int64_t, 9> virial{};   // W, row-major, -dE/dstrain; summed over all pairs
  std::vector<std::int64_t> atom_energy;  // [total_atoms], zero for atoms that are no centers
  std::vector<std::int64_t> force;        // [total_atoms, 3]
  std::vector<std::int64_t> atom_virial;  // [total_atoms, 3, 3], centroid form; empty unless asked for
  std::vector<double> gamma;              // [total_atoms] extrapolation grades, zero for atoms that are no centers; empty unless asked for
  std::vector<std::int16_t> hidden;       // [total_atoms, width] activations of the last hidden layer; empty unless asked for
  Counters counters;

  double energy_unit = 0.0, force_unit = 0.0, virial_unit = 0.0;  // eV, eV/angstrom, eV
};

struct Wanted {
  bool virial = true;
  bool atom_virial = false;
  bool gamma = false;   // needs an active set
  bool hidden = false;
};

class ForceDriver {
 public:
  explicit ForceDriver(std::unique_ptr<Backend> backend);
  ~ForceDriver();
  ForceDriver(const ForceDriver&) = delete;
  ForceDriver& operator=(const ForceDriver&) = delete;

  const Model& model() const { return backend_->model(); }
  const Backend& backend() const { return *backend_; }

  // The active set that extrapolation grades refer to; none at first.
  void use(std::shared_ptr<const ActiveSet> active_set) { active_set_ = std::move(active_set); }
  bool has_active_set() const { return active_set_ != nullptr; }

  // Evaluates all centers. The result belongs to the driver and is valid until the next call. Throws Error that names the atom
  // (index into the caller's arrays) for too many neighbors, atoms too close and positions that are not finite, and for grades or
  // activations that the backend or a missing active set cannot give.
  const FrameResult& compute(const Centers& centers, Wanted wanted = {});

 private:
  class Step;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Step> step_;
  std::shared_ptr<const ActiveSet> active_set_;
};

// Adds result.force to an array of doubles [total_atoms, 3] in eV/angstrom.
void add_forces(const FrameResult& result, double* force);

}  // namespace nvnmd
