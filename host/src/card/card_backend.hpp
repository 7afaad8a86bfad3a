// A card behind the XDMA driver, or behind a card server, as a backend.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "backend.hpp"
#include "card/device_error.hpp"
#include "card/link.hpp"
#include "model.hpp"
#include "transfers.hpp"

namespace nvnmd::card {

struct CardOptions {
  std::string device = "/dev/xdma0";  // what stands before _h2c_0, _c2h_0, _user and _events_0
  int threads = 0;                    // that pack and unpack; 0 as for the CPU backend
  int buffers = sim::Transfers{}.in_flight;  // transfers in flight
  int atoms = sim::Transfers{}.atoms;        // most atoms of a transfer; those at both ends of a step are smaller
  double timeout_s = 1.0;             // without a byte from the card
  int retries = 5;                    // in a row, without a transfer that succeeds
  double patience_s = 30.0;           // for a card that another process uses
};

// What has happened so far; every fault was followed by another attempt or by an error.
struct CardCounts {
  std::array<std::int64_t, kFaultNames.size()> faults{};  // found, by Fault
  std::int64_t transfers = 0;                             // that succeeded
  std::int64_t loads = 0;                                 // of the model
  std::int64_t interrupts = 0;                            // that told of a fault
  double longest_wait_s = 0.0;                            // for bytes from the card
};

class CardBackend : public Backend {
 public:
  virtual const CardCounts& counts() const = 0;
};

using LinkOpener = std::function<std::unique_ptr<Link>()>;

// Opens the card once, loads the model unless the card holds it, and compares some atoms with the CPU. Throws DeviceError. Every
// run opens the card again, so that several processes can share it.
std::unique_ptr<CardBackend> make_card_backend(std::shared_ptr<const Model> model, const CardOptions& options = {});
// The same over another way to a card.
std::unique_ptr<CardBackend> make_card_backend(std::shared_ptr<const Model> model, const CardOptions& options, LinkOpener opener);

}  // namespace nvnmd::card
