// The fitting nets of a training step for Python.
#include <algorithm>
#include <memory>
#include <numeric>

#include "arrays.hpp"
#include "fit.hpp"

namespace nvnmd::training {
namespace {

constexpr int kLargest = 128;  // rows of a block: its values stay in the second cache

// Fitting nets with the parameters of one step, and what the last forward pass leaves for the backward pass.
class FittingStage {
 public:
  FittingStage(int channels, int axis, int neighbors, std::vector<bool> skips, const std::vector<Reals>& weights,
               const std::vector<Reals>& biases, int threads)
      : shape_(checked(channels, axis, neighbors, std::move(skips), weights, biases)),
        arrays_(weights),
        nets_(shape_, static_cast<int>(weights[0].shape(0)), pointers(weights, biases, std::optional<Reals>())),
        places_(shape_),
        threads_(std::max(1, threads)) {}

  void forward(const Reals& x, const std::optional<Array<const std::int64_t>>& order, const std::vector<int>& counts,
               const Filled& energy, const Filled& by_x) {
    const auto atoms = static_cast<std::size_t>(std::accumulate(counts.begin(), counts.end(), 0));
    expect(counts.size() == nets_.nets.size() && energy.size() == atoms && x.size() == atoms * width() && by_x.size() == x.size(),
           "FittingStage: an array has the wrong size");
    expect(!order || (order->size() == atoms && std::all_of(order->data(), order->data() + atoms, [&](std::int64_t i) {
             return i >= 0 && static_cast<std::size_t>(i) < atoms;
           })), "FittingStage: an index is out of range");
    order_ = order;
    atoms_ = atoms;
    divide(counts);
    run([&](const FitBlock& block, int, FitScratch& scratch) {
      fit_kernels().forward(shape_, places_, net_of(block), block, indices(), x.data(), energy.data(), by_x.data(), scratch);
    });
  }

  void backward(const Reals& grad_energy, const Reals& grad_by_x, const Filled& grad_x, const std::vector<Filled>& weights,
                const std::vector<Filled>& biases) {
    expect(values_ != nullptr, "FittingStage: backward before forward");
    expect(grad_energy.size() == atoms_ && grad_by_x.size() == atoms_ * width() && grad_x.size() == grad_by_x.size(),
           "FittingStage: an array has the wrong size");
    check_gradients(weights, biases);
    const Arrays<float> into = pointers(weights, biases, std::optional<Filled>());
    std::vector<FitGradients> parts;
    parts.reserve(static_cast<std::size_t>(threads_));
    for (int k = 0; k < threads_; ++k) parts.emplace_back(shape_, into, types(), k == 0);
    run([&](const FitBlock& block, int thread, FitScratch& scratch) {
      fit_kernels().backward(shape_, places_, net_of(block), block, indices(), grad_energy.data(), grad_by_x.data(), grad_x.data(),
                             scratch, parts[static_cast<std::size_t>(thread)].nets[static_cast<std::size_t>(block.type)]);
    });
    for (const FitGradients& part : parts) part.add_to(shape_, into);
  }

 private:
  static FitShape checked(int channels, int axis, int neighbors, std::vector<bool> skips, const std::vector<Reals>& weights,
                          const std::vector<Reals>& biases) {
    expect(channels > 0 && axis > 0 && axis <= channels && neighbors > 0 && weights.size() >= 2 && weights.size() == biases.size() &&
               skips.size() + 1 == weights.size(),
           "FittingStage: the arrays do not make up nets");
    FitShape shape{channels, axis, static_cast<float>(neighbors), {channels * axis}, std::move(skips)};
    for (std::size_t l = 0; l < weights.size(); ++l) {
      const auto n_in = static_cast<std::size_t>(shape.widths.back());
      expect(weights[l].ndim() == 3 && weights[l].shape(0) == weights[0].shape(0) && weights[l].shape(1) == n_in &&
                 biases[l].size() == weights[l].shape(0) * weights[l].shape(2),
             "FittingStage: weights and biases do not fit together");
      shape.widths.push_back(static_cast<int>(weights[l].shape(2)));
      expect(l + 1 == weights.size() || !shape.skips[l] || (l > 0 && weights[l].shape(2) == n_in), "FittingStage: a skip between other widths");
    }
    expect(shape.widths.back() == 1, "FittingStage: the last layer has one output");
    return shape;
  }

  void check_gradients(const std::vector<Filled>& weights, const std::vector<Filled>& biases) const {
    expect(weights.size() == nets_.nets[0].size() && biases.size() == weights.size(), "FittingStage: gradients for other layers");
    for (std::size_t l = 0; l < weights.size(); ++l) {
      const auto n_out = static_cast<std::size_t>(shape_.widths[l + 1]);
      expect(weights[l].size() == nets_.nets.size() * static_cast<std::size_t>(shape_.widths[l]) * n_out && biases[l].size() == nets_.nets.size() * n_out,
             "FittingStage: a gradient has the wrong size");
    }
  }

  // Blocks of one type, as many as keep all threads busy.
  void divide(const std::vector<int>& counts) {
    blocks_.clear();
    std::size_t rows = 0;
    int first = 0;
    for (std::size_t type = 0; type < counts.size(); ++type) {
      const int parts = std::max(threads_, (counts[type] + kLargest - 1) / kLargest);
      const int share = std::max(1, (counts[type] + parts - 1) / parts);
      for (int begin = 0; begin < counts[type]; begin += share) {
        const int count = std::min(share, counts[type] - begin), padded_rows = (count + kRows - 1) / kRows * kRows;
        blocks_.push_back({static_cast<int>(type), first + begin, count, padded_rows, nullptr});
        rows += static_cast<std::size_t>(padded_rows);
      }
      first += counts[type];
    }
    values_ = buffer(rows * places_.size);
    float* at = values_.get();
    for (FitBlock& block : blocks_) {
      block.values = at;
      at += static_cast<std::size_t>(block.rows) * places_.size;
    }
  }

  void run(const std::function<void(const FitBlock&, int, FitScratch&)>& work) const {
    const nb::gil_scoped_release release;
    int rows = 0;
    for (const FitBlock& block : blocks_) rows = std::max(rows, block.rows);
    Workers::here().run(threads_, static_cast<int>(blocks_.size()), [&](int thread, int begin, int end) {
      FitScratch scratch(shape_, rows);
      for (int k = begin; k < end; ++k) work(blocks_[static_cast<std::size_t>(k)], thread, scratch);
    });
  }

  [[nodiscard]] int types() const { return static_cast<int>(nets_.nets.size()); }
  [[nodiscard]] std::size_t width() const { return 4 * static_cast<std::size_t>(shape_.channels); }
  [[nodiscard]] const FitNet& net_of(const FitBlock& block) const { return nets_.nets[static_cast<std::size_t>(block.type)]; }
  [[nodiscard]] const std::int64_t* indices() const { return order_ ? order_->data() : nullptr; }

  FitShape shape_;
  std::vector<Reals> arrays_;  // kept alive: the nets point into them
  FitNets nets_;
  FitValues places_;
  int threads_;
  std::optional<Array<const std::int64_t>> order_;
  std::size_t atoms_ = 0;
  std::vector<FitBlock> blocks_;
  Buffer values_;
};

}  // namespace

void bind_fit(nb::module_& m) {
  nb::class_<FittingStage>(m, "FittingStage")
      .def(nb::init<int, int, int, std::vector<bool>, const std::vector<Reals>&, const std::vector<Reals>&, int>(), nb::arg("channels"),
           nb::arg("axis"), nb::arg("neighbors"), nb::arg("skips"), nb::arg("weights"), nb::arg("biases"), nb::arg("threads"))
      .def("forward", &FittingStage::forward, nb::arg("x"), nb::arg("order").none(), nb::arg("counts"), nb::arg("energy"), nb::arg("by_x"))
      .def("backward", &FittingStage::backward, nb::arg("grad_energy"), nb::arg("grad_by_x"), nb::arg("grad_x"), nb::arg("weights"),
           nb::arg("biases"));
}

}  // namespace nvnmd::training
