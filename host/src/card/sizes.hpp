// What a card was built to hold, read from its registers, and a model as load packets for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "card/packet.hpp"
#include "model.hpp"

namespace nvnmd::card {

// Numbers of the registers (docs/stream.md, "Registers"); the address is four times the number.
enum Register : std::uint32_t {
  kRegMagic = 0,
  kRegVersion = 1,
  kRegIdentity = 2,
  kRegModel = 3,
  kRegClear = 4,
  kRegLanes = 5,
  kRegTypes = 6,
  kRegMaxBody = 7,
  kRegCounters = 8,  // first of 24
  kRegTag = 32,
  kRegSizes = 33,  // first of the sizes, in the order of Sizes
  kRegEvents = 46,  // what has happened; a write enables interrupts and forgets
};
inline constexpr std::uint32_t kEventReset = 1;  // the card was reset
inline constexpr std::uint32_t kMagicRegister = 0x444D564E;  // the bytes NVMD
inline constexpr std::size_t kRegisters = 64;

struct Sizes {
  std::uint32_t identity = 0, types = 0, max_body = 0;
  // From kRegSizes on, in this order.
  std::uint32_t m1 = 0, m2 = 0, layers = 0, width = 0, skip = 0, seg_bits = 0, segments = 0, feature_tables = 0, scalar_tables = 0;
  std::uint32_t guard_tables = 0, guard_segments = 0, gates = 0, fitting_lanes = 0;

  // Reads them from a card. Throws DeviceError (Fault::unusable) when it is none, or speaks another version.
  static Sizes read(const std::function<std::uint32_t(std::uint32_t)>& register_word);
  // The registers that `read` reads.
  std::vector<std::uint32_t> registers() const;
  // The smallest card that holds a model; an identity is the caller's choice.
  static Sizes of(const Model& model, std::uint32_t fitting_lanes);
  // Throws DeviceError (Fault::unusable) that names the first size of the model that does not fit.
  void check(const Model& model) const;
};

// A model for a card; every packet is a transfer of its own.
struct Load {
  std::vector<Bytes> packets;
  std::uint32_t tag = 0;  // checksum of the rows: cards of one configuration with one tag hold the same model
};

// Load packets numbered from `first`. Throws DeviceError (Fault::unusable) when the model does not fit.
Load encode_load(const Model& model, const Sizes& sizes, std::uint32_t first = 1);

}  // namespace nvnmd::card
