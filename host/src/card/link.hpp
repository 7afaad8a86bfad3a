// The way to a card: bytes out, bytes in, registers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

namespace nvnmd::card {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

// A card that this process has for itself until the link is destroyed. One thread may call `receive`, another `await_event`, and
// any the others, at the same time. All throw DeviceError: broken when the driver or connection fails, silent when time runs out.
class Link {
 public:
  virtual ~Link() = default;
  // One transfer, whole.
  virtual void send(std::span<const std::byte> transfer, Clock::time_point deadline) = 0;
  // At least one and at most buffer.size() bytes.
  virtual std::size_t receive(std::span<std::byte> buffer, Clock::time_point deadline) = 0;
  virtual std::uint32_t read_register(std::uint32_t number) = 0;
  virtual void write_register(std::uint32_t number, std::uint32_t word) = 0;
  // Whether interrupts of the card can be heard.
  virtual bool has_events() const { return false; }
  // Waits for an interrupt; false when `stop` was requested or there will be none.
  virtual bool await_event(const std::stop_token&) { return false; }
};

// Opens the card behind the files PREFIX_h2c_0, PREFIX_c2h_0 and PREFIX_user: the character devices of the XDMA driver, or
// Unix sockets of a card server (docs/hardware.md, "Card servers"). PREFIX_events_0 is used where it can be opened. Waits up to `patience` for a card that others use, and later up
// to `timeout` for a register. Throws DeviceError (missing, permission, busy) that says what to do.
std::unique_ptr<Link> open_link(const std::string& prefix, Seconds patience, Seconds timeout);

}  // namespace nvnmd::card
