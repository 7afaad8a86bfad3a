// The only file that knows Python.
#include <algorithm>
#include <exception>
#include <mutex>
#include <span>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "card/card_backend.hpp"
#include "card/codec_time.hpp"
#include "card/emulator.hpp"
#include "driver.hpp"
#include "error.hpp"
#include "version.hpp"

namespace nb = nanobind;

namespace {

using Integers = nb::ndarray<const std::int64_t, nb::c_contig, nb::device::cpu>;
using Reals = nb::ndarray<const double, nb::c_contig, nb::device::cpu>;

template <class Word>
std::span<const Word> view(const nb::ndarray<const Word, nb::c_contig, nb::device::cpu>& array) {
  return {array.data(), array.size()};
}

template <class Word>
nb::ndarray<nb::numpy, Word> array(const Word* data, std::initializer_list<std::size_t> shape) {
  std::size_t size = 1;
  for (const std::size_t extent : shape) size *= extent;
  auto* copy = new Word[size + 1];
  std::copy_n(data, size, copy);
  nb::capsule owner(copy, [](void* pointer) noexcept { delete[] static_cast<Word*>(pointer); });
  return nb::ndarray<nb::numpy, Word>(copy, shape, owner);
}

// One model on one backend; calls from several Python threads wait for each other.
class Core {
 public:
  Core(const std::string& path, const std::string& kernel, int threads)
      : path_(path), driver_(nvnmd::make_cpu_backend(nvnmd::Model::load(path), kernel, threads)) {}
  Core(const std::string& path, const nvnmd::card::CardOptions& options) : Core(path, nvnmd::card::make_card_backend(nvnmd::Model::load(path), options)) {
    threads_ = options.threads;
  }

  const nvnmd::Model& model() const { return driver_.model(); }
  std::size_t width() const { return static_cast<std::size_t>(model().layers.back().outputs); }
  std::string description() const { return driver_.backend().description(); }

  // Empty without a card.
  nb::dict card_counts() const {
    nb::dict found, faults;
    if (card_ == nullptr) return found;
    const nvnmd::card::CardCounts& counts = card_->counts();
    for (std::size_t n = 0; n < counts.faults.size(); ++n) faults[nvnmd::card::kFaultNames[n]] = counts.faults[n];
    found["faults"] = faults;
    found["transfers"] = counts.transfers;
    found["loads"] = counts.loads;
    found["interrupts"] = counts.interrupts;
    found["longest_wait_s"] = counts.longest_wait_s;
    return found;
  }

  nb::dict compute_vectors(const Integers& types, const Integers& center, const Integers& neighbor, const Reals& vectors, bool virial, bool atom_virial, bool gamma, bool hidden) {
    return compute(nvnmd::NeighborVectors(model(), view(types), view(center), view(neighbor), view(vectors)),
                   {.virial = virial, .atom_virial = atom_virial, .gamma = gamma, .hidden = hidden});
  }

  void load_active_set(const std::string& file) {
    const std::lock_guard<std::mutex> lock(mutex_);
    active_set_ = nvnmd::ActiveSet::load(file, model(), path_);
    driver_.use(active_set_);
  }

  nb::dict compute_words(const Integers& types, const Integers& first, const Integers& neighbor, const Integers& displacement) {
    return compute(nvnmd::NeighborWords(model(), view(types), view(first), view(neighbor), view(displacement)), {.virial = true, .atom_virial = true});
  }

 private:
  Core(const std::string& path, std::unique_ptr<nvnmd::card::CardBackend> card) : path_(path), card_(card.get()), driver_(std::move(card)) {}

  // A card returns no activations; the CPU gives the same bits with them.
  nvnmd::ForceDriver& driver_for(nvnmd::Wanted wanted) {
    if (driver_.backend().gives_hidden() || !(wanted.gamma || wanted.hidden)) return driver_;
    if (!cpu_) cpu_ = std::make_unique<nvnmd::ForceDriver>(nvnmd::make_cpu_backend(nvnmd::Model::load(path_), "auto", threads_));
    cpu_->use(active_set_);
    return *cpu_;
  }

  nb::dict compute(const nvnmd::Centers& centers, nvnmd::Wanted wanted) {
    nb::gil_scoped_release release;
    const std::lock_guard<std::mutex> lock(mutex_);
    const nvnmd::FrameResult& result = driver_for(wanted).compute(centers, wanted);
    nb::gil_scoped_acquire acquire;
    const std::size_t atoms = result.atom_energy.size();
    nb::dict words, clipped;
    words["energy"] = result.energy;
    words["atom_energy"] = array(result.atom_energy.data(), {atoms});
    words["force"] = array(result.force.data(), {atoms, 3});
    words["virial"] = array(result.virial.data(), {3, 3});
    if (wanted.atom_virial) words["atom_virial"] = array(result.atom_virial.data(), {atoms, 3, 3});
    if (wanted.gamma) words["gamma"] = array(result.gamma.data(), {atoms});
    if (wanted.hidden) words["hidden"] = array(result.hidden.data(), {atoms, width()});
    for (std::size_t stage = 0; stage < nvnmd::kStages; ++stage) clipped[nvnmd::kStageNames[stage]] = result.counters.clipped[stage];
    words["clipped"] = clipped;
    words["too_close"] = result.counters.too_close;
    return words;
  }

  std::string path_;
  int threads_ = 0;
  std::mutex mutex_;
  const nvnmd::card::CardBackend* card_ = nullptr;  // the driver's
  nvnmd::ForceDriver driver_;
  std::shared_ptr<const nvnmd::ActiveSet> active_set_;
  std::unique_ptr<nvnmd::ForceDriver> cpu_;  // beside a card
};

// A card in this process, for a server of bytes in Python.
class CardEmulator {
 public:
  CardEmulator(const std::vector<std::string>& paths, std::uint32_t fitting_lanes, std::uint32_t identity) : card_(load(paths), fitting_lanes, identity) {}

  nb::bytes transfer(const nb::bytes& data) {
    const auto* begin = reinterpret_cast<const std::byte*>(data.c_str());
    const nvnmd::card::Bytes out = card_.transfer({begin, data.size()});
    return nb::bytes(reinterpret_cast<const char*>(out.data()), out.size());
  }
  void reset() { card_.reset(); }
  std::uint32_t take_interrupts() { return card_.take_interrupts(); }
  std::uint32_t read_register(std::uint32_t number) const { return card_.read_register(number); }
  void write_register(std::uint32_t number, std::uint32_t word) { card_.write_register(number, word); }

 private:
  static std::vector<std::shared_ptr<const nvnmd::Model>> load(const std::vector<std::string>& paths) {
    std::vector<std::shared_ptr<const nvnmd::Model>> models;
    for (const std::string& path : paths) models.push_back(nvnmd::Model::load(path));
    return models;
  }

  nvnmd::card::Emulator card_;
};

nb::list load_packets(const std::string& path, const std::map<std::uint32_t, std::uint32_t>& registers, std::uint32_t first) {
  const auto word = [&](std::uint32_t number) { return registers.contains(number) ? registers.at(number) : 0u; };
  nb::list packets;
  for (const nvnmd::card::Bytes& packet : nvnmd::card::encode_load(*nvnmd::Model::load(path), nvnmd::card::Sizes::read(word), first).packets) {
    packets.append(nb::bytes(reinterpret_cast<const char*>(packet.data()), packet.size()));
  }
  return packets;
}

const char* code_name(nvnmd::ErrorCode code) {
  switch (code) {
    case nvnmd::ErrorCode::model_file: return "model_file";
    case nvnmd::ErrorCode::type_map: return "type_map";
    case nvnmd::ErrorCode::too_many_neighbors: return "too_many_neighbors";
    case nvnmd::ErrorCode::too_close: return "too_close";
    case nvnmd::ErrorCode::out_of_range: return "out_of_range";
    case nvnmd::ErrorCode::backend: return "backend";
    case nvnmd::ErrorCode::device: return "device";
    case nvnmd::ErrorCode::active_set: return "active_set";
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
    if (const auto* device = dynamic_cast<const nvnmd::card::DeviceError*>(&error)) value.attr("fault") = device->fault_name();
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
  error_type->attr("fault") = "";  // of a card: what went wrong
  error_type->attr("frame") = -1;  // set by evaluate_many
  nb::register_exception_translator(translate, error_type);

  m.def("kernel_names", &nvnmd::kernel_names, "Names of the kernels that run on this CPU, fastest first.");
  m.def(
      "header", [](const std::string& path) { return nvnmd::Model::load(path)->header; }, nb::arg("path"),
      "JSON metadata of a model file, which is checked as a whole.");

  m.def("load_packets", &load_packets, nb::arg("path"), nb::arg("registers"), nb::arg("first") = 1,
        "Packets that load a model into a card with these registers.");
  m.def(
      "time_packets",
      [](const std::string& path, int neighbors, int atoms, double seconds) {
        const nvnmd::card::CodecTime time = nvnmd::card::time_packets(*nvnmd::Model::load(path), neighbors, atoms, seconds);
        nb::dict found;
        found["pack_s"] = time.pack_s;
        found["unpack_s"] = time.unpack_s;
        return found;
      },
      nb::arg("path"), nb::arg("neighbors"), nb::arg("atoms") = 256, nb::arg("seconds") = 0.2,
      "Seconds that one thread takes to write the packet of an atom, and to check and take over its answer.");

  using nvnmd::card::CardOptions;
  nb::class_<CardOptions>(m, "CardSettings", "How a card is used; nvnmd.host.CardOptions in C++.")
      .def(nb::init<>())
      .def_rw("device", &CardOptions::device)
      .def_rw("threads", &CardOptions::threads)
      .def_rw("buffers", &CardOptions::buffers)
      .def_rw("atoms", &CardOptions::atoms)
      .def_rw("timeout_s", &CardOptions::timeout_s)
      .def_rw("retries", &CardOptions::retries)
      .def_rw("patience_s", &CardOptions::patience_s);

  nb::class_<CardEmulator>(m, "CardEmulator", "Answers packets as a card does, with the CPU's kernels.")
      .def(nb::init<const std::vector<std::string>&, std::uint32_t, std::uint32_t>(), nb::arg("paths"), nb::arg("fitting_lanes") = 3,
           nb::arg("identity") = 1)
      .def("transfer", &CardEmulator::transfer, nb::arg("data"))
      .def("reset", &CardEmulator::reset)
      .def("take_interrupts", &CardEmulator::take_interrupts)
      .def("read_register", &CardEmulator::read_register, nb::arg("number"))
      .def("write_register", &CardEmulator::write_register, nb::arg("number"), nb::arg("word"));

  nb::class_<Core>(m, "Core", "One model on the CPU or on a card; words in, words out.")
      .def(nb::init<const std::string&, const std::string&, int>(), nb::arg("path"), nb::arg("kernel") = "auto", nb::arg("threads") = 0)
      .def(nb::init<const std::string&, const CardOptions&>(), nb::arg("path"), nb::arg("card"), nb::call_guard<nb::gil_scoped_release>())
      .def("card_counts", &Core::card_counts)
      .def_prop_ro("type_map", [](const Core& core) { return core.model().type_map; })
      .def_prop_ro("rcut_A", [](const Core& core) { return core.model().rcut; })
      .def_prop_ro("max_neighbors", [](const Core& core) { return core.model().max_neighbors; })
      .def_prop_ro("e_frac", [](const Core& core) { return core.model().formats.e_frac; })
      .def_prop_ro("f_frac", [](const Core& core) { return core.model().formats.f_frac; })
      .def_prop_ro("w_frac", [](const Core& core) { return core.model().formats.w_frac; })
      .def_prop_ro("header", [](const Core& core) { return core.model().header; })
      .def_prop_ro("description", &Core::description)
      .def_prop_ro("hidden_width", &Core::width)
      .def("load_active_set", &Core::load_active_set, nb::arg("file"), nb::call_guard<nb::gil_scoped_release>())
      .def("compute_vectors", &Core::compute_vectors, nb::arg("types"), nb::arg("center"), nb::arg("neighbor"), nb::arg("vectors"),
           nb::arg("virial") = true, nb::arg("atom_virial") = false, nb::arg("gamma") = false, nb::arg("hidden") = false)
      .def("compute_words", &Core::compute_words, nb::arg("types"), nb::arg("first"), nb::arg("neighbor"), nb::arg("displacement"));
}
