// pair_style nvnmd: glue between LAMMPS and the host runtime.
#pragma once

#include <pair.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backend_sim.hpp"
#include "card/card_backend.hpp"
#include "committee.hpp"
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
  void* extract_peratom(const char* name, int& columns) override;

  void write_restart(FILE* fp) override;
  void read_restart(FILE* fp) override;
  void write_restart_settings(FILE* fp) override;
  void read_restart_settings(FILE* fp) override;

  int pack_reverse_comm(int n, int first, double* buf) override;
  void unpack_reverse_comm(int n, int* list, double* buf) override;
  double memory_usage() override;

 private:
  // A model beside the first.
  struct Member {
    std::string file;
    std::unique_ptr<nvnmd::ForceDriver> driver;
    std::vector<int> model_type;  // [ntypes + 1], as model_type_
  };

  void allocate();
  void load_model();
  int cpu_threads() const;

  // pair_nvnmd_options.cpp
  void read_words(const std::vector<std::string>& words);
  void read_option(const std::string& keyword, const std::string& value);
  bool read_committee_option(const std::string& keyword, const std::string& value);
  bool read_card_option(const std::string& keyword, const std::string& value);
  bool read_sim_option(const std::string& keyword, const std::string& value);
  void check_options() const;

  void map_types();
  std::string string_from_restart(FILE* fp);
  std::string words_for_restart() const;
  // Runs an action that may fail on some ranks only; if it failed anywhere, all stop with the first's message.
  void on_all_ranks(const std::function<void()>& action);

  // pair_nvnmd_compute.cpp
  const nvnmd::FrameResult& evaluate(nvnmd::ForceDriver& driver, const std::vector<int>& model_type, nvnmd::Wanted wanted,
                                     const std::string& whose = "");
  std::string place_of(const nvnmd::Error& problem) const;
  void tally_energy(const nvnmd::FrameResult& result);
  void tally_virial(const nvnmd::FrameResult& result);
  void collect_from_ghosts(const nvnmd::FrameResult& result);
  void add_atom_virial(std::size_t i, const double* w);
  void count_clipped(const nvnmd::FrameResult& result);
  void finish_card();
  void finish_sim();

  // pair_nvnmd_gamma.cpp
  void load_active_set();
  nvnmd::ForceDriver& driver_of_step();
  void keep_gamma(const nvnmd::FrameResult& result);

  // pair_nvnmd_committee.cpp
  void load_members(int threads);
  void map_members();
  void open_deviations(bool append);
  bool deviation_is_due() const;
  void write_deviation(const nvnmd::FrameResult& first);
  Opinion opinion(const nvnmd::FrameResult& result);
  std::vector<double> gather_by_id(const std::vector<double>& mine);

  // Of the vector for `compute pair`: words clipped so far on this rank (all, then by stage), and largest values of the last step
  // that computed them.
  enum Extra : std::size_t { kClipped, kLargestGamma = nvnmd::kStages + 1, kLargestDeviation, kExtras };

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
  std::array<double, kExtras> extras_{};
  bool warned_ = false;

  CommitteeOptions committee_;
  std::vector<Member> members_;
  std::unique_ptr<DeviationFile> deviations_;  // on rank 0
  bool from_restart_ = false;                  // then the file goes on

  std::string gamma_file_;    // as given in pair_style; empty: beside the model
  int gamma_flag_ = 0;        // set by fix pair in steps whose grades it wants
  bool gamma_asked_ = false;
  std::vector<double> gamma_;  // [nlocal] of the last step with grades
  std::unique_ptr<nvnmd::ForceDriver> gamma_driver_;  // for backends that do not return activations

  // With newton off, what the atoms of this rank and their ghosts have received, for our own reverse communication.
  int columns_ = 3;  // 3 forces, and 9 virial components when per-atom virials are wanted
  std::vector<double> received_;  // [total_atoms, columns_]
};

}  // namespace LAMMPS_NS
