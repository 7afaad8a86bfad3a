// How a step is cut into transfers: a host with a card does it so, and the simulated host.
#pragma once

#include <algorithm>

namespace nvnmd::sim {

// The first transfers are small, so that the card begins early, and the last ones, so that little is left to unpack when it
// ends. In between they grow with what has been cut off and shrink with what is left.
struct Transfers {
  int atoms = 256;     // most atoms of one
  int least = 16;      // atoms of the first and of the last
  int share = 8;       // a transfer has at most this part of what has been cut off, and of what is left
  int in_flight = 28;  // from packing to unpacking

  // Atoms of the transfer that follows `before` atoms when `left` are left.
  int next(int before, int left) const { return std::min({std::max(least, std::min(before, left) / share), atoms, left}); }
};

}  // namespace nvnmd::sim
