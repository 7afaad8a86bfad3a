// The control of card_shell, cycle by cycle: packets of 512-bit beats in, answers out. Equal to the RTL in the cycle at
// which every beat passes the bus and every packet passes a place inside.
#pragma once

#include "pipeline.hpp"
#include "stream_blocks.hpp"

namespace nvnmd::sim {

struct CardSizes {
  Sizes pipeline;
  int lanes = 1, max_body = 64;
  bool model = true;  // whether a model is loaded at the start
};

// Where packets are seen besides the places of the pipeline: last beat on the bus, checked, sent on, answered, off the bus.
enum PacketPlace { kBusIn, kChecked, kDispatched, kAnswered, kBusOut, kPacketPlaces };

// Why something waits around the pipeline; `kStarved` counts cycles in which the pipeline would take an atom but has none.
enum CardCause { kInputFull, kHeadersFull, kRecordsFull, kAtomsInFlight, kFence, kPipelineBusy, kNoResult, kBusStalls, kStarved, kCardCauses };

// Stores whose fullest state is kept.
enum Store { kInputStore, kHeaderStore, kRecordStore, kInFlight, kNeighborStore, kAtomStore, kStores };

class Card {
 public:
  Card(const CardSizes& sizes, const std::vector<Packet>& packets);
  // Returns whether a beat would be taken from the bus in this cycle. `ends` says that it is the last of its packet.
  bool settle(bool m_ready, bool s_valid, bool s_ends);
  void step();
  bool valid() const { return widen_.valid(); }
  bool last() const { return widen_.last(); }
  unsigned passes() const { return passes_; }  // a bit for each PacketPlace that a packet's end passes
  unsigned waits() const { return waits_; }    // a bit for each CardCause
  const Pipeline& pipeline() const { return pipeline_; }
  int filled(Store store) const;
  int depth(Store store) const { return depths_[store]; }

 private:
  void note(bool s_ends);

  Narrow narrow_;
  PacketIn in_;
  Dispatch dispatch_;
  Loader loader_;
  Pipeline pipeline_;
  PacketOut out_;
  Widen widen_;
  int depths_[kStores];
  bool s_valid_ = false, s_ready_ = false, m_ready_ = false, w_ready_ = false, a_ready_ = false, r_done_ = false;
  unsigned passes_ = 0, waits_ = 0;
};

}  // namespace nvnmd::sim
