// Python bindings of the simulator, all in this file.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/vector.h>

#include "player.hpp"

namespace nb = nanobind;
using namespace nvnmd::sim;

namespace {

// Hands a vector to numpy without a copy.
template <typename Value>
nb::ndarray<nb::numpy, std::int64_t> array(std::vector<Value>&& values, std::size_t columns) {
  auto* kept = new std::vector<Value>(std::move(values));
  nb::capsule owner(kept, [](void* pointer) noexcept { delete static_cast<std::vector<Value>*>(pointer); });
  auto* data = reinterpret_cast<std::int64_t*>(kept->data());
  if (columns == 0) return nb::ndarray<nb::numpy, std::int64_t>(data, {kept->size()}, owner);
  return nb::ndarray<nb::numpy, std::int64_t>(data, {kept->size(), columns}, owner);
}

}  // namespace

NB_MODULE(_cycles, m) {
  nb::class_<Sizes>(m, "Sizes")
      .def(nb::init<>())
      .def_rw("m1", &Sizes::m1)
      .def_rw("m2", &Sizes::m2)
      .def_rw("columns", &Sizes::columns)
      .def_rw("layers", &Sizes::layers)
      .def_rw("width", &Sizes::width)
      .def_rw("net_lanes", &Sizes::net_lanes)
      .def_rw("skip", &Sizes::skip)
      .def_rw("atoms", &Sizes::atoms)
      .def_rw("wait", &Sizes::wait);

  m.def(
      "play",
      [](const Sizes& sizes, nb::ndarray<const std::int32_t, nb::ndim<1>, nb::c_contig, nb::device::cpu> beats, unsigned seed,
         double idle, double stall, bool keep_beats) {
        const std::vector<std::int32_t> counts(beats.data(), beats.data() + beats.size());
        Trace trace;
        {
          nb::gil_scoped_release free;
          trace = play(sizes, counts, Traffic{seed, idle, stall}, keep_beats);
        }
        nb::dict result;
        result["entered"] = array(std::move(trace.entered), 0);
        result["left"] = array(std::move(trace.left), 0);
        result["atoms"] = array(std::move(trace.atoms), kPlaces);
        result["beats"] = trace.beats;
        result["waits"] = trace.waits;
        result["cycles"] = trace.cycles;
        result["most_waiting"] = trace.most_waiting;
        result["most_atoms"] = trace.most_atoms;
        return result;
      },
      nb::arg("sizes"), nb::arg("beats"), nb::arg("seed"), nb::arg("idle"), nb::arg("stall"), nb::arg("keep_beats"));
}
