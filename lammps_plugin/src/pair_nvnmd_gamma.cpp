// Extrapolation grades: computed in the steps in which `fix pair` sets the flag, and in no other.
#include <atom.h>
#include <comm.h>

#include <algorithm>
#include <cstring>

#include "pair_nvnmd.hpp"

namespace LAMMPS_NS {

void PairNvnmd::load_active_set() {
  const std::filesystem::path file = gamma_file_.empty() ? nvnmd::ActiveSet::beside(model_file_) : std::filesystem::path(gamma_file_);
  on_all_ranks([&] {
    auto active_set = nvnmd::ActiveSet::load(file, driver_->model(), model_file_);
    // A card returns no activations; the CPU gives the same bits with them.
    if (!driver_->backend().gives_hidden())
      gamma_driver_ = std::make_unique<nvnmd::ForceDriver>(nvnmd::make_cpu_backend(nvnmd::Model::load(model_file_), kernel_, cpu_threads()));
    (gamma_driver_ ? gamma_driver_ : driver_)->use(std::move(active_set));
  });
}

nvnmd::ForceDriver& PairNvnmd::driver_of_step() { return gamma_flag_ && gamma_driver_ ? *gamma_driver_ : *driver_; }

void PairNvnmd::keep_gamma(const nvnmd::FrameResult& result) {
  if (result.gamma.empty()) gamma_.clear();
  else gamma_.assign(result.gamma.begin(), result.gamma.begin() + atom->nlocal);
  double largest = gamma_.empty() ? 0.0 : *std::max_element(gamma_.begin(), gamma_.end());
  MPI_Allreduce(MPI_IN_PLACE, &largest, 1, MPI_DOUBLE, MPI_MAX, world);
  extras_[kLargestGamma] = comm->me == 0 ? largest : 0.0;  // compute pair adds the ranks up
}

void* PairNvnmd::extract(const char* name, int& dim) {
  dim = 0;
  if (std::strcmp(name, "rcut") == 0) return &rcut_;
  if (std::strcmp(name, "max_neighbors") == 0) return &max_neighbors_;
  if (std::strcmp(name, "gamma_flag") == 0 && driver_) {
    if (!gamma_asked_) load_active_set();
    gamma_asked_ = true;
    return &gamma_flag_;
  }
  dim = 1;
  if (std::strcmp(name, "clipped") == 0) return extras_.data();
  return nullptr;
}

void* PairNvnmd::extract_peratom(const char* name, int& columns) {
  columns = 0;
  if (std::strcmp(name, "gamma") != 0) return nullptr;
  gamma_.resize(static_cast<std::size_t>(std::max(atom->nlocal, 1)));  // zero for atoms that came after the last grades
  return gamma_.data();
}

}  // namespace LAMMPS_NS
