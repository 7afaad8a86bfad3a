#include "driver.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "error.hpp"
#include "fixed.hpp"
#include "text.hpp"

namespace nvnmd {
namespace {

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

// Sums of one worker; they are exact, so adding workers up in any order gives the same words. Each has cache lines of its own.
struct alignas(128) Sums {
  std::vector<std::int64_t> force, atom_virial;
  std::array<std::int64_t, 9> virial{};
  std::int64_t energy = 0;
  Counters counters;
  bool used = false;  // in this step

  void clear(std::size_t atoms, bool with_atom_virial) {
    used = true;
    force.assign(3 * atoms, 0);
    atom_virial.assign(with_atom_virial ? 9 * atoms : 0, 0);
    virial = {};
    energy = 0;
    counters = {};
  }

  void add(const Sums& other) {
    for (std::size_t i = 0; i < force.size(); ++i) force[i] += other.force[i];
    for (std::size_t i = 0; i < atom_virial.size(); ++i) atom_virial[i] += other.atom_virial[i];
    for (std::size_t i = 0; i < virial.size(); ++i) virial[i] += other.virial[i];
    energy += other.energy;
    counters += other.counters;
  }
};

}  // namespace

// One step: centers sorted by type, cut into batches of one type, and the sums of every worker.
class ForceDriver::Step final : public BatchWork {
 public:
  Step(const Backend& backend) : backend_(backend), model_(backend.model()), sums_(index(backend.workers())) {
    result_.energy_unit = std::ldexp(1.0, -model_.formats.e_frac);
    result_.force_unit = std::ldexp(1.0, -model_.formats.f_frac);
    result_.virial_unit = std::ldexp(1.0, -model_.formats.w_frac);
  }

  void begin(const Centers& centers, Wanted wanted, const ActiveSet* active_set) {
    centers_ = &centers;
    wanted_ = wanted;
    active_set_ = active_set;
    for (Sums& sums : sums_) sums.used = false;
    const std::size_t atoms = index(centers.total_atoms());
    result_.atom_energy.assign(atoms, 0);
    result_.gamma.assign(wanted.gamma ? atoms : 0, 0.0);
    result_.hidden.assign(wanted.hidden ? atoms * width() : 0, 0);
    sort_centers();
  }

  const FrameResult& finish() {
    Sums& total = sums_[0];
    if (!total.used) clear(total);
    for (std::size_t worker = 1; worker < sums_.size(); ++worker)
      if (sums_[worker].used) total.add(sums_[worker]);
    result_.force.swap(total.force);
    result_.atom_virial.swap(total.atom_virial);
    result_.virial = total.virial;
    result_.energy = total.energy;
    result_.counters = total.counters;
    return result_;
  }

  int count() const override { return static_cast<int>(cuts_.size()) - 1; }

  void pack(int number, AtomBatch& batch) const override {
    batch.size = 0;
    batch.first[0] = 0;
    for (int k = cuts_[index(number)]; k < cuts_[index(number) + 1]; ++k) centers_->pack(sorted_[index(k)], batch);
  }

  void take(int worker, const AtomBatch& batch, const BatchResult& result) override {
    Sums& sums = sums_[index(worker)];
    if (!sums.used) clear(sums);
    for (int k = 0; k < batch.size; ++k) {
      const std::int64_t energy = result.energy[index(k)];
      result_.atom_energy[index(batch.atom[index(k)])] = energy;
      sums.energy += energy;
    }
    take_forces(sums, batch, result);
    if (wanted_.virial || wanted_.atom_virial) take_virial(sums, batch, result);
    if (wants_hidden()) take_hidden(batch, result);
    sums.counters += result.counters;
  }

  bool wants_hidden() const override { return wanted_.gamma || wanted_.hidden; }

 private:
  std::size_t width() const { return index(model_.layers.back().outputs); }

  // Every worker clears its own sums, when it first needs them.
  void clear(Sums& sums) const { sums.clear(index(centers_->total_atoms()), wanted_.atom_virial); }

  void sort_centers() {
    by_type_.resize(index(model_.types()));
    for (std::vector<int>& group : by_type_) group.clear();
    for (int center = 0; center < centers_->count(); ++center) {
      const int type = centers_->type(centers_->atom(center));
      if (type >= 0) by_type_[index(type)].push_back(center);
    }
    sorted_.clear();
    for (const std::vector<int>& group : by_type_) sorted_.insert(sorted_.end(), group.begin(), group.end());
    const int all = static_cast<int>(sorted_.size());
    cuts_.assign(1, 0);
    int group_end = 0;
    for (const std::vector<int>& group : by_type_) {
      group_end += static_cast<int>(group.size());
      while (cuts_.back() < group_end) cuts_.push_back(std::min(group_end, cuts_.back() + backend_.next_batch(cuts_.back(), all - cuts_.back())));
    }
  }

  void take_forces(Sums& sums, const AtomBatch& batch, const BatchResult& result) const {
    for (int k = 0; k < batch.size; ++k) {
      std::int64_t own[3] = {0, 0, 0};
      for (std::int32_t p = batch.first[index(k)]; p < batch.first[index(k) + 1]; ++p) {
        const std::int64_t f[3] = {result.fx[index(p)], result.fy[index(p)], result.fz[index(p)]};
        std::int64_t* other = &sums.force[3 * index(batch.neighbor[index(p)])];
        for (int axis = 0; axis < 3; ++axis) {
          own[axis] += f[axis];
          other[axis] -= f[axis];
        }
      }
      for (std::size_t axis = 0; axis < 3; ++axis) sums.force[3 * index(batch.atom[index(k)]) + axis] += own[axis];
    }
  }

  void take_hidden(const AtomBatch& batch, const BatchResult& result) {
    std::vector<double> gamma(wanted_.gamma ? index(batch.size) : 0);
    if (wanted_.gamma) active_set_->grades(batch.center_type, result.hidden.data(), batch.size, gamma.data());
    for (std::size_t k = 0; k < index(batch.size); ++k) {
      const std::size_t atom = index(batch.atom[k]);
      if (wanted_.gamma) result_.gamma[atom] = gamma[k];
      if (wanted_.hidden) std::copy_n(&result.hidden[k * width()], width(), &result_.hidden[atom * width()]);
    }
  }

  void take_virial(Sums& sums, const AtomBatch& batch, const BatchResult& result) const {
    for (std::int32_t p = 0; p < batch.pairs(); ++p) {
      const std::int64_t x[3] = {batch.x[index(p)], batch.y[index(p)], batch.z[index(p)]};
      const std::int64_t f[3] = {result.fx[index(p)], result.fy[index(p)], result.fz[index(p)]};
      std::int64_t* atom = wanted_.atom_virial ? &sums.atom_virial[9 * index(batch.neighbor[index(p)])] : nullptr;
      for (std::size_t entry = 0; entry < 9; ++entry) {
        const std::int64_t word = rnd(x[entry / 3] * f[entry % 3], model_.shifts.w);
        sums.virial[entry] -= word;
        if (atom != nullptr) atom[entry] -= word;
      }
    }
  }

  const Backend& backend_;
  const Model& model_;
  const Centers* centers_ = nullptr;
  Wanted wanted_;
  const ActiveSet* active_set_ = nullptr;
  std::vector<std::vector<int>> by_type_;
  std::vector<int> sorted_, cuts_;
  std::vector<Sums> sums_;
  FrameResult result_;
};

ForceDriver::ForceDriver(std::unique_ptr<Backend> backend) : backend_(std::move(backend)), step_(std::make_unique<Step>(*backend_)) {}
ForceDriver::~ForceDriver() = default;

const FrameResult& ForceDriver::compute(const Centers& centers, Wanted wanted) {
  if (wanted.gamma && !active_set_) throw Error(ErrorCode::active_set, "extrapolation grades need an active set; 'nvnmd gamma' writes one");
  if ((wanted.gamma || wanted.hidden) && !backend_->gives_hidden()) {
    throw Error(ErrorCode::backend, text("the backend ", backend_->description(), " does not return activations; the backend cpu does, with the same bits"));
  }
  step_->begin(centers, wanted, active_set_.get());
  backend_->run(*step_);
  return step_->finish();
}

void add_forces(const FrameResult& result, double* force) {
  for (std::size_t i = 0; i < result.force.size(); ++i) force[i] += static_cast<double>(result.force[i]) * result.force_unit;
}

}  // namespace nvnmd
