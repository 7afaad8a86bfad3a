// pair_style nvnmd: glue between LAMMPS and the host runtime.
#pragma once

#include <pair.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend_sim.hpp"
#include "card/card_backend.hpp"
#include "driver.hpp"
#include "error.hpp"

namespace LAMMPS_NS {

class PairNvnmd : public Pair {
 public:
  explicit PairNvnmd(LAMMPS* lammps);
  ~PairNvnmd() override;

  void compute(int eflag, int vflag) override;
  void settings(int narg, char** arg) override;
  void coeff(int narg, char** arg) override;
  void init_style() override;
  double init_one(int i, int j) override;
  void finish() override;
  void* extract(const char* name, int& dim) override;

  void write_restart(FILE* fp) override;
  void read_restart(FILE* fp) override;
  void write_restart_settings(FILE* fp) override;
  void read_restart_settings(FILE* fp) override;

  int pack_reverse_comm(int n, int first, double* buf) override;
  void unpack_reverse_comm(int n, int* list, double* buf) override;
  double memory_usage() override;

 private:
  void allocate();
  void load_model();
  void read_option(const std::string& keyword, const char* value);
  bool read_card_option(const std::string& keyword, const char* value);
  void map_types();
  std::string string_from_restart(FILE* fp);
  // Runs an action that may fail on some ranks only; if it failed anywhere, all stop with the first's message.
  void on_all_ranks(const std::function<void()>& action);

  const nvnmd::FrameResult& evaluate();
  std::string place_of(const nvnmd::Error& problem) const;
  void tally_energy(const nvnmd::FrameResult& result);
  void tally_virial(const nvnmd::FrameResult& result);
  void collect_from_ghosts(const nvnmd::FrameResult& result);
  void add_atom_virial(std::size_t i, const double* w);
  void count_clipped(const nvnmd::FrameResult& result);
  bool read_sim_option(const std::string& keyword, const char* value);
  void finish_card();
  void finish_sim();

  std::string model_file_;   // as given in pair_style
  std::string backend_ = "cpu";
  std::string kernel_ = "auto";  // kernel and threads depend on the machine, so restart files do not hold them
  int threads_ = 0;          // 0: as many as LAMMPS has
  nvnmd::card::CardOptions card_options_;  // of the backend xdma
  std::string card_option_;  // the first that was given
  std::string project_;      // of the backend hls
  const nvnmd::card::CardBackend* card_ = nullptr;  // the driver's, when it is a card
  nvnmd::SimOptions sim_options_;  // of the backend sim
  std::string sim_option_;  // the first that was given
  const nvnmd::SimBackend* sim_ = nullptr;  // the driver's, when a card is simulated
  std::string load_problem_; // why the model named in a restart file could not be loaded
  double rcut_ = 0.0;        // angstrom
  int max_neighbors_ = 0;
  std::unique_ptr<nvnmd::ForceDriver> driver_;
  std::vector<std::string> elements_;  // [ntypes], as given in pair_coeff, "NULL" for no atom of this model
  std::vector<int> model_type_;        // [ntypes + 1], LAMMPS type -> model type, -1 for none
  std::array<double, nvnmd::kStages + 1> clipped_{};  // words clipped so far on this rank: all, then by stage
  bool warned_ = false;

  // With newton off, what the atoms of this rank and their ghosts have received, for our own reverse communication.
  int columns_ = 3;  // 3 forces, and 9 virial components when per-atom virials are wanted
  std::vector<double> received_;  // [total_atoms, columns_]
};

}  // namespace LAMMPS_NS
