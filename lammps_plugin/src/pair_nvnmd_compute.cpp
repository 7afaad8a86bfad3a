// One step: neighbor list in, forces, energies and virials out. All are integer multiples of their unit, and doubles
// hold them exactly, so no order of atoms or ranks changes a bit.
#include <atom.h>
#include <comm.h>
#include <error.h>
#include <force.h>
#include <neigh_list.h>
#include <update.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <stdexcept>
#include <string>

#include "centers.hpp"
#include "pair_nvnmd.hpp"

namespace LAMMPS_NS {

void PairNvnmd::compute(int eflag, int vflag) {
  ev_init(eflag, vflag);
  const bool deviation = deviation_is_due();
  const nvnmd::Wanted wanted{.virial = vflag_either != 0 || deviation, .atom_virial = vflag_atom != 0 || cvflag_atom != 0, .gamma = gamma_flag_ != 0};
  const nvnmd::FrameResult& result = evaluate(driver_of_step(), model_type_, wanted);
  if (force->newton_pair) {
    if (atom->nlocal + atom->nghost > 0) nvnmd::add_forces(result, atom->f[0]);
  } else {
    collect_from_ghosts(result);
  }
  tally_energy(result);
  tally_virial(result);
  count_clipped(result);
  if (wanted.gamma) keep_gamma(result);
  if (deviation) write_deviation(result);
}

const nvnmd::FrameResult& PairNvnmd::evaluate(nvnmd::ForceDriver& driver, const std::vector<int>& model_type, nvnmd::Wanted wanted,
                                              const std::string& whose) {
  nvnmd::NeighborList::View view;
  view.count = list->inum;
  view.centers = list->ilist;
  view.neighbor_count = list->numneigh;
  view.neighbors = list->firstneigh;
  view.mask = NEIGHMASK;
  view.total_atoms = atom->nlocal + atom->nghost;
  view.positions = view.total_atoms > 0 ? atom->x[0] : nullptr;
  view.types = atom->type;
  view.type_map = model_type.data();
  // Only the rank that holds an atom knows of its problem; all end together, so that its sentence is not lost.
  const nvnmd::FrameResult* result = nullptr;
  on_all_ranks([&] {
    try {
      result = &driver.compute(nvnmd::NeighborList(driver.model(), view), wanted);
    } catch (const nvnmd::Error& problem) {
      throw std::runtime_error(whose + problem.what() + place_of(problem));
    }
  });
  return *result;
}

std::string PairNvnmd::place_of(const nvnmd::Error& problem) const {
  std::string where = " (step " + std::to_string(update->ntimestep);
  for (const int i : {problem.atom(), problem.neighbor()})
    if (i >= 0) where += ", atom " + std::to_string(i) + " is ID " + std::to_string(atom->tag[i]);
  return where + ")";
}

void PairNvnmd::tally_energy(const nvnmd::FrameResult& result) {
  if (eflag_global) eng_vdwl += static_cast<double>(result.energy) * result.energy_unit;
  if (!eflag_atom) return;
  for (int i = 0; i < atom->nlocal; i++)
    eatom[i] += static_cast<double>(result.atom_energy[static_cast<std::size_t>(i)]) * result.energy_unit;
}

void PairNvnmd::tally_virial(const nvnmd::FrameResult& result) {
  if (vflag_global) {
    const auto& w = result.virial;
    const std::array<std::int64_t, 6> twice = {2 * w[0], 2 * w[4], 2 * w[8], w[1] + w[3], w[2] + w[6], w[5] + w[7]};
    for (std::size_t k = 0; k < 6; k++) virial[k] += 0.5 * static_cast<double>(twice[k]) * result.virial_unit;
  }
  if (!vflag_atom && !cvflag_atom) return;
  std::array<double, 9> w{};
  const auto atoms = static_cast<std::size_t>(force->newton_pair ? atom->nlocal + atom->nghost : atom->nlocal);
  for (std::size_t i = 0; i < atoms; i++) {
    for (std::size_t k = 0; k < 9; k++)
      w[k] = force->newton_pair ? static_cast<double>(result.atom_virial[9 * i + k]) * result.virial_unit
                                : received_[i * static_cast<std::size_t>(columns_) + 3 + k];
    add_atom_virial(i, w.data());
  }
}

void PairNvnmd::add_atom_virial(std::size_t i, const double* w) {
  if (vflag_atom) {
    const std::array<double, 6> sym = {w[0], w[4], w[8], 0.5 * (w[1] + w[3]), 0.5 * (w[2] + w[6]), 0.5 * (w[5] + w[7])};
    for (std::size_t k = 0; k < 6; k++) vatom[i][k] += sym[k];
  }
  if (cvflag_atom) {
    constexpr std::array<std::size_t, 9> order = {0, 4, 8, 1, 2, 5, 3, 6, 7};  // xx yy zz xy xz yz yx zx zy
    for (std::size_t k = 0; k < 9; k++) cvatom[i][k] += w[order[k]];
  }
}

// With newton off LAMMPS does not send what ghosts received back to their owners, so it is done here.
void PairNvnmd::collect_from_ghosts(const nvnmd::FrameResult& result) {
  const auto atoms = static_cast<std::size_t>(atom->nlocal + atom->nghost);
  columns_ = vflag_atom || cvflag_atom ? 12 : 3;
  const auto stride = static_cast<std::size_t>(columns_);
  received_.resize(atoms * stride);
  for (std::size_t i = 0; i < atoms; i++) {
    for (std::size_t k = 0; k < 3; k++)
      received_[i * stride + k] = static_cast<double>(result.force[3 * i + k]) * result.force_unit;
    for (std::size_t k = 3; k < stride; k++)
      received_[i * stride + k] = static_cast<double>(result.atom_virial[9 * i + k - 3]) * result.virial_unit;
  }
  comm->reverse_comm(this, columns_);
  for (int i = 0; i < atom->nlocal; i++)
    for (std::size_t k = 0; k < 3; k++) atom->f[i][k] += received_[static_cast<std::size_t>(i) * stride + k];
}

int PairNvnmd::pack_reverse_comm(int n, int first, double* buf) {
  const double* from = received_.data() + static_cast<std::ptrdiff_t>(first) * columns_;
  std::copy_n(from, n * columns_, buf);
  return n * columns_;
}

void PairNvnmd::unpack_reverse_comm(int n, int* atoms, double* buf) {
  for (int i = 0; i < n; i++) {
    double* to = received_.data() + static_cast<std::ptrdiff_t>(atoms[i]) * columns_;
    for (int k = 0; k < columns_; k++) to[k] += *buf++;
  }
}

void PairNvnmd::count_clipped(const nvnmd::FrameResult& result) {
  for (std::size_t s = 0; s < nvnmd::kStages; s++) {
    extras_[s + 1] += static_cast<double>(result.counters.clipped[s]);
    extras_[kClipped] += static_cast<double>(result.counters.clipped[s]);
  }
  if (extras_[kClipped] == 0.0 || warned_) return;
  warned_ = true;
  error->warning(FLERR, "Pair style nvnmd: at step " + std::to_string(update->ntimestep) +
                            " the model left its number range and words were clipped; `compute ID all pair nvnmd` "
                            "counts them (all, then by stage)");
}

void PairNvnmd::finish() {
  double total = 0.0;
  MPI_Reduce(extras_.data(), &total, 1, MPI_DOUBLE, MPI_SUM, 0, world);
  if (comm->me == 0 && total > 0.0) {
    std::string text = "nvnmd: words clipped so far: " + std::to_string(static_cast<long long>(total)) + "\n";
    utils::logmesg(lmp, text);
  }
  finish_card();
  finish_sim();
}

// Every rank has a card of its own; a step takes as long as the slowest.
void PairNvnmd::finish_sim() {
  double seconds = 0.0, atoms = 0.0, steps = 0.0;
  if (sim_ != nullptr) {
    seconds = sim_->totals().seconds;
    atoms = static_cast<double>(sim_->totals().atoms);
    steps = static_cast<double>(sim_->totals().steps);
  }
  MPI_Allreduce(MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, world);
  MPI_Allreduce(MPI_IN_PLACE, &atoms, 1, MPI_DOUBLE, MPI_SUM, world);
  if (comm->me != 0 || seconds == 0.0 || atoms == 0.0) return;
  std::array<char, 160> text{};
  std::snprintf(text.data(), text.size(),
                "nvnmd: simulated, not measured: %.4g s/step/atom, %.4g s/step, over %.0f steps\n", seconds / atoms,
                seconds / steps, steps);
  utils::logmesg(lmp, text.data());
}

// Each fault on the way to a card was mended, or the run had ended with an error.
void PairNvnmd::finish_card() {
  std::array<double, 2> mine = {0.0, 0.0}, all = {0.0, 0.0};
  if (card_ != nullptr) {
    for (const std::int64_t count : card_->counts().faults) mine[0] += static_cast<double>(count);
    mine[1] = static_cast<double>(card_->counts().transfers);
  }
  MPI_Reduce(mine.data(), all.data(), 2, MPI_DOUBLE, MPI_SUM, 0, world);
  if (comm->me == 0 && all[1] > 0.0) {
    std::string text = "nvnmd: transfers to the card so far: " + std::to_string(static_cast<long long>(all[1])) +
                       ", faults found and mended: " + std::to_string(static_cast<long long>(all[0])) + "\n";
    utils::logmesg(lmp, text);
  }
}

}  // namespace LAMMPS_NS
