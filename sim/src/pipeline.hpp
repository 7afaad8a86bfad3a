// The control of atom_pipeline, cycle by cycle: equal to the RTL in the cycle at which every beat enters and leaves.
#pragma once

#include "descriptor.hpp"
#include "quick_network.hpp"

namespace nvnmd::sim {

struct Sizes {  // parameters of atom_pipeline
  int m1 = 32, m2 = 4, columns = 1;
  int layers = 3, width = 128, net_lanes = 3;
  bool skip = true;
  int atoms = 16, wait = 1024;
  bool shortcuts = true;  // off to work out every block in every cycle; the same cycles, slower
};

// Places at which a packet is seen: the cycle at which the last beat of an atom passes.
enum Place { kNeighborsIn, kNeighborsOut, kNetworkIn, kNetworkOut, kGradientIn, kForcesIn, kForcesOut, kPlaces };

// Why the block ahead of a place waits in a cycle in which it has a beat to give.
enum Cause { kWaitFull, kAtomsFull, kDescriptorBusy, kNetworkBusy, kRowsBusy, kGradientBusy, kNoGradient, kSink, kCauses };

class Pipeline {
 public:
  explicit Pipeline(const Sizes& sizes);
  bool valid() const { return pair_.valid(); }
  bool last() const { return pair_.last(); }
  // What source and sink do in this cycle; returns whether a beat would be taken at the entry.
  bool settle(bool m_ready, bool s_valid, bool s_last);
  void step();

  // Of this cycle, after `settle`, a bit each: places that a beat passes, that the last beat of an atom passes, and
  // causes for which a beat waits.
  unsigned passes() const { return passes_; }
  unsigned passes_last() const { return passes_last_; }
  unsigned waits() const { return waits_; }
  int waiting() const { return wait_.count(); }  // beats in the store of neighbors
  int atoms() const { return records_.count(); }

 private:
  void note();
  void pass(Place place, bool beat, bool last) {
    passes_ |= static_cast<unsigned>(beat) << place;
    passes_last_ |= static_cast<unsigned>(beat && last) << place;
  }
  void wait(Cause cause, bool holds) { waits_ |= static_cast<unsigned>(holds) << cause; }

  Pipe front_;
  Fifo types_;
  Accumulator acc_;
  Regroup words_;
  BlockFifo columns_;
  Fifo axis_, clips_, records_;
  BlockFifo wait_;
  QuickNet net_;
  Fifo net_records_;
  Regroup rows_;
  Gradient grad_;
  Pipe dots_, pair_;
  Fifo results_;

  bool fresh_ = true, leave_ = false, force_enters_ = false, force_ready_ = false, rows_take_ = false, rows_valid_ = false;
  bool gathered_ready_ = true, d_ready_ = true, columns_take_ = false, acc_ready_ = true, n_ready_ = true, n_take_ = false;
  bool grad_ready_ = true, complete_ = false, s_ready_ = true, m_ready_ = false, s_valid_ = false, s_last_ = false;
  unsigned passes_ = 0, passes_last_ = 0, waits_ = 0;
};

}  // namespace nvnmd::sim
