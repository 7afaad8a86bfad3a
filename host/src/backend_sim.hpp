// The CPU's kernels for the numbers, and the simulated card for the time that a card would take for them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "backend.hpp"

namespace nvnmd {

struct SimOptions {
  std::string configuration = "auto";  // letter, fast, or auto: the one that is built for the model, else letter's lanes
  double clock_mhz = 0.0;              // 0: the configuration's
  int every = 1;                       // steps of which one is simulated; those between take as long as it
};

// Sums over the steps so far, all of them simulated.
struct SimTotals {
  std::int64_t steps = 0, atoms = 0;
  double seconds = 0.0;
};

class SimBackend : public Backend {
 public:
  virtual const SimTotals& totals() const = 0;
};

// `kernel` and `threads` as for the CPU backend. Throws Error for a configuration that is not built for the model.
std::unique_ptr<SimBackend> make_sim_backend(std::shared_ptr<const Model> model, const SimOptions& options = {},
                                             std::string_view kernel = "auto", int threads = 0);

}  // namespace nvnmd
