#include "quick_network.hpp"

#include <algorithm>

namespace nvnmd::sim {

QuickNet::QuickNet(int layers, int inputs, int width, int lanes, bool skip, bool shortcuts)
    : beats_(ceil_div(inputs, lanes)),
      spacing_(std::max(beats_, ceil_div(width, lanes))),
      empty_(layers, inputs, width, lanes, skip),
      exact_(empty_) {
  certified_ = quick_ = shortcuts && certify();
  window_ = delay_ + 2 * spacing_ + 64;
  patience_ = window_;
  std::size_t words = 2;
  while (words * 64 < static_cast<std::size_t>(window_) + 128) words *= 2;
  taken_.assign(words, 0);
  std::size_t starts = 4;
  while (starts < static_cast<std::size_t>(delay_ / spacing_) + 4) starts *= 2;
  starts_.assign(starts, 0);
}

// Plays one vector. Beats enter a FIFO at most one a cycle, so one in which a beat stays no longer than its depth never
// fills; one that holds a single beat of a vector holds no more of them than vectors pass meanwhile.
bool QuickNet::certify() {
  struct Seen {
    int before = 0, most = 0;
    std::int64_t rise = -1, fall = -1;
  };
  FittingNet net = empty_;
  std::vector<Seen> seen;
  std::int64_t first = -1, given = 0;
  constexpr std::int64_t kLongest = 1 << 16;
  for (std::int64_t cycle = 0; cycle < kLongest && given < beats_; ++cycle) {
    const bool feeds = cycle < beats_;
    if (!net.settle(true) && feeds) return false;
    if (net.valid()) {
      if (first < 0) first = cycle;
      if (cycle != first + given++ || net.last() != (given == beats_)) return false;
    }
    net.step(feeds);
    std::size_t at = 0;
    net.visit([&](const Fifo& fifo) {
      if (at == seen.size()) seen.emplace_back();
      Seen& fifo_seen = seen[at++];
      const int count = fifo.count();
      if (count > 0 && fifo_seen.rise < 0) fifo_seen.rise = cycle;
      if (count < fifo_seen.before && fifo_seen.fall < 0) fifo_seen.fall = cycle;
      fifo_seen.most = std::max(fifo_seen.most, count);
      fifo_seen.before = count;
    });
  }
  if (given < beats_) return false;
  delay_ = first - (beats_ - 1);
  bool holds = true;
  std::size_t at = 0;
  net.visit([&](const Fifo& fifo) {
    const Seen& fifo_seen = seen[at++];
    if (fifo_seen.rise < 0) return;
    const std::int64_t stays = fifo_seen.fall - fifo_seen.rise;
    const bool single = fifo_seen.most == 1;
    holds = holds && fifo_seen.fall >= 0 && (stays < fifo.depth() || (single && stays / spacing_ + 1 < fifo.depth()));
  });
  return holds;
}

bool QuickNet::replay(FittingNet& net) const {
  const std::int64_t begin = std::max<std::int64_t>(0, now_ - window_);
  std::int64_t beats = 0;
  for (std::int64_t cycle = begin; cycle < now_; ++cycle) beats += was_taken(cycle);
  const std::int64_t before = (beat_ - beats) % beats_;
  net.start_at(static_cast<int>(before < 0 ? before + beats_ : before));
  for (std::int64_t cycle = begin; cycle < now_; ++cycle) {
    const bool taken = was_taken(cycle);
    if (!net.settle(true) && taken) return false;
    net.step(taken);
  }
  return true;
}

void QuickNet::slow_down() {
  exact_ = empty_;
  replay(exact_);
  quick_ = false;
  patience_ = now_ - since_ > 16 * window_ ? window_ : std::min(2 * patience_, 64 * window_);
  attempt_ = now_ + patience_;
}

void QuickNet::speed_up() {
  since_ = now_;
  FittingNet net = empty_;
  if (!certified_ || !replay(net) || !(net == exact_)) {
    patience_ = std::min(2 * patience_, 64 * window_);
    attempt_ = certified_ ? now_ + patience_ : kNever;
    return;
  }
  quick_ = true;
  head_ = tail_ = 0;
  start_ = kNever;
  std::int64_t beat = 0, begin = std::max<std::int64_t>(0, now_ - window_);
  for (std::int64_t cycle = begin; cycle < now_; ++cycle) beat -= was_taken(cycle);
  beat = ((beat_ + beat) % beats_ + beats_) % beats_;
  for (std::int64_t cycle = begin; cycle < now_; ++cycle) {
    if (!was_taken(cycle) || ++beat != beats_) continue;
    beat = 0;
    if (cycle + delay_ + beats_ > now_) push(cycle + delay_);
  }
}

}  // namespace nvnmd::sim
