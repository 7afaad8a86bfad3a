#include "card_player.hpp"

#include <bit>
#include <stdexcept>
#include <string>
#include <utility>

#include "chance.hpp"

namespace nvnmd::sim {

namespace {

constexpr std::int64_t kPatience = 1'000'000;  // cycles without a beat on the bus

}  // namespace

void Recorder::note(const Card& card, bool taken, bool given) {
  const Pipeline& pipeline = card.pipeline();
  const std::int64_t cycle = trace_.cycles++;
  for (int place = 0; place < kPlaces; ++place) trace_.beats[place] += pipeline.passes() >> place & 1;
  for (unsigned left = pipeline.waits(); left != 0; left &= left - 1) ++trace_.waits[std::countr_zero(left)];
  for (unsigned left = card.waits(); left != 0; left &= left - 1) ++trace_.card_waits[std::countr_zero(left)];
  trace_.bus_in += taken;
  trace_.bus_out += given;
  answered_ += card.passes() >> kBusOut & 1;
  if (taken || given) moved_ = cycle;
  if (cycle - moved_ > kPatience)
    throw std::runtime_error("nothing moves on the bus behind cycle " + std::to_string(moved_) + ", packet " + std::to_string(answered_));
  if (keep_ == Keep::kTotals) return;
  for (unsigned left = card.passes(); left != 0; left &= left - 1) {
    const int place = std::countr_zero(left);
    trace_.packets[at_[place]++][place] = cycle;
  }
  for (unsigned left = pipeline.passes_last(); left != 0; left &= left - 1) {
    const int place = std::countr_zero(left);
    if (atom_at_[place] == trace_.atoms.size()) trace_.atoms.push_back(none<kPlaces>());
    trace_.atoms[atom_at_[place]++][place] = cycle;
  }
  if (keep_ != Keep::kBeats) return;
  if (taken) trace_.entered.push_back(cycle);
  if (given) trace_.left.push_back(cycle);
}

CardTrace Recorder::finish(const Card& card) {
  for (int store = 0; store < kStores; ++store) trace_.depths[store] = card.depth(static_cast<Store>(store));
  return std::move(trace_);
}

CardTrace play(const CardSizes& sizes, const std::vector<Packet>& packets, const Traffic& traffic, Keep keep) {
  Card card(sizes, packets);
  Recorder recorder(keep, packets.size());
  Chance chance(traffic.seed);
  const bool pauses = traffic.idle > 0.0 || traffic.stall > 0.0;
  std::size_t packet = 0;
  std::int32_t sent = 0;
  bool s_valid = false;
  while (recorder.answered() < packets.size() || packet < packets.size()) {
    if (!s_valid && packet < packets.size()) s_valid = !pauses || chance.at_least(traffic.idle);
    const bool m_ready = !pauses || chance.at_least(traffic.stall), ends = s_valid && sent + 1 == packets[packet].beats;
    const bool taken = card.settle(m_ready, s_valid, ends) && s_valid;
    recorder.note(card, taken, card.valid() && m_ready);
    card.step();
    recorder.filled(card);
    if (!taken) continue;
    s_valid = false;
    if (++sent == packets[packet].beats) {
      sent = 0;
      ++packet;
    }
  }
  return recorder.finish(card);
}

}  // namespace nvnmd::sim
