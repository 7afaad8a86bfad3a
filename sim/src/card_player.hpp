// Plays packets into the card and writes down when each passes which place.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "card.hpp"
#include "player.hpp"

namespace nvnmd::sim {

struct CardTrace {
  std::vector<std::array<std::int64_t, kPacketPlaces>> packets;  // cycle at which the end of each packet passes a place
  std::vector<std::array<std::int64_t, kPlaces>> atoms;          // the same in the pipeline, of atoms that it evaluates
  std::vector<std::int64_t> entered, left;                       // cycle of every beat on the bus
  std::array<std::int64_t, kPlaces> beats{};                     // beats that passed a place of the pipeline
  std::array<std::int64_t, kCauses> waits{};                     // cycles in which a beat waited in the pipeline, by cause
  std::array<std::int64_t, kCardCauses> card_waits{};            // the same around it
  std::array<std::int64_t, kStores> most{}, depths{};            // fullest state and size of the stores
  std::int64_t cycles = 0, bus_in = 0, bus_out = 0;              // length of the run, beats on the bus
};

// What a recorder keeps beside totals: nothing, places of packets, or the cycle of every beat too.
enum class Keep { kTotals, kPackets, kBeats };

// Follows a card; `note` belongs between `settle` and `step`, `filled` behind `step`.
class Recorder {
 public:
  Recorder(Keep keep, std::size_t packets) : keep_(keep) {
    if (keep != Keep::kTotals) trace_.packets.resize(packets, none<kPacketPlaces>());
  }
  void note(const Card& card, bool taken, bool given);
  void filled(const Card& card) {
    for (int store = 0; store < kStores; ++store) {
      const std::int64_t now = card.filled(static_cast<Store>(store));
      if (now > trace_.most[store]) trace_.most[store] = now;
    }
  }
  std::size_t answered() const { return answered_; }
  std::int64_t cycle() const { return trace_.cycles; }
  CardTrace finish(const Card& card);

 private:
  template <std::size_t Places>
  static std::array<std::int64_t, Places> none() {
    std::array<std::int64_t, Places> cycles;
    cycles.fill(-1);
    return cycles;
  }

  Keep keep_;
  CardTrace trace_;
  std::array<std::size_t, kPacketPlaces> at_{};
  std::array<std::size_t, kPlaces> atom_at_{};
  std::size_t answered_ = 0;
  std::int64_t moved_ = 0;
};

// Source and sink pause at random, as in the RTL's stream bench.
CardTrace play(const CardSizes& sizes, const std::vector<Packet>& packets, const Traffic& traffic, Keep keep);

}  // namespace nvnmd::sim
