// How long the host's share of an atom takes: for the simulator of card and host.
#pragma once

#include "model.hpp"

namespace nvnmd::card {

// Seconds an atom on one thread.
struct CodecTime {
  double pack_s = 0.0;    // neighbor words to a packet with its checksum
  double unpack_s = 0.0;  // an answer's headers, number and checksum, and its words
};

// Measures for at least `seconds` each, with transfers of `atoms` atoms of `neighbors` neighbors. Throws Error
// (ErrorCode::out_of_range) for sizes that no model has.
CodecTime time_packets(const Model& model, int neighbors, int atoms, double seconds);

}  // namespace nvnmd::card
