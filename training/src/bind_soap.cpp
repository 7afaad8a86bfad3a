// Steps of the optimizer for Python.
#include <algorithm>
#include <memory>

#include "arrays.hpp"
#include "soap.hpp"

namespace nvnmd::training {
namespace {

// One step of all matrices of one size; parameters and gradients are [copies][rows][columns] each, the state stands stacked.
void soap_step(const std::vector<Filled>& parameters, const std::vector<Reals>& grads, const std::vector<Filled>& state,
               const std::vector<Reals>& axes, const std::vector<float>& rates, int threads) {
  expect(!parameters.empty() && parameters.size() == grads.size() && state.size() == 4 && axes.size() == 2 && rates.size() == 6,
         "soap_step: the arrays do not belong together");
  expect(parameters[0].ndim() == 3, "soap_step: parameters have three dimensions");
  const std::size_t rows = parameters[0].shape(1), columns = parameters[0].shape(2), size = rows * columns;
  std::vector<SoapMatrix> matrices;
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    expect(parameters[k].ndim() == 3 && parameters[k].shape(1) == rows && parameters[k].shape(2) == columns && grads[k].size() == parameters[k].size(),
           "soap_step: parameters or gradients of different sizes");
    for (std::size_t copy = 0; copy < parameters[k].shape(0); ++copy) {
      const std::size_t at = matrices.size();
      matrices.push_back({static_cast<int>(rows), static_cast<int>(columns), parameters[k].data() + copy * size,
                          grads[k].data() + copy * size, state[0].data() + at * size, state[1].data() + at * size,
                          state[2].data() + at * rows * rows, state[3].data() + at * columns * columns,
                          axes[0].data() + at * rows * rows, axes[1].data() + at * columns * columns});
    }
  }
  const std::size_t count = matrices.size();
  expect(state[0].size() == count * size && state[1].size() == count * size && state[2].size() == count * rows * rows &&
             state[3].size() == count * columns * columns && axes[0].size() == state[2].size() && axes[1].size() == state[3].size(),
         "soap_step: the state has the wrong size");
  const SoapRates by{rates[0], rates[1], rates[2], rates[3], rates[4], rates[5]};
  const nb::gil_scoped_release release;
  Workers::here().run(std::clamp(threads, 1, static_cast<int>(count)), static_cast<int>(count), [&](int, int begin, int end) {
    SoapWork work(static_cast<int>(rows), static_cast<int>(columns));
    for (int k = begin; k < end; ++k) soap_kernels().step(matrices[static_cast<std::size_t>(k)], by, work);
  });
}

}  // namespace

void bind_soap(nb::module_& m) {
  m.def("soap_step", &soap_step, nb::arg("parameters").noconvert(), nb::arg("grads"), nb::arg("state").noconvert(), nb::arg("axes"), nb::arg("rates"), nb::arg("threads"),
        "One step of SOAP; state is mean, square, left, right; rates are those of SoapRates.");
}

}  // namespace nvnmd::training
