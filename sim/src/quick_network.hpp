// FittingNet, without working out every block where nothing in it waits.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "network.hpp"

namespace nvnmd::sim {

// While outputs are taken as they come and vectors follow each other no faster than the slowest layer, the network is a
// delay: a vector leaves a fixed time behind its last beat. That is certified for the sizes at hand with the exact blocks;
// where it does not hold, and as soon as something waits, the blocks take over, brought to their state by playing the last
// beats into empty ones. They hand back when that gives the very state that they are in.
class QuickNet {
 public:
  QuickNet(int layers, int inputs, int width, int lanes, bool skip, bool shortcuts);
  bool valid() const { return quick_ ? now_ >= start_ : exact_.valid(); }
  bool last() const { return quick_ ? now_ == start_ + beats_ - 1 : exact_.last(); }
  bool settle(bool m_ready) {
    m_ready_ = m_ready;
    if (quick_ && now_ >= start_ && !m_ready) [[unlikely]] slow_down();
    return ready_ = quick_ || exact_.settle(m_ready);
  }
  void step(bool s_valid) {
    const bool taken = s_valid && ready_;
    const bool ends = taken && beat_ + 1 == beats_;
    if (quick_ && ends && now_ - last_in_ < spacing_) [[unlikely]] {
      slow_down();
      exact_.settle(m_ready_);
    }
    if (!quick_) exact_.step(s_valid);
    else if (now_ == start_ + beats_ - 1) pop();
    if ((now_ & 63) == 0) word() = 0;
    word() |= static_cast<std::uint64_t>(taken) << (now_ & 63);
    if (taken) beat_ = ends ? 0 : beat_ + 1;
    if (ends) {
      last_in_ = now_;
      if (quick_) push(now_ + delay_);
    }
    if (++now_ >= attempt_ && !quick_) [[unlikely]] speed_up();
  }

 private:
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max() / 2;

  bool certify();
  void slow_down();
  void speed_up();
  bool replay(FittingNet& net) const;
  std::uint64_t& word() { return taken_[static_cast<std::size_t>(now_ >> 6) & (taken_.size() - 1)]; }
  bool was_taken(std::int64_t cycle) const {
    return taken_[static_cast<std::size_t>(cycle >> 6) & (taken_.size() - 1)] >> (cycle & 63) & 1;
  }
  // Where vectors that have come in will begin to leave.
  void push(std::int64_t start) {
    starts_[tail_++ & (starts_.size() - 1)] = start;
    if (tail_ - head_ == 1) start_ = start;
  }
  void pop() { start_ = ++head_ == tail_ ? kNever : starts_[head_ & (starts_.size() - 1)]; }

  int beats_, spacing_;
  FittingNet empty_, exact_;
  std::int64_t delay_ = 0, window_ = 0;  // from last beat in to first beat out; cycles behind which nothing is left
  bool certified_ = false, quick_ = false, ready_ = true, m_ready_ = true;
  std::vector<std::uint64_t> taken_ = std::vector<std::uint64_t>(1);  // cycles in which a beat was taken, a bit each
  std::vector<std::int64_t> starts_;
  std::size_t head_ = 0, tail_ = 0;
  std::int64_t now_ = 0, start_ = kNever, last_in_ = -kNever, attempt_ = kNever, since_ = 0, patience_ = 0;
  int beat_ = 0;
};

}  // namespace nvnmd::sim
