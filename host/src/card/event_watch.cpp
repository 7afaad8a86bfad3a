#include "card/event_watch.hpp"

#include <utility>

#include "card/device_error.hpp"
#include "card/sizes.hpp"

namespace nvnmd::card {

EventWatch::EventWatch(Link& link, Bytes nudge, Clock::duration timeout)
    : link_(link), nudge_(std::move(nudge)), timeout_(timeout), thread_([this](const std::stop_token& stop) { watch(stop); }) {}

void EventWatch::watch(const std::stop_token& stop) {
  try {
    while (link_.await_event(stop)) {
      // The driver keeps interrupts of earlier programs, and those whose cause has been seen to.
      if (!(link_.read_register(kRegEvents) & kEventReset)) continue;
      noticed_ = true;
      link_.send(nudge_, Clock::now() + timeout_);
      return;
    }
  } catch (const DeviceError&) {
    // Whoever sends or receives meets the same failure and says so.
  }
}

}  // namespace nvnmd::card
