// Control of the blocks between the bus and the pipeline: stream_narrow, packet_in, dispatch, loader, packet_out,
// stream_widen. Packets are numbers; what a block needs to know of one stands in `Packet`.
#pragma once

#include <cstddef>
#include <vector>

#include "blocks.hpp"

namespace nvnmd::sim {

// A packet as it is sent, and what becomes of it (docs/stream.md). After the faults 2, 3 and 4 everything up to the end of
// the transfer belongs to the packet.
struct Packet {
  enum Kind : std::uint8_t { kAtom = 1, kLoadEnd = 4 };
  enum Status : std::uint8_t { kOk = 0, kBadHeader = 3, kTooLong = 4, kTruncated = 6 };
  std::uint8_t kind = kAtom;
  std::uint8_t status = kOk;  // what packet_in finds
  bool model = true;          // of a load packet: whether a model is loaded behind it
  std::int32_t count = 0;     // body words, as the header says
  std::int32_t beats = 1;     // of 64 bytes
};

constexpr int kBusBytes = 64;
constexpr int packet_beats(int count) { return ceil_div(count + 2, 8); }
constexpr int answer_beats(int forces) { return ceil_div(2 * forces + 6, 8); }

// stream_narrow
class Narrow {
 public:
  explicit Narrow(int factor) : factor_(factor) {}
  bool valid() const { return left_ != 0; }
  bool settle(bool m_ready) {
    m_ready_ = m_ready;
    return ready_ = left_ == 0 || (left_ == 1 && m_ready);
  }
  void step(bool s_valid) {
    if (s_valid && ready_) left_ = factor_;
    else if (left_ != 0 && m_ready_) --left_;
  }

 private:
  int factor_, left_ = 0;
  bool ready_ = true, m_ready_ = false;
};

// packet_in: bodies wait until their packet was sound.
class PacketIn {
 public:
  PacketIn(int lanes, int depth, const std::vector<Packet>& packets);
  bool ready() const { return !full() && headers_.ready(); }
  bool full() const { return write_ - read_ == depth_; }
  bool h_valid() const { return headers_.valid(); }
  bool b_valid() const { return valid_; }
  bool b_last() const { return last_; }
  int stored() const { return write_ - read_; }
  int headers() const { return headers_.count(); }
  bool finish(bool s_valid) const { return s_valid && ready() && beat_ == over_at_; }
  void step(bool s_valid, bool h_ready, bool b_ready);

 private:
  void begin();  // looks up the packet whose header comes next

  const std::vector<Packet>& packets_;
  int lanes_, depth_;
  std::size_t packet_ = 0;
  int beat_ = 0, over_at_ = 0, total_ = 0, first_body_ = 0, last_body_ = 0;
  bool sound_ = true;
  Fifo headers_{16};
  std::vector<std::uint8_t> flags_;
  int write_ = 0, commit_ = 0, read_ = 0;  // wrap at twice the depth, as in the RTL
  bool valid_ = false, last_ = false;
};

// loader: reads a beat lane by lane.
class Loader {
 public:
  explicit Loader(int lanes) : lanes_(lanes) {}
  bool ready() const { return lane_ == lanes_ - 1; }
  bool done() const { return done_; }
  void step(bool s_valid, bool s_last) {
    if (!s_valid) return;
    done_ = s_last && ready();
    lane_ = ready() ? 0 : lane_ + 1;
  }

 private:
  int lanes_, lane_ = 0;
  bool done_ = false;
};

// dispatch: the fence, and a record for each answer.
class Dispatch {
 public:
  Dispatch(int atoms, bool model, const std::vector<Packet>& packets)
      : packets_(packets), atoms_(atoms), model_(model), records_(atoms), forces_(static_cast<std::size_t>(atoms)) {}
  // From the headers and bodies that packet_in shows: whether an atom's beat is offered to the pipeline.
  bool offer(bool h_valid, bool b_valid);
  // Then what is taken from packet_in.
  void settle(bool a_ready, bool b_last, const Loader& loader);
  bool a_valid() const { return a_valid_; }
  bool l_valid() const { return b_valid_ && to_loader_; }
  bool b_ready() const { return b_ready_; }
  bool h_ready() const { return h_ready_; }
  bool p_valid() const { return records_.valid(); }
  int p_forces() const { return forces_[answered_ & (forces_.size() - 1)]; }  // of the answer; -1 without a result
  int records() const { return records_.count(); }
  int in_flight() const { return in_flight_; }
  bool fenced() const { return load_waits_; }
  bool crowded() const { return in_flight_ == atoms_; }
  bool records_full() const { return h_valid_ && !records_.ready(); }
  void step(bool p_ready, bool a_done);

 private:
  const std::vector<Packet>& packets_;
  int atoms_;
  bool model_;
  Fifo records_;
  std::vector<std::int32_t> forces_;
  std::size_t head_ = 0, answered_ = 0;
  int in_flight_ = 0;
  bool loading_ = false, h_valid_ = false, b_valid_ = false, to_pipeline_ = false, to_loader_ = false, to_nowhere_ = false;
  bool load_waits_ = false, a_valid_ = false, b_ready_ = false, gone_ = false, h_ready_ = false;
};

// packet_out
class PacketOut {
 public:
  explicit PacketOut(int lanes) : lanes_(lanes) {}
  bool valid() const { return valid_2_; }
  bool last() const { return end_2_; }
  void settle(bool m_ready, bool p_valid, int forces, bool r_valid) {
    advance_ = m_ready || !valid_2_;
    const int count = forces > 0 ? forces : 0;
    end_ = beat_ == (count + 6) / 4 * (4 / lanes_) - 1;
    takes_ = forces >= 0 && beat_ <= count / lanes_ && (lanes_ > 1 || beat_ != 0 || count == 0);
    const bool needs = takes_ || (forces >= 0 && beat_ == 0);
    lacks_ = p_valid && advance_ && needs && !r_valid;
    go_ = p_valid && advance_ && (r_valid || !needs);
  }
  bool r_ready() const { return go_ && takes_; }
  bool p_ready() const { return go_ && end_; }
  bool lacks_result() const { return lacks_; }
  void step() {
    if (go_) beat_ = end_ ? 0 : beat_ + 1;
    if (!advance_) return;
    valid_2_ = valid_1_;
    end_2_ = end_1_;
    valid_1_ = go_;
    end_1_ = end_;
  }

 private:
  int lanes_, beat_ = 0;
  bool valid_1_ = false, end_1_ = false, valid_2_ = false, end_2_ = false;
  bool advance_ = true, end_ = false, takes_ = false, go_ = false, lacks_ = false;
};

// stream_widen
class Widen {
 public:
  explicit Widen(int factor) : factor_(factor) {}
  bool valid() const { return valid_; }
  bool last() const { return last_; }
  bool settle(bool m_ready) { return ready_ = !valid_ || m_ready; }
  void step(bool s_valid, bool s_last) {
    if (!ready_) return;
    valid_ = s_valid && at_ == factor_ - 1;
    if (!s_valid) return;
    at_ = at_ == factor_ - 1 ? 0 : at_ + 1;
    last_ = s_last;
  }

 private:
  int factor_, at_ = 0;
  bool valid_ = false, last_ = false, ready_ = true;
};

}  // namespace nvnmd::sim
