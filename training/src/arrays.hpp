#pragma once
// What the files that know Python share: arrays, checks, threads.
#include <optional>
#include <stdexcept>
#include <vector>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/vector.h>

#include "nets.hpp"
#include "workers.hpp"

namespace nvnmd::training {

namespace nb = nanobind;

template <class T>
using Array = nb::ndarray<T, nb::c_contig, nb::device::cpu>;
using Reals = Array<const float>;
using Filled = Array<float>;

inline void expect(bool right, const char* what) {
  if (!right) throw std::invalid_argument(what);
}

template <class T>
Arrays<T> pointers(const std::vector<Array<T>>& weights, const std::vector<Array<T>>& biases, const std::optional<Array<T>>& gate) {
  Arrays<T> arrays;
  for (const Array<T>& a : weights) arrays.weights.push_back(a.data());
  for (const Array<T>& a : biases) arrays.biases.push_back(a.data());
  arrays.gate = gate ? gate->data() : nullptr;
  return arrays;
}

void bind_fit(nb::module_& m);
void bind_loss(nb::module_& m);
void bind_soap(nb::module_& m);

}  // namespace nvnmd::training
