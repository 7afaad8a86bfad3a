// The options of pair_style.
#include <comm.h>
#include <error.h>
#include <utils.h>

#include <algorithm>

#include "pair_nvnmd.hpp"

namespace LAMMPS_NS {

namespace {
constexpr const char* kUsage =
    "pair_style nvnmd FILE [FILE ...] [backend cpu|sim|xdma|hls] [kernel NAME] [threads N] [gamma FILE] [out_freq N] [out_file FILE] "
    "[atomic] [relative LEVEL] [card letter|fast|auto] [clock MHZ] [every N] [device PREFIX] [timeout SECONDS] [retries N] [buffers N] "
    "[batch ATOMS] [project FOLDER]";
}

void PairNvnmd::settings(int narg, char** arg) {
  if (narg < 1) error->all(FLERR, std::string("Pair style nvnmd needs a model file: ") + kUsage);
  backend_ = "cpu";
  kernel_ = "auto";
  threads_ = 0;
  card_options_ = {};
  card_option_.clear();
  sim_options_ = {};
  sim_option_.clear();
  project_.clear();
  read_words({arg, arg + narg});
  check_options();
  load_problem_.clear();
  on_all_ranks([this] { load_model(); });
  open_deviations(from_restart_);
  if (comm->me == 0) utils::logmesg(lmp, "nvnmd: " + model_file_ + " on " + driver_->backend().description() + "\n");
}

// The model, more models, then keywords.
void PairNvnmd::read_words(const std::vector<std::string>& words) {
  committee_ = {};
  gamma_file_.clear();
  model_file_ = words.front();
  auto word = words.begin() + 1;
  for (; word != words.end() && word->ends_with(".nvnmd"); ++word) committee_.files.push_back(*word);
  while (word != words.end()) {
    const std::string& keyword = *word++;
    if (keyword == "atomic") {
      committee_.atomic = true;
      committee_.given = keyword;
      continue;
    }
    if (word == words.end()) error->all(FLERR, "Pair style nvnmd: keyword " + keyword + " has no value: " + kUsage);
    read_option(keyword, *word++);
  }
}

void PairNvnmd::check_options() const {
  if ((backend_ == "hls") == project_.empty())
    error->all(FLERR, "Pair style nvnmd: backend hls and project FOLDER, the folder of nvnmd compile, belong together");
  if (backend_ != "sim" && !sim_option_.empty())
    error->all(FLERR, "Pair style nvnmd: keyword " + sim_option_ + " is for a simulated card; add backend sim");
  if (backend_ != "xdma" && !card_option_.empty())
    error->all(FLERR, "Pair style nvnmd: keyword " + card_option_ + " is for a card; add backend xdma");
  if (committee_.files.empty() && !committee_.given.empty())
    error->all(FLERR, "Pair style nvnmd: keyword " + committee_.given + " is for several models; name more than one *.nvnmd file");
  if (committee_.every < 1)
    error->all(FLERR, "Pair style nvnmd: out_freq must be 1 or more steps, not " + std::to_string(committee_.every) +
                          "; for no deviations name one model only");
  if (committee_.relative && !(*committee_.relative > 0.0))
    error->all(FLERR, "Pair style nvnmd: relative must be above 0 eV/A, not " + std::to_string(*committee_.relative));
}

void PairNvnmd::read_option(const std::string& keyword, const std::string& value) {
  if (keyword == "backend") {
    backend_ = value;
    if (backend_ != "cpu" && backend_ != "sim" && backend_ != "xdma" && backend_ != "hls")
      error->all(FLERR, "Pair style nvnmd does not know the backend " + backend_ + "; this build has: cpu, sim, xdma, hls");
  } else if (keyword == "kernel") {
    kernel_ = value;
  } else if (keyword == "threads") {
    threads_ = utils::inumeric(FLERR, value, false, lmp);
    if (threads_ < 1) error->all(FLERR, "Pair style nvnmd: threads must be 1 or more, not " + value);
  } else if (keyword == "project") {
    project_ = value;
  } else if (keyword == "gamma") {
    gamma_file_ = value;
  } else if (read_committee_option(keyword, value)) {
    committee_.given = keyword;
  } else if (read_card_option(keyword, value)) {
    card_option_ = keyword;
  } else if (read_sim_option(keyword, value)) {
    sim_option_ = keyword;
  } else {
    error->all(FLERR, "Pair style nvnmd does not know the keyword " + keyword + ": " + kUsage);
  }
}

bool PairNvnmd::read_card_option(const std::string& keyword, const std::string& value) {
  if (keyword == "device") card_options_.device = value;
  else if (keyword == "timeout") card_options_.timeout_s = utils::numeric(FLERR, value, false, lmp);
  else if (keyword == "retries") card_options_.retries = utils::inumeric(FLERR, value, false, lmp);
  else if (keyword == "buffers") card_options_.buffers = utils::inumeric(FLERR, value, false, lmp);
  else if (keyword == "batch") card_options_.atoms = utils::inumeric(FLERR, value, false, lmp);
  else return false;
  return true;
}

bool PairNvnmd::read_sim_option(const std::string& keyword, const std::string& value) {
  if (keyword == "card") sim_options_.configuration = value;
  else if (keyword == "clock") sim_options_.clock_mhz = utils::numeric(FLERR, value, false, lmp);
  else if (keyword == "every") sim_options_.every = utils::inumeric(FLERR, value, false, lmp);
  else return false;
  return true;
}

bool PairNvnmd::read_committee_option(const std::string& keyword, const std::string& value) {
  if (keyword == "out_freq") committee_.every = utils::inumeric(FLERR, value, false, lmp);
  else if (keyword == "out_file") committee_.output = value;
  else if (keyword == "relative") committee_.relative = utils::numeric(FLERR, value, false, lmp);
  else return false;
  return true;
}

}  // namespace LAMMPS_NS
