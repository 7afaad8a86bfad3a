// A host around the card: threads pack atoms into buffers and unpack answers, PCIe carries them. Times are in cycles of
// the card; bytes are real, words are not.
#pragma once

#include <cstdint>
#include <queue>
#include <vector>

#include "card_player.hpp"
#include "chance.hpp"
#include "transfers.hpp"

namespace nvnmd::sim {

struct Link {
  double bytes_per_cycle = 36.0;  // of packets, transaction headers taken off
  double latency = 0.0;           // cycles from a request to its first byte, or from the last byte to the host's notice
  double gap = 0.0;               // cycles between two transfers in which nothing moves
  double spike_probability = 0.0, spike = 0.0;  // of a transfer, and how much longer its latency is, cycles
};

struct HostSizes {
  Link in, out;
  int threads = 1;
  double pack_atom = 0.0, pack_neighbor = 0.0, unpack_atom = 0.0, unpack_neighbor = 0.0;  // cycles of a thread
  Transfers transfers;
  int bridge_beats = 512;               // beats between link and card, each way
  unsigned seed = 0;
};

// Begin and end of what happens to a buffer, in cycles; threads count from 0.
enum Phase { kPack, kSend, kCompute, kReceive, kUnpack, kPhases };
struct BufferTimes {
  double begin[kPhases], end[kPhases];
  double pack_thread, unpack_thread;
};

struct HostTrace {
  CardTrace card;
  std::vector<BufferTimes> buffers;
  double cycles = 0.0;       // until the last answer is unpacked
  double threads_busy = 0.0;  // thread-cycles
  std::int64_t in_busy = 0, out_busy = 0, out_full = 0;  // cycles in which a link moves bytes, or the card waits for it
};

// What stands on both ends of the bus. `tick` begins a cycle; then `offers` and `accepts` hold for it.
class Host {
 public:
  Host(const HostSizes& sizes, const std::vector<Packet>& packets);
  void tick(std::int64_t cycle);
  bool offers() const { return in_beats_ > 0; }
  bool accepts() const { return out_beats_ < sizes_.bridge_beats; }
  bool ends() const { return sent_beats_ + 1 == packets_[sent_].beats; }  // the beat on offer is its packet's last
  void moved(std::int64_t cycle, bool taken, bool given, bool answer_ends);
  bool done() const { return unpacked_ == static_cast<int>(times_.size()); }
  void finish(HostTrace& trace);

 private:
  struct Event {
    double time;
    Phase ends;
    int buffer, thread;
    bool operator<(const Event& other) const { return time > other.time; }
  };
  struct Buffer {
    std::int64_t atoms_end = 0, in_beats = 0, out_beats = 0;
    double pack = 0.0, unpack = 0.0;
    double ready = -1.0;  // when the first byte can move
  };

  void happen(const Event& event);
  void assign(double now);
  void begin_sending(double now);
  void send(double now);
  void receive(double now);
  double latency(const Link& link);

  HostSizes sizes_;
  const std::vector<Packet>& packets_;
  Chance chance_;
  std::vector<Buffer> buffers_;
  std::vector<BufferTimes> times_;
  std::priority_queue<Event> events_;
  std::queue<int> answered_;           // buffers to unpack
  std::vector<int> idle_;              // threads
  int slots_, next_pack_ = 0, next_send_ = 0, next_receive_ = 0, unpacked_ = 0;
  bool sending_ = false;
  std::int64_t send_left_ = 0, receive_left_ = 0;  // beats of the transfer on the link
  double send_from_ = 0.0, receive_from_ = 0.0, in_credit_ = 0.0, out_credit_ = 0.0;
  std::int64_t in_beats_ = 0, out_beats_ = 0;      // in the bridge
  std::size_t sent_ = 0;
  std::int32_t sent_beats_ = 0;
  std::int64_t answers_ = 0;
  int enters_ = 0, leaves_ = 0;                    // buffers whose beats the card takes and answers
  HostTrace trace_;
};

// One step: all packets from the host's memory and all answers back. Only sound atoms can be sent.
HostTrace play(const CardSizes& sizes, const std::vector<Packet>& packets, const HostSizes& host, Keep keep);

}  // namespace nvnmd::sim
