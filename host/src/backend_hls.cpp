#include "backend_hls.hpp"

#include <dlfcn.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <utility>
#include <vector>

#include "card/packet.hpp"
#include "card/probe.hpp"
#include "error.hpp"
#include "kernel.hpp"
#include "text.hpp"

namespace nvnmd {
namespace {

constexpr int kBatchAtoms = 16;

[[noreturn]] void fail(const std::string& project, const std::string& what) {
  throw Error(ErrorCode::backend, text("HLS project ", project, ": ", what, "; `nvnmd compile MODEL --target hls4ml` writes and compiles one"));
}

// The compiled simulation. Its memories are global, so all users of one project in a process share them, and take turns.
class Simulation {
 public:
  explicit Simulation(const std::string& project) : project_(project), handle_(dlopen(find(project).c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) fail(project, text("the simulation cannot be loaded (", dlerror(), ")"));
    load_ = reinterpret_cast<Load>(symbol("nvnmd_load"));
    evaluate_ = reinterpret_cast<Evaluate>(symbol("nvnmd_evaluate"));
    reinterpret_cast<Frames>(symbol("nvnmd_frames"))(&packet_words_, &answer_words_);
  }

  // Fills the memories with the model of the project. Again for every backend: someone may have changed them.
  void load_ports() {
    const std::filesystem::path path = std::filesystem::path(project_) / "tb_data" / "ports.txt";
    std::ifstream file(path);
    std::string port;
    std::size_t count = 0;
    while (file >> port >> count) {
      std::vector<long long> words(count);
      for (long long& word : words) file >> word;
      if (!file || load_(port.c_str(), words.data(), count) != 0) fail(project_, text(path.string(), " does not fit the simulation at ", port));
    }
    if (!file.eof()) fail(project_, text(path.string(), " is missing or damaged"));
  }

  std::size_t packet_bytes() const { return 4 * std::size_t{packet_words_}; }
  std::size_t answer_bytes() const { return 4 * std::size_t{answer_words_}; }

  // One atom; both frames are filled up with zeros.
  void evaluate(const std::byte* packet, std::byte* answer) {
    const std::lock_guard<std::mutex> lock(mutex());
    std::vector<unsigned> in(packet_words_), out(answer_words_);
    std::memcpy(in.data(), packet, packet_bytes());
    evaluate_(in.data(), out.data(), 1);
    std::memcpy(answer, out.data(), answer_bytes());
  }

 private:
  using Load = int (*)(const char*, const long long*, unsigned long);
  using Evaluate = void (*)(const unsigned*, unsigned*, unsigned long);
  using Frames = void (*)(unsigned*, unsigned*);

  static std::mutex& mutex() {
    static std::mutex of_all;
    return of_all;
  }

  static std::string find(const std::string& project) {
    std::error_code problem;
    const std::string end = "-csim.so";
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(project) / "firmware", problem)) {
      if (entry.path().filename().string().ends_with(end)) return std::filesystem::absolute(entry.path()).string();
    }
    fail(project, "there is no compiled simulation");
  }

  void* symbol(const char* name) const {
    void* found = dlsym(handle_, name);
    if (found == nullptr) fail(project_, text("the simulation has no function ", name));
    return found;
  }

  std::string project_;
  void* handle_;  // stays open: the library is small, and its globals may be in use
  Load load_ = nullptr;
  Evaluate evaluate_ = nullptr;
  unsigned packet_words_ = 0, answer_words_ = 0;
};

class HlsBackend final : public Backend {
 public:
  HlsBackend(std::shared_ptr<const Model> model, const std::string& project)
      : model_(std::move(model)), project_(project), simulation_(project), batch_(kBatchAtoms, model_->max_neighbors), result_(batch_) {
    if (card::packet_bytes(static_cast<std::size_t>(model_->max_neighbors)) > simulation_.packet_bytes()) {
      fail(project, text("it holds fewer than the ", model_->max_neighbors, " neighbors of the model"));
    }
    simulation_.load_ports();
    compare_with_cpu();
  }

  const Model& model() const override { return *model_; }
  std::string description() const override { return text("hls (C simulation of ", project_, ")"); }
  int workers() const override { return 1; }
  int batch_atoms() const override { return kBatchAtoms; }

  void run(BatchWork& work) override {
    for (int batch = 0; batch < work.count(); ++batch) {
      work.pack(batch, batch_);
      evaluate(batch_, result_);
      work.take(0, batch_, result_);
    }
  }

 private:
  void evaluate(const AtomBatch& batch, BatchResult& result) {
    result.counters = {};
    for (int atom = 0; atom < batch.size; ++atom) {
      card::Bytes packet, answer(simulation_.answer_bytes());
      card::append_atom(packet, batch, atom, ++sequence_);
      packet.resize(simulation_.packet_bytes());
      simulation_.evaluate(packet.data(), answer.data());
      const auto found = card::read_answer(answer);
      if (!found || found->sequence != sequence_) fail(project_, "what the simulation returns is no answer");
      if (found->status != card::Status::ok) fail(project_, text("the simulation refuses an atom: ", card::describe(found->status)));
      card::take_answer(std::span<const std::byte>(answer).first(found->bytes), batch, atom, result);
    }
  }

  void compare_with_cpu() {
    const auto kernel = make_kernel(model_, "portable");
    const auto workspace = kernel->make_workspace();
    AtomBatch batch(card::kProbeAtoms, model_->max_neighbors);
    BatchResult found(batch), wanted(batch);
    for (int type = 0; type < model_->types(); ++type) {
      card::fill_probe(*model_, type, batch);
      kernel->run(batch, wanted, *workspace);
      evaluate(batch, found);
      if (!card::same(batch, found, wanted)) fail(project_, "it was written for another model");
    }
  }

  std::shared_ptr<const Model> model_;
  std::string project_;
  Simulation simulation_;
  AtomBatch batch_;
  BatchResult result_;
  std::uint32_t sequence_ = 0;
};

}  // namespace

std::unique_ptr<Backend> make_hls_backend(std::shared_ptr<const Model> model, const std::string& project) {
  return std::make_unique<HlsBackend>(std::move(model), project);
}

}  // namespace nvnmd
