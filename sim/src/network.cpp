#include "network.hpp"

namespace nvnmd::sim {

namespace {

// Depths as fitting_net derives them from its sizes.
int energies(int layers, int inputs, int width, int lanes) {
  const int shorter = std::min(ceil_div(inputs, lanes), ceil_div(width, lanes));
  return ceil_power(layers * (2 + 20 / shorter) + 4);
}

int wait(int layers_behind, int beats) { return ceil_power(std::max(layers_behind * (2 * beats + 20) + 16, beats)); }

}  // namespace

FittingNet::FittingNet(int layers, int inputs, int width, int lanes, bool skip)
    : output_(ceil_div(width, lanes), energies(layers, inputs, width, lanes)) {
  const int beats = ceil_div(width, lanes);
  for (int l = 0; l < layers; ++l)
    layers_.emplace_back(l == 0 ? ceil_div(inputs, lanes) : beats, beats, skip && l > 0, wait(layers - 1 - l, beats));
}

bool FittingNet::settle(bool m_ready) {
  m_ready_ = m_ready;
  bool ready = m_ready && complete();
  for (FittingLayer& layer : layers_) ready = layer.settle_backward(ready);
  ready = output_.settle(ready);
  for (std::size_t l = layers_.size(); l-- > 0;) ready = layers_[l].settle_forward(ready);
  return ready;
}

void FittingNet::step(bool s_valid) {
  const bool energy_taken = valid() && m_ready_ && last();
  // Every block sees its neighbors as they were before the edge: forward streams are read ahead of the blocks they
  // leave, backward streams ahead of theirs.
  const std::size_t count = layers_.size();
  bool h_valid = layers_[count - 1].h_valid(), h_last = layers_[count - 1].h_last();
  bool g_valid = output_.valid(), g_last = output_.last();
  output_.step(h_valid, h_last, energy_taken);
  for (std::size_t l = count; l-- > 0;) {
    const bool into = l == 0 ? s_valid : layers_[l - 1].h_valid();
    const bool out_valid = layers_[l].g_valid(), out_last = layers_[l].g_last();
    layers_[l].step(into, g_valid, g_last);
    g_valid = out_valid;
    g_last = out_last;
  }
}

}  // namespace nvnmd::sim
