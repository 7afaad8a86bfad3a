// A thread that hears the card's interrupts while others wait for answers.
#pragma once

#include <atomic>
#include <thread>

#include "card/link.hpp"
#include "card/packet.hpp"

namespace nvnmd::card {

// Until it is destroyed. The driver has no way to end a read that waits, but the card has: when an interrupt says that the card
// was reset, `nudge`, a packet under a number that nobody waits for, is sent, and its answer ends the read.
class EventWatch {
 public:
  EventWatch(Link& link, Bytes nudge, Clock::duration timeout);

  // The card was reset since; true before the nudge is sent.
  bool noticed() const { return noticed_; }

 private:
  void watch(const std::stop_token& stop);

  Link& link_;
  Bytes nudge_;
  Clock::duration timeout_;
  std::atomic<bool> noticed_ = false;
  std::jthread thread_;  // last, so that it ends first
};

}  // namespace nvnmd::card
