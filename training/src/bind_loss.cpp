// The loss of a step and its gradients for Python; see training/loss.py for the formula.
#include <array>
#include <cmath>
#include <limits>

#include <nanobind/stl/array.h>

#include "arrays.hpp"

namespace nvnmd::training {
namespace {

// What the networks say, [n_atoms], [n_atoms][3], [n_frames][9]; without virials the last is empty.
struct Said {
  Reals energies, forces;
  std::optional<Reals> virials;
};

// What is added to it and what it is compared with: forces as [3][n_atoms].
struct Known {
  Array<const std::int64_t> frames;  // of each atom
  std::vector<int> atoms;            // of each frame
  Reals guard_energies, guard_forces, guard_virials;
  Array<const double> energies;
  Reals forces, virials;
  Array<const bool> has_virial;

  [[nodiscard]] std::size_t n_atoms() const { return frames.size(); }
  [[nodiscard]] std::size_t n_frames() const { return atoms.size(); }
};

// For the energy, force and virial terms: their weight and the number of things that they are means over.
struct Means {
  std::array<double, 3> prefactors, counts;
};

struct Gradients {
  Filled energies, forces;  // as in Said
  std::optional<Filled> virials;
};

void check(const Said& said, const Known& known, const Gradients& into) {
  const std::size_t atoms = known.n_atoms(), frames = known.n_frames();
  expect(said.energies.size() == atoms && said.forces.size() == 3 * atoms && known.guard_energies.size() == atoms &&
             known.guard_forces.size() == 3 * atoms && known.forces.size() == 3 * atoms && into.energies.size() == atoms &&
             into.forces.size() == 3 * atoms,
         "loss: an array of atoms has the wrong size");
  expect(known.energies.size() == frames && known.has_virial.size() == frames && known.guard_virials.size() == 9 * frames &&
             known.virials.size() == 9 * frames,
         "loss: an array of frames has the wrong size");
  expect(said.virials.has_value() == into.virials.has_value() && (!said.virials || (said.virials->size() == 9 * frames && into.virials->size() == 9 * frames)),
         "loss: virials of the wrong size");
  for (std::size_t i = 0; i < atoms; ++i) {
    expect(known.frames.data()[i] >= 0 && static_cast<std::size_t>(known.frames.data()[i]) < frames, "loss: a frame is out of range");
  }
}

// Adds the terms of the loss to `terms`.
void energy_terms(const Said& said, const Known& known, const Means& means, std::array<double, 4>& terms, float* into) {
  std::vector<double> errors(known.n_frames());
  for (std::size_t k = 0; k < errors.size(); ++k) errors[k] = -known.energies.data()[k];
  for (std::size_t i = 0; i < known.n_atoms(); ++i) {
    errors[static_cast<std::size_t>(known.frames.data()[i])] += static_cast<double>(said.energies.data()[i]) + static_cast<double>(known.guard_energies.data()[i]);
  }
  const double weight = means.prefactors[0] / means.counts[0];
  for (std::size_t k = 0; k < errors.size(); ++k) {
    errors[k] /= known.atoms[k];
    terms[0] += weight * errors[k] * errors[k] * known.atoms[k];
    terms[1] += errors[k] * errors[k] / means.counts[0];
  }
  for (std::size_t i = 0; i < known.n_atoms(); ++i) {
    into[i] = static_cast<float>(2.0 * weight * errors[static_cast<std::size_t>(known.frames.data()[i])]);
  }
}

void force_terms(const Said& said, const Known& known, const Means& means, std::array<double, 4>& terms, float* into) {
  const std::size_t atoms = known.n_atoms();
  const double share = 1.0 / (3.0 * means.counts[1]);
  double squares = 0.0;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    for (std::size_t i = 0; i < atoms; ++i) {
      const float error = said.forces.data()[3 * i + axis] + known.guard_forces.data()[axis * atoms + i] - known.forces.data()[axis * atoms + i];
      squares += static_cast<double>(error) * static_cast<double>(error);
      into[3 * i + axis] = static_cast<float>(2.0 * means.prefactors[1] * share) * error;
    }
  }
  terms[0] += means.prefactors[1] * share * squares;
  terms[2] = share * squares;
}

void virial_terms(const Reals& said, const Known& known, const Means& means, std::array<double, 4>& terms, float* into) {
  if (means.counts[2] > 0) terms[3] = 0.0;
  for (std::size_t k = 0; k < known.n_frames(); ++k) {
    const double share = known.has_virial.data()[k] ? 1.0 / means.counts[2] : 0.0, atoms = known.atoms[k];
    double squares = 0.0;
    for (std::size_t c = 9 * k; c < 9 * k + 9; ++c) {
      const float error = said.data()[c] + known.guard_virials.data()[c] - known.virials.data()[c];
      squares += static_cast<double>(error) * static_cast<double>(error) / 9.0;
      into[c] = static_cast<float>(2.0 / 9.0 * means.prefactors[2] * share / atoms) * error;
    }
    if (share > 0.0) {
      terms[0] += means.prefactors[2] * share * squares / atoms;
      terms[3] += share * squares / (atoms * atoms);
    }
  }
}

// The loss and its energy, force and virial errors, mean squares.
std::array<double, 4> loss(const Said& said, const Known& known, const Means& means, const Gradients& into) {
  check(said, known, into);
  std::array<double, 4> terms{0.0, 0.0, 0.0, std::numeric_limits<double>::quiet_NaN()};
  energy_terms(said, known, means, terms, into.energies.data());
  force_terms(said, known, means, terms, into.forces.data());
  if (said.virials) virial_terms(*said.virials, known, means, terms, into.virials->data());
  return terms;
}

}  // namespace

void bind_loss(nb::module_& m) {
  nb::class_<Known>(m, "Known", "Labels and guard of a batch, for `loss`.")
      .def(nb::init<Array<const std::int64_t>, std::vector<int>, Reals, Reals, Reals, Array<const double>, Reals, Reals, Array<const bool>>(),
           nb::arg("frames"), nb::arg("atoms"), nb::arg("guard_energies"), nb::arg("guard_forces"), nb::arg("guard_virials"),
           nb::arg("energies"), nb::arg("forces"), nb::arg("virials"), nb::arg("has_virial"));
  m.def("loss",
        [](Reals energies, Reals forces, std::optional<Reals> virials, const Known& known, std::array<double, 3> prefactors,
           std::array<double, 3> counts, Filled by_energies, Filled by_forces, std::optional<Filled> by_virials) {
          return loss({std::move(energies), std::move(forces), std::move(virials)}, known, {prefactors, counts},
                      {std::move(by_energies), std::move(by_forces), std::move(by_virials)});
        },
        nb::arg("energies"), nb::arg("forces"), nb::arg("virials").none(), nb::arg("known"), nb::arg("prefactors"), nb::arg("counts"),
        nb::arg("by_energies").noconvert(), nb::arg("by_forces").noconvert(), nb::arg("by_virials").noconvert().none(),
        "Total, energy, force and virial terms; fills the gradients.");
}

}  // namespace nvnmd::training
