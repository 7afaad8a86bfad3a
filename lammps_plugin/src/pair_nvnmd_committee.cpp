// Several models: the first moves the atoms, and every so many steps all of them say how far they agree.
#include <atom.h>
#include <comm.h>
#include <error.h>
#include <lmptype.h>
#include <update.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include "pair_nvnmd.hpp"

namespace LAMMPS_NS {

void PairNvnmd::load_members(int threads) {
  members_.clear();
  for (const std::string& file : committee_.files) {
    members_.push_back({file, std::make_unique<nvnmd::ForceDriver>(nvnmd::make_cpu_backend(nvnmd::Model::load(file), kernel_, threads)), {}});
    rcut_ = std::max(rcut_, members_.back().driver->model().rcut);
  }
}

void PairNvnmd::map_members() {
  for (Member& member : members_) {
    member.model_type.assign(elements_.size() + 1, -1);
    for (std::size_t t = 0; t < elements_.size(); t++) {
      if (elements_[t] == "NULL") continue;
      try {
        member.model_type[t + 1] = member.driver->model().type_of(elements_[t]);
      } catch (const nvnmd::Error& problem) {
        throw std::runtime_error(member.file + ": " + problem.what() + "; all models of a committee need the elements of the run");
      }
    }
  }
}

void PairNvnmd::open_deviations(bool append) {
  deviations_.reset();
  if (members_.empty()) return;
  on_all_ranks([&] {
    if (comm->me == 0) deviations_ = std::make_unique<DeviationFile>(committee_.output, committee_.atomic, append);
  });
}

bool PairNvnmd::deviation_is_due() const { return !members_.empty() && update->ntimestep % committee_.every == 0; }

void PairNvnmd::write_deviation(const nvnmd::FrameResult& first) {
  std::vector<Opinion> opinions = {opinion(first)};
  for (Member& member : members_) opinions.push_back(opinion(evaluate(*member.driver, member.model_type, {}, member.file + ": ")));
  const std::vector<double> spread = force_deviation(opinions, committee_.relative);
  std::vector<bool> counts(spread.size());
  for (std::size_t i = 0; i < counts.size(); i++) counts[i] = model_type_[static_cast<std::size_t>(atom->type[i])] >= 0;
  const StepDeviation found = step_deviation(opinions, spread, counts, world);
  const std::vector<double> atoms = committee_.atomic ? gather_by_id(spread) : std::vector<double>();
  extras_[kLargestDeviation] = comm->me == 0 ? found.max_f : 0.0;
  on_all_ranks([&] {
    if (deviations_) deviations_->write(update->ntimestep, found, atoms);
  });
}

Opinion PairNvnmd::opinion(const nvnmd::FrameResult& result) {
  Opinion found;
  for (std::size_t k = 0; k < 9; k++) found.virial[k] = static_cast<double>(result.virial[k]) * result.virial_unit;
  columns_ = 3;
  received_.resize(result.force.size());
  for (std::size_t i = 0; i < received_.size(); i++) received_[i] = static_cast<double>(result.force[i]) * result.force_unit;
  comm->reverse_comm(this, columns_);
  found.force.assign(received_.begin(), received_.begin() + std::ptrdiff_t{3} * atom->nlocal);
  return found;
}

// One value of each atom, in the order of the IDs, on rank 0.
std::vector<double> PairNvnmd::gather_by_id(const std::vector<double>& mine) {
  const auto ranks = static_cast<std::size_t>(comm->nprocs);
  const int own = atom->nlocal;
  std::vector<int> counts(ranks), starts(ranks);
  MPI_Gather(&own, 1, MPI_INT, counts.data(), 1, MPI_INT, 0, world);
  std::exclusive_scan(counts.begin(), counts.end(), starts.begin(), 0);
  const auto total = static_cast<std::size_t>(comm->me == 0 ? starts.back() + counts.back() : 0);
  std::vector<tagint> ids(total);
  std::vector<double> values(total), sorted(total);
  MPI_Gatherv(atom->tag, own, MPI_LMP_TAGINT, ids.data(), counts.data(), starts.data(), MPI_LMP_TAGINT, 0, world);
  MPI_Gatherv(mine.data(), own, MPI_DOUBLE, values.data(), counts.data(), starts.data(), MPI_DOUBLE, 0, world);
  std::vector<std::size_t> order(total);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return ids[a] < ids[b]; });
  for (std::size_t k = 0; k < total; k++) sorted[k] = values[order[k]];
  return sorted;
}

}  // namespace LAMMPS_NS
