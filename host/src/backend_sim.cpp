#include "backend_sim.hpp"

#include <utility>
#include <vector>

#include "error.hpp"
#include "setup.hpp"
#include "text.hpp"

namespace nvnmd {
namespace {

// Sizes of the pipeline that a model fixes.
sim::Sizes sizes_of(const Model& model) {
  sim::Sizes z;
  z.m1 = model.m1;
  z.m2 = model.m2;
  z.layers = static_cast<int>(model.layers.size());
  z.width = model.layers.front().outputs;
  z.skip = false;
  for (const FittingLayer& layer : model.layers) {
    if (layer.outputs != z.width) throw Error(ErrorCode::backend, "no card holds hidden layers of different widths; use the backend cpu");
    z.skip = z.skip || layer.skip;
  }
  return z;
}

bool is_built_for(const sim::NamedCard& card, const sim::Sizes& z) { return card.layers == z.layers && card.width == z.width; }

const sim::NamedCard& choose(const std::string& name, const sim::Sizes& z) {
  if (name == "auto") return is_built_for(sim::kFast, z) ? sim::kFast : sim::kLetter;
  for (const sim::NamedCard* card : {&sim::kLetter, &sim::kFast}) {
    if (card->name != name) continue;
    if (is_built_for(*card, z)) return *card;
    throw Error(ErrorCode::backend, text("the card ", name, " is built for ", card->layers, " hidden layers of ", card->width, ", the model has ",
                                         z.layers, " of ", z.width, "; try card auto"));
  }
  throw Error(ErrorCode::backend, text("there is no card ", printable(name), "; try letter, fast or auto"));
}

// Passes batches through and writes down how many neighbors their atoms have.
class Watched final : public BatchWork {
 public:
  explicit Watched(BatchWork& work) : work_(work), packets_(static_cast<std::size_t>(work.count())) {}
  int count() const override { return work_.count(); }
  void pack(int index, AtomBatch& batch) const override {
    work_.pack(index, batch);
    std::vector<sim::Packet>& packets = packets_[static_cast<std::size_t>(index)];
    packets.clear();
    for (std::size_t atom = 0; atom < static_cast<std::size_t>(batch.size); ++atom) {
      sim::Packet packet;
      packet.count = batch.first[atom + 1] - batch.first[atom];
      packet.beats = sim::packet_beats(packet.count);
      packets.push_back(packet);
    }
  }
  void take(int worker, const AtomBatch& batch, const BatchResult& result) override { work_.take(worker, batch, result); }
  bool wants_hidden() const override { return work_.wants_hidden(); }
  // In the order in which a host sends them.
  std::vector<sim::Packet> packets() const {
    std::vector<sim::Packet> all;
    for (const std::vector<sim::Packet>& some : packets_) all.insert(all.end(), some.begin(), some.end());
    return all;
  }

 private:
  BatchWork& work_;
  mutable std::vector<std::vector<sim::Packet>> packets_;  // every batch is packed by one thread
};

class CpuWithClock final : public SimBackend {
 public:
  CpuWithClock(std::shared_ptr<const Model> model, const SimOptions& options, std::string_view kernel, int threads)
      : every_(options.every), cpu_(make_cpu_backend(model, kernel, threads)) {
    const sim::Sizes z = sizes_of(*model);
    const sim::NamedCard& card = choose(options.configuration, z);
    name_ = is_built_for(card, z) ? std::string(card.name) : text(card.name, "'s lanes");
    clock_mhz_ = options.clock_mhz > 0.0 ? options.clock_mhz : card.clock_mhz;
    sizes_ = sim::card_sizes(card, z, model->max_neighbors);
  }

  const Model& model() const override { return cpu_->model(); }
  int workers() const override { return cpu_->workers(); }
  int batch_atoms() const override { return cpu_->batch_atoms(); }
  bool gives_hidden() const override { return cpu_->gives_hidden(); }
  const SimTotals& totals() const override { return totals_; }
  std::string description() const override {
    return text("sim (card ", name_, " at ", clock_mhz_, " MHz, simulated; numbers from ", cpu_->description(), ")");
  }

  void run(BatchWork& work) override {
    if (totals_.steps % every_ == 0) {
      Watched watched(work);
      cpu_->run(watched);
      simulate(watched.packets());
    } else {
      cpu_->run(work);
    }
    ++totals_.steps;
    totals_.atoms += atoms_;
    totals_.seconds += seconds_;
  }

 private:
  void simulate(const std::vector<sim::Packet>& packets) {
    atoms_ = static_cast<std::int64_t>(packets.size());
    seconds_ = 0.0;
    if (packets.empty()) return;
    seconds_ = sim::play(sizes_, packets, sim::usual_host(clock_mhz_), sim::Keep::kTotals).cycles / (clock_mhz_ * 1e6);
  }

  int every_;
  std::unique_ptr<Backend> cpu_;
  std::string name_;
  double clock_mhz_ = 0.0;
  sim::CardSizes sizes_;
  SimTotals totals_;
  std::int64_t atoms_ = 0;  // of the last simulated step
  double seconds_ = 0.0;
};

}  // namespace

std::unique_ptr<SimBackend> make_sim_backend(std::shared_ptr<const Model> model, const SimOptions& options, std::string_view kernel, int threads) {
  if (options.every < 1) throw Error(ErrorCode::backend, text("every must be 1 or more, not ", options.every));
  if (!(options.clock_mhz >= 0.0)) throw Error(ErrorCode::backend, text("clock must be positive, in MHz, not ", options.clock_mhz));
  return std::make_unique<CpuWithClock>(std::move(model), options, kernel, threads);
}

}  // namespace nvnmd
