// Steps of the optimizer for Python.
#include <algorithm>
#include <memory>

#include "arrays.hpp"
#include "soap.hpp"

namespace nvnmd::training {
namespace {

// Stacked state of all matrices of one size: mean and square [count][rows][columns], left [count][rows][rows] and right
// [count][columns][columns], and the axes of both.
struct State {
  std::vector<Filled> kept;  // mean, square, left, right
  std::vector<Filled> axes;  // left, right
};

// The matrices of a state, without parameters and gradients.
std::vector<SoapMatrix> matrices_of(const State& state) {
  const auto& [kept, axes] = state;
  expect(kept.size() == 4 && axes.size() == 2 && kept[0].ndim() == 3, "soap: the state has four means and two axes, stacked");
  const std::size_t count = kept[0].shape(0), rows = kept[0].shape(1), columns = kept[0].shape(2), size = rows * columns;
  expect(kept[1].size() == count * size && kept[2].size() == count * rows * rows && kept[3].size() == count * columns * columns &&
             axes[0].size() == kept[2].size() && axes[1].size() == kept[3].size(),
         "soap: the state has the wrong size");
  std::vector<SoapMatrix> matrices;
  for (std::size_t k = 0; k < count; ++k) {
    const std::size_t left = k * rows * rows, right = k * columns * columns;
    matrices.push_back({static_cast<int>(rows), static_cast<int>(columns), nullptr, nullptr, kept[0].data() + k * size, kept[1].data() + k * size,
                        kept[2].data() + left, kept[3].data() + right, axes[0].data() + left, axes[1].data() + right});
  }
  return matrices;
}

// Points the matrices to parameters and gradients, [copies][rows][columns] each.
void attach(std::vector<SoapMatrix>& matrices, const std::vector<Filled>& parameters, const std::vector<Reals>& grads) {
  expect(parameters.size() == grads.size(), "soap_step: the arrays do not belong together");
  std::size_t at = 0;
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    const std::size_t copies = parameters[k].ndim() == 3 ? parameters[k].shape(0) : 0;
    expect(copies > 0 && at + copies <= matrices.size() && parameters[k].shape(1) == static_cast<std::size_t>(matrices[0].rows) &&
               parameters[k].shape(2) == static_cast<std::size_t>(matrices[0].columns) && grads[k].size() == parameters[k].size(),
           "soap_step: parameters or gradients of different sizes");
    for (std::size_t copy = 0; copy < copies; ++copy, ++at) {
      matrices[at].parameter = parameters[k].data() + copy * (parameters[k].size() / copies);
      matrices[at].grad = grads[k].data() + copy * (parameters[k].size() / copies);
    }
  }
  expect(at == matrices.size(), "soap_step: more state than parameters");
}

template <class F>
void for_matrices(const std::vector<SoapMatrix>& matrices, int threads, F&& body) {
  const nb::gil_scoped_release release;
  const int count = static_cast<int>(matrices.size());
  Workers::here().run(std::clamp(threads, 1, std::max(1, count)), count, [&](int, int begin, int end) {
    SoapWork work(matrices[0].rows, matrices[0].columns);
    for (int k = begin; k < end; ++k) body(matrices[static_cast<std::size_t>(k)], work);
  });
}

void soap_step(const std::vector<Filled>& parameters, const std::vector<Reals>& grads, const std::vector<Filled>& kept,
               const std::vector<Filled>& axes, const std::vector<float>& rates, int threads) {
  expect(rates.size() == 6, "soap_step: six rates");
  const SoapRates by{rates[0], rates[1], rates[2], rates[3], rates[4], rates[5]};
  std::vector<SoapMatrix> matrices = matrices_of({kept, axes});
  attach(matrices, parameters, grads);
  for_matrices(matrices, threads, [&](const SoapMatrix& matrix, SoapWork& work) { soap_kernels().step(matrix, by, work); });
}

void soap_turn(const std::vector<Filled>& kept, const std::vector<Filled>& axes, int threads) {
  for_matrices(matrices_of({kept, axes}), threads, [](const SoapMatrix& matrix, SoapWork& work) { soap_kernels().turn(matrix, work); });
}

bool complete(const std::vector<Reals>& grads) {
  return std::all_of(grads.begin(), grads.end(), [](const Reals& grad) {
    const std::size_t rows = grad.ndim() > 0 ? grad.shape(0) : 0, length = rows ? grad.size() / rows : 0;
    for (std::size_t row = 0; length && row < rows; ++row) {
      if (grad.data()[row * length] == 0.0F) return false;
    }
    return true;
  });
}

}  // namespace

void bind_soap(nb::module_& m) {
  m.def("soap_step", &soap_step, nb::arg("parameters").noconvert(), nb::arg("grads"), nb::arg("state").noconvert(), nb::arg("axes").noconvert(),
        nb::arg("rates"), nb::arg("threads"), "One step of SOAP; state is mean, square, left, right; rates are those of SoapRates.");
  m.def("soap_turn", &soap_turn, nb::arg("state").noconvert(), nb::arg("axes").noconvert(), nb::arg("threads"),
        "New axes by one QR iteration, and the mean gradient in them.");
  m.def("complete", &complete, nb::arg("grads"), "Whether no row of an array begins with zero.");
}

}  // namespace nvnmd::training
