// Setting up: pair_style, pair_coeff, neighbor list, restart files. The computation stands in pair_nvnmd_compute.cpp.
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

namespace {
constexpr const char* kUsage =
    "pair_style nvnmd FILE [backend cpu|sim|xdma|hls] [kernel NAME] [threads N] [card letter|fast|auto] [clock MHZ] [every N] "
    "[device PREFIX] [timeout SECONDS] [retries N] [buffers N] [batch ATOMS] [project FOLDER]";
}

PairNvnmd::PairNvnmd(LAMMPS* lammps) : Pair(lammps) {
  single_enable = 0;
  restartinfo = 1;
  one_coeff = 1;
  manybody_flag = 1;
  no_virial_fdotr_compute = 1;
  centroidstressflag = CENTROID_AVAIL;
  comm_reverse_off = 3 + 9;
  nextra = static_cast<int>(clipped_.size());
  pvector = clipped_.data();
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

void PairNvnmd::load_model() {
  // LAMMPS has one thread a rank unless OMP_NUM_THREADS or `package omp` says more.
  const int threads = threads_ > 0 ? threads_ : comm->nthreads;
  auto model = nvnmd::Model::load(model_file_);
  card_ = nullptr;
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
}

void PairNvnmd::read_option(const std::string& keyword, const char* value) {
  if (keyword == "backend") {
    backend_ = value;
    if (backend_ != "cpu" && backend_ != "sim" && backend_ != "xdma" && backend_ != "hls")
      error->all(FLERR, "Pair style nvnmd does not know the backend " + backend_ + "; this build has: cpu, sim, xdma, hls");
  } else if (keyword == "kernel") {
    kernel_ = value;
  } else if (keyword == "threads") {
    threads_ = utils::inumeric(FLERR, value, false, lmp);
    if (threads_ < 1) error->all(FLERR, "Pair style nvnmd: threads must be 1 or more, not " + std::string(value));
  } else if (keyword == "project") {
    project_ = value;
  } else if (read_card_option(keyword, value)) {
    card_option_ = keyword;
  } else if (read_sim_option(keyword, value)) {
    sim_option_ = keyword;
  } else {
    error->all(FLERR, "Pair style nvnmd does not know the keyword " + keyword + ": " + kUsage);
  }
}

bool PairNvnmd::read_card_option(const std::string& keyword, const char* value) {
  if (keyword == "device") card_options_.device = value;
  else if (keyword == "timeout") card_options_.timeout_s = utils::numeric(FLERR, value, false, lmp);
  else if (keyword == "retries") card_options_.retries = utils::inumeric(FLERR, value, false, lmp);
  else if (keyword == "buffers") card_options_.buffers = utils::inumeric(FLERR, value, false, lmp);
  else if (keyword == "batch") card_options_.atoms = utils::inumeric(FLERR, value, false, lmp);
  else return false;
  return true;
}

bool PairNvnmd::read_sim_option(const std::string& keyword, const char* value) {
  if (keyword == "card") sim_options_.configuration = value;
  else if (keyword == "clock") sim_options_.clock_mhz = utils::numeric(FLERR, value, false, lmp);
  else if (keyword == "every") sim_options_.every = utils::inumeric(FLERR, value, false, lmp);
  else return false;
  return true;
}

void PairNvnmd::settings(int narg, char** arg) {
  if (narg < 1) error->all(FLERR, std::string("Pair style nvnmd needs a model file: ") + kUsage);
  if (narg % 2 == 0)
    error->all(FLERR, "Pair style nvnmd: keyword " + std::string(arg[narg - 1]) + " has no value: " + kUsage);
  backend_ = "cpu";
  kernel_ = "auto";
  threads_ = 0;
  card_options_ = {};
  card_option_.clear();
  sim_options_ = {};
  sim_option_.clear();
  project_.clear();
  for (int i = 1; i < narg; i += 2) read_option(arg[i], arg[i + 1]);
  if ((backend_ == "hls") == project_.empty())
    error->all(FLERR, "Pair style nvnmd: backend hls and project FOLDER, the folder of nvnmd compile, belong together");
  if (backend_ != "sim" && !sim_option_.empty())
    error->all(FLERR, "Pair style nvnmd: keyword " + sim_option_ + " is for a simulated card; add backend sim");
  if (backend_ != "xdma" && !card_option_.empty())
    error->all(FLERR, "Pair style nvnmd: keyword " + card_option_ + " is for a card; add backend xdma");
  model_file_ = arg[0];
  load_problem_.clear();
  on_all_ranks([this] { load_model(); });
  if (comm->me == 0) utils::logmesg(lmp, "nvnmd: " + model_file_ + " on " + driver_->backend().description() + "\n");
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
  neighbor->add_request(this, NeighConst::REQ_FULL);
}

double PairNvnmd::init_one(int, int) {
  // The model decides on rounded distances, so a pair slightly beyond the cutoff may still belong to it.
  constexpr double rounding = 0.001;
  return rcut_ + rounding;
}

void* PairNvnmd::extract(const char* name, int& dim) {
  dim = 0;
  if (std::strcmp(name, "rcut") == 0) return &rcut_;
  if (std::strcmp(name, "max_neighbors") == 0) return &max_neighbors_;
  dim = 1;
  if (std::strcmp(name, "clipped") == 0) return clipped_.data();
  return nullptr;
}

double PairNvnmd::memory_usage() {
  return Pair::memory_usage() + static_cast<double>(received_.capacity() * sizeof(double));
}

}  // namespace LAMMPS_NS
