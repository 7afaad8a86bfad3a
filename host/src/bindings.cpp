// The only file that knows Python.
#include <algorithm>
#include <exception>
#include <mutex>
#include <span>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "driver.hpp"
#include "error.hpp"
#include "version.hpp"

namespace nb = nanobind;

namespace {

using Integers = nb::ndarray<const std::int64_t, nb::c_contig, nb::device::cpu>;
using Reals = nb::ndarray<const double, nb::c_contig, nb::device::cpu>;
using IntegerArray = nb::ndarray<nb::numpy, std::int64_t>;

template <class Word>
std::span<const Word> view(const nb::ndarray<const Word, nb::c_contig, nb::device::cpu>& array) {
  return {array.data(), array.size()};
}

IntegerArray array(const std::int64_t* data, std::initializer_list<std::size_t> shape) {
  std::size_t size = 1;
  for (const std::size_t extent : shape) size *= extent;
  auto* copy = new std::int64_t[size + 1];
  std::copy_n(data, size, copy);
  nb::capsule owner(copy, [](void* pointer) noexcept { delete[] static_cast<std::int64_t*>(pointer); });
  return IntegerArray(copy, shape, owner);
}

// One model on one backend; calls from several Python threads wait for each other.
class Core {
 public:
  Core(const std::string& path, const std::string& kernel, int threads)
      : driver_(nvnmd::make_cpu_backend(nvnmd::Model::load(path), kernel, threads)) {}

  const nvnmd::Model& model() const { return driver_.model(); }
  std::string description() const { return driver_.backend().description(); }

  nb::dict compute_vectors(const Integers& types, const Integers& center, const Integers& neighbor, const Reals& vectors, bool virial, bool atom_virial) {
    return compute(nvnmd::NeighborVectors(model(), view(types), view(center), view(neighbor), view(vectors)), {virial, atom_virial});
  }

  nb::dict compute_words(const Integers& types, const Integers& first, const Integers& neighbor, const Integers& displacement) {
    return compute(nvnmd::NeighborWords(model(), view(types), view(first), view(neighbor), view(displacement)), {true, true});
  }

 private:
  nb::dict compute(const nvnmd::Centers& centers, nvnmd::Wanted wanted) {
    nb::gil_scoped_release release;
    const std::lock_guard<std::mutex> lock(mutex_);
    const nvnmd::FrameResult& result = driver_.compute(centers, wanted);
    nb::gil_scoped_acquire acquire;
    const std::size_t atoms = result.atom_energy.size();
    nb::dict words, clipped;
    words["energy"] = result.energy;
    words["atom_energy"] = array(result.atom_energy.data(), {atoms});
    words["force"] = array(result.force.data(), {atoms, 3});
    words["virial"] = array(result.virial.data(), {3, 3});
    if (wanted.atom_virial) words["atom_virial"] = array(result.atom_virial.data(), {atoms, 3, 3});
    for (std::size_t stage = 0; stage < nvnmd::kStages; ++stage) clipped[nvnmd::kStageNames[stage]] = result.counters.clipped[stage];
    words["clipped"] = clipped;
    words["too_close"] = result.counters.too_close;
    return words;
  }

  std::mutex mutex_;
  nvnmd::ForceDriver driver_;
};

const char* code_name(nvnmd::ErrorCode code) {
  switch (code) {
    case nvnmd::ErrorCode::model_file: return "model_file";
    case nvnmd::ErrorCode::type_map: return "type_map";
    case nvnmd::ErrorCode::too_many_neighbors: return "too_many_neighbors";
    case nvnmd::ErrorCode::too_close: return "too_close";
    case nvnmd::ErrorCode::out_of_range: return "out_of_range";
    case nvnmd::ErrorCode::backend: return "backend";
    case nvnmd::ErrorCode::device: return "device";
  }
  return "unknown";
}

void translate(const std::exception_ptr& pointer, void* error_type) {
  try {
    std::rethrow_exception(pointer);
  } catch (const nvnmd::Error& error) {
    const auto& type = *static_cast<nb::object*>(error_type);
    nb::object value = type(error.what());
    value.attr("code") = code_name(error.code());
    value.attr("atom") = error.atom();
    value.attr("neighbor") = error.neighbor();
    PyErr_SetObject(type.ptr(), value.ptr());
  }
}

}  // namespace

NB_MODULE(_core, m) {
  m.doc() = "Runtime of the integer model.";
  m.attr("__version__") = nvnmd::version();

  // Never freed: it has to outlive the interpreter's last error.
  auto* error_type = new nb::object(nb::exception<nvnmd::Error>(m, "Error", PyExc_RuntimeError));
  error_type->attr("code") = code_name(nvnmd::ErrorCode::out_of_range);
  error_type->attr("atom") = -1;
  error_type->attr("neighbor") = -1;
  error_type->attr("frame") = -1;  // set by evaluate_many
  nb::register_exception_translator(translate, error_type);

  m.def("kernel_names", &nvnmd::kernel_names, "Names of the kernels that run on this CPU, fastest first.");
  m.def(
      "header", [](const std::string& path) { return nvnmd::Model::load(path)->header; }, nb::arg("path"),
      "JSON metadata of a model file, which is checked as a whole.");

  nb::class_<Core>(m, "Core", "One model on the CPU; words in, words out.")
      .def(nb::init<const std::string&, const std::string&, int>(), nb::arg("path"), nb::arg("kernel") = "auto", nb::arg("threads") = 0)
      .def_prop_ro("type_map", [](const Core& core) { return core.model().type_map; })
      .def_prop_ro("rcut_A", [](const Core& core) { return core.model().rcut; })
      .def_prop_ro("max_neighbors", [](const Core& core) { return core.model().max_neighbors; })
      .def_prop_ro("e_frac", [](const Core& core) { return core.model().formats.e_frac; })
      .def_prop_ro("f_frac", [](const Core& core) { return core.model().formats.f_frac; })
      .def_prop_ro("w_frac", [](const Core& core) { return core.model().formats.w_frac; })
      .def_prop_ro("header", [](const Core& core) { return core.model().header; })
      .def_prop_ro("description", &Core::description)
      .def("compute_vectors", &Core::compute_vectors, nb::arg("types"), nb::arg("center"), nb::arg("neighbor"), nb::arg("vectors"),
           nb::arg("virial") = true, nb::arg("atom_virial") = false)
      .def("compute_words", &Core::compute_words, nb::arg("types"), nb::arg("first"), nb::arg("neighbor"), nb::arg("displacement"));
}
