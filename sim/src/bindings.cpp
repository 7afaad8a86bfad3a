// Python bindings of the simulator, all in this file.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/vector.h>

#include "setup.hpp"
#include "player.hpp"

namespace nb = nanobind;
using namespace nvnmd::sim;

namespace {

// Hands a vector to numpy without a copy.
template <typename Word = std::int64_t, typename Value>
nb::ndarray<nb::numpy, Word> array(std::vector<Value>&& values, std::size_t columns) {
  auto* kept = new std::vector<Value>(std::move(values));
  nb::capsule owner(kept, [](void* pointer) noexcept { delete static_cast<std::vector<Value>*>(pointer); });
  auto* data = reinterpret_cast<Word*>(kept->data());
  if (columns == 0) return nb::ndarray<nb::numpy, Word>(data, {kept->size()}, owner);
  return nb::ndarray<nb::numpy, Word>(data, {kept->size(), columns}, owner);
}

using Rows = nb::ndarray<const std::int32_t, nb::shape<-1, 5>, nb::c_contig, nb::device::cpu>;

std::vector<Packet> packets_of(const Rows& rows) {
  std::vector<Packet> packets(rows.shape(0));
  for (std::size_t n = 0; n < packets.size(); ++n) {
    const std::int32_t* row = rows.data() + 5 * n;
    packets[n] = {static_cast<std::uint8_t>(row[0]), static_cast<std::uint8_t>(row[1]), row[2] != 0, row[3], row[4]};
  }
  return packets;
}

nb::dict dict_of(CardTrace&& trace) {
  nb::dict result;
  result["packets"] = array(std::move(trace.packets), kPacketPlaces);
  result["atoms"] = array(std::move(trace.atoms), kPlaces);
  result["entered"] = array(std::move(trace.entered), 0);
  result["left"] = array(std::move(trace.left), 0);
  result["beats"] = trace.beats;
  result["waits"] = trace.waits;
  result["card_waits"] = trace.card_waits;
  result["most"] = trace.most;
  result["depths"] = trace.depths;
  result["cycles"] = trace.cycles;
  result["bus_in"] = trace.bus_in;
  result["bus_out"] = trace.bus_out;
  return result;
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
      .def_rw("wait", &Sizes::wait)
      .def_rw("shortcuts", &Sizes::shortcuts);

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

  nb::class_<CardSizes>(m, "CardSizes")
      .def(nb::init<>())
      .def_rw("pipeline", &CardSizes::pipeline)
      .def_rw("lanes", &CardSizes::lanes)
      .def_rw("max_body", &CardSizes::max_body)
      .def_rw("model", &CardSizes::model);

  m.def(
      "play_card",
      [](const CardSizes& sizes, const Rows& rows, unsigned seed, double idle, double stall, int keep) {
        const std::vector<Packet> packets = packets_of(rows);
        CardTrace trace;
        {
          nb::gil_scoped_release free;
          trace = play(sizes, packets, Traffic{seed, idle, stall}, static_cast<Keep>(keep));
        }
        return dict_of(std::move(trace));
      },
      nb::arg("sizes"), nb::arg("packets"), nb::arg("seed"), nb::arg("idle"), nb::arg("stall"), nb::arg("keep"));

  nb::class_<Link>(m, "Link")
      .def(nb::init<>())
      .def_rw("bytes_per_cycle", &Link::bytes_per_cycle)
      .def_rw("latency", &Link::latency)
      .def_rw("gap", &Link::gap)
      .def_rw("spike_probability", &Link::spike_probability)
      .def_rw("spike", &Link::spike);

  nb::class_<Transfers>(m, "Transfers")
      .def(nb::init<>())
      .def_rw("atoms", &Transfers::atoms)
      .def_rw("least", &Transfers::least)
      .def_rw("share", &Transfers::share)
      .def_rw("in_flight", &Transfers::in_flight)
      .def("next", &Transfers::next, nb::arg("before"), nb::arg("left"));

  nb::class_<HostSizes>(m, "HostSizes")
      .def(nb::init<>())
      .def_rw("link_in", &HostSizes::in)
      .def_rw("link_out", &HostSizes::out)
      .def_rw("threads", &HostSizes::threads)
      .def_rw("pack_atom", &HostSizes::pack_atom)
      .def_rw("pack_neighbor", &HostSizes::pack_neighbor)
      .def_rw("unpack_atom", &HostSizes::unpack_atom)
      .def_rw("unpack_neighbor", &HostSizes::unpack_neighbor)
      .def_rw("transfers", &HostSizes::transfers)
      .def_rw("bridge_beats", &HostSizes::bridge_beats)
      .def_rw("seed", &HostSizes::seed);

  m.def("usual_host", &usual_host, nb::arg("clock_mhz"));
  m.def("letter_card", [](const Sizes& sizes, int max_neighbors) { return card_sizes(kLetter, sizes, max_neighbors); });
  m.def("fast_card", [](const Sizes& sizes, int max_neighbors) { return card_sizes(kFast, sizes, max_neighbors); });

  m.def(
      "play_host",
      [](const CardSizes& sizes, const Rows& rows, const HostSizes& host, int keep) {
        const std::vector<Packet> packets = packets_of(rows);
        HostTrace trace;
        {
          nb::gil_scoped_release free;
          trace = play(sizes, packets, host, static_cast<Keep>(keep));
        }
        nb::dict result;
        result["cycles"] = trace.cycles;
        result["threads_busy"] = trace.threads_busy;
        result["in_busy"] = trace.in_busy;
        result["out_busy"] = trace.out_busy;
        result["out_full"] = trace.out_full;
        result["buffers"] = array<double>(std::move(trace.buffers), sizeof(BufferTimes) / sizeof(double));
        result["card"] = dict_of(std::move(trace.card));
        return result;
      },
      nb::arg("sizes"), nb::arg("packets"), nb::arg("host"), nb::arg("keep"));
}
