// Answers packets as a card does, with the CPU's kernels: for tests, and to try a set-up without a card.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "card/packet.hpp"
#include "card/sizes.hpp"
#include "kernel.hpp"
#include "model.hpp"

namespace nvnmd::card {

// A card that can only be loaded with the models it was made with: it knows them by their tags. Not thread-safe.
class Emulator {
 public:
  // Sizes are those of the first model; the others have to fit. `max_neighbors` makes room for more than it needs.
  Emulator(const std::vector<std::shared_ptr<const Model>>& models, std::uint32_t fitting_lanes, std::uint32_t identity);

  Emulator(const Emulator&) = delete;
  Emulator& operator=(const Emulator&) = delete;

  // The answers to one transfer.
  Bytes transfer(std::span<const std::byte> data);
  // As after a new bitstream: no model, counters zero.
  void reset();
  // How often it has asked for an interrupt since the last call.
  std::uint32_t take_interrupts();
  std::uint32_t read_register(std::uint32_t number) const;
  void write_register(std::uint32_t number, std::uint32_t word);

 private:
  struct Known {
    std::shared_ptr<const Model> model;
    std::unique_ptr<const Kernel> kernel;
    std::unique_ptr<Workspace> workspace;
    std::uint32_t tag;
  };
  struct Packet;

  std::size_t answer_one(std::span<const std::byte> data, Bytes& out);
  Status take(const Packet& packet, Bytes& out);
  Status evaluate(const Packet& packet, Bytes& out);
  Status load(const Packet& packet);
  void happen(std::uint32_t event);
  void say(Bytes& out, std::uint8_t kind, Status status, std::uint32_t sequence);

  Sizes sizes_;
  std::vector<Known> known_;
  Known* loaded_ = nullptr;
  bool begun_ = false;
  std::uint32_t announced_ = 0, tag_ = 0;
  std::uint64_t rows_ = 0;
  std::vector<std::uint32_t> registers_;
  std::uint32_t enabled_ = 0, interrupts_ = 0;
};

}  // namespace nvnmd::card
