// Cards and hosts by name: what `backend sim` runs when nothing else is said. The Python side has the same figures
// (nvnmd.fpga.plan.named, nvnmd.sim.HostModel), and tests compare them.
#pragma once

#include <string_view>

#include "host_model.hpp"

namespace nvnmd::sim {

struct NamedCard {
  std::string_view name;
  int layers, width;                // hidden layers of the fitting network that it is built for
  int lanes, net_lanes, columns;    // neighbors, words of the network, columns of X a cycle
  double clock_mhz;                 // assumed
};

inline constexpr NamedCard kLetter = {"letter", 3, 128, 1, 3, 1, 222.0};
inline constexpr NamedCard kFast = {"fast", 2, 64, 4, 9, 4, 250.0};

// The card for a model of these sizes; `z` brings them, its lanes are set.
CardSizes card_sizes(const NamedCard& card, Sizes z, int max_neighbors);

// Twelve threads, PCIe 3.0 x16 at 9 and 12 GB/s.
HostSizes usual_host(double clock_mhz);

}  // namespace nvnmd::sim
