// Setting up: models, pair_coeff, neighbor list. The options of pair_style stand in pair_nvnmd_options.cpp, the computation in
// pair_nvnmd_compute.cpp.
#include "pair_nvnmd.hpp"

#include <atom.h>
#include <comm.h>
#include <error.h>
#include <force.h>
#include <memory.h>
#include <neighbor.h>
#include <update.h>
#include <utils.h>

#include <algorithm>
#include <cstring>

#include "backend_hls.hpp"

namespace LAMMPS_NS {

PairNvnmd::PairNvnmd(LAMMPS* lammps) : Pair(lammps) {
  single_enable = 0;
  restartinfo = 1;
  one_coeff = 1;
  manybody_flag = 1;
  no_virial_fdotr_compute = 1;
  centroidstressflag = CENTROID_AVAIL;
  comm_reverse_off = 3 + 9;
  nextra = static_cast<int>(extras_.size());
  pvector = extras_.data();
}

PairNvnmd::~PairNvnmd() {
  if (allocated) {
    memory->destroy(setflag);
    memory->destroy(cutsq);
  }
}

void PairNvnmd::allocate() {
  allocated = 1;
  const int n = atom->ntypes + 1;
  memory->create(setflag, n, n, "pair:setflag");
  memory->create(cutsq, n, n, "pair:cutsq");
  for (int i = 0; i < n; i++) std::fill_n(setflag[i], n, 0);
}

void PairNvnmd::on_all_ranks(const std::function<void()>& action) {
  std::string problem;
  try {
    action();
  } catch (const std::exception& failure) {
    problem = failure.what();
  }
  int failed_rank = problem.empty() ? comm->nprocs : comm->me;
  MPI_Allreduce(MPI_IN_PLACE, &failed_rank, 1, MPI_INT, MPI_MIN, world);
  if (failed_rank == comm->nprocs) return;
  int length = static_cast<int>(problem.size());
  MPI_Bcast(&length, 1, MPI_INT, failed_rank, world);
  problem.resize(static_cast<std::size_t>(length));
  MPI_Bcast(problem.data(), length, MPI_CHAR, failed_rank, world);
  error->all(FLERR, "Pair style nvnmd: " + problem);
}

// LAMMPS has one thread a rank unless OMP_NUM_THREADS or `package omp` says more.
int PairNvnmd::cpu_threads() const { return threads_ > 0 ? threads_ : comm->nthreads; }

void PairNvnmd::load_model() {
  const int threads = cpu_threads();
  auto model = nvnmd::Model::load(model_file_);
  card_ = nullptr;
  gamma_driver_.reset();
  sim_ = nullptr;
  if (backend_ == "cpu") {
    driver_ = std::make_unique<nvnmd::ForceDriver>(nvnmd::make_cpu_backend(std::move(model), kernel_, threads));
  } else if (backend_ == "sim") {
    auto sim = nvnmd::make_sim_backend(std::move(model), sim_options_, kernel_, threads);
    sim_ = sim.get();
    driver_ = std::make_unique<nvnmd::ForceDriver>(std::move(sim));
  } else if (backend_ == "hls") {
    driver_ = std::make_unique<nvnmd::ForceDriver>(nvnmd::make_hls_backend(std::move(model), project_));
  } else {
    card_options_.threads = threads;
    auto card = nvnmd::card::make_card_backend(std::move(model), card_options_);
    card_ = card.get();
    driver_ = std::make_unique<nvnmd::ForceDriver>(std::move(card));
  }
  rcut_ = driver_->model().rcut;
  max_neighbors_ = driver_->model().max_neighbors;
  load_members(threads);
}

void PairNvnmd::coeff(int narg, char** arg) {
  const auto types = static_cast<std::size_t>(atom->ntypes);
  const auto& known = driver_->model().type_map;
  if (narg == 2) {  // LAMMPS has seen to it that both are *
    if (types > known.size())
      error->all(FLERR, "Pair style nvnmd: " + std::to_string(types) + " atom types, but the model has " +
                            std::to_string(known.size()) + " elements; name the element of each type in pair_coeff");
    elements_.assign(known.begin(), known.begin() + static_cast<std::ptrdiff_t>(types));
  } else {
    if (static_cast<std::size_t>(narg - 2) != types)
      error->all(FLERR, "Pair style nvnmd: pair_coeff names " + std::to_string(narg - 2) + " elements for " +
                            std::to_string(types) + " atom types");
    elements_.assign(arg + 2, arg + narg);
    if (std::count(elements_.begin(), elements_.end(), "NULL") > 0 && !utils::strmatch(force->pair_style, "^hybrid"))
      error->all(FLERR, "Pair style nvnmd: NULL elements need pair_style hybrid, and another style for their atoms");
  }
  map_types();
}

void PairNvnmd::map_types() {
  model_type_.assign(elements_.size() + 1, -1);
  on_all_ranks([this] {
    for (std::size_t t = 0; t < elements_.size(); t++)
      if (elements_[t] != "NULL") model_type_[t + 1] = driver_->model().type_of(elements_[t]);
    map_members();
  });
  if (!allocated) allocate();
  for (int i = 1; i <= atom->ntypes; i++)
    for (int j = 1; j <= atom->ntypes; j++)
      setflag[i][j] = model_type_[static_cast<std::size_t>(i)] >= 0 && model_type_[static_cast<std::size_t>(j)] >= 0;
}

void PairNvnmd::init_style() {
  if (!driver_)
    error->all(FLERR, "Pair style nvnmd has no model (" + load_problem_ + "); give pair_style and pair_coeff again");
  if (std::strcmp(update->unit_style, "metal") != 0)
    error->all(FLERR, "Pair style nvnmd works in eV and angstrom: it needs units metal, not " +
                          std::string(update->unit_style));
  if (!atom->tag_enable) error->all(FLERR, "Pair style nvnmd needs atom IDs (atom_modify id yes)");
  if (gamma_asked_ && !(gamma_driver_ ? gamma_driver_ : driver_)->has_active_set()) load_active_set();
  neighbor->add_request(this, NeighConst::REQ_FULL);
}

double PairNvnmd::init_one(int, int) {
  // The model decides on rounded distances, so a pair slightly beyond the cutoff may still belong to it.
  constexpr double rounding = 0.001;
  return rcut_ + rounding;
}

double PairNvnmd::memory_usage() {
  return Pair::memory_usage() + static_cast<double>(received_.capacity() * sizeof(double));
}

}  // namespace LAMMPS_NS
