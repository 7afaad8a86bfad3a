#include "committee.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace LAMMPS_NS {

namespace {

// Adds doubles of at most 2^41 so that the order changes nothing: whole multiples of 2^-20, and the rest in multiples of 2^-52.
class ExactSum {
 public:
  void add(double value) {
    const double units = std::ldexp(value, kFraction), whole = std::floor(units);
    words_[0] += static_cast<std::int64_t>(whole);
    words_[1] += std::llround(std::ldexp(units - whole, kRest));
    words_[2] += 1;
  }
  void reduce(MPI_Comm world) { MPI_Allreduce(MPI_IN_PLACE, words_.data(), 3, MPI_INT64_T, MPI_SUM, world); }
  std::int64_t count() const { return words_[2]; }
  double mean() const {
    const double units = static_cast<double>(words_[0]) + std::ldexp(static_cast<double>(words_[1]), -kRest);
    return count() > 0 ? std::ldexp(units, -kFraction) / static_cast<double>(count()) : 0.0;
  }

 private:
  static constexpr int kFraction = 20, kRest = 32;
  std::array<std::int64_t, 3> words_{};
};

// Standard deviation of each component over the models.
void take_virial(const std::vector<Opinion>& opinions, double atoms, MPI_Comm world, StepDeviation& found) {
  const double models = static_cast<double>(opinions.size());
  std::vector<double> all;
  for (const Opinion& opinion : opinions) all.insert(all.end(), opinion.virial.begin(), opinion.virial.end());
  MPI_Allreduce(MPI_IN_PLACE, all.data(), static_cast<int>(all.size()), MPI_DOUBLE, MPI_SUM, world);
  found.min_v = std::numeric_limits<double>::max();
  double squares = 0.0;
  for (std::size_t k = 0; k < 9; k++) {
    double mean = 0.0, variance = 0.0;
    for (std::size_t at = k; at < all.size(); at += 9) mean += all[at] / atoms / models;
    for (std::size_t at = k; at < all.size(); at += 9) variance += (all[at] / atoms - mean) * (all[at] / atoms - mean) / models;
    found.max_v = std::max(found.max_v, std::sqrt(variance));
    found.min_v = std::min(found.min_v, std::sqrt(variance));
    squares += variance;
  }
  found.avg_v = std::sqrt(squares / 9.0);
}

}  // namespace

std::vector<double> force_deviation(const std::vector<Opinion>& opinions, std::optional<double> relative) {
  const double models = static_cast<double>(opinions.size());
  std::vector<double> deviation(opinions.front().force.size() / 3);
  for (std::size_t atom = 0; atom < deviation.size(); atom++) {
    double variance = 0.0, size = 0.0;
    for (std::size_t at = 3 * atom; at < 3 * atom + 3; at++) {
      double mean = 0.0;
      for (const Opinion& opinion : opinions) mean += opinion.force[at] / models;
      for (const Opinion& opinion : opinions) variance += (opinion.force[at] - mean) * (opinion.force[at] - mean) / models;
      size += mean * mean;
    }
    deviation[atom] = std::sqrt(variance) / (relative ? std::sqrt(size) + *relative : 1.0);
  }
  return deviation;
}

StepDeviation step_deviation(const std::vector<Opinion>& opinions, const std::vector<double>& force, const std::vector<bool>& counts, MPI_Comm world) {
  StepDeviation found;
  ExactSum sum;
  std::array<double, 2> most = {0.0, -std::numeric_limits<double>::max()};  // of the deviation and of its negative
  for (std::size_t atom = 0; atom < force.size(); atom++) {
    if (!counts[atom]) continue;
    sum.add(force[atom]);
    most = {std::max(most[0], force[atom]), std::max(most[1], -force[atom])};
  }
  sum.reduce(world);
  MPI_Allreduce(MPI_IN_PLACE, most.data(), 2, MPI_DOUBLE, MPI_MAX, world);
  if (sum.count() == 0) return found;
  found.max_f = most[0];
  found.min_f = -most[1];
  found.avg_f = sum.mean();
  take_virial(opinions, static_cast<double>(sum.count()), world, found);
  return found;
}

DeviationFile::DeviationFile(const std::string& path, bool atomic, bool append) : path_(path), file_(std::fopen(path.c_str(), append ? "a" : "w")) {
  require(file_ != nullptr);
  if (append && std::fseek(file_, 0, SEEK_END) == 0 && std::ftell(file_) > 0) return;
  std::fprintf(file_, "#%11s", "step");
  for (const char* name : {"max_devi_v", "min_devi_v", "avg_devi_v", "max_devi_f", "min_devi_f", "avg_devi_f"}) std::fprintf(file_, "%19s", name);
  if (atomic) std::fprintf(file_, "%19s", "atm_devi_f(N)");
  std::fputc('\n', file_);
  if (std::fflush(file_) == 0) return;
  const int problem = errno;
  std::fclose(file_);
  errno = problem;
  require(false);
}

DeviationFile::~DeviationFile() { std::fclose(file_); }

void DeviationFile::write(std::int64_t step, const StepDeviation& found, const std::vector<double>& atoms) {
  std::fprintf(file_, "%12lld", static_cast<long long>(step));
  for (const double value : {found.max_v, found.min_v, found.avg_v, found.max_f, found.min_f, found.avg_f}) std::fprintf(file_, " %18.6e", value);
  for (const double value : atoms) std::fprintf(file_, " %18.6e", value);
  std::fputc('\n', file_);
  require(std::fflush(file_) == 0 && std::ferror(file_) == 0);
}

void DeviationFile::require(bool good) const {
  if (!good) throw std::runtime_error(path_ + ", the file of model deviations, cannot be written (" + std::strerror(errno) + "); choose another with out_file");
}

}  // namespace LAMMPS_NS
