// Deviation of several models and the file it goes to, as DeePMD-kit defines and writes both.
#pragma once

#include <mpi.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace LAMMPS_NS {

struct CommitteeOptions {
  std::vector<std::string> files;  // models beside the first
  int every = 100;                 // steps
  std::string output = "model_devi.out";
  bool atomic = false;             // add the deviation of every atom
  std::optional<double> relative;  // eV/angstrom: divide an atom's deviation by |mean force| + this
  std::string given;               // the first of these keywords that was used
};

// Of one step. Forces in eV/angstrom, virials in eV over the number of atoms.
struct StepDeviation {
  double max_v = 0.0, min_v = 0.0, avg_v = 0.0, max_f = 0.0, min_f = 0.0, avg_f = 0.0;
};

// What one model says of the atoms of this rank.
struct Opinion {
  std::vector<double> force;       // [atoms, 3], with what ghosts received
  std::array<double, 9> virial{};  // this rank's part
};

// sqrt(<|F - <F>|^2>) over the models, for every atom of this rank.
std::vector<double> force_deviation(const std::vector<Opinion>& opinions, std::optional<double> relative);

// Extremes and means over all atoms of all ranks for which `counts` holds; equal on every rank, and for any number of ranks.
StepDeviation step_deviation(const std::vector<Opinion>& opinions, const std::vector<double>& force, const std::vector<bool>& counts, MPI_Comm world);

// The file of a run; only one rank has one.
class DeviationFile {
 public:
  // Begins the file, or goes on with it. Throws std::runtime_error when it cannot be written.
  DeviationFile(const std::string& path, bool atomic, bool append);
  ~DeviationFile();
  DeviationFile(const DeviationFile&) = delete;
  DeviationFile& operator=(const DeviationFile&) = delete;

  // One line, on disk once it is written; `atoms` in the order of their IDs, or empty. Throws std::runtime_error.
  void write(std::int64_t step, const StepDeviation& found, const std::vector<double>& atoms);

 private:
  void require(bool good) const;

  std::string path_;
  std::FILE* file_;
};

}  // namespace LAMMPS_NS
