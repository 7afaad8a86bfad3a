#include "setup.hpp"

#include <algorithm>
#include <bit>

namespace nvnmd::sim {

CardSizes card_sizes(const NamedCard& card, Sizes z, int max_neighbors) {
  z.net_lanes = card.net_lanes;
  z.columns = z.m1 % card.columns == 0 ? card.columns : 1;
  z.atoms = 16;
  const auto beats = static_cast<unsigned>(z.atoms * (max_neighbors / card.lanes + 1));
  z.wait = 1 << std::bit_width(beats / 2);
  CardSizes sizes;
  sizes.pipeline = z;
  sizes.lanes = card.lanes;
  sizes.max_body = std::max(max_neighbors, 16);
  return sizes;
}

HostSizes usual_host(double clock_mhz) {
  const double us = clock_mhz, ns = clock_mhz * 1e-3;  // in cycles
  HostSizes host;
  host.in = {9.0 * 1e3 / clock_mhz, 5.0 * us, 0.5 * us, 0.0, 0.0};
  host.out = {12.0 * 1e3 / clock_mhz, 5.0 * us, 0.5 * us, 0.0, 0.0};
  host.threads = 12;
  host.pack_atom = 230.0 * ns;
  host.pack_neighbor = 1.2 * ns;
  host.unpack_atom = 110.0 * ns;
  host.unpack_neighbor = 2.0 * ns;
  return host;
}

}  // namespace nvnmd::sim
