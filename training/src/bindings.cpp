// The only file that knows Python: arrays in, arrays filled in place. Sizes and indices are checked, so that a wrong call is an
// error and not a crash.
#include <algorithm>
#include <memory>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "arrays.hpp"
#include "stage.hpp"

namespace nvnmd::training {
namespace {

// Neighbor lists of a batch; keeps the arrays alive.
class PairTable {
 public:
  PairTable(Array<const std::int64_t> offsets, Array<const std::int32_t> types, Array<const std::int32_t> neighbors,
            Array<const std::int32_t> frames, Reals geometry, int n_types)
      : offsets_(offsets), types_(types), neighbors_(neighbors), frames_(frames), geometry_(geometry), n_types_(n_types) {
    const std::size_t atoms = types.size(), pairs = neighbors.size();
    expect(n_types > 0 && offsets.size() == atoms * static_cast<std::size_t>(n_types) + 1 && frames.size() == atoms &&
               geometry.size() == pairs * kGeometry && static_cast<std::size_t>(offsets.data()[offsets.size() - 1]) == pairs,
           "PairTable: sizes of the arrays do not belong together");
    const auto below = [](std::size_t limit) {
      return [limit](std::int32_t i) { return i >= 0 && static_cast<std::size_t>(i) < limit; };
    };
    expect(std::all_of(types.data(), types.data() + atoms, below(static_cast<std::size_t>(n_types))) &&
               std::all_of(neighbors.data(), neighbors.data() + pairs, below(atoms)) &&
               std::all_of(frames.data(), frames.data() + atoms, below(atoms)) && offsets.data()[0] == 0 &&
               std::is_sorted(offsets.data(), offsets.data() + offsets.size()),
           "PairTable: an index is out of range");
    for (std::size_t i = 0; i < atoms; ++i) n_frames_ = std::max(n_frames_, static_cast<std::size_t>(frames.data()[i]) + 1);
  }

  [[nodiscard]] Pairs view() const {
    return {static_cast<int>(atoms()), n_types_, offsets_.data(), types_.data(), neighbors_.data(), frames_.data(), geometry_.data()};
  }
  [[nodiscard]] std::size_t atoms() const { return types_.size(); }
  [[nodiscard]] std::size_t pairs() const { return neighbors_.size(); }
  [[nodiscard]] std::size_t frames() const { return n_frames_; }

 private:
  Array<const std::int64_t> offsets_;
  Array<const std::int32_t> types_, neighbors_, frames_;
  Reals geometry_;
  int n_types_;
  std::size_t n_frames_ = 0;
};

class PairStage {
 public:
  PairStage(int n_types, std::vector<int> kinds, const std::vector<Reals>& weights, const std::vector<Reals>& biases,
            const std::optional<Reals>& gate, int threads)
      : nets_(n_types, widths(weights), checked(n_types, std::move(kinds), weights, biases, gate), pointers(weights, biases, gate)),
        threads_(std::max(1, threads)) {}

  [[nodiscard]] int stride() const { return nets_.stride(); }

  void channels(const PairTable& table, const Filled& g, const Filled& dg, const Filled& x) {
    check(table, g.size(), dg.size(), x.size());
    saved_ = buffer(saved_rows(table.view()) * nets_.saved());
    saved_pairs_ = table.pairs();
    run(table, [&](int, int first, int last) {
      stage().channels(nets_, table.view(), first, last, {g.data(), dg.data()}, saved_.get(), x.data());
    });
  }

  void channels_backward(const PairTable& table, const Reals& grad_x, const Reals& by_x, const Reals& grad_forces,
                         const std::optional<Reals>& grad_virials, const std::vector<Filled>& weights,
                         const std::vector<Filled>& biases, const std::optional<Filled>& gate) const {
    check(table, grad_x.size());
    check(table, by_x.size());
    check(table, grad_forces, grad_virials);
    expect(saved_ != nullptr && saved_pairs_ == table.pairs(), "PairStage: backward before forward");
    std::vector<Gradients> parts(static_cast<std::size_t>(threads_), Gradients(nets_));
    run(table, [&](int k, int first, int last) {
      stage().channels_backward(nets_, table.view(), first, last, saved_.get(), grad_x.data(), by_x.data(), grad_forces.data(),
                                grad_virials ? grad_virials->data() : nullptr, parts[static_cast<std::size_t>(k)]);
    });
    const Arrays<float> into = pointers(weights, biases, gate);
    for (const Gradients& part : parts) part.add_to(nets_, into);
  }

  void forces(const PairTable& table, const Reals& g, const Reals& dg, const Reals& by_x, const Filled& forces,
              const std::optional<Filled>& virials) const {
    check(table, g.size(), dg.size(), by_x.size());
    expect(forces.size() == 3 * table.atoms() && (!virials || virials->size() >= 9 * table.frames()), "forces: wrong size");
    const std::size_t extent = virials ? virials->size() : 0;
    std::vector<Floats> parts(static_cast<std::size_t>(threads_), Floats(forces.size() + extent));
    run(table, [&](int k, int first, int last) {
      float* const to = parts[static_cast<std::size_t>(k)].data();
      stage().forces(nets_, table.view(), first, last, {g.data(), dg.data()}, by_x.data(), to, extent > 0 ? to + forces.size() : nullptr);
    });
    for (const Floats& part : parts) {
      for (std::size_t i = 0; i < forces.size(); ++i) forces.data()[i] += part[i];
      for (std::size_t i = 0; i < extent; ++i) virials->data()[i] += part[forces.size() + i];
    }
  }

  void forces_backward(const PairTable& table, const Reals& g, const Reals& dg, const Reals& grad_forces,
                       const std::optional<Reals>& grad_virials, const Filled& grad_by_x) const {
    check(table, g.size(), dg.size(), grad_by_x.size());
    check(table, grad_forces, grad_virials);
    run(table, [&](int, int first, int last) {
      stage().forces_backward(nets_, table.view(), first, last, {g.data(), dg.data()}, grad_forces.data(),
                              grad_virials ? grad_virials->data() : nullptr, grad_by_x.data());
    });
  }

 private:
  static std::vector<int> widths(const std::vector<Reals>& weights) {
    std::vector<int> found{1};
    for (const Reals& w : weights) found.push_back(static_cast<int>(w.shape(2)));
    return found;
  }

  static std::vector<int> checked(int n_types, std::vector<int> kinds, const std::vector<Reals>& weights,
                                  const std::vector<Reals>& biases, const std::optional<Reals>& gate) {
    expect(!weights.empty() && weights.size() == biases.size() && kinds.size() == static_cast<std::size_t>(n_types) * static_cast<std::size_t>(n_types),
           "PairStage: the arrays do not make up nets");
    const auto nets = static_cast<std::size_t>(1 + *std::max_element(kinds.begin(), kinds.end()));
    std::size_t n_in = 1;
    for (std::size_t l = 0; l < weights.size(); ++l) {
      expect(weights[l].ndim() == 3 && weights[l].shape(0) >= nets && weights[l].shape(1) == n_in, "PairStage: weights do not fit together");
      n_in = weights[l].shape(2);
      expect(biases[l].size() == weights[l].shape(0) * n_in, "PairStage: biases do not fit the weights");
    }
    expect(!gate || gate->size() == kinds.size() * n_in, "PairStage: the gate has the wrong size");
    return kinds;
  }

  void check(const PairTable& table, std::size_t g, std::size_t dg, std::size_t x) const {
    const std::size_t size = table.pairs() * static_cast<std::size_t>(nets_.stride());
    expect(g == size && dg == size, "PairStage: an array has the wrong size");
    check(table, x);
  }

  void check(const PairTable& table, std::size_t x) const {
    expect(x == table.atoms() * 4 * static_cast<std::size_t>(nets_.channels()) && table.view().n_types == nets_.n_types,
           "PairStage: an array has the wrong size");
  }

  static void check(const PairTable& table, const Reals& grad_forces, const std::optional<Reals>& grad_virials) {
    expect(grad_forces.size() == 3 * table.atoms() && (!grad_virials || grad_virials->size() >= 9 * table.frames()),
           "PairStage: a gradient of forces or virials has the wrong size");
  }

  void run(const PairTable& table, const std::function<void(int, int, int)>& work) const {
    nb::gil_scoped_release release;
    Workers::here().run(threads_, static_cast<int>(table.atoms()), work);
  }

  Nets nets_;
  int threads_;
  Buffer saved_;  // of the last call of channels
  std::size_t saved_pairs_ = 0;
};

// Limits that the library would set by itself after the first array of 32 MiB was freed.
void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
}

}  // namespace
}  // namespace nvnmd::training

NB_MODULE(_native, m) {
  using namespace nvnmd::training;
  nb::set_leak_warnings(false);  // autograd's graph may outlive the interpreter's last sweep
  m.doc() = "A training step on a CPU in FP32: pairs, fitting nets, optimizer.";
  m.def("instruction_set", [] { return stage().name; }, "What the stage runs on: avx512, avx2 or portable.");
  m.def("keep_freed_memory", &keep_freed_memory, "Freed memory stays with the process; does nothing without glibc.");
  nb::class_<PairTable>(m, "PairTable")
      .def(nb::init<Array<const std::int64_t>, Array<const std::int32_t>, Array<const std::int32_t>, Array<const std::int32_t>, Reals, int>(),
           nb::arg("offsets"), nb::arg("types"), nb::arg("neighbors"), nb::arg("frames"), nb::arg("geometry"), nb::arg("n_types"))
      .def_prop_ro("n_atoms", &PairTable::atoms)
      .def_prop_ro("n_pairs", &PairTable::pairs);
  nb::class_<PairStage>(m, "PairStage")
      .def(nb::init<int, std::vector<int>, const std::vector<Reals>&, const std::vector<Reals>&, const std::optional<Reals>&, int>(),
           nb::arg("n_types"), nb::arg("net_of_kind"), nb::arg("weights"), nb::arg("biases"), nb::arg("gate").none(), nb::arg("threads"))
      .def_prop_ro("stride", &PairStage::stride)
      .def("channels", &PairStage::channels, nb::arg("pairs"), nb::arg("g"), nb::arg("dg"), nb::arg("x"))
      .def("channels_backward", &PairStage::channels_backward, nb::arg("pairs"), nb::arg("grad_x"), nb::arg("by_x"), nb::arg("grad_forces"),
           nb::arg("grad_virials").none(), nb::arg("weights"), nb::arg("biases"), nb::arg("gate").none())
      .def("forces", &PairStage::forces, nb::arg("pairs"), nb::arg("g"), nb::arg("dg"), nb::arg("by_x"), nb::arg("forces"), nb::arg("virials").none())
      .def("forces_backward", &PairStage::forces_backward, nb::arg("pairs"), nb::arg("g"), nb::arg("dg"), nb::arg("grad_forces"),
           nb::arg("grad_virials").none(), nb::arg("grad_by_x"));
  bind_fit(m);
  bind_loss(m);
  bind_soap(m);
}
