// Control of descriptor_acc and descriptor_grad.
#pragma once

#include "blocks.hpp"

namespace nvnmd::sim {

// descriptor_acc: two stages of accumulation, then steps in which the columns of X and D leave.
class Accumulator {
 public:
  Accumulator(int beats, int axis_beats) : axis_(axis_beats), steps_(beats + axis_beats) {}
  bool valid() const { return valid_; }
  bool last() const { return last_; }
  bool settle(bool m_ready) {
    drain_ = m_ready || !valid_;
    const bool done = valid_2_ && last_2_, idle = step_ == 0 || (step_ == steps_ && drain_);
    finish_ = done && idle;
    return advance_ = !done || finish_;
  }
  void step(bool s_valid, bool s_last) {
    if (drain_) {
      valid_ = step_ > axis_;
      last_ = step_ == steps_;
    }
    if (finish_) step_ = 1;
    else if (drain_ && step_ != 0) step_ = step_ == steps_ ? 0 : step_ + 1;
    if (!advance_) return;
    valid_2_ = valid_1_;
    last_2_ = last_1_;
    valid_1_ = s_valid;
    last_1_ = s_last;
  }

 private:
  int axis_, steps_, step_ = 0;
  bool valid_1_ = false, last_1_ = false, valid_2_ = false, last_2_ = false;
  bool valid_ = false, last_ = false, drain_ = true, finish_ = false, advance_ = true;
};

// descriptor_grad: four stages, then Y of the atom, one beat.
class Gradient {
 public:
  explicit Gradient(int beats) : in_(4, beats) {}
  bool valid() const { return valid_; }
  bool settle(bool m_ready) {
    free_ = m_ready || !valid_;
    return in_.settle([this] { return free_; });
  }
  void step(bool s_valid) {
    if (free_) valid_ = in_.finish();
    in_.step(s_valid);
  }

 private:
  Gather in_;
  bool valid_ = false, free_ = true;
};

}  // namespace nvnmd::sim
