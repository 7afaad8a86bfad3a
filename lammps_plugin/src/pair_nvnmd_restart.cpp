// Restart files hold the names of the model files, the backend and the elements; models themselves stay in their files.
#include <atom.h>
#include <comm.h>
#include <utils.h>

#include <algorithm>
#include <exception>
#include <iomanip>
#include <limits>
#include <sstream>

#include "pair_nvnmd.hpp"

namespace LAMMPS_NS {

namespace {

void write_string(FILE* fp, const std::string& text) {
  const int length = static_cast<int>(text.size());
  fwrite(&length, sizeof length, 1, fp);
  fwrite(text.data(), 1, text.size(), fp);
}

std::string text_of(double value) {
  std::ostringstream text;
  text << std::setprecision(std::numeric_limits<double>::max_digits10) << value;
  return text.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  if (lines.empty()) lines.emplace_back();
  return lines;
}

}  // namespace

std::string PairNvnmd::string_from_restart(FILE* fp) {
  int length = 0;
  if (comm->me == 0) utils::sfread(FLERR, &length, sizeof length, 1, fp, nullptr, error);
  MPI_Bcast(&length, 1, MPI_INT, 0, world);
  std::string text(static_cast<std::size_t>(length), '\0');
  if (comm->me == 0) utils::sfread(FLERR, text.data(), 1, text.size(), fp, nullptr, error);
  MPI_Bcast(text.data(), length, MPI_CHAR, 0, world);
  return text;
}

// What pair_style said of models, one word a line; files of older versions have the first alone.
std::string PairNvnmd::words_for_restart() const {
  std::vector<std::string> words = {model_file_};
  words.insert(words.end(), committee_.files.begin(), committee_.files.end());
  const auto option = [&](const std::string& keyword, const std::string& value) { words.insert(words.end(), {keyword, value}); };
  if (!gamma_file_.empty()) option("gamma", gamma_file_);
  if (!committee_.files.empty()) {
    option("out_freq", std::to_string(committee_.every));
    option("out_file", committee_.output);
    if (committee_.relative) option("relative", text_of(*committee_.relative));
    if (committee_.atomic) words.push_back("atomic");
  }
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : "\n") + word;
  return all;
}

void PairNvnmd::write_restart_settings(FILE* fp) {
  write_string(fp, words_for_restart());
  write_string(fp, project_.empty() ? backend_ : backend_ + " " + project_);
}

void PairNvnmd::read_restart_settings(FILE* fp) {
  read_words(lines_of(string_from_restart(fp)));
  backend_ = string_from_restart(fp);
  project_.clear();
  if (const std::size_t end = backend_.find(' '); end != std::string::npos) {
    project_ = backend_.substr(end + 1);
    backend_.resize(end);
  }
  // A model that has moved is no reason to stop here: the input may go on with its own pair_style.
  try {
    load_model();
  } catch (const std::exception& failure) {
    load_problem_ = failure.what();
    driver_.reset();
  }
  int loaded = driver_ != nullptr;
  MPI_Allreduce(MPI_IN_PLACE, &loaded, 1, MPI_INT, MPI_MIN, world);
  if (!loaded) driver_.reset();
  if (!loaded && load_problem_.empty()) load_problem_ = "another rank could not load " + model_file_;
  from_restart_ = true;
  if (loaded) open_deviations(from_restart_);
}

void PairNvnmd::write_restart(FILE* fp) {
  write_restart_settings(fp);
  for (const std::string& element : elements_) write_string(fp, element);
}

void PairNvnmd::read_restart(FILE* fp) {
  read_restart_settings(fp);
  elements_.clear();
  for (int t = 0; t < atom->ntypes; t++) elements_.push_back(string_from_restart(fp));
  if (driver_) {
    map_types();
    return;
  }
  // Let a run come as far as init_style, which says what is missing.
  if (!allocated) allocate();
  for (int i = 1; i <= atom->ntypes; i++) std::fill_n(setflag[i], atom->ntypes + 1, 1);
}

}  // namespace LAMMPS_NS
