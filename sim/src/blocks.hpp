// Control of the RTL's basic blocks, cycle by cycle: which beats are valid, which end a vector, who waits. No data.
//
// Each block mirrors one module of hw/fpga/rtl. A cycle has two phases, as in the RTL: `settle` works out the
// combinational `ready` signals from the sink to the source, `step` is the clock edge. Where a branch is likely, it lets the
// processor go on before the chain of `ready` signals is worked out.
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

// The flags `valid` and `last` of a row of stages, two bits a stage, the entry lowest.
class Stages {
 public:
  explicit Stages(int stages) : valid_(std::uint64_t{1} << (2 * stages - 2)), last_(valid_ << 1) {}
  bool valid() const { return flags_ & valid_; }
  bool last() const { return flags_ & last_; }
  bool ends() const { return (flags_ & (valid_ | last_)) == (valid_ | last_); }
  void step(bool s_valid, bool s_last) {
    flags_ = flags_ << 2 | static_cast<std::uint64_t>(s_last) << 1 | static_cast<std::uint64_t>(s_valid);
  }

  bool operator==(const Stages&) const = default;

 private:
  std::uint64_t valid_, last_, flags_ = 0;  // the flags at the exit, of all
};

// Stages that move together, or all wait: most modules.
class Pipe {
 public:
  explicit Pipe(int stages) : stages_(stages) {}
  bool valid() const { return stages_.valid(); }
  bool last() const { return stages_.last(); }
  bool settle(bool m_ready) {
    if (m_ready) [[likely]] return advance_ = true;
    return advance_ = !valid();
  }
  void step(bool s_valid, bool s_last) {
    if (advance_) [[likely]] stages_.step(s_valid, s_last);
  }

  bool operator==(const Pipe&) const = default;

 private:
  Stages stages_;
  bool advance_ = true;
};

// stream_fifo: only how many beats it holds.
class Fifo {
 public:
  explicit Fifo(int depth) : depth_(depth) {}
  bool ready() const { return count_ != depth_; }
  bool valid() const { return count_ != 0; }
  int count() const { return count_; }
  int depth() const { return depth_; }
  void step(bool push, bool pop) { count_ += static_cast<int>(push) - static_cast<int>(pop); }

  bool operator==(const Fifo&) const = default;

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

  bool operator==(const Leaving&) const = default;

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
  Gather(int stages, int beats) : stages_(stages), beats_(beats) {}
  bool waits() const { return stages_.ends(); }
  // `free` says whether the vector could move on; most of the time there is none to ask for.
  template <typename Free>
  bool settle(Free&& free) {
    finish_ = false;
    if (!waits()) [[likely]] return advance_ = true;
    return advance_ = finish_ = free();
  }
  bool finish() const { return finish_; }
  void start_at(int beat) { beat_ = beat; }
  void step(bool s_valid) {
    if (!advance_) [[unlikely]] return;
    stages_.step(s_valid, beat_ == beats_ - 1);
    if (s_valid) beat_ = beat_ == beats_ - 1 ? 0 : beat_ + 1;
  }

  bool operator==(const Gather&) const = default;

 private:
  Stages stages_;
  int beats_, beat_ = 0;
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
    return in_.settle([&] { return out_.free(m_ready); });
  }
  void start_at(int beat) { in_.start_at(beat); }
  void step(bool s_valid) {
    out_.step(in_.finish(), m_ready_);
    in_.step(s_valid);
  }

  bool operator==(const Dense&) const = default;

 private:
  Gather in_;
  Leaving out_;
  bool m_ready_ = false;
};

}  // namespace nvnmd::sim
