// Errors of a card: what went wrong, so that callers can tell a missing driver from a card that answers nonsense.
#pragma once

#include <array>
#include <string>

#include "error.hpp"

namespace nvnmd::card {

enum class Fault : std::size_t {
  missing,     // no device file: driver not loaded, or another path
  permission,  // the device file may not be opened
  busy,        // another process has the card
  unusable,    // a card that does not fit the model, or no accelerator at all
  silent,      // no answer in time
  corrupt,     // bytes that are no answer, or a wrong checksum
  sequence,    // an answer lost, repeated or out of order
  refused,     // the card says that a packet was damaged or wrong
  no_model,    // the card has lost its model: it was reset
  broken,      // the driver or the connection fails
};
inline constexpr std::array<const char*, 10> kFaultNames = {"missing", "permission", "busy",    "unusable", "silent",
                                                            "corrupt", "sequence",   "refused", "no_model", "broken"};

class DeviceError final : public Error {
 public:
  DeviceError(Fault fault, const std::string& message, int atom = -1) : Error(ErrorCode::device, message, atom), fault_(fault) {}
  Fault fault() const noexcept { return fault_; }
  const char* fault_name() const noexcept { return kFaultNames[static_cast<std::size_t>(fault_)]; }

 private:
  Fault fault_;
};

}  // namespace nvnmd::card
