// Control of the RTL's basic blocks, cycle by cycle: which beats are valid, which end a vector, who waits. No data.
//
// Each block mirrors one module of hw/fpga/rtl. A cycle has two phases, as in the RTL: `settle` works out the
// combinational `ready` signals from the sink to the source, `step` is the clock edge.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace nvnmd::sim {

constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }

// Smallest power of two that is not below `n`: the depth that `1 << $clog2(n)` gives.
constexpr int ceil_power(int n) {
  int power = 1;
  while (power < n) power *= 2;
  return power;
}

// Stages that move together, or all wait: most modules. A bit a stage, the entry lowest.
class Pipe {
 public:
  explicit Pipe(int stages) : out_(stages - 1) {}
  bool valid() const { return valid_ >> out_ & 1; }
  bool last() const { return last_ >> out_ & 1; }
  bool settle(bool m_ready) { return advance_ = m_ready || !valid(); }
  void step(bool s_valid, bool s_last) {
    if (!advance_) return;
    valid_ = valid_ << 1 | static_cast<std::uint64_t>(s_valid);
    last_ = last_ << 1 | static_cast<std::uint64_t>(s_last);
  }

 private:
  int out_;
  std::uint64_t valid_ = 0, last_ = 0;
  bool advance_ = true;
};

// stream_fifo: only how many beats it holds.
class Fifo {
 public:
  explicit Fifo(int depth) : depth_(depth) {}
  bool ready() const { return count_ != depth_; }
  bool valid() const { return count_ != 0; }
  int count() const { return count_; }
  void step(bool push, bool pop) { count_ += static_cast<int>(push) - static_cast<int>(pop); }

 private:
  int depth_, count_ = 0;
};

// block_fifo, with the flag that ends a vector: memory, and one beat at the output.
class BlockFifo {
 public:
  explicit BlockFifo(int depth) : depth_(depth), flags_(static_cast<std::size_t>(depth)) {}
  bool ready() const { return count_ != depth_; }
  bool valid() const { return valid_; }
  bool last() const { return last_; }
  int count() const { return count_; }
  void step(bool push, bool s_last, bool m_ready) {
    const bool free = m_ready || !valid_, fetch = count_ != 0 && free;
    if (fetch) {
      last_ = flags_[read_at_] != 0;
      read_at_ = (read_at_ + 1) & static_cast<std::size_t>(depth_ - 1);
    }
    if (free) valid_ = fetch;
    if (push) {
      flags_[write_at_] = static_cast<std::uint8_t>(s_last);
      write_at_ = (write_at_ + 1) & static_cast<std::size_t>(depth_ - 1);
    }
    count_ += static_cast<int>(push) - static_cast<int>(fetch);
  }

 private:
  int depth_, count_ = 0;
  std::vector<std::uint8_t> flags_;
  std::size_t read_at_ = 0, write_at_ = 0;
  bool valid_ = false, last_ = false;
};

// A vector that leaves in `beats` beats while the next is prepared: the second half of dense_layer and of regroup.
class Leaving {
 public:
  explicit Leaving(int beats) : beats_(beats) {}
  bool valid() const { return left_ != 0; }
  bool last() const { return left_ == 1; }
  bool free(bool m_ready) const { return left_ == 0 || (left_ == 1 && m_ready); }
  void step(bool load, bool m_ready) { left_ = load ? beats_ : left_ - static_cast<int>(valid() && m_ready); }

 private:
  int beats_, left_ = 0;
};

// regroup
class Regroup {
 public:
  explicit Regroup(int out_beats) : out_(out_beats) {}
  bool valid() const { return out_.valid(); }
  bool last() const { return out_.last(); }
  bool settle(bool m_ready) {
    m_ready_ = m_ready;
    move_ = full_ && out_.free(m_ready);
    return ready_ = !full_ || move_;
  }
  void step(bool s_valid, bool s_last) {
    if (ready_) full_ = s_valid && s_last;
    out_.step(move_, m_ready_);
  }

 private:
  Leaving out_;
  bool full_ = false, move_ = false, ready_ = true, m_ready_ = false;
};

// Stages behind a counter of beats; the last beat of a vector waits in the last stage until `finish`.
class Gather {
 public:
  Gather(int stages, int beats) : out_(stages - 1), beats_(beats) {}
  bool waits() const { return (valid_ & last_) >> out_ & 1; }
  bool settle(bool free) {
    finish_ = waits() && free;
    return advance_ = !waits() || finish_;
  }
  bool finish() const { return finish_; }
  void step(bool s_valid) {
    if (!advance_) return;
    valid_ = valid_ << 1 | static_cast<std::uint64_t>(s_valid);
    last_ = last_ << 1 | static_cast<std::uint64_t>(beat_ == beats_ - 1);
    if (s_valid) beat_ = beat_ == beats_ - 1 ? 0 : beat_ + 1;
  }

 private:
  int out_, beats_, beat_ = 0;
  std::uint64_t valid_ = 0, last_ = 0;
  bool finish_ = false, advance_ = true;
};

// dense_layer
class Dense {
 public:
  Dense(int beats, int out_beats) : in_(4, beats), out_(out_beats) {}
  bool valid() const { return out_.valid(); }
  bool last() const { return out_.last(); }
  bool settle(bool m_ready) {
    m_ready_ = m_ready;
    return in_.settle(out_.free(m_ready));
  }
  void step(bool s_valid) {
    out_.step(in_.finish(), m_ready_);
    in_.step(s_valid);
  }

 private:
  Gather in_;
  Leaving out_;
  bool m_ready_ = false;
};

}  // namespace nvnmd::sim
