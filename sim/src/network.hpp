// Control of the fitting network: hidden_layer, backward_layer, fitting_layer, output_row, fitting_net.
#pragma once

#include <vector>

#include "blocks.hpp"

namespace nvnmd::sim {

// Input words that a skip connection adds wait in a FIFO; a layer without one never waits for it.
class Carry {
 public:
  Carry(bool skip, int beats) : skip_(skip), fifo_(ceil_power(2 * beats + 16)) {}
  bool ready() const { return !skip_ || fifo_.ready(); }
  void step(bool push, bool pop) {
    if (skip_) fifo_.step(push, pop);
  }
  template <typename Visit>
  void visit(Visit&& visit) const {
    visit(fifo_);
  }
  bool operator==(const Carry&) const = default;

 private:
  bool skip_;
  Fifo fifo_;
};

class HiddenLayer {
 public:
  HiddenLayer(int beats, int out_beats, bool skip) : dense_(beats, out_beats), tanh_(7), out_(1), carry_(skip, beats) {}
  bool valid() const { return out_.valid(); }
  bool last() const { return out_.last(); }
  bool settle(bool m_ready) {
    advance_ = out_.settle(m_ready);
    sum_ready_ = tanh_.settle(advance_);
    dense_ready_ = dense_.settle(sum_ready_);
    return dense_ready_ && carry_.ready();
  }
  void step(bool s_valid) {
    const bool enters = s_valid && carry_.ready(), taken = enters && dense_ready_;
    const bool act = tanh_.valid(), act_last = tanh_.last(), sum = dense_.valid(), sum_last = dense_.last();
    out_.step(act, act_last);
    tanh_.step(sum, sum_last);
    dense_.step(enters);
    carry_.step(taken, act && advance_);
  }
  void start_at(int beat) { dense_.start_at(beat); }
  template <typename Visit>
  void visit(Visit&& visit) const {
    carry_.visit(visit);
  }
  bool operator==(const HiddenLayer&) const = default;

 private:
  Dense dense_;
  Pipe tanh_, out_;
  Carry carry_;
  bool advance_ = true, sum_ready_ = true, dense_ready_ = true;
};

class BackwardLayer {
 public:
  BackwardLayer(int beats, int out_beats, bool skip)
      : product_(1), dense_(beats, out_beats), round_(2), carry_(skip, beats) {}
  bool valid() const { return round_.valid(); }
  bool last() const { return round_.last(); }
  bool settle(bool m_ready) {
    sum_ready_ = round_.settle(m_ready);
    advance_ = product_.settle(dense_.settle(sum_ready_));
    return advance_ && carry_.ready();
  }
  void step(bool s_valid) {
    const bool enters = s_valid && carry_.ready(), taken = enters && advance_;
    const bool sum = dense_.valid(), sum_last = dense_.last(), product = product_.valid();
    round_.step(sum, sum_last);
    dense_.step(product);
    product_.step(enters, false);
    carry_.step(taken, sum && sum_ready_);
  }
  template <typename Visit>
  void visit(Visit&& visit) const {
    carry_.visit(visit);
  }
  bool operator==(const BackwardLayer&) const = default;

 private:
  Pipe product_;
  Dense dense_;
  Pipe round_;
  Carry carry_;
  bool sum_ready_ = true, advance_ = true;
};

class FittingLayer {
 public:
  FittingLayer(int beats, int out_beats, bool skip, int wait)
      : forward_(beats, out_beats, skip), backward_(out_beats, beats, skip), wait_(wait), counts_(8) {}
  bool h_valid() const { return forward_.valid() && wait_.ready(); }
  bool h_last() const { return forward_.last(); }
  bool g_valid() const { return backward_.valid(); }
  bool g_last() const { return backward_.last(); }

  // Whether gradients from behind are taken.
  bool settle_backward(bool m_ready) {
    m_ready_ = m_ready;
    back_ready_ = backward_.settle(m_ready);
    return join_ready_ = wait_.valid() && counts_.ready() && back_ready_;
  }
  bool settle_forward(bool h_ready) {
    h_ready_ = h_ready;
    return forward_.settle(h_ready && wait_.ready());
  }
  void step(bool s_valid, bool g_valid, bool g_last) {
    const bool keep = forward_.valid() && h_ready_ && wait_.ready(), join = g_valid && join_ready_;
    const bool gone = backward_.valid() && m_ready_ && backward_.last();
    backward_.step(g_valid && wait_.valid() && counts_.ready());
    forward_.step(s_valid);
    wait_.step(keep, join);
    counts_.step(join && g_last, gone);
  }
  void start_at(int beat) { forward_.start_at(beat); }
  template <typename Visit>
  void visit(Visit&& visit) const {
    forward_.visit(visit);
    backward_.visit(visit);
    visit(wait_);
    visit(counts_);
  }
  bool operator==(const FittingLayer&) const = default;

 private:
  HiddenLayer forward_;
  BackwardLayer backward_;
  Fifo wait_, counts_;
  bool m_ready_ = false, back_ready_ = true, join_ready_ = false, h_ready_ = true;
};

// output_row
class OutputRow {
 public:
  OutputRow(int beats, int energies) : energy_(beats, 1), energies_(energies), out_(1) {}
  bool valid() const { return out_.valid(); }
  bool last() const { return out_.last(); }
  bool energy_valid() const { return energies_.valid(); }
  bool settle(bool g_ready) {
    advance_ = out_.settle(g_ready);
    dense_ready_ = energy_.settle(energies_.ready());
    return advance_ && dense_ready_;
  }
  void step(bool s_valid, bool s_last, bool energy_taken) {
    const bool sum = energy_.valid() && energies_.ready();
    out_.step(s_valid && dense_ready_, s_last);
    energy_.step(s_valid && advance_);
    energies_.step(sum, energy_taken);
  }
  template <typename Visit>
  void visit(Visit&& visit) const {
    visit(energies_);
  }
  bool operator==(const OutputRow&) const = default;

 private:
  Dense energy_;
  Fifo energies_;
  Pipe out_;
  bool advance_ = true, dense_ready_ = true;
};

class FittingNet {
 public:
  FittingNet(int layers, int inputs, int width, int lanes, bool skip);
  bool valid() const { return layers_[0].g_valid() && complete(); }
  bool last() const { return layers_[0].g_last(); }
  bool settle(bool m_ready);
  void step(bool s_valid);
  void start_at(int beat) { layers_[0].start_at(beat); }  // beats of a vector that came earlier
  // Shows every FIFO.
  template <typename Visit>
  void visit(Visit&& visit) const {
    for (const FittingLayer& layer : layers_) layer.visit(visit);
    output_.visit(visit);
  }
  bool operator==(const FittingNet&) const = default;

 private:
  bool complete() const { return !last() || output_.energy_valid(); }
  std::vector<FittingLayer> layers_;
  OutputRow output_;
  bool m_ready_ = false;
};

}  // namespace nvnmd::sim
